"""Writes rows as CSV, as an Excel sheet or as Parquet, batch by batch, so that memory does not grow with the file."""

from __future__ import annotations

import codecs
import io
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, Protocol

import polars as pl
from xlsxwriter.utility import xl_col_to_name

from contact_pipeline.errors import Refusal
from contact_pipeline.exports.layout import Cell, Layout
from contact_pipeline.reports.sheet import LAST_ROW, write_sheet
from contact_pipeline.reports.spreadsheet import MARK, write_text_rows

_LONGEST_CELL: Final = 32_767  # characters that an Excel cell takes
_LARGE: Final = 1 << 31  # bytes above which a part of a zip file needs ZIP64
_BYTES_PER_CELL: Final = 150
_UNWRITABLE: Final = "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"  # in XML
_LIKE_AN_ESCAPE: Final = "_(x[0-9A-Fa-f]{4})"  # that Excel would decode, if a _ follows: it may begin the next one


class Writer(Protocol):
    """Writes batches of a file.

    Attributes:
        rows: how many are written.
        warnings: what could not be written as it is.
    """

    rows: int
    warnings: list[str]

    def write(self, values: pl.DataFrame, texts: pl.DataFrame) -> None:
        """Writes rows, given as stored values by field, and as the texts of cells by their places."""


@contextmanager
def opened_writer(layout: Layout, kind: str, file: IO[bytes], folder: Path, most: int) -> Iterator[Writer]:
    """A writer for a format (csv, xlsx, parquet); the file is complete when the block has ended.

    Args:
        layout: of the file.
        kind: the format.
        file: what to write to.
        folder: for temporary files.
        most: the highest possible number of rows.
    """
    match kind:
        case "csv":
            yield _Csv(layout, file)
        case "xlsx":
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as book:
                writer = _Sheet(layout, book, most)
                with writer.part:  # to be closed before the book, also after an error
                    yield writer
                    writer.end()
        case _:
            parquet = _Parquet(layout, folder)
            yield parquet
            parquet.end(file)


class _Csv:
    def __init__(self, layout: Layout, file: IO[bytes]) -> None:
        self.rows, self.warnings = 0, list[str]()
        self._file, self._delimiter = file, layout.delimiter
        encoding = layout.profile.file.encoding if layout.profile else None
        self._encoding = codecs.lookup(encoding or "utf-8").name
        self._encoder = codecs.getincrementalencoder(
            self._encoding
        )()  # incremental, so that only the beginning is marked
        if self._encoding == "utf-8":
            file.write(MARK)
        self._write(pl.DataFrame({str(n): [c.heading if c else ""] for n, c in enumerate(layout.cells)}))

    def write(self, values: pl.DataFrame, texts: pl.DataFrame) -> None:  # noqa: ARG002 - text is all that CSV has
        self.rows += texts.height
        self._write(texts)

    def _write(self, texts: pl.DataFrame) -> None:
        if self._encoding == "utf-8":
            write_text_rows(texts, self._file, self._delimiter)
            return
        lines = io.BytesIO()
        write_text_rows(texts, lines, self._delimiter)
        try:
            self._file.write(self._encoder.encode(lines.getvalue().decode()))
        except UnicodeEncodeError as error:
            raise Refusal(
                "encoding",
                f"The profile's files are in {self._encoding}, which has no '{error.object[error.start]}'.",
                "Write an Excel file, or let the profile say another encoding.",
            ) from error


