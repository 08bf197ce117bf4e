"""Names of columns: for people, for several columns with one heading, and in files that are given back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from contact_pipeline.errors import listed
from contact_pipeline.masking import mask_heading
from contact_pipeline.visible import visible

if TYPE_CHECKING:
    from contact_pipeline.profiles.model import Profile

_LINE_BREAK: Final = re.compile(r"\s*[\r\n]+\s*")
_REASONS: Final = "errors"
_LONGEST_SHOWN: Final = 160  # characters of a heading in a sentence


def labels(headings: Sequence[str]) -> list[str]:
    """A name for each column: its heading; where several have the same, with a number: `Phone#2`."""
    names: list[str] = []
    for position, heading in enumerate(headings):
        name = heading
        if heading.strip() and headings.count(heading) > 1:
            name = f"{heading}#{headings[: position + 1].count(heading)}"
            while name in headings:
                name = name.replace("#", "##", 1)
        names.append(name)
    return names


def shown(headings: Sequence[str], limit: int = 8) -> str:
    """Headings in quotes for a sentence: a few, each on one line and cut if it is long, long numbers hidden."""
    return listed((f"'{_in_a_sentence(heading)}'" for heading in headings), limit)


def _in_a_sentence(heading: str) -> str:
    line = _LINE_BREAK.sub(" ", mask_heading(heading)).strip()
    return visible(line if len(line) <= _LONGEST_SHOWN else f"{line[:_LONGEST_SHOWN]}…")


def reasons_heading(others: Iterable[str]) -> str:
    """Heading of the column with the reasons in a file of rejected rows: `errors`, or `errors_2` if that is taken."""
    taken = {_folded(heading) for heading in others}
    name, number = _REASONS, 1
    while _folded(name) in taken:
        number += 1
        name = f"{_REASONS}_{number}"
    return name


def has_reasons(headings: Sequence[str], known: Iterable[str]) -> bool:
    """Whether the last column of a file is the one with the reasons, of rejected rows that were given back.

    Args:
        headings: of the file.
        known: headings that mean something in its profile, or were mapped.
    """
    if not headings:
        return False
    *others, last = headings
    return " ".join(last.split()).casefold() == reasons_heading([*others, *known])


def meant_by(profile: Profile, mapped: Iterable[str]) -> list[str]:
    """The headings that mean something in a profile, and those that were mapped."""
    return [name for column in profile.columns for name in (column.field, *column.known_headings)] + [*mapped]


def _folded(heading: str) -> str:
    return re.sub(r"[\W_]+", "", heading.casefold())
