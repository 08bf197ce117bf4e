"""Reads a sheet of an Excel workbook: every cell as the text that stands for it, every row where the sheet has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import fastexcel
import polars as pl

from contact_pipeline.contracts import REJECTIONS, ROW_NUMBER, empty
from contact_pipeline.errors import Refusal, listed
from contact_pipeline.settings import Settings
from contact_pipeline.upload.error_cells import find_error_cells
from contact_pipeline.upload.raw import RawUpload, name_columns, raw_path, write_empty_rows

_MOMENT: Final = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?$"
_DAY_ZERO: Final = "1899-12-31 "  # what the reader puts before a time that has no date
_ROUNDED: Final = r"^-?(?:\d+\.\d{9}|\d{16,})$"  # the reader writes nine decimals at most, and integers to the last digit
_EXACT_INTEGERS: Final = 2.0**53  # above it a number in a cell stands for several integers
_BLANK: Final = r"^\s*$"


def read_workbook(path: Path, file_name: str, *, sheet: str | None, folder: Path, settings: Settings) -> RawUpload:
    """Reads one sheet into slices of raw rows; the heading is its first row that is not blank.

    Raises:
        Refusal: the workbook cannot be opened (`workbook-unreadable`), has no such sheet (`sheet-unknown`), several and
            none was named (`sheet-ambiguous`), or nothing in it (`file-empty`).
    """
    try:
        book = fastexcel.read_excel(path)
        chosen = _choose_sheet(book.sheet_names, sheet, file_name)
        cells = _read_cells(book, chosen, path)
    except fastexcel.FastExcelError as error:
        raise Refusal(
            "workbook-unreadable",
            f"{file_name} cannot be opened as an Excel workbook: it is damaged or incomplete.",
            "Open it in Excel, save it as an Excel workbook (.xlsx) and send it again.",
            file=file_name,
        ) from error
    filled = _filled_rows(cells)
    if not filled:
        raise Refusal(
            "file-empty",
            f"{file_name} is empty: nothing stands in the sheet '{chosen}'.",
            "Send a sheet with a heading and rows, or name another sheet.",
            file=file_name,
        )
    heading_row, last_row = filled[0] + 1, filled[-1] + 1
    cells = _without_unused_end(cells, heading_row)
    headings = [cell or "" for cell in cells.row(heading_row - 1)]
    columns = name_columns(headings)
    _write_rows(cells.rename(dict(zip(cells.columns, columns, strict=True))), heading_row, last_row, folder, settings)
    return RawUpload(
        file_type="xlsx",
        encoding=None,
        delimiter=None,
        sheet=chosen,
        sheets=book.sheet_names,
        headings=headings,
        columns=columns,
        heading_row=heading_row,
        data_rows=last_row - heading_row,
        rejections=empty(REJECTIONS),
        warnings=[],
    )


def _choose_sheet(sheets: list[str], named: str | None, file_name: str) -> str:
    if named is None and len(sheets) == 1:
        return sheets[0]
    if named is None:
        raise Refusal(
            "sheet-ambiguous",
            f"{file_name} has {len(sheets)} sheets: {listed(sheets)}.",
            "Name the sheet to read, or delete the others.",
            file=file_name,
            details={"sheets": sheets},
        )
    for name in sheets:
        if name.strip().casefold() == named.strip().casefold():
            return name
    raise Refusal(
        "sheet-unknown",
        f"{file_name} has no sheet '{named}'.",
        f"Its sheets: {listed(sheets)}.",
        file=file_name,
        details={"sheets": sheets},
    )


def _read_cells(book: fastexcel.ExcelReader, sheet: str, path: Path) -> pl.DataFrame:
    """Every cell as text, from row 1 and column A on, in columns named by their position from 0."""
    cells = _load(book, sheet, "string")
    if cells.is_empty():
        return cells
    cells = _as_shown(
        cells,
        pl.col(pl.String).is_in(["true", "false"]),
        lambda columns: _load(book, sheet, "boolean", columns),
        lambda text, _: text.str.to_uppercase(),
    )
    cells = _as_shown(
        cells,
        pl.col(pl.String).str.contains(_MOMENT),
        lambda columns: _load(book, sheet, "datetime", columns),
        lambda text, _: _iso(text),
    )
    cells = _as_shown(
        cells,
        pl.col(pl.String).str.contains(_ROUNDED),
        lambda columns: _load(book, sheet, "float", columns),
        _unrounded,
    )
    width = max(int(name) for name in cells.columns) + 1
    cells = cells.select(
        pl.col(str(n)) if str(n) in cells.columns else pl.lit(None, pl.String).alias(str(n)) for n in range(width)
    )
    return _with_errors(cells, find_error_cells(path, book.sheet_names.index(sheet)))


def _load(
    book: fastexcel.ExcelReader,
    sheet: str,
    kind: Literal["string", "boolean", "datetime", "float"],
    columns: list[int] | None = None,
) -> pl.DataFrame:
    # Without skip_rows=0 the reader drops blank rows at the top, and rows lose their place.
    loaded = book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes=kind, use_columns=columns)
    if not loaded.width:
        return pl.DataFrame()
    frame = pl.DataFrame(loaded)
    frame.columns = [str(column.absolute_index) for column in loaded.selected_columns]
    return frame


def _as_shown(
    cells: pl.DataFrame,
    doubtful: pl.Expr,
    load: Callable[[list[int]], pl.DataFrame],
    shown: Callable[[pl.Expr, pl.Expr], pl.Expr],
) -> pl.DataFrame:
    """Rewrites the doubtful texts of cells that are of another type; a text that merely looks so stays as it is.

    The reader gives booleans, moments and numbers as text of its own making. Reading the columns concerned once more,
    as that type, tells such cells from text: text comes back empty.
    """
    found = cells.select(doubtful.any()).row(0)
    names = [name for name, any_doubtful in zip(cells.columns, found, strict=True) if any_doubtful]
    if not names:
        return cells
    typed = load([int(name) for name in names]).rename(lambda name: f"{name} typed")
    rewritten = [
        pl.when(doubtful.meta.undo_aliases() if False else _only(doubtful, name) & pl.col(f"{name} typed").is_not_null())
        .then(shown(pl.col(name), pl.col(f"{name} typed")))
        .otherwise(pl.col(name))
        .alias(name)
        for name in names
    ]
    return pl.concat([cells, typed], how="horizontal").with_columns(rewritten).select(cells.columns)
