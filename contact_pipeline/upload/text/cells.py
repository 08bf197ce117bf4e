"""Splits records into cells: regular ones with Polars' CSV reader, others with the expressions of the grammar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from contact_pipeline.contracts.frames import ROW_NUMBER
from contact_pipeline.terms import JOINED
from contact_pipeline.upload.text.records import LINE_END, Grammar, count_line_ends, find_records

_NO_OTHERS: Final = pl.DataFrame(
    schema={
        "row_number": ROW_NUMBER,
        "line_number": ROW_NUMBER,
        "text": pl.String,
        "broken": pl.Boolean,
        "found": pl.UInt32,
        "longest": pl.UInt32,
    }
)


@dataclass(frozen=True)
class Split:
    """A piece of a file, split; its first row and line are 1.

    Attributes:
        rows: row_number, line_number and the columns; an empty cell is null.
        others: records that do not fit the columns: row_number, line_number, text, broken, found (how
            many values) and longest (characters of the longest).
        records: the number of rows and others together.
        joined: whether any cell holds several values that an export joined.
    """

    rows: pl.DataFrame
    others: pl.DataFrame
    records: int
    joined: bool = False

    def after(self, rows: int, lines: int) -> Split:
        """The same with numbers that count from the beginning of the file, after so many rows and lines."""
        numbers = (pl.col("row_number") + rows).cast(ROW_NUMBER), (pl.col("line_number") + lines).cast(ROW_NUMBER)
        return replace(self, rows=self.rows.with_columns(numbers), others=self.others.with_columns(numbers))


def split(piece: bytes | pl.DataFrame, grammar: Grammar, columns: Sequence[str], named: int) -> Split:
    """Splits regular text, or records, into the cells of the columns.

    Text is split as a whole only if its line count agrees with the rows that result. A record of another width is
    accepted if only empty cells at its end are surplus or missing.

    Args:
        piece: the text, or records as `find_records` gives them.
        grammar: of the delimiter.
        columns: names of the columns.
        named: the number of columns up to the last with a heading.
    """
    if isinstance(piece, pl.DataFrame):
        return _of_records(piece, grammar, columns, named)
    cells = _read(piece, grammar, columns)
    lines = count_line_ends(piece)
    row = line = pl.int_range(1, pl.len() + 1, dtype=ROW_NUMBER)
    if cells.height != lines:
        inside = cells.select(pl.sum_horizontal(_line_ends(piece))).to_series()
        if cells.height + inside.sum() != lines:
            return _of_records(find_records(piece, grammar).records, grammar, columns, named)
        line = row + inside.cum_sum().shift(1, fill_value=0)
    rows = cells.select(row.alias("row_number"), line.cast(ROW_NUMBER).alias("line_number"), pl.all())
    joined = b":" in piece and JOINED.encode() in piece  # searching one byte first is fast
    return Split(rows, _NO_OTHERS, rows.height, joined)


def _read(text: bytes, grammar: Grammar, columns: Sequence[str]) -> pl.DataFrame:
    """The cells of regular text."""
    # A made-up heading comes first: the reader removes a byte order mark at the beginning, even from data.
    heading = grammar.delimiter.join(str(place) for place in range(len(columns)))
    whole = f"{heading}\n".encode() + text
    cells = pl.read_csv(whole, separator=grammar.delimiter, infer_schema=False, null_values="")
    return cells.rename(dict(zip(cells.columns, columns, strict=True)))


def _line_ends(text: bytes) -> pl.Expr:
    """The number of line ends in each cell."""
    if b"\r" in text:
        return pl.all().str.count_matches(LINE_END)
    return pl.all().str.count_matches("\n", literal=True)


def _of_records(records: pl.DataFrame, grammar: Grammar, columns: Sequence[str], named: int) -> Split:
    regular = grammar.is_regular(records["text"], len(columns))
    numbers = records.filter(regular).select("row_number", "line_number")
    text = records["text"].filter(regular).str.join("\n").item()
    cells = _read(f"{text}\n".encode(), grammar, columns) if numbers.height else pl.DataFrame()
    if cells.height != numbers.height:
        regular = pl.repeat(False, records.height, eager=True)
    by_hand = _by_hand(records.filter(~regular), grammar, columns, named)
    rows = by_hand.rows
    if regular.any():
        rows = pl.concat([numbers.hstack(cells), by_hand.rows]).sort("row_number")
    joined = bool(records["text"].str.contains(JOINED, literal=True).any())
    return Split(rows, by_hand.others, records.height, joined)


def _by_hand(records: pl.DataFrame, grammar: Grammar, columns: Sequence[str], named: int) -> Split:
    text, cells, width = pl.col("text"), pl.col("cells"), len(columns)
    found = records.with_columns(cells=grammar.values(text)).with_columns(
        found=cells.list.len(), longest=cells.list.eval(pl.element().str.len_chars()).list.max()
    )
    empty_behind = cells.list.slice(width).list.join("") == ""
    fits = text.str.contains(grammar.blank) | (~pl.col("broken") & (pl.col("found") >= named) & empty_behind)
    rows = found.filter(fits).select(
        "row_number",
        "line_number",
        *(cells.list.get(n, null_on_oob=True).replace("", None).alias(name) for n, name in enumerate(columns)),
    )
    return Split(rows, found.filter(~fits).select(_NO_OTHERS.columns), records.height)
