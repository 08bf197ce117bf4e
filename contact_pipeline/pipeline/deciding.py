"""Decisions about many rows in one file: the rows in review, written with a column `to` to fill in, and read back."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from contact_pipeline.errors import Refusal, listed

ROW, TO = "row_number", "to"
_WORDS: Final = ("new", "skip")
_SHOWN: Final = 8


def read_decisions(path: Path) -> dict[int, str]:
    """What a CSV file says of rows: row_number → contact id, `new` or `skip`. A row whose `to` is blank is left open.

    Raises:
        Refusal: the file cannot be read, lacks a column or holds a cell that cannot be meant (code `decisions-file`),
            naming every such row as a spreadsheet counts it, and its column.
    """
    cells = _cells(path)
    filled = cells.filter(pl.col(TO) != "")
    wrong = [
        *_told(filled, ROW, ~pl.col(ROW).str.contains(r"^[0-9]{1,9}$"), "is not a row of the upload"),
        *_told(filled, TO, ~pl.col(TO).str.contains(r"^([0-9]{1,18}|new|skip)$"), "is no contact id, new or skip"),
        *_told(filled, ROW, ~pl.col(ROW).is_first_distinct(), "is decided in an earlier row already"),
    ]
    if wrong:
        raise _refusal(
            path, f"{path.name}: {listed(wrong, limit=_SHOWN)}.", "Correct these cells; nothing is decided yet."
        )
    if filled.is_empty():
        raise _refusal(path, f"{path.name} decides nothing.", f"Fill in column {TO}: a contact id, new or skip.")
    return dict(filled.select(pl.col(ROW).cast(pl.Int64), TO).iter_rows())


def _cells(path: Path) -> pl.DataFrame:
    """The columns row_number and to as trimmed text, with the place of each line."""
    try:
        read = pl.read_csv(path.read_bytes(), infer_schema=False, encoding="utf8", truncate_ragged_lines=True)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _refusal(path, f"{path.name} cannot be read.", "Give a CSV file in UTF-8.") from error
    missing = [name for name in (ROW, TO) if name not in read.columns]
    if missing:
        columns = f"{path.name} has no column {listed(missing)}."
        raise _refusal(path, columns, f"Give it the columns {ROW} and {TO}; others are ignored.")
    text = [pl.col(name).fill_null("").str.strip_chars() for name in (ROW, TO)]
    return read.select(*text).with_columns(pl.col(TO).str.to_lowercase()).with_row_index("place", offset=2)


def _told(cells: pl.DataFrame, column: str, wrong: pl.Expr, problem: str) -> list[str]:
    found = cells.filter(wrong).select("place", column).iter_rows()
    return [f"row {place}, column {column}: '{value}' {problem}" for place, value in found]


def _refusal(path: Path, message: str, fix: str) -> Refusal:
    return Refusal("decisions-file", message, fix, file=path.name)
