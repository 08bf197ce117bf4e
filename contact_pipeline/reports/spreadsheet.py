"""Delimited files for spreadsheet programs, written so that reading them back gives the same cells.

A mark at the beginning tells that the file is UTF-8, unless another encoding is asked for. A cell that a spreadsheet
program would calculate gets an apostrophe, which reading removes (`kinds.text`). Cells of digits are not protected:
such a program drops their leading zeros.
"""

from __future__ import annotations

import codecs
import io
from typing import IO, Final

import polars as pl

MARK: Final = "\ufeff".encode()
_ROWS_AT_A_TIME: Final = 10_000
_CALCULATED: Final = r"^(\s*)([=+\-@])"
_KEPT: Final = r"^(\s*)'([=+\-@])"


def write_text_table(
    rows: pl.DataFrame, headings: list[str], file: IO[bytes], delimiter: str = ",", encoding: str = "utf-8"
) -> None:
    """Writes rows of text under headings as CSV.

    Args:
        rows: columns of text, in order.
        headings: of the columns; they may repeat.
        file: what to write to.
        delimiter: between two cells.
        encoding: of the file, which is marked if it is Unicode. Characters that the encoding lacks become question
            marks.
    """
    known = codecs.lookup(encoding).name
    head = pl.DataFrame([headings], schema=dict.fromkeys(rows.columns, pl.String), orient="row")
    if known in {"utf-8", "utf-8-sig"}:
        file.write(MARK)
        write_text_rows(head, file, delimiter)
        write_text_rows(rows, file, delimiter)
        return
    known = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(known, known)  # otherwise each piece would have a mark
    if known.startswith("utf"):
        file.write(MARK.decode().encode(known))
    for part in (head, *rows.iter_slices(_ROWS_AT_A_TIME)):
        lines = io.BytesIO()
        write_text_rows(part, lines, delimiter)
        file.write(lines.getvalue().decode().encode(known, "replace"))


def write_text_rows(rows: pl.DataFrame, file: IO[bytes], delimiter: str = ",") -> None:
    """Writes rows of text as the next lines of a CSV file."""
    rows.with_columns(neutral(pl.all())).write_csv(
        file, include_header=False, separator=delimiter, quote_style="necessary"
    )


def neutral(cell: pl.Expr) -> pl.Expr:
    """The cell, with an apostrophe if a spreadsheet program would calculate it."""
    return cell.str.replace(_CALCULATED, "$1'$2")


def as_it_was(cell: pl.Expr) -> pl.Expr:
    """The cell without what writing it, and saving it in a spreadsheet program, adds; null if nothing is left."""
    text = cell.str.replace(_KEPT, "$1$2").str.replace_all("\r\n?", "\n").str.strip_chars()
    return pl.when(text != "").then(text)
