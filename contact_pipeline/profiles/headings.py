"""How the columns of a file are named for people, where one heading stands over several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from contact_pipeline.errors import listed
from contact_pipeline.masking import mask_heading
from contact_pipeline.visible import visible

_LINE_BREAK: Final = re.compile(r"\s*[\r\n]+\s*")


def labels(headings: Sequence[str]) -> list[str]:
    """A name for each column: its heading; where that stands several times, with its number: `Phone#2`."""
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
    """Headings in quotes for a sentence: a few, each on one line, long numbers hidden."""
    return listed((f"'{visible(_LINE_BREAK.sub(' ', mask_heading(heading)).strip())}'" for heading in headings), limit)
