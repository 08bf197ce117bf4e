"""The rejected rows as a file in the sender's own columns, with the reasons, to be corrected and sent again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import IO, Final, Literal

import polars as pl
import xlsxwriter

from contact_pipeline.headings.naming import has_reasons, reasons_heading
from contact_pipeline.reports.spreadsheet import write_text_table

_LONGEST_CELL: Final = 32_767  # characters that an Excel cell takes


def write_rejected(
    raw: pl.DataFrame,
    headings: Sequence[str],
    columns: Sequence[str],
    rejections: pl.DataFrame,
    file: IO[bytes],
    file_type: Literal["csv", "xlsx"],
    delimiter: str | None,
    *,
    temporary: Path,
    unreadable: pl.DataFrame | None = None,
    meant: Collection[str] = (),
) -> int:
    """Writes the rejected rows in file order, as read, with a last column `errors` (see `reasons_heading`).

    A row that could not be split into columns stands whole in the first column.

    Args:
        raw: the raw rows, at least the rejected ones.
        headings: the headings as in the file.
        columns: the raw rows' column for each heading.
        rejections: the rejections; only those of severity `error` reject a row.
        file: what to write to.
        file_type: the file's own type.
        delimiter: the file's own delimiter; None: a comma.
        temporary: a folder for what a sheet needs while it is written.
        unreadable: row_number and text of the rows that could not be split; unset: the rejections' values.
        meant: headings that mean something to the profile, whether they stand in the file or not.

    Returns:
        How many rows were written.
    """
    if has_reasons(headings, meant):
        headings, columns = headings[:-1], columns[:-1]  # a file given back before: its reasons are replaced
    rows = _rejected_rows(raw, columns, rejections, unreadable)
    headings = [*headings, reasons_heading([*headings, *meant])]
    if file_type == "csv":
        write_text_table(rows, headings, file, delimiter or ",")
    else:
        _write_sheet(rows, headings, file, temporary)
    return rows.height


def _rejected_rows(
    raw: pl.DataFrame, columns: Sequence[str], rejections: pl.DataFrame, unreadable: pl.DataFrame | None
) -> pl.DataFrame:
    """The cells of each rejected row and the reasons, in columns named by position: a heading may stand twice."""
    errors = rejections.filter(pl.col("severity") == "error").group_by("row_number", maintain_order=True)
    reasons = errors.agg(
        pl.col("message").unique(maintain_order=True).str.join("; "), pl.col("value").first().alias("text")
    )
    if unreadable is not None:
        reasons = reasons.drop("text").join(unreadable.select("row_number", "text"), on="row_number", how="left")
    cells = raw.select("row_number", *(pl.col(column).alias(f"cell {n}") for n, column in enumerate(columns)))
    rows = reasons.join(cells.with_columns(split=pl.lit(True)), on="row_number", how="left").sort("row_number")
    first = pl.when(pl.col("split").is_null()).then("text").otherwise("cell 0").alias("cell 0")
    return rows.with_columns(first).select(*(f"cell {n}" for n in range(len(columns))), "message")


def _write_sheet(rows: pl.DataFrame, headings: list[str], file: IO[bytes], temporary: Path) -> None:
    with xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": str(temporary)}) as book:
        text = book.add_format({"num_format": "@"})
        bold = book.add_format({"num_format": "@", "bold": True})
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(headings) - 1, 18, text)
        for place, heading in enumerate(headings):
            sheet.write_string(0, place, heading, bold)
        for number, row in enumerate(rows.iter_rows(), start=1):
            for place, cell in enumerate(row):
                if cell:
                    sheet.write_string(number, place, cell[:_LONGEST_CELL], text)