class _Sheet:
    """The sheet of the template, into which rows are written as they come."""

    def __init__(self, layout: Layout, book: zipfile.ZipFile, most: int) -> None:
        self.rows, self.warnings = 0, list[str]()
        self._layout, self._cut, self._replaced = layout, dict[str, int](), dict[str, int]()
        template = io.BytesIO()
        sheet_name = layout.profile.file.sheet if layout.profile else None
        write_sheet([cell.in_sheet if cell else None for cell in layout.cells], template, sheet_name)
        with zipfile.ZipFile(template) as blank:
            for part in blank.infolist():
                if not part.filename.startswith("xl/worksheets/"):
                    book.writestr(part, blank.read(part), zipfile.ZIP_DEFLATED)
            [sheet] = [part for part in blank.infolist() if part.filename.startswith("xl/worksheets/")]
            head, self._foot = blank.read(sheet).decode().split("</sheetData>")
        head = re.sub(r'(<dimension ref="A1:[A-Z]+)\d+', rf"\g<1>{min(most, LAST_ROW) + 1}", head)
        style = re.search(r'<col [^>]*style="(\d+)"', head)
        self._style = style[1] if style else "0"
        large = most * len(layout.cells) * _BYTES_PER_CELL > _LARGE
        self.part = book.open(sheet.filename, "w", force_zip64=large)
        self.part.write(head.encode())

    def write(self, values: pl.DataFrame, texts: pl.DataFrame) -> None:  # noqa: ARG002 - every cell is text
        first, self.rows = self.rows + 2, self.rows + texts.height
        if self.rows > LAST_ROW:
            raise Refusal(
                "too-many-rows",
                f"There are more than the {LAST_ROW:,} rows that an Excel sheet has below its heading.",
                "Write a .csv or .parquet file, or choose fewer with a filter.",
            )
        self._count_changed(texts)
        row = pl.int_range(first, first + texts.height, dtype=pl.Int64).cast(pl.String)
        cells = [self._cell(texts, place) for place in range(texts.width)]
        lines = texts.select(pl.concat_str(pl.lit('<row r="'), row, pl.lit('">'), *cells, pl.lit("</row>"))).to_series()
        for part in lines.to_frame("line").iter_slices(10_000):
            self.part.write(part.select(pl.col("line").str.join("")).item().encode())

    def end(self) -> None:
        """Writes what follows the rows."""
        self.part.write(f"</sheetData>{self._foot}".encode())
        self.warnings += [
            f"{count:,} cells of '{heading}' are cut after the {_LONGEST_CELL:,} characters that Excel takes; "
            "a .csv file has them whole."
            for heading, count in self._cut.items()
        ]
        self.warnings += [
            f"{count:,} cells of '{heading}' have signs that Excel does not take: � stands for each; "
            "a .csv file has them."
            for heading, count in self._replaced.items()
        ]

    def _cell(self, texts: pl.DataFrame, place: int) -> pl.Expr:
        text, name = pl.col(texts.columns[place]), xl_col_to_name(place)
        shown = (
            text.str.slice(0, _LONGEST_CELL)
            .str.replace_all(_LIKE_AN_ESCAPE, "_x005F_$1")
            .str.replace_all(_UNWRITABLE, "\ufffd")
            .str.replace_many(["&", "<", ">", "\r"], ["&amp;", "&lt;", "&gt;", "&#13;"])
        )
        number = pl.int_range(self.rows - texts.height + 2, self.rows + 2, dtype=pl.Int64).cast(pl.String)
        opening = pl.lit(f'" s="{self._style}" t="inlineStr"><is><t xml:space="preserve">')
        cell = pl.concat_str(pl.lit(f'<c r="{name}'), number, opening, shown, pl.lit("</t></is></c>"))
        return pl.when(text != "").then(cell).otherwise(pl.lit(""))

    def _count_changed(self, texts: pl.DataFrame) -> None:
        for place, cell in enumerate(self._layout.cells):
            if cell is None:
                continue
            text = texts[str(place)]
            long = text.str.len_bytes() > _LONGEST_CELL
            cut = int((text.str.len_chars() > _LONGEST_CELL).sum()) if long.any() else 0
            for counts, count in ((self._cut, cut), (self._replaced, int(text.str.contains(_UNWRITABLE).sum()))):
                if count:
                    counts[cell.heading] = counts.get(cell.heading, 0) + count


class _Parquet:
    """Stored values under the headings. Each batch is a file of its own until the end."""

    def __init__(self, layout: Layout, folder: Path) -> None:
        self.rows, self.warnings = 0, list[str]()
        self._cells: list[Cell] = layout.filled
        self._folder = folder / "parts"
        self._folder.mkdir()
        self.parts: list[Path] = []

    def write(self, values: pl.DataFrame, texts: pl.DataFrame) -> None:  # noqa: ARG002 - values keep their types
        self.rows += values.height
        self.parts.append(self._folder / f"{len(self.parts):05d}.parquet")
        named = values.select(pl.col(cell.field or "").alias(cell.heading) for cell in self._cells)
        named.write_parquet(self.parts[-1])

    def end(self, file: IO[bytes]) -> None:
        """Puts the parts together."""
        whole = self._folder / "whole.parquet"
        pl.scan_parquet(self.parts, glob=False).sink_parquet(whole)
        with whole.open("rb") as written:
            shutil.copyfileobj(written, file)
