"""Corrections of an upload drawn for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from contact_pipeline.cli import console
from contact_pipeline.cli.upload_view import known_by
from contact_pipeline.errors import listed, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from contact_pipeline.cli.console import Lines

_SHOWN: Final = 20  # corrections


def draw_corrections(corrections: list[dict[str, Any]]) -> Iterator[RenderableType | Lines]:
    """Corrections, before → after; the last ones of many."""
    rows = [
        (str(each["number"]), _rows_of(each), each["column"], *_sides(each), _by(each))
        for each in corrections[-_SHOWN:]
    ]
    if more := len(corrections) - len(rows):
        yield console.text(f"{more:,} earlier corrections; show --json lists all of them", "dim")
    yield console.rows(("No.", "Row", "Column", "Before", "After", ""), rows)


def _rows_of(correction: dict[str, Any]) -> str:
    if correction["kind"] == "column":
        return "all"
    named = listed(correction["row_numbers"], limit=3)
    return named if correction["rows"] <= 3 else f"{number_of(correction['rows'], 'row')}"


def _sides(correction: dict[str, Any]) -> tuple[str, str]:
    if correction["kind"] != "cell":
        return "", "left out"
    return correction["before"] or "blank", correction["after"] or "blank"


def _by(correction: dict[str, Any]) -> str:
    if "corrected_by" not in correction:
        return ""
    who = known_by(correction["corrected_by"], correction["corrected_as"])
    by = f"{who}, {correction['corrected_at'][:10]}"
    return f"{by}, withdrawn" if correction["withdrawn"] else by
