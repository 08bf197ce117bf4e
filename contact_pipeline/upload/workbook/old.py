"""Reads an .xls workbook (BIFF) through xlrd, with its errors, number formats, merged and hidden cells."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import xlrd

from contact_pipeline.settings import Settings
from contact_pipeline.upload.column_letters import column_letter
from contact_pipeline.upload.workbook.sheet import DamagedWorkbook, SheetFacts, places
from contact_pipeline.upload.workbook.typed_cells import TypedCells


class OldWorkbook:
    """An opened .xls workbook."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self._settings = settings
        try:
            with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
                self._book = xlrd.open_workbook(
                    filename=str(path), file_contents=path.read_bytes(), formatting_info=True, logfile=nowhere
                )
        except Exception as error:  # xlrd raises any kind of error for damage
            raise DamagedWorkbook(str(error)) from error
        self._formats = {
            style: self._book.format_map[xf.format_key].format_str
            for style, xf in enumerate(self._book.xf_list)
            if xf.format_key in self._book.format_map
        }

    @property
    def sheet_names(self) -> list[str]:
        """The names of its sheets, in order."""
        return list(self._book.sheet_names())

    def first_rows(self, sheet: str, most: int) -> list[list[str]]:
        """The first rows of a sheet, as text."""
        cells, _ = self._cells(self._book.sheet_by_name(sheet), most)
        return [[text or "" for text in row] for row in cells.rows()]

    def read(self, sheet: str) -> tuple[pl.DataFrame, SheetFacts]:
        """Every cell as text, and the facts of the sheet."""
        found = self._book.sheet_by_name(sheet)
        cells, errors = self._cells(found, found.nrows)
        facts = SheetFacts(
            errors=errors,
            merged=[
                f"{column_letter(left)}{top + 1}:{column_letter(right - 1)}{bottom}"
                for top, bottom, left, right in found.merged_cells
            ],
            hidden_rows=sum(row < found.nrows and bool(info.hidden) for row, info in found.rowinfo_map.items()),
            hidden_columns=[
                column_letter(n) for n, info in sorted(found.colinfo_map.items()) if info.hidden and n < found.ncols
            ],
        )
        return cells, facts

    def _cells(self, sheet: xlrd.sheet.Sheet, rows: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        cells = TypedCells(self._settings.max_text_bytes)
        for row in range(min(rows, sheet.nrows)):
            for column, cell in enumerate(sheet.row(row)):
                if cell.ctype == xlrd.XL_CELL_TEXT:
                    cells.add_text(row, column, cell.value)
                elif cell.ctype in {xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE}:
                    cells.add_number(row, column, cell.value, cell.xf_index)
                elif cell.ctype == xlrd.XL_CELL_BOOLEAN:
                    cells.add_truth(row, column, bool(cell.value))
                elif cell.ctype == xlrd.XL_CELL_ERROR:
                    cells.add_error(row, column, cell.value)
        frame = cells.as_text(self._formats, self._settings.max_cells, since_1904=bool(self._book.datemode))
        return frame, places(cells.errors)
