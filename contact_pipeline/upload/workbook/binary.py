"""Reads an .xlsb workbook: the records of MS-XLSB (BIFF12) that hold cells or their formats."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from contact_pipeline.settings import Settings
from contact_pipeline.upload.column_letters import column_letter, column_span
from contact_pipeline.upload.workbook.number_formats import BUILT_IN
from contact_pipeline.upload.workbook.package import DAMAGED, find_workbook, part_of, relations_of
from contact_pipeline.upload.workbook.sheet import DamagedWorkbook, SheetFacts, places
from contact_pipeline.upload.workbook.typed_cells import TypedCells

_FAULTS: Final = (*DAMAGED, struct.error, ArithmeticError)
_NOT_STORED: Final = 0xFFFFFFFF  # the length of a missing text
_ROW, _STRING, _FORMAT, _STYLE, _COLUMNS, _SETTINGS, _SHEET, _MERGED = 0, 19, 44, 47, 60, 153, 156, 176
_STYLES_BEGIN, _STYLES_END = 617, 618
_RK, _SHARED, _RICH_TEXT = 2, 7, 62
_NUMBERS: Final = {_RK, 5, 9}
_TEXTS: Final = {6: 4, 8: 4, _RICH_TEXT: 5}  # where in the cell the text begins
_TRUTHS: Final = {4, 10}
_ERRORS: Final = {3, 11}
_FIRST_SHORT, _LAST_SHORT = 12, 18  # cells without a column number: each follows the cell before
_OF_SHORT: Final = {13: _RK, 14: 3, 15: 4, 16: 5, 17: 6, 18: _SHARED}


class BinaryWorkbook:
    """An opened .xlsb workbook."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self._settings = settings
        try:
            self._archive = zipfile.ZipFile(path)
            self._workbook = (find_workbook(self._archive) or ("xlsb", ""))[1]
            self._relations = relations_of(self._archive, self._workbook)
            self._since_1904, self._parts = self._sheets()
            self._strings = self._shared_strings()
            self._formats = self._number_formats()
        except _FAULTS as error:
            raise DamagedWorkbook(str(error)) from error

    @property
    def sheet_names(self) -> list[str]:
        """The names of its sheets, in order."""
        return list(self._parts)

    def first_rows(self, sheet: str, most: int) -> list[list[str]]:
        """The first rows of a sheet, as text."""
        cells, _ = self._read(sheet, most)
        return [[text or "" for text in row] for row in cells.rows()]

    def read(self, sheet: str) -> tuple[pl.DataFrame, SheetFacts]:
        """Every cell as text, and the facts of the sheet."""
        return self._read(sheet, None)

    def _read(self, sheet: str, rows: int | None) -> tuple[pl.DataFrame, SheetFacts]:
        try:
            cells, facts = _cells(
                self._archive.read(self._parts[sheet]), self._strings, rows, self._settings.max_text_bytes
            )
        except _FAULTS as error:
            raise DamagedWorkbook(str(error)) from error
        facts.errors = places(cells.errors)
        return cells.as_text(self._formats, self._settings.max_cells, since_1904=self._since_1904), facts

    def _sheets(self) -> tuple[bool, dict[str, str]]:
        """Whether days count from 1904, and the part of each sheet by its name."""
        since_1904, parts = False, {}
        for kind, data in _records(self._archive.read(self._workbook)):
            if kind == _SETTINGS:
                since_1904 = bool(data[0] & 1)
            elif kind == _SHEET:
                relation, end = _text(data, 8)
                name, _ = _text(data, end)
                if relation in self._relations:
                    parts[name] = self._relations[relation].part
        return since_1904, parts

    def _shared_strings(self) -> list[str]:
        name = part_of(self._relations, "sharedStrings")
        if name is None:
            return []
        return [_text(data, 1)[0] for kind, data in _records(self._archive.read(name)) if kind == _STRING]

    def _number_formats(self) -> dict[int, str]:
        """Style of a cell → its number format."""
        name = part_of(self._relations, "styles")
        if name is None:
            return {}
        codes, used, inside = dict(BUILT_IN), list[int](), False
        for kind, data in _records(self._archive.read(name)):
            if kind == _FORMAT:
                codes[int.from_bytes(data[:2], "little")] = _text(data, 2)[0]
            elif kind in {_STYLES_BEGIN, _STYLES_END}:
                inside = kind == _STYLES_BEGIN
            elif kind == _STYLE and inside:
                used.append(int.from_bytes(data[2:4], "little"))
        return {style: codes.get(number, "") for style, number in enumerate(used)}


