"""Cells as the binary formats hold them, texts and numbers with their format, and their conversion to text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from contact_pipeline.upload.workbook.number_formats import (
    as_moment,
    as_number,
    as_shown,
    is_elapsed,
    is_moment,
    zeros_of,
)
from contact_pipeline.upload.workbook.sheet import TooMuchText, check_area, places, with_texts

# The text of each error (MS-XLS, 2.5.10).
ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}  # fmt: skip


@dataclass
class TypedCells:
    """The cells of a sheet, in one set of parallel lists for each kind of cell; rows and columns count from 0.

    Attributes:
        room: characters of text that may still be added.
    """

    room: int
    text_rows: list[int] = field(default_factory=list)
    text_columns: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    number_rows: list[int] = field(default_factory=list)
    number_columns: list[int] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    styles: list[int] = field(default_factory=list)
    errors: list[tuple[int, int, str]] = field(default_factory=list)

    def add_text(self, row: int, column: int, text: str) -> None:
        """Adds a text.

        Raises:
            TooMuchText: there is no room for it.
        """
        self.room -= len(text)
        if self.room < 0:
            raise TooMuchText
        self.text_rows.append(row)
        self.text_columns.append(column)
        self.texts.append(text)

    def add_number(self, row: int, column: int, number: float, style: int) -> None:
        """Adds a number with its style."""
        self.number_rows.append(row)
        self.number_columns.append(column)
        self.numbers.append(number)
        self.styles.append(style)

    def add_truth(self, row: int, column: int, is_true: bool) -> None:
        """Adds a truth value."""
        self.add_text(row, column, "TRUE" if is_true else "FALSE")

    def add_error(self, row: int, column: int, code: int) -> None:
        """Adds an error."""
        self.errors.append((row, column, ERRORS.get(code, "#ERROR!")))

    def as_text(self, formats: Mapping[int, str], most: int, *, since_1904: bool) -> pl.DataFrame:
        """The cells as text, from row 1 and column A on, in columns named by their position from 0.

        Args:
            formats: style → number format.
            most: cells that a sheet may have, including empty ones between others.
            since_1904: whether days count from 1904.

        Raises:
            TooManyCells: the sheet has more.
        """
        texts = pl.DataFrame(
            {"row": self.text_rows, "column": self.text_columns, "text": self.texts}, schema=places().schema
        )
        every = pl.concat([texts, self._numbers(formats, since_1904=since_1904), places(self.errors)])
        if every.is_empty():
            return pl.DataFrame()
        height, width = (int(every[name].max()) + 1 for name in ("row", "column"))  # type: ignore[arg-type]
        check_area(height - 1, width - 1, most)
        empty = pl.DataFrame({str(n): pl.repeat(None, height, dtype=pl.String, eager=True) for n in range(width)})
        return with_texts(empty, every)

    def _numbers(self, formats: Mapping[int, str], *, since_1904: bool) -> pl.DataFrame:
        value, style = pl.col("value"), pl.col("style")
        text = as_number(value)
        for code in {formats.get(style, "") for style in set(self.styles)}:
            styles = [each for each in set(self.styles) if formats.get(each, "") == code]
            if is_elapsed(code) or zeros_of(code):
                shown = as_shown(value, code)
            elif is_moment(code):
                shown = as_moment(value, since_1904=since_1904)
            else:
                continue
            text = pl.when(style.is_in(styles)).then(pl.coalesce(shown, text)).otherwise(text)
        numbers = pl.DataFrame(
            {"row": self.number_rows, "column": self.number_columns, "value": self.numbers, "style": self.styles},
            schema={"row": pl.UInt32, "column": pl.UInt32, "value": pl.Float64, "style": pl.UInt32},
        )
        return numbers.select("row", "column", text.alias("text"))
