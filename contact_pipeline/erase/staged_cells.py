"""Staged values that erasing would remove."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cell:
    """A staged value that erasing would remove.

    Attributes:
        table: its table; `raw_rows` holds the file's own cells.
        row_number: its row, if the table has rows.
        column: its column.
        value: the value, as text; if the cell is not the person's, only the match in it.
        is_theirs: whether the whole cell would be emptied, because its row or change is the person's.
    """

    table: str
    row_number: int | None
    column: str
    value: str
    is_theirs: bool


def as_cells(table: str, row: int | None, name: str, value: Any, *, is_theirs: bool) -> Iterator[Cell]:
    """The texts of a cell: several for a list, none for a blank cell."""
    for each in value if isinstance(value, list) else [value]:
        if each not in (None, ""):
            shown = ("yes" if each else "no") if isinstance(each, bool) else str(each)
            yield Cell(table, row, name, shown, is_theirs)