def _records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The records: the kind and the content of each."""
    place, end = 0, len(content)
    while place < end:
        kind = content[place]
        place += 1
        if kind & 0x80:
            kind = (kind & 0x7F) | (content[place] & 0x7F) << 7
            place += 1
        size = shift = 0
        while True:
            byte = content[place]
            place += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 or shift == 28:
                break
        if place + size > end:
            raise EOFError
        yield kind, content[place : place + size]
        place += size


def _cells(content: bytes, strings: list[str], rows: int | None, most_text: int) -> tuple[TypedCells, SheetFacts]:
    cells, facts = TypedCells(most_text), SheetFacts()
    row = column = -1
    for kind, data in _records(content):
        if kind == _ROW:
            row, column = int.from_bytes(data[:4], "little"), -1
            if rows is not None and row >= rows:
                break
            facts.hidden_rows += bool(data[11] & 0x10)
        elif 0 < kind < _FIRST_SHORT or kind == _RICH_TEXT:
            column = int.from_bytes(data[:4], "little")
            _add(cells, kind, row, column, data[4:], strings)
        elif _FIRST_SHORT <= kind <= _LAST_SHORT:
            column += 1
            _add(cells, _OF_SHORT.get(kind, kind), row, column, data, strings)
        elif kind == _COLUMNS and data[16] & 1:
            facts.hidden_columns.append(column_span(*struct.unpack_from("<II", data)))
        elif kind == _MERGED:
            top, bottom, left, right = struct.unpack_from("<IIII", data)
            facts.merged.append(f"{column_letter(left)}{top + 1}:{column_letter(right)}{bottom + 1}")
    return cells, facts


def _text(data: bytes, place: int) -> tuple[str, int]:
    """A text that is stored with its length before it, and where it ends."""
    size = int.from_bytes(data[place : place + 4], "little")
    if size == _NOT_STORED:
        return "", place + 4
    end = place + 4 + 2 * size
    if end > len(data):
        raise EOFError
    return data[place + 4 : end].decode("utf-16-le", "replace"), end


def _add(cells: TypedCells, kind: int, row: int, column: int, data: bytes, strings: list[str]) -> None:
    """Adds a cell by its kind; its data begins with its style."""
    if kind in _NUMBERS:
        number = _rk(data) if kind == _RK else struct.unpack_from("<d", data, 4)[0]
        cells.add_number(row, column, number, int.from_bytes(data[:3], "little"))
    elif kind == _SHARED:
        cells.add_text(row, column, strings[int.from_bytes(data[4:8], "little")])
    elif kind in _TEXTS:
        cells.add_text(row, column, _text(data, _TEXTS[kind])[0])
    elif kind in _TRUTHS:
        cells.add_truth(row, column, data[4] == 1)
    elif kind in _ERRORS:
        cells.add_error(row, column, data[4])


def _rk(data: bytes) -> float:
    """A number in 30 bits: a whole one or the upper half of a float, perhaps in hundredths (MS-XLSB, 2.5.123)."""
    packed = int.from_bytes(data[4:8], "little", signed=True)
    number: float = float(packed >> 2) if packed & 2 else struct.unpack("<d", struct.pack("<q", (packed & ~3) << 32))[0]
    return number / 100 if packed & 1 else number
