"""How the columns of a file are named for people, where one heading stands over several."""

from __future__ import annotations

from collections.abc import Sequence


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
