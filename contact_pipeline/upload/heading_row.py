"""Checks a row of headings: problems that put values under wrong names are refused, others are warned of."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

import polars as pl

from contact_pipeline.errors import Refusal, listed
from contact_pipeline.headings.naming import labels, shown
from contact_pipeline.masking import mask_heading
from contact_pipeline.upload.column_letters import column_letter
from contact_pipeline.upload.heading import folded

_LINE_BREAK: Final = re.compile(r"\s*[\r\n]+\s*")
_VALUE: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]{2,}|(?!\d{4}-\d\d-\d\d)[+(]?\d[\d ()./-]{6,}")
_PIECES: Final = 2  # headings continued in the row below; a single one may be an accident


def refuse_swallowed(heading: Sequence[str], row: int, file_name: str) -> None:
    """Refuses a heading with a quote that closes in a later line, and not at the end of a heading.

    Raises:
        Refusal: the row of headings took in lines of other rows (`heading-broken`).
    """
    taken = [cell for cell in heading if _LINE_BREAK.search(cell)]
    if taken:
        raise Refusal(
            "heading-broken",
            f'{file_name}: a quote (") that opens in the row of headings (row {row}) closes in a row below it: '
            f"{shown(taken)} would be one heading.",
            "Close the quote in its own heading, or remove it.",
            file=file_name,
            row_number=row,
        )


def refuse_split(
    headings: Sequence[str], below: Sequence[str | None], row: int, file_name: str, known: Collection[str]
) -> None:
    """Refuses headings that stand in two rows, continued in the row below.

    Args:
        headings: the row of headings.
        below: the cells of the next row.
        row: row_number of the headings.
        file_name: the sender's name for the file.
        known: expected headings, folded.

    Raises:
        Refusal: two of the cells and those below them make known headings (`heading-broken`).
    """
    pairs = [(heading, cell) for heading, cell in zip(headings, below, strict=False) if heading.strip() and cell]
    joined = [f"{heading.strip()} {cell.strip()}" for heading, cell in pairs]
    split = [heading for heading in joined if folded(heading) in known]
    if len(split) >= _PIECES:
        raise Refusal(
            "heading-broken",
            f"{file_name}: the headings stand in rows {row} and {row + 1}, such as {shown(split, 3)}.",
            "Write each heading in one cell of one row.",
            file=file_name,
            row_number=row,
        )


def warn_of(headings: Sequence[str], row: int, filled: Collection[int], file_name: str) -> list[str]:
    """The warnings about a row of headings, in sentences.

    Args:
        headings: the row of headings.
        row: its row_number.
        filled: positions of columns without a heading that hold values.
        file_name: the sender's name for the file.
    """
    broken = [heading for heading in headings if _LINE_BREAK.search(heading.strip())]
    values = [heading for heading in headings if _VALUE.fullmatch(heading.strip())]
    warnings = []
    if values:
        warnings.append(
            f"{file_name}: {shown(values, 3)} in row {row} looks like a value, but the row is read as headings and not "
            "imported. If the headings are missing, write them into a row above it."
        )
    if broken:
        warnings.append(f"{file_name}: {shown(broken)} stands on several lines; it is read as one heading.")
    if filled:
        columns = listed(column_letter(position) for position in sorted(filled))
        hold = "column {} has no heading; its" if len(filled) == 1 else "columns {} have no heading; their"
        warnings.append(
            f"{file_name}: {hold.format(columns)} values are not imported. Write a heading in row {row} to import them."
        )
    return [*warnings, *_repeated(headings)]


def warn_of_wide_rows(wide: int, rows: int, width: int, file_name: str) -> list[str]:
    """The warning that most rows hold more values than the heading has columns."""
    if not wide or 2 * wide < rows:
        return []
    more = f"{wide:,} of {rows:,} rows hold more values than there are headings ({width}), and are rejected."
    return [f"{file_name}: {more} A heading is missing, or two are one."]


def _repeated(headings: Sequence[str]) -> list[str]:
    """The warnings about headings that stand over several columns, with the names of these columns."""
    names = labels(headings)
    return [
        f"Heading {shown([heading])} stands over {headings.count(heading)} columns; they are called "
        f"{listed(mask_heading(name) for name, each in zip(names, headings, strict=True) if each == heading)}, "
        "in --map too."
        for heading in dict.fromkeys(headings)
        if heading.strip() and headings.count(heading) > 1
    ]


def holds_text(cells: pl.Series) -> bool:
    """Whether any cell holds more than spaces."""
    return bool(cells.str.contains(r"\S").any())
