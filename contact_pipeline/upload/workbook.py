"""Reads a sheet of an Excel workbook: every cell as the text that stands for it, every row where the sheet has it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, Literal

import fastexcel
import polars as pl

from contact_pipeline.contracts import REJECTIONS, ROW_NUMBER, empty
from contact_pipeline.errors import Refusal, listed
from contact_pipeline.settings import Settings
from contact_pipeline.upload.file_type import FileType
from contact_pipeline.upload.heading import LOOKED_AT, above, find_heading, has_headings
from contact_pipeline.upload.limits import check_cell, check_columns, check_rows
from contact_pipeline.upload.opendocument import look_at_table
from contact_pipeline.upload.raw import RawUpload, name_columns, raw_path, write_empty_rows
from contact_pipeline.upload.sheet_facts import SheetFacts, look_at_sheet

_MOMENT: Final = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?$"
# What the reader puts before a time without a date: the first day of either epoch (midnight of 1904 is a day).
_DAYS_ZERO: Final = r"^(?:1899-12-31 |1904-01-01 (?:[^0]|0[^0]|00:[^0]|00:0[^0]|00:00:[^0]|00:00:0[^0]))"
_ROUNDED: Final = r"^-?(?:\d+\.\d{9}|\d{16,})$"  # the reader writes at most nine decimals, integers in full
_EXACT_INTEGERS: Final = 2.0**53  # above it a number in a cell stands for several integers
_Kind = Literal["string", "boolean", "datetime", "float"]
_BLANK: Final = r"^\s*$"
_SEEN_IN_PART: Final = {"xls", "xlsb"}
_FACTS: Final[dict[str, Callable[[Path, int], SheetFacts]]] = {"xlsx": look_at_sheet, "ods": look_at_table}


def read_workbook(
    path: Path,
    file_name: str,
    kind: FileType,
    *,
    sheet: str | None,
    known: Collection[str],
    folder: Path,
    settings: Settings,
) -> RawUpload:
    """Reads one sheet into slices of raw rows, below its heading.

    Raises:
        Refusal: the workbook cannot be opened (`workbook-unreadable`), has no such sheet (`sheet-unknown`), several of
            which none was named or has the headings (`sheet-ambiguous`), nothing in it (`file-empty`), or more than is
            taken (`limit`).
    """
    with _refused_if_damaged(file_name):
        # The reader goes by the ending of a path; by the content only where it is handed that.
        named_right = path.suffix.lower() in ({".xlsx", ".xlsm"} if kind == "xlsx" else {f".{kind}"})
        book = fastexcel.read_excel(path if named_right else path.read_bytes())
        chosen = _choose_sheet(book, sheet, known, file_name)
        cells, facts = _read_cells(book, chosen, kind, path)
    filled = _filled_rows(cells)
    if not filled:
        raise Refusal(
            "file-empty",
            f"{file_name} is empty: nothing stands in the sheet '{chosen}'.",
            "Send a sheet with a heading and rows, or name another sheet.",
            file=file_name,
        )
    titles, heading_row = _find_heading_row(cells[filled[0] :], filled[0], known)
    last_row = filled[-1] + 1
    cells = _without_unused_end(cells, heading_row)
    headings = [cell or "" for cell in cells.row(heading_row - 1)]
    columns = name_columns(headings)
    check_columns(len(columns), file_name, settings)
    check_rows(last_row - heading_row, file_name, settings)
    cells = cells.rename(dict(zip(cells.columns, columns, strict=True)))
    _check_cells(cells, file_name, settings)
    _write_rows(cells, heading_row, last_row, folder, settings)
    return RawUpload(
        file_type=kind,
        encoding=None,
        delimiter=None,
        sheet=chosen,
        sheets=book.sheet_names,
        headings=headings,
        columns=columns,
        heading_row=heading_row,
        data_rows=last_row - heading_row,
        rejections=empty(REJECTIONS),
        warnings=[*above(file_name, heading_row, titles), *_warnings(facts, kind, file_name)],
    )


@contextmanager
def _refused_if_damaged(file_name: str) -> Iterator[None]:
    """Makes a refusal of what the reader raises; at some damage it panics, which is no ordinary exception."""
    try:
        yield
    except fastexcel.FastExcelError as error:
        raise _unreadable(file_name, str(error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _unreadable(file_name, "") from error


def _unreadable(file_name: str, problem: str) -> Refusal:
    if "password" in problem.casefold():
        return Refusal(
            "workbook-unreadable",
            f"{file_name} is protected by a password.",
            "Remove the password and save it again.",
            file=file_name,
        )
    return Refusal(
        "workbook-unreadable",
        f"{file_name} cannot be opened as an Excel workbook: it is damaged or incomplete.",
        "Open it in Excel, save it as an Excel workbook (.xlsx) and send it again.",
        file=file_name,
    )


def _choose_sheet(book: fastexcel.ExcelReader, named: str | None, known: Collection[str], file_name: str) -> str:
    """The declared sheet, the only one, the only one with the headings, or the only one that holds anything."""
    sheets = book.sheet_names
    if named is not None:
        return _find_sheet(sheets, named, file_name)
    if len(sheets) == 1:
        return sheets[0]
    first_rows = {sheet: _first_rows(book, sheet) for sheet in sheets}
    for found in (
        [sheet for sheet, rows in first_rows.items() if any(has_headings(row, known) for row in rows)],
        [sheet for sheet, rows in first_rows.items() if any(cell.strip() for row in rows for cell in row)],
    ):
        if len(found) == 1:
            return found[0]
    raise Refusal(
        "sheet-ambiguous",
        f"{file_name} has {len(sheets)} sheets: {listed(sheets)}.",
        "Name the sheet to read, or delete the others.",
        file=file_name,
        details={"sheets": sheets},
    )


def _first_rows(book: fastexcel.ExcelReader, sheet: str) -> list[list[str]]:
    loaded = book.load_sheet(sheet, header_row=None, dtypes="string", n_rows=LOOKED_AT)
    return [[cell or "" for cell in row] for row in pl.DataFrame(loaded).rows()] if loaded.width else []


def _find_sheet(sheets: list[str], named: str, file_name: str) -> str:
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


def _find_heading_row(cells: pl.DataFrame, first: int, known: Collection[str]) -> tuple[int, int]:
    """How many filled rows stand above the heading, and the row of the heading, from 1."""
    rows = [(first + n + 1, [cell or "" for cell in row]) for n, row in enumerate(cells.head(2 * LOOKED_AT).rows())]
    filled = [(number, row) for number, row in rows if any(cell.strip() for cell in row)]
    place = find_heading([row for _, row in filled], known)
    return place, filled[place][0]


def _warnings(facts: SheetFacts, kind: FileType, file_name: str) -> list[str]:
    warnings = []
    if facts.merged:
        warnings.append(
            f"{file_name} has merged cells ({listed(facts.merged, limit=5)}): their value stands in the first one only."
        )
    if facts.hidden_rows:
        rows = "a hidden row, which is" if facts.hidden_rows == 1 else f"{facts.hidden_rows:,} hidden rows, which are"
        warnings.append(f"{file_name} has {rows} read like the others.")
    if facts.hidden_columns:
        warnings.append(f"{file_name} has hidden columns ({listed(facts.hidden_columns)}), read like the others.")
    if kind in _SEEN_IN_PART:
        warnings.append(
            f"{file_name} is an .{kind} file: cells with an error are read as blank, and number formats that show "
            "leading zeros or hours beyond a day are not seen. Save it as .xlsx to have them told."
        )
    return warnings


def _check_cells(cells: pl.DataFrame, file_name: str, settings: Settings) -> None:
    longest = cells.select(pl.max_horizontal(pl.all().str.len_bytes()).alias("longest"))["longest"]
    if (longest.max() or 0) > settings.max_cell_characters:  # type: ignore[operator]
        row = int(longest.arg_max() or 0)
        check_cell(row + 1, max(len(cell or "") for cell in cells.row(row)), file_name, settings)


def _read_cells(book: fastexcel.ExcelReader, sheet: str, kind: FileType, path: Path) -> tuple[pl.DataFrame, SheetFacts]:
    """Every cell as text, from row 1 and column A on, in columns named by their position from 0."""
    look = _FACTS.get(kind, lambda *_: SheetFacts())
    with ThreadPoolExecutor(1) as beside:
        looked = beside.submit(look, path, book.sheet_names.index(sheet))
        cells = _load(book, sheet, "string")
        facts = looked.result()
    if cells.is_empty():
        return cells, facts
    for value, doubtful, shown in _REWRITTEN:
        cells = _as_shown(
            cells, doubtful, shown, partial(_load, book, sheet, value), partial(_is_certain, facts, value)
        )
    width = max(int(name) for name in cells.columns) + 1
    cells = cells.select(
        pl.col(str(n)) if str(n) in cells.columns else pl.lit(None, pl.String).alias(str(n)) for n in range(width)
    )
    return _with_shown(cells, facts.cells), facts


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
    is_certain: Callable[[], bool],
) -> pl.DataFrame:
    """Rewrites the doubtful texts of cells that are of another type; a text that merely looks so stays as it is.

    Reading the columns concerned once more, as that type, tells such cells from text: text comes back empty.
    """
    found = cells.select(doubtful(pl.all()).any()).row(0)
    names = [name for name, doubts in zip(cells.columns, found, strict=True) if doubts]
    if not names:
        return cells
    if is_certain():
        text = pl.col(names)
        return cells.with_columns(pl.when(doubtful(text)).then(shown(text, text)).otherwise(text))
    typed = load([int(name) for name in names]).rename(lambda name: f"{name} typed")
    rewritten = []
    for name in names:
        text, value = pl.col(name), pl.col(f"{name} typed")
        is_typed = doubtful(text) & value.is_not_null()
        rewritten.append(pl.when(is_typed).then(shown(text, value)).otherwise(text).alias(name))
    return pl.concat([cells, typed], how="horizontal").with_columns(rewritten).select(cells.columns)


def _is_certain(facts: SheetFacts, kind: _Kind) -> bool:
    """Whether what looks like that kind is so, because no text of the workbook looks like it."""
    return not facts.may_hold_text_like(kind)


def _iso(text: pl.Expr, _: pl.Expr) -> pl.Expr:
    """A date, a time or both, in ISO 8601, of a moment that the reader wrote out in full."""
    return (
        pl.when(text.str.contains(_DAYS_ZERO))
        .then(text.str.slice(11))
        .when(text.str.ends_with(" 00:00:00"))
        .then(text.str.head(10))
        .otherwise(text.str.replace(" ", "T", literal=True))
    )


def _unrounded(text: pl.Expr, value: pl.Expr) -> pl.Expr:
    """The number to the 15 digits that Excel keeps; a longer integer has lost digits and is not written as if whole."""
    is_exact = (text.cast(pl.Float64, strict=False) == value) & (value.abs() <= _EXACT_INTEGERS)
    fifteen = value.map_elements(lambda number: f"{number:.15G}", return_dtype=pl.String)
    return pl.when(is_exact).then(text).otherwise(fifteen)


def _with_shown(cells: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    shown = shown.filter(pl.col("row") < cells.height, pl.col("column") < cells.width)
    columns = shown.partition_by("column", as_dict=True).items()
    return cells.with_columns(
        cells.to_series(int(str(column))).scatter(part["row"], part["text"]) for (column,), part in columns
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
