"""Finds the records of delimited text: where each begins, on which line, and which are broken. Splits no fields.

The records are found by regular expressions over whole columns of lines, apart from the reader that splits them, so
that the two can be compared. A field is quoted (`"…"`, with `""` for a quote, spaces around it allowed) or plain
(anything without the delimiter that does not begin with a quote). Lines end in LF, CRLF or CR.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl

from contact_pipeline.contracts import ROW_NUMBER

LONGEST_RECORD: Final = 4 << 20  # characters; a longer one is taken for a quote that nobody closed


_PLAIN: Final = {"begins": pl.lit(True), "inside": pl.lit(False), "broken": pl.lit(False), "strict": pl.lit(True)}


class UnclosedQuote(Exception):
    """A quoted value opens on a line and never closes."""

    def __init__(self, line_number: int) -> None:
        super().__init__(f"the quote on line {line_number} never closes")
        self.line_number = line_number


@dataclass(frozen=True)
class Grammar:
    """The expressions that tell the lines of one delimiter apart."""

    delimiter: str

    @cached_property
    def field(self) -> str:
        """One field, quoted or plain."""
        space = "" if self.delimiter == " " else " *"
        delimiter = re.escape(self.delimiter)
        return rf'(?:{space}"(?:[^"]|"")*"{space}|{space}(?:[^ "{delimiter}][^{delimiter}]*)?)'

    @cached_property
    def _rest(self) -> str:
        return f"(?:{re.escape(self.delimiter)}{self.field})*"

    @cached_property
    def _opening(self) -> str:
        return r'"(?:[^"]|"")*$' if self.delimiter == " " else r' *"(?:[^"]|"")*$'

    @cached_property
    def strict(self) -> str:
        """A record as RFC 4180 has it: quotes only around a field, or doubled within."""
        field = rf'(?:"(?:[^"]|"")*"|[^"{re.escape(self.delimiter)}]*)'
        return f"^{field}(?:{re.escape(self.delimiter)}{field})*$"

    @cached_property
    def closed(self) -> str:
        """A line that begins and ends outside quotes."""
        return f"^{self.field}{self._rest}$"

    @cached_property
    def opens(self) -> str:
        """A line that begins outside quotes and ends inside."""
        return f"^(?:{self.field}{re.escape(self.delimiter)})*{self._opening}"

    @cached_property
    def stays(self) -> str:
        """A line that lies inside quotes as a whole."""
        return r'^(?:[^"]|"")*$'

    @cached_property
    def closes(self) -> str:
        """A line that begins inside quotes and ends outside."""
        return rf'^(?:[^"]|"")*" *{self._rest}$'

    @cached_property
    def reopens(self) -> str:
        """A line that begins inside quotes, closes them, and ends inside others."""
        return rf'^(?:[^"]|"")*" *{self._rest}{re.escape(self.delimiter)}{self._opening}'

    @cached_property
    def blank(self) -> str:
        """A line on which every field is empty or space."""
        return rf'^\s*(?:"")?\s*(?:{re.escape(self.delimiter)}\s*(?:"")?\s*)*$'

    def fields(self, record: pl.Expr) -> pl.Expr:
        """The fields of a record as they stand, each with the delimiter in front."""
        return (pl.lit(self.delimiter) + record).str.extract_all(f"{re.escape(self.delimiter)}{self.field}")

    def made_strict(self, record: pl.Expr) -> pl.Expr:
        """The record with the same values, as RFC 4180 has it."""
        field = pl.element().str.slice(1)
        bare = field.str.strip_chars(" ")
        doubled = pl.concat_str(pl.lit('"'), field.str.replace_all('"', '""', literal=True), pl.lit('"'))
        strict = (
            pl.when(bare.str.starts_with('"')).then(bare)
            .when(field.str.contains('"', literal=True)).then(doubled)
            .otherwise(field)
        )  # fmt: skip
        return self.fields(record).list.eval(strict).list.join(self.delimiter)

    def values(self, record: pl.Expr) -> pl.Expr:
        """The values of a record."""
        field = pl.element().str.slice(1)
        bare = field.str.strip_chars(" ")
        inner = bare.str.slice(1, bare.str.len_chars() - 2).str.replace_all('""', '"', literal=True)
        quoted = bare.str.starts_with('"') & (bare.str.len_chars() > 1)
        return self.fields(record).list.eval(pl.when(quoted).then(inner).otherwise(field))

    def split(self, records: pl.Series) -> list[list[str]]:
        """The values of each of some records."""
        cells: list[list[str]] = records.to_frame("text").select(self.values(pl.col("text"))).to_series().to_list()
        return cells


def find_records(blocks: Iterable[str], grammar: Grammar, lines_before: int = 0) -> Iterator[pl.DataFrame]:
    """The lines of a text, block by block, each frame of whole records.

    Columns: row_number (the record's place in the file, the first is 1), line_number, text (without its line end,
    unless that lies inside quotes), begins (whether a record begins on this line), inside (whether the line ends
    inside quotes), broken (whether text follows a closing quote; that ends the record with its line), strict (whether
    the line is whole records as RFC 4180 has them).

    Args:
        blocks: the text.
        grammar: how its lines are told apart.
        lines_before: lines of the file that stand before the text.

    Raises:
        UnclosedQuote: a quoted value is open at the end, or for longer than any record can be.
    """
    row, line, rest, opened = 0, lines_before, "", 0
    for block in blocks:
        lines, rest, opened = _scan(rest + block, grammar)
        if lines.height:
            yield _numbered(lines, row, line)
            row += int(lines["begins"].sum())
            line += lines.height
        if len(rest) > LONGEST_RECORD:
            break
    if rest:
        raise UnclosedQuote(line + opened)


def join_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """One row for each record (row_number, line_number where it begins, text) of such lines."""
    records = lines.group_by("row_number", maintain_order=True)
    return records.agg(pl.col("line_number").first(), pl.col("text").str.join(""))


def _numbered(lines: pl.DataFrame, row: int, line: int) -> pl.DataFrame:
    return lines.select(
        (pl.col("begins").cum_sum() + row).cast(ROW_NUMBER).alias("row_number"),
        pl.int_range(line + 1, line + 1 + pl.len(), dtype=ROW_NUMBER).alias("line_number"),
        "text",
        "begins",
        "inside",
        "broken",
        "strict",
    )


def _scan(text: str, grammar: Grammar) -> tuple[pl.DataFrame, str, int]:
    """The lines of the whole records, the text of one that is not finished, and which of its lines opens the quote."""
    lines, mark = _lines(text)
    if '"' not in text:
        return lines.with_columns(**_PLAIN), "", 0
    lines = lines.with_columns(strict=pl.col("text").str.contains(grammar.strict))
    if lines["strict"].all():
        return lines.with_columns(**_PLAIN), "", 0
    lines = _follow_quotes(lines, grammar).with_columns(
        pl.when("inside").then(_with_line_end(mark)).otherwise("text").alias("text")
    )
    if not lines["inside"].last():
        return lines, "", 0
    whole = _last(lines["begins"])
    return lines[:whole], "".join(lines["text"][whole:]), _last(lines["opens"]) - whole + 1


def _last(flags: pl.Series) -> int:
    return int(flags.arg_true()[-1])


def _lines(text: str) -> tuple[pl.DataFrame, str]:
    """The lines, as they stand and without their line ends; a mark stands after a carriage return that is alone."""
    mark = ""
    if "\r" in text and text.count("\r") != text.count("\r\n"):
        mark = "\ufdd0"
        while mark in text:
            mark += "\ufdd0"
        text = re.sub(r"\r(?!\n)", f"\r{mark}\n", text)
    bare = pl.col("line").str.strip_suffix(mark) if mark else pl.col("line")
    if "\r" in text:
        bare = bare.str.strip_suffix("\r")
    lines = pl.Series("line", [text.removesuffix("\n")]).str.split("\n").explode().to_frame()
    return lines.with_columns(bare.alias("text")), mark


def _with_line_end(mark: str) -> pl.Expr:
    """The line with the line end that it has in the file."""
    line = pl.col("line")
    if not mark:
        return line + "\n"
    return pl.when(line.str.ends_with(mark)).then(line.str.strip_suffix(mark)).otherwise(line + "\n")


def _follow_quotes(lines: pl.DataFrame, grammar: Grammar) -> pl.DataFrame:
    """Adds begins, inside, opens and broken.

    Each line says where it ends for either place it may begin: it keeps that place, swaps it, or ends in a certain one
    whatever came before (a reset). A line's place is that of the last reset, swapped by every swap since.
    """
    text = pl.col("text")
    lines = lines.with_row_index("line_index")
    quoted = lines.filter(text.str.contains('"', literal=True)).select(
        "line_index",
        closed=text.str.contains(grammar.closed),
        opened=text.str.contains(grammar.opens),
        stays=text.str.contains(grammar.stays),
        closes=text.str.contains(grammar.closes),
        reopens=text.str.contains(grammar.reopens),
    )
    from_outside, from_inside = pl.col("opened"), pl.col("stays") | pl.col("reopens")
    swaps = (from_outside & ~from_inside).cum_sum() % 2 == 1
    at_reset = pl.when(from_outside == from_inside).then(from_outside ^ swaps).forward_fill().fill_null(False)
    before = pl.col("inside").shift(1, fill_value=False)
    quoted = quoted.with_columns(inside=at_reset ^ swaps).select(
        "line_index",
        "inside",
        opens=pl.when(before).then("reopens").otherwise("opened"),
        broken=pl.when(before).then(~(from_inside | pl.col("closes"))).otherwise(~(pl.col("closed") | from_outside)),
    )
    lines = lines.join(quoted, on="line_index", how="left", maintain_order="left")
    return lines.with_columns(
        pl.col("inside").forward_fill().fill_null(False),
        pl.col("opens", "broken").fill_null(False),
    ).with_columns(begins=~before)
