"""Reads decisions about many rows from one file: the rows in review with a column `to` that somebody has filled in."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

import polars as pl

from contact_pipeline.errors import Refusal, listed
from contact_pipeline.settings import Settings
from contact_pipeline.upload import read_columns

ROW, TO = "row_number", "to"
_WORDS: Final = ("new", "skip")
_SHOWN: Final = 8


def read_decisions(path: Path, settings: Settings, known: Collection[str] = ()) -> dict[int, str]:
    """The decisions of a file: row_number → contact id, `new` or `skip`. A row whose `to` is blank stays undecided.

    Args:
        path: the file, text or a workbook.
        settings: of the home.
        known: the other headings of files that `in-review` writes.

    Raises:
        Refusal: the file cannot be read, lacks a column or has a cell that is no decision (code `decisions-file`); the
            message names every such row, as a spreadsheet counts it, and the column.
    """
    cells = _cells(path, settings, known)
    filled = cells.filter(pl.col(TO) != "")
    wrong = [
        *_errors(filled, ROW, ~pl.col(ROW).str.contains(r"^[0-9]{1,9}$"), "is not a row of the upload"),
        *_errors(filled, TO, ~pl.col(TO).str.contains(r"^([0-9]{1,18}|new|skip)$"), "is no contact id, new or skip"),
        *_errors(filled, ROW, ~pl.col(ROW).is_first_distinct(), "is decided in an earlier row already"),
    ]
    if wrong:
        raise _refusal(
            path, f"{path.name}: {listed(wrong, limit=_SHOWN)}.", "Correct these cells; nothing is decided yet."
        )
    if filled.is_empty():
        raise _refusal(path, f"{path.name} decides nothing.", f"Fill in column {TO}: a contact id, new or skip.")
    return dict(filled.select(pl.col(ROW).cast(pl.Int64), TO).iter_rows())


def _cells(path: Path, settings: Settings, known: Collection[str]) -> pl.DataFrame:
    """The columns row_number and to as trimmed text, with the place of each line."""
    try:
        read = read_columns(path, (ROW, TO), settings, known=known)
    except Refusal as error:
        fix = f"{error.fix} Others are ignored." if error.code == "column-missing" else error.fix
        raise _refusal(path, error.message, fix) from error
    text = [pl.col(name).fill_null("").str.strip_chars() for name in (ROW, TO)]
    return read.select("place", *text).with_columns(pl.col(TO).str.to_lowercase())


def _errors(cells: pl.DataFrame, column: str, wrong: pl.Expr, problem: str) -> list[str]:
    found = cells.filter(wrong).select("place", column).iter_rows()
    return [f"row {place}, column {column}: '{value}' {problem}" for place, value in found]


def _refusal(path: Path, message: str, fix: str) -> Refusal:
    return Refusal("decisions-file", message, fix, file=path.name)
