"""The parts that the page for the person is drawn of: tables, lists and values as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from contact_pipeline.access.words import LABELS
from contact_pipeline.visible import visible


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, lead: bool = True) -> str:
    """A table of cells that are HTML already; blank if there are no rows. The first cell can be the row's heading."""
    if not rows:
        return ""

    def beside(heading: str) -> str:
        """The heading shown beside the cell on a narrow screen; a single value needs only its row's first cell."""
        return "" if lead and len(headings) == 2 else f' data-label="{text(heading)}"'

    head = "".join(f'<th scope="col">{text(heading)}</th>' for heading in headings)
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{cell}</th>' if lead and place == 0 else f"<td{beside(heading)}>{cell or '–'}</td>"
            for place, (heading, cell) in enumerate(zip(headings, row, strict=True))
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def items(given: Iterable[str]) -> str:
    """A list of items that are HTML already; blank if there are none."""
    found = [f"<li>{item}</li>" for item in given]
    return f"<ul>{''.join(found)}</ul>" if found else ""


def nothing(message: str) -> str:
    """That there is nothing to show, in words."""
    return f'<p class="quiet">{text(message)}</p>'


def label(name: str) -> str:
    """The name of a field for people."""
    return LABELS.get(name) or text(name.replace("_", " ").capitalize())


def moment(at: str) -> str:
    """A time of day in UTC."""
    return text(at.replace("T", " ").removesuffix("Z"))


def value(given: Any) -> str:
    """A value as HTML, whatever its direction of writing."""
    match given:
        case None | "" | []:
            return "–"
        case bool():
            return "yes" if given else "no"
        case list() | tuple():
            return items(value(each) for each in given)
        case _:
            return f"<bdi>{text(given)}</bdi>"


def text(given: object) -> str:
    """A text as HTML; misleading characters are made visible."""
    return escape(visible(str(given)))
