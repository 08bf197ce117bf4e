"""Finds the heading among the first rows of a table: a title, a date or a note may stand above it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Final

LOOKED_AT: Final = 40  # filled rows
_INVISIBLE: Final = frozenset({"Cc", "Cf"})
_JOINERS: Final = "\u200c\u200d"
_KEPT: Final = frozenset(f"\t\n\r{_JOINERS}")
_SPACES: Final = re.compile(r"[^\S\t\n\r]")
_FORMULA_AS_TEXT: Final = re.compile(r"^(\s*)'(?=[=+\-@])")
_NAME: Final = re.compile(r"[^\W\d_]")


def without_invisible(heading: str) -> str:
    """The heading without characters that nobody can see; any kind of space is a space.

    Joiners (U+200C, U+200D) stay between letters: some scripts need them.
    """
    visible = "".join(sign for sign in heading if unicodedata.category(sign) not in _INVISIBLE or sign in _KEPT)
    return _SPACES.sub(" ", visible).strip(_JOINERS)


def heading_in(cell: str) -> str:
    """The heading in a cell: without invisible characters, and without an apostrophe before a formula.

    Unlike in other cells, an apostrophe before digits stays: '24 is a year.
    """
    return _FORMULA_AS_TEXT.sub(r"\1", without_invisible(cell))


def folded(heading: str) -> str:
    """The heading without case, spacing and punctuation, which people write in different ways."""
    return re.sub(r"[\W_]+", "", without_invisible(heading).casefold())


def find_heading(rows: Sequence[Sequence[str]], known: Collection[str] = ()) -> int:
    """The position of the heading among the first filled rows of a table.

    It is the first row with two known headings or more, if these are at least half of its cells; if the next row has
    more of them, it is the next one, since the first names groups of columns. Without such a row it is the first row.
    But if that is much shorter than the rows below, it is a title, and the heading is the first longer row, if that
    could be a heading and most rows below are as wide.

    Args:
        rows: the cells of each row.
        known: expected headings, folded.
    """
    filled = [[cell.strip() for cell in row if cell.strip()] for row in rows[:LOOKED_AT]]
    for position, cells in enumerate(filled):
        if has_headings(cells, known):
            return position + _names_groups(cells, filled[position + 1 : position + 2], known)
    if not filled:
        return 0
    typical = sorted(map(len, filled))[3 * len(filled) // 4]
    title = 0 if typical < 2 else 1 if typical < 5 else 2
    place = next((n for n, cells in enumerate(filled) if len(cells) > title), 0)
    below = rows[place + 1 : LOOKED_AT]
    fitting = sum(len(row) == len(rows[place]) for row in below)
    if len(below) < place or 2 * fitting <= len(below) or not _could_be_heading(filled[place], typical):
        return 0
    return place


def has_headings(row: Sequence[str], known: Collection[str]) -> bool:
    """Whether a row has two different known headings or more, and at most as many other cells."""
    cells = [cell for cell in row if cell.strip()]
    known_cells = sum(folded(cell) in known for cell in cells)
    return known_headings(cells, known) > 1 and 2 * known_cells >= len(cells)


def _names_groups(row: Sequence[str], following: Sequence[Sequence[str]], known: Collection[str]) -> bool:
    """Whether the next row has more known headings, and is no shorter."""
    return any(
        has_headings(below, known)
        and len(below) >= len(row)
        and known_headings(below, known) > known_headings(row, known)
        for below in following
    )


def known_headings(row: Sequence[str], known: Collection[str]) -> int:
    """The number of different known headings in a row."""
    return len({folded(cell) for cell in row} & {*known})


def above(file_name: str, heading_row: int, filled: int) -> list[str]:
    """The warning that filled rows stand above the heading, if any do."""
    if not filled:
        return []
    rows = "a row above it is" if filled == 1 else f"{filled} rows above it are"
    return [f"{file_name}: the heading stands in row {heading_row}; {rows} not read."]


def _could_be_heading(cells: Sequence[str], typical: int) -> bool:
    names = [cell.casefold() for cell in cells]
    return len(set(names)) == len(names) and 2 * len(names) >= typical and all(_NAME.search(name) for name in names)
