"""Reads a sheet of an Excel workbook: every cell as the text that stands for it, every row where the sheet has it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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
_ROUNDED: Final = r"^-?(?:\d+\.\d{9}|\d{16,})$"  # the reader writes at most nine decimals, integers in full
_EXACT_INTEGERS: Final = 2.0**53  # above it a number in a cell stands for several integers
_Kind = Literal["string", "boolean", "datetime", "float"]
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
    for kind, doubtful, shown in _REWRITTEN:
        cells = _as_shown(cells, doubtful, shown, partial(_load, book, sheet, kind))
    width = max(int(name) for name in cells.columns) + 1
    cells = cells.select(
        pl.col(str(n)) if str(n) in cells.columns else pl.lit(None, pl.String).alias(str(n)) for n in range(width)
    )
    return _with_errors(cells, find_error_cells(path, book.sheet_names.index(sheet)))


def _load(
    book: fastexcel.ExcelReader,
    sheet: str,
    kind: _Kind,
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
    doubtful: Callable[[pl.Expr], pl.Expr],
    shown: Callable[[pl.Expr, pl.Expr], pl.Expr],
    load: Callable[[list[int]], pl.DataFrame],
) -> pl.DataFrame:
    """Rewrites the doubtful texts of cells that are of another type; a text that merely looks so stays as it is.

    Reading the columns concerned once more, as that type, tells such cells from text: text comes back empty.
    """
    found = cells.select(doubtful(pl.all()).any()).row(0)
    names = [name for name, doubts in zip(cells.columns, found, strict=True) if doubts]
    if not names:
        return cells
    typed = load([int(name) for name in names]).rename(lambda name: f"{name} typed")
    rewritten = []
    for name in names:
        text, value = pl.col(name), pl.col(f"{name} typed")
        is_typed = doubtful(text) & value.is_not_null()
        rewritten.append(pl.when(is_typed).then(shown(text, value)).otherwise(text).alias(name))
    return pl.concat([cells, typed], how="horizontal").with_columns(rewritten).select(cells.columns)


def _iso(text: pl.Expr, _: pl.Expr) -> pl.Expr:
    """A date, a time or both, in ISO 8601, of a moment that the reader wrote out in full."""
    return (
        pl.when(text.str.starts_with(_DAY_ZERO))
        .then(text.str.strip_prefix(_DAY_ZERO))
        .when(text.str.ends_with(" 00:00:00"))
        .then(text.str.head(10))
        .otherwise(text.str.replace(" ", "T", literal=True))
    )


def _unrounded(text: pl.Expr, value: pl.Expr) -> pl.Expr:
    """The number to the 15 digits that Excel keeps; a longer integer has lost digits and is not written as if whole."""
    is_exact = (text.cast(pl.Float64, strict=False) == value) & (value.abs() <= _EXACT_INTEGERS)
    fifteen = value.map_elements(lambda number: f"{number:.15G}", return_dtype=pl.String)
    return pl.when(is_exact).then(text).otherwise(fifteen)


def _with_errors(cells: pl.DataFrame, errors: list[tuple[int, int, str]]) -> pl.DataFrame:
    by_column: dict[int, dict[int, str]] = {}
    for row, column, error in errors:
        if row < cells.height and column < cells.width:
            by_column.setdefault(column, {})[row] = error
    return cells.with_columns(
        cells.to_series(column).scatter(list(found), list(found.values())) for column, found in by_column.items()
    )


def _filled_rows(cells: pl.DataFrame) -> list[int]:
    """The first and the last row, from 0, that hold more than space; none if there are none."""
    if cells.is_empty():
        return []
    filled = cells.select(pl.any_horizontal(pl.all().str.contains(_BLANK).not_().fill_null(False))).to_series()
    rows = filled.arg_true()
    return [int(rows[0]), int(rows[-1])] if rows.len() else []


def _without_unused_end(cells: pl.DataFrame, heading_row: int) -> pl.DataFrame:
    """The columns up to the last that has a heading or a value."""
    used = cells[heading_row - 1 :].select(pl.all().str.contains(_BLANK).not_().any(ignore_nulls=True)).row(0)
    return cells[:, : max(n for n, is_used in enumerate(used, start=1) if is_used)]


def _write_rows(cells: pl.DataFrame, heading_row: int, last_row: int, folder: Path, settings: Settings) -> None:
    rows = cells[heading_row:last_row].select(
        pl.int_range(heading_row + 1, last_row + 1, dtype=ROW_NUMBER).alias("row_number"),
        pl.int_range(heading_row + 1, last_row + 1, dtype=ROW_NUMBER).alias("line_number"),
        pl.all().replace("", None),
    )
    for number, part in enumerate(rows.iter_slices(settings.slice_rows), start=1):
        part.write_parquet(raw_path(folder, number))
    if rows.is_empty():
        write_empty_rows(folder, cells.columns)


# The reader gives booleans, moments and numbers as text of its own making: the type, how such a text looks, and what
# stands in the sheet instead.
_REWRITTEN: Final[list[tuple[_Kind, Callable[[pl.Expr], pl.Expr], Callable[[pl.Expr, pl.Expr], pl.Expr]]]] = [
    ("boolean", lambda text: text.is_in(["true", "false"]), lambda text, _: text.str.to_uppercase()),
    ("datetime", lambda text: text.str.contains(_MOMENT), _iso),
    ("float", lambda text: text.str.contains(_ROUNDED), _unrounded),
]
