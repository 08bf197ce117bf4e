"""The rejected rows as a file in the sender's own columns, with the reasons, to be corrected and sent again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal

import polars as pl
import xlsxwriter
from xlsxwriter.exceptions import XlsxInputError
from xlsxwriter.worksheet import Worksheet

from contact_pipeline.headings.naming import has_reasons, labels, reasons_heading
from contact_pipeline.reports.spreadsheet import write_text_table

_LONGEST_CELL: Final = 32_767  # characters that an Excel cell takes
_LONGEST_COMMENT: Final = 1_000
_MOST_COMMENTS: Final = 10_000  # in a sheet; each is a drawing, and programs draw all of them when they open the file
_WIDTH_OF_REASONS: Final = 60  # characters
_BAD: Final = "#FFC7CE"


@dataclass(frozen=True, slots=True)
class Form:
    """How the file of rejected rows is written: like the file that was sent.

    Attributes:
        file_type: csv or xlsx.
        delimiter: of CSV.
        encoding: of CSV.
        sheet: the name of the sheet; None: Excel's own.
    """

    file_type: Literal["csv", "xlsx"]
    delimiter: str = ","
    encoding: str = "utf-8"
    sheet: str | None = None


def write_rejected(
    raw: pl.DataFrame,
    headings: Sequence[str],
    columns: Sequence[str],
    rejections: pl.DataFrame,
    file: IO[bytes],
    form: Form,
    *,
    temporary: Path,
    unreadable: pl.DataFrame | None = None,
    meant: Collection[str] = (),
    numbered: bool = False,
) -> int:
    """Writes the rejected rows in file order, as read, with a last column `errors` (see `reasons_heading`).

    A row that could not be split into columns is written whole into the first column. In a sheet, cells in error are
    coloured, and have a comment with what is wrong and what to do; more than 10,000 such cells are only coloured.

    Args:
        raw: the raw rows, at least the rejected ones.
        headings: the headings as in the file.
        columns: the raw column of each heading.
        rejections: the rejections; only those of severity `error` reject a row.
        file: what to write to.
        form: of the file.
        temporary: a folder for temporary files of a sheet.
        unreadable: row_number and text of the rows that could not be split; unset: the rejections' values.
        meant: headings that mean something to the profile, in the file or not.
        numbered: whether a first column `row_number` has the row numbers of the upload.

    Returns:
        How many rows were written.
    """
    if has_reasons(headings, meant):
        headings, columns = headings[:-1], columns[:-1]  # the file was given back before; its reasons are replaced
    rejections = rejections.filter(pl.col("severity") == "error")
    rows = _rejected_rows(raw, columns, rejections, unreadable)
    named = [*headings, reasons_heading([*headings, *meant])]
    cells, before = rows.drop("row_number"), 0
    if numbered:
        cells, before = rows.with_columns(pl.col("row_number").cast(pl.String)), 1
        named = ["row_number", *named]
    if form.file_type == "csv":
        write_text_table(cells, named, file, form.delimiter, form.encoding)
    else:
        bad = _bad_cells(rows, headings, rejections).with_columns(pl.col("place") + before)
        _write_sheet(cells, named, bad, file, form.sheet, temporary)
    return rows.height


def _rejected_rows(
    raw: pl.DataFrame, columns: Sequence[str], errors: pl.DataFrame, unreadable: pl.DataFrame | None
) -> pl.DataFrame:
    """The cells of each rejected row and the reasons, in columns named by position, as headings may repeat."""
    reasons = reasons_of(errors)
    if unreadable is not None:
        reasons = reasons.drop("text").join(unreadable.select("row_number", "text"), on="row_number", how="left")
    cells = raw.select("row_number", *(pl.col(column).alias(f"cell {n}") for n, column in enumerate(columns)))
    rows = reasons.join(cells.with_columns(split=pl.lit(True)), on="row_number", how="left").sort("row_number")
    first = pl.when(pl.col("split").is_null()).then("text").otherwise("cell 0").alias("cell 0")
    return rows.with_columns(first).select("row_number", *(f"cell {n}" for n in range(len(columns))), "message")


def reasons_of(errors: pl.DataFrame) -> pl.DataFrame:
    """The row_number of each row with errors, its reasons (`message`), and the first value in error (`text`)."""
    return errors.group_by("row_number", maintain_order=True).agg(
        pl.col("message").unique(maintain_order=True).str.join("; "), pl.col("value").first().alias("text")
    )


def places_of(headings: Sequence[str]) -> dict[str, int]:
    """The place of each column, from 0, by its heading, and by the numbered heading if it repeats."""
    return {name: place for place, name in reversed([*enumerate(headings), *enumerate(labels(headings))])}


def _bad_cells(rows: pl.DataFrame, headings: Sequence[str], errors: pl.DataFrame) -> pl.DataFrame:
    """The cells in error, by row and place from 0, each with its comment.

    An error of the whole row belongs to the cell with the row's reasons.
    """
    places = places_of(headings)
    comment = pl.concat_str("message", "fix", separator=" ").str.strip_chars()
    return (
        errors.select(
            "row_number",
            pl.col("column").replace_strict(places, default=len(headings), return_dtype=pl.Int64).alias("place"),
            comment.alias("comment"),
        )
        .group_by("row_number", "place", maintain_order=True)
        .agg(pl.col("comment").unique(maintain_order=True).str.join("\n").str.slice(0, _LONGEST_COMMENT))
        .join(rows.select("row_number").with_row_index("row"), on="row_number")
        .sort("row", "place")
        .select("row", "place", "comment")
    )


def _write_sheet(
    rows: pl.DataFrame, headings: list[str], bad: pl.DataFrame, file: IO[bytes], name: str | None, temporary: Path
) -> None:
    with xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": str(temporary)}) as book:
        text = book.add_format({"num_format": "@"})
        marked = book.add_format({"num_format": "@", "bg_color": _BAD})
        bold = book.add_format({"num_format": "@", "bold": True})
        sheet = _add_sheet(book, name)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(headings) - 2, 18, text)
        sheet.set_column(len(headings) - 1, len(headings) - 1, _WIDTH_OF_REASONS, text)
        for place, heading in enumerate(headings):
            sheet.write_string(0, place, heading, bold)
        comments = dict(zip(zip(bad["row"], bad["place"], strict=True), bad["comment"], strict=True))
        has_comments = len(comments) <= _MOST_COMMENTS
        for number, row in enumerate(rows.iter_rows()):
            for place, cell in enumerate(row):
                reason = comments.get((number, place))
                if cell:
                    form = text if reason is None else marked
                    sheet.write_string(number + 1, place, cell[:_LONGEST_CELL], form)
                elif reason is not None:
                    sheet.write_blank(number + 1, place, None, marked)
                if reason is not None and has_comments:
                    sheet.write_comment(number + 1, place, reason, {"author": "", "x_scale": 2})


def _add_sheet(book: xlsxwriter.Workbook, name: str | None) -> Worksheet:
    """A sheet of that name, or Sheet1 if Excel does not allow the name: other programs allow longer ones."""
    try:
        return book.add_worksheet(name)
    except XlsxInputError:
        return book.add_worksheet("Sheet1")
