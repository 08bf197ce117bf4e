"""Reads an .xlsx, .xlsm or .ods workbook through fastexcel (calamine), and from its XML the facts that it lacks."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final, Literal

import fastexcel
import polars as pl

from contact_pipeline.settings import Settings
from contact_pipeline.upload.workbook.number_formats import LEAST_ROUNDED
from contact_pipeline.upload.workbook.opendocument import look_at_tables
from contact_pipeline.upload.workbook.sheet import DamagedWorkbook, SheetFacts, whole, with_texts
from contact_pipeline.upload.workbook.sheet_facts import XmlFacts, look_at_sheet

logging.getLogger("calamine").setLevel(logging.ERROR)  # its warnings about formats do not matter here

_MOMENT: Final = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?$"
# The day that the reader puts before a time without a date: the first of either epoch (midnight of 1904 is a day).
_DAYS_ZERO: Final = r"^(?:1899-12-31 |1904-01-01 (?:[^0]|0[^0]|00:[^0]|00:0[^0]|00:00:[^0]|00:00:0[^0]))"
_ROUNDED: Final = r"^-?(?:\d+\.\d{9}|\d{16,})$"  # the reader writes at most nine decimals, integers in full
_Kind = Literal["string", "boolean", "datetime", "float"]
_ENDINGS: Final = {"xlsx": {".xlsx", ".xlsm"}, "ods": {".ods"}}


class ModernWorkbook:
    """An opened .xlsx, .xlsm or .ods workbook."""

    def __init__(self, path: Path, kind: Literal["xlsx", "ods"], settings: Settings) -> None:
        self._path = path
        self._tables = look_at_tables(path, settings) if kind == "ods" else None
        with _damage():
            # Given a path, the reader goes by its ending, and fails on bytes that are not UTF-8. Given the content,
            # it goes by the content.
            named_right = path.suffix.lower() in _ENDINGS[kind] and not _has_odd_bytes(path)
            self._book = fastexcel.read_excel(path if named_right else path.read_bytes())

    @property
    def sheet_names(self) -> list[str]:
        """The names of its sheets, in order."""
        return self._book.sheet_names

    def first_rows(self, sheet: str, most: int) -> list[list[str]]:
        """The first rows of a sheet that hold anything, as text."""
        with _damage():
            loaded = self._book.load_sheet(sheet, header_row=None, dtypes="string", n_rows=most)
            return [[cell or "" for cell in row] for row in pl.DataFrame(loaded).rows()] if loaded.width else []

    def read(self, sheet: str) -> tuple[pl.DataFrame, SheetFacts]:
        """Every cell as text, and the facts of the sheet."""
        with _damage():
            cells, facts = self._load_and_look(sheet)
            for kind, doubtful, shown in _REWRITTEN if cells.height else []:
                cells = _as_shown(
                    cells, doubtful, shown, partial(self._load_typed, sheet, kind), _is_certain(facts, kind)
                )
        if cells.is_empty() and facts.uncalculated.is_empty():
            return cells, facts
        texts = pl.concat([facts.shown, facts.errors, facts.uncalculated])
        return with_texts(whole(cells, facts.uncalculated), texts), facts

    def _load_and_look(self, sheet: str) -> tuple[pl.DataFrame, SheetFacts]:
        place = self.sheet_names.index(sheet)
        if self._tables is not None:
            facts = self._tables[place] if place < len(self._tables) else SheetFacts()
            return self._load(sheet, "string"), facts
        with ThreadPoolExecutor(1) as beside:
            facts_of_xml = beside.submit(look_at_sheet, self._path, place)
            return self._load(sheet, "string"), facts_of_xml.result()

    def _load_typed(self, sheet: str, kind: _Kind, columns: list[int]) -> pl.DataFrame:
        """The columns as this type; cells of text come back empty, whatever they hold."""
        typed = self._load(sheet, kind, columns)
        if kind != "float":
            return typed
        # As numbers, the reader also returns digits of texts; as truth values, it returns no texts.
        is_number = self._load(sheet, "boolean", columns)
        return typed.select(pl.when(is_number[name].is_not_null()).then(pl.col(name)) for name in typed.columns)

    def _load(self, sheet: str, kind: _Kind, columns: list[int] | None = None) -> pl.DataFrame:
        # Without skip_rows=0 the reader drops blank rows at the top, and rows lose their place.
        loaded = self._book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes=kind, use_columns=columns)
        if not loaded.width:
            return pl.DataFrame()
        frame = pl.DataFrame(loaded)
        frame.columns = [str(column.absolute_index) for column in loaded.selected_columns]
        return frame


def last_row_of(path: Path, sheet: str) -> int:
    """The last row, from 1, that holds anything, as calamine reads the sheet; 0 where it cannot."""
    with suppress(DamagedWorkbook), _damage():
        loaded = fastexcel.read_excel(path).load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string")
        if loaded.width:
            filled = pl.DataFrame(loaded).select(pl.any_horizontal(pl.all().str.strip_chars() != "")).to_series()
            return int((filled.arg_true() + 1).max() or 0)  # type: ignore[arg-type]
    return 0


def _has_odd_bytes(path: Path) -> bool:
    return str(path).encode("utf-8", "replace") != os.fsencode(path)


@contextmanager
def _damage() -> Iterator[None]:
    """Turns the reader's errors into DamagedWorkbook, its panics included, which are no ordinary exceptions."""
    try:
        yield
    except fastexcel.FastExcelError as error:
        raise DamagedWorkbook(str(error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise DamagedWorkbook("") from error


def _as_shown(
    cells: pl.DataFrame,
    doubtful: Callable[[pl.Expr], pl.Expr],
    shown: Callable[[pl.Expr, pl.Expr], pl.Expr],
    load: Callable[[list[int]], pl.DataFrame],
    is_certain: bool,
) -> pl.DataFrame:
    """Rewrites doubtful texts in cells of another type than text; a text that only looks like one stays as it is.

    To tell them apart, the columns are read again as that type: text comes back empty.
    """
    found = cells.select(doubtful(pl.all()).any()).row(0)
    names = [name for name, doubts in zip(cells.columns, found, strict=True) if doubts]
    if not names:
        return cells
    if is_certain:
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
    """Whether everything that looks like this kind is of it, as no text of the workbook looks like it."""
    return kind != "float" and isinstance(facts, XmlFacts) and kind not in facts.text_like


def _iso(text: pl.Expr, _: pl.Expr) -> pl.Expr:
    """A date, a time or both, in ISO 8601, from a moment that the reader wrote in full."""
    return (
        pl.when(text.str.contains(_DAYS_ZERO))
        .then(text.str.slice(11))
        .when(text.str.ends_with(" 00:00:00"))
        .then(text.str.head(10))
        .otherwise(text.str.replace(" ", "T", literal=True))
    )


def _unrounded(text: pl.Expr, value: pl.Expr) -> pl.Expr:
    """The number to the 15 digits that Excel keeps. A longer integer has lost digits, and is not written as exact."""
    is_exact = (text.cast(pl.Float64, strict=False) == value) & (value.abs() < LEAST_ROUNDED)
    fifteen = value.map_elements(lambda number: f"{number:.15G}", return_dtype=pl.String)
    return pl.when(is_exact).then(text).otherwise(fifteen)


# The reader writes booleans, moments and numbers as text in its own way: the type, the test for such a text, and the
# text that the sheet shows.
_REWRITTEN: Final[list[tuple[_Kind, Callable[[pl.Expr], pl.Expr], Callable[[pl.Expr, pl.Expr], pl.Expr]]]] = [
    ("boolean", lambda text: text.is_in(["true", "false"]), lambda text, _: text.str.to_uppercase()),
    ("datetime", lambda text: text.str.contains(_MOMENT), _iso),
    ("float", lambda text: text.str.contains(_ROUNDED), _unrounded),
]
