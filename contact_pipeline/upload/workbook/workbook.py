"""Reads a sheet of an Excel workbook: every cell as text, and every row at its place in the sheet."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import polars as pl

from contact_pipeline.contracts.frames import REJECTIONS, ROW_NUMBER, empty
from contact_pipeline.errors import Refusal, listed
from contact_pipeline.settings import Settings
from contact_pipeline.terms import ASIDE, JOINED
from contact_pipeline.upload.heading import LOOKED_AT, above, find_heading, has_headings, heading_in
from contact_pipeline.upload.limits import check_cell, check_columns, check_rows
from contact_pipeline.upload.raw import RawUpload, name_columns, write_empty_rows, write_rows
from contact_pipeline.upload.workbook.binary import BinaryWorkbook
from contact_pipeline.upload.workbook.limits import check_unpacked_size, too_many_cells, too_much_text
from contact_pipeline.upload.workbook.modern import ModernWorkbook, last_row_of
from contact_pipeline.upload.workbook.old import OldWorkbook
from contact_pipeline.upload.workbook.package import in_usual_places
from contact_pipeline.upload.workbook.sheet import Book, DamagedWorkbook, SheetFacts, TooManyCells, TooMuchText

_BLANK: Final = r"^\s*$"


def read_workbook(
    path: Path,
    file_name: str,
    kind: Literal["xlsx", "xlsb", "xls", "ods"],
    *,
    sheet: str | None,
    known: Collection[str],
    folder: Path,
    settings: Settings,
) -> RawUpload:
    """Reads one sheet into slices of raw rows, below its heading.

    Raises:
        Refusal: the workbook cannot be opened (`workbook-unreadable`), lacks the named sheet (`sheet-unknown`), has
            several sheets and none of them is named or has the headings (`sheet-ambiguous`), is empty (`file-empty`),
            or is beyond a limit (`limit`).
    """
    with _refused_if_damaged(file_name, settings), _readable(path, file_name, kind, folder, settings) as readable:
        book = _open(readable, kind, settings)
        chosen = _choose_sheet(book, sheet, known, file_name)
        cells, facts = book.read(chosen)
        _check_last_row(cells, facts.last_row if kind in {"xlsx", "ods"} else last_row_of(path, chosen))
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
    headings = [heading_in(cell or "") for cell in cells.row(heading_row - 1)]
    columns = name_columns(headings)
    check_columns(len(columns), file_name, settings)
    check_rows(last_row - heading_row, file_name, settings)
    errors = _cell_errors(pl.concat([facts.errors, facts.uncalculated]), columns, heading_row, last_row)
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
        joined=_joins(cells),
        warnings=[*above(file_name, heading_row, titles), *_warnings(facts, errors, file_name)],
        cell_errors=errors,
    )


@contextmanager
def _readable(path: Path, file_name: str, kind: str, folder: Path, settings: Settings) -> Iterator[Path]:
    """The workbook, or a temporary copy; the limits are tested again, as the copy may show cells of another part."""
    if kind != "xlsx":
        yield path
        return
    with in_usual_places(path, folder) as found:
        if found != path:
            with zipfile.ZipFile(found) as archive:
                check_unpacked_size(archive, file_name, settings)
        yield found


def _open(path: Path, kind: Literal["xlsx", "xlsb", "xls", "ods"], settings: Settings) -> Book:
    if kind == "xls":
        return OldWorkbook(path, settings)
    if kind == "xlsb":
        return BinaryWorkbook(path, settings)
    return ModernWorkbook(path, kind, settings)


@contextmanager
def _refused_if_damaged(file_name: str, settings: Settings) -> Iterator[None]:
    """Turns the errors of readers into refusals."""
    try:
        yield
    except DamagedWorkbook as error:
        raise _unreadable(file_name, str(error)) from error
    except TooManyCells as error:
        raise too_many_cells(error.last, file_name, settings) from error
    except TooMuchText as error:
        raise too_much_text(file_name, settings) from error


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


def _choose_sheet(book: Book, named: str | None, known: Collection[str], file_name: str) -> str:
    """The declared sheet, the only one, the only one with the headings, or the only one that holds anything.

    The further sheets of a template count only if they are declared.
    """
    if named is not None:
        return _find_sheet(book.sheet_names, named, file_name)
    sheets = [sheet for sheet in book.sheet_names if sheet.strip().casefold() not in ASIDE] or book.sheet_names
    if len(sheets) == 1:
        return sheets[0]
    first_rows = {sheet: book.first_rows(sheet, LOOKED_AT) for sheet in sheets}
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
    """The number of filled rows above the heading, and the row of the heading, from 1."""
    rows = [(first + n + 1, [cell or "" for cell in row]) for n, row in enumerate(cells.head(2 * LOOKED_AT).rows())]
    filled = [(number, row) for number, row in rows if any(cell.strip() for cell in row)]
    place = find_heading([row for _, row in filled], known)
    return place, filled[place][0]


def _warnings(facts: SheetFacts, errors: pl.DataFrame, file_name: str) -> list[str]:
    warnings = []
    is_formula = pl.col("text").str.starts_with("=")
    uncalculated, errors = errors.filter(is_formula), errors.filter(~is_formula)
    if errors.height:
        cells = [f"{text} in row {row} of '{column}'" for row, column, _, text in errors.head(4).rows()]
        what = "a cell holds an error" if errors.height == 1 else f"{errors.height:,} cells hold an error"
        warnings.append(
            f"{file_name}: {what} instead of a value ({listed(cells, limit=3)}), which is rejected in a mapped column."
        )
    if uncalculated.height:
        cells = [f"row {row} of '{column}'" for row, column, _, _ in uncalculated.head(4).rows()]
        one, count = uncalculated.height == 1, uncalculated.height
        what = "a cell holds a formula that was" if one else f"{count:,} cells hold formulas that were"
        warnings.append(
            f"{file_name}: {what} never calculated ({listed(cells, limit=3)}), which is rejected in a mapped column. "
            "Open it in Excel and save it, so that the results are stored."
        )
    if facts.merged:
        warnings.append(
            f"{file_name} has merged cells ({listed(facts.merged, limit=5)}): their value stands in the first one only."
        )
    if facts.hidden_rows:
        rows = "a hidden row, which is" if facts.hidden_rows == 1 else f"{facts.hidden_rows:,} hidden rows, which are"
        warnings.append(f"{file_name} has {rows} read like the others.")
    if facts.hidden_columns:
        warnings.append(f"{file_name} has hidden columns ({listed(facts.hidden_columns)}), read like the others.")
    return warnings


def _cell_errors(errors: pl.DataFrame, columns: list[str], heading_row: int, last_row: int) -> pl.DataFrame:
    """The cells below the heading that hold an error, by row and column."""
    within = (pl.col("row") >= heading_row) & (pl.col("row") < last_row) & (pl.col("column") < len(columns))
    return errors.filter(within).sort("row", "column").select(
        (pl.col("row") + 1).cast(ROW_NUMBER).alias("row_number"),
        pl.col("column").replace_strict(dict(enumerate(columns)), return_dtype=pl.String),
        pl.lit(None, pl.String).alias("field"),
        "text",
    )  # fmt: skip


def _check_cells(cells: pl.DataFrame, file_name: str, settings: Settings) -> None:
    longest = cells.select(pl.max_horizontal(pl.all().str.len_bytes()).alias("longest"))["longest"]
    if (longest.max() or 0) > settings.max_cell_characters:  # type: ignore[operator]
        row = int(longest.arg_max() or 0)
        check_cell(row + 1, max(len(cell or "") for cell in cells.row(row)), file_name, settings)


def _filled_rows(cells: pl.DataFrame) -> list[int]:
    """The first and the last row, from 0, that hold more than spaces; empty if there are none."""
    if cells.is_empty():
        return []
    filled = cells.select(pl.any_horizontal(pl.all().str.contains(_BLANK).not_().fill_null(False))).to_series()
    rows = filled.arg_true()
    return [int(rows[0]), int(rows[-1])] if rows.len() else []


def _without_unused_end(cells: pl.DataFrame, heading_row: int) -> pl.DataFrame:
    """The columns up to the last that has a heading or a value."""
    used = cells[heading_row - 1 :].select(pl.all().str.contains(_BLANK).not_().any(ignore_nulls=True)).row(0)
    return cells[:, : max(n for n, is_used in enumerate(used, start=1) if is_used)]


def _joins(cells: pl.DataFrame) -> bool:
    """Whether any cell holds several values that an export joined."""
    return any(cells.select(pl.all().str.contains(JOINED, literal=True).any()).row(0))


def _check_last_row(cells: pl.DataFrame, last: int) -> None:
    """Compares the rows that were read with the last row by another source: the file's XML, or another reader."""
    if cells.height < last:
        raise DamagedWorkbook(f"a value stands in row {last}, but {cells.height} rows were read")


def _write_rows(cells: pl.DataFrame, heading_row: int, last_row: int, folder: Path, settings: Settings) -> None:
    rows = cells[heading_row:last_row].select(
        pl.int_range(heading_row + 1, last_row + 1, dtype=ROW_NUMBER).alias("row_number"),
        pl.int_range(heading_row + 1, last_row + 1, dtype=ROW_NUMBER).alias("line_number"),
        pl.all().replace("", None),
    )
    for number, part in enumerate(rows.iter_slices(settings.slice_rows), start=1):
        write_rows(folder, number, part)
    if rows.is_empty():
        write_empty_rows(folder, cells.columns)
