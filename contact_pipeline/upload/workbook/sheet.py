"""The result of reading a sheet, with any reader: its cells as text, and its facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

import polars as pl

from contact_pipeline.upload.column_letters import column_letter

_PLACES: Final = {"row": pl.UInt32, "column": pl.UInt32, "text": pl.String}


class DamagedWorkbook(Exception):
    """The content of a workbook violates its format; the text, if any, is the reader's."""


class TooManyCells(Exception):
    """The cells of a sheet lie so far apart that the space between them would fill the memory."""

    def __init__(self, row: int, column: int) -> None:
        super().__init__(f"the sheet reaches to {column_letter(column)}{row + 1}")
        self.last = f"{column_letter(column)}{row + 1}"


class TooMuchText(Exception):
    """The cells of a sheet together show so much text that it would fill the memory, though it may be stored once."""


def places(found: Iterable[tuple[int, int, str]] = ()) -> pl.DataFrame:
    """Texts at places of a sheet (row and column from 0), as a frame."""
    return pl.DataFrame(list(found), schema=_PLACES, orient="row")


@dataclass
class SheetFacts:
    """The facts of a sheet besides its values.

    Attributes:
        errors: row and column from 0, and the error in the cell (#N/A, #REF!).
        uncalculated: row and column from 0, and the formula without a result in the cell, after a "=".
        shown: row and column from 0, and the text that Excel shows in the cell, where the value lacks it.
        merged: ranges of merged cells.
        hidden_rows: how many rows are hidden.
        hidden_columns: letters of hidden columns, or ranges of them.
        last_row: the last row, from 1, with a value, by another source than the reader of the cells; 0: unknown.
    """

    errors: pl.DataFrame = field(default_factory=places)
    uncalculated: pl.DataFrame = field(default_factory=places)
    shown: pl.DataFrame = field(default_factory=places)
    merged: list[str] = field(default_factory=list)
    hidden_rows: int = 0
    hidden_columns: list[str] = field(default_factory=list)
    last_row: int = 0


class Book(Protocol):
    """An opened workbook."""

    @property
    def sheet_names(self) -> list[str]:
        """The names of its sheets, in order."""

    def first_rows(self, sheet: str, most: int) -> list[list[str]]:
        """The first rows of a sheet that hold anything, as text."""

    def read(self, sheet: str) -> tuple[pl.DataFrame, SheetFacts]:
        """Every cell as text, from row 1 and column A on, in columns named by their position from 0; and the facts."""


def check_area(row: int, column: int, most: int) -> None:
    """Raises TooManyCells where a sheet that reaches to that row and column (from 0) has more cells than that."""
    if (row + 1) * (column + 1) > most:
        raise TooManyCells(row, column)


def with_texts(cells: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """The cells with these texts at their places; texts outside the cells are left out."""
    within = texts.filter(pl.col("row") < cells.height, pl.col("column") < cells.width)
    columns = within.partition_by("column", as_dict=True).items()
    return cells.with_columns(
        cells.to_series(int(str(column))).scatter(part["row"], part["text"]) for (column,), part in columns
    )


def whole(cells: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """The cells in every column from A on, as far as these texts reach; missing cells are empty."""
    height = max(cells.height, *texts["row"] + 1) if texts.height else cells.height
    width = max(0, *map(int, cells.columns), *texts["column"]) + 1
    names = [str(n) for n in range(width)]
    below = pl.DataFrame(schema=dict.fromkeys(names, pl.String)).clear(height - cells.height)
    return pl.concat([cells, below], how="diagonal").select(names)
