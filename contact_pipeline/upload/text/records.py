"""Finds the records of delimited text: where each begins, on which line, and which are broken. `cells` splits them.

A field is quoted (`"…"`, with `""` for a quote, spaces around it allowed) or plain (anything without the delimiter that
does not begin with a quote). Lines end in LF, CRLF or CR. Regular text follows RFC 4180 and has as many fields in each
record as the heading: one expression tests a whole piece of a file, and every CSV reader splits such text alike.
In irregular text, the records are found by regular expressions over the lines.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl

from contact_pipeline.contracts.frames import ROW_NUMBER

LONGEST_RECORD: Final = 4 << 20  # characters; a longer one means that a quote was never closed
LINE_END: Final = r"\r\n?|\n"
_WIDEST: Final = 2_000  # columns; beyond these, the expression is slower than finding the records


class UnclosedQuote(Exception):
    """A quoted value opens on a line and never closes."""

    def __init__(self, line_number: int) -> None:
        super().__init__(f"the quote on line {line_number} never closes")
        self.line_number = line_number


@dataclass(frozen=True)
class Grammar:
    """The expressions that classify lines, for one delimiter."""

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
    def _strict_field(self) -> str:
        """A field as RFC 4180 has it: quotes only around it, or doubled within."""
        return rf'(?:"(?:[^"]|"")*"|[^"\r\n{re.escape(self.delimiter)}]*)'

    @cached_property
    def strict(self) -> str:
        """A record of strict fields."""
        return f"^{self._strict_field}(?:{re.escape(self.delimiter)}{self._strict_field})*$"

    def is_regular(self, text: pl.Series, width: int, line_end: str = "") -> pl.Series:
        """Whether each text is records of `width` strict fields with this line end; without one, a single record."""
        if width > _WIDEST or len(self.delimiter.encode()) > 1:
            return pl.repeat(False, text.len(), eager=True)
        record = f"{self._strict_field}(?:{re.escape(self.delimiter)}{self._strict_field}){{{width - 1}}}"
        return text.str.contains(rf"\A(?:{record}{line_end}){'*' if line_end else ''}\z")

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


@dataclass(frozen=True)
class Found:
    """The records found in a text.

    Attributes:
        records: its whole records: row_number and line_number (the first of the text is 1), text (without the line end
            behind it) and broken (whether text follows a closing quote; that ends the record with its line).
        lines: the number of their lines.
        rest: the unfinished record at the end.
        opened: the number of the line in `rest` that opens the unclosed quote.
    """

    records: pl.DataFrame
    lines: int
    rest: bytes = b""
    opened: int = 0


def find_records(text: bytes, grammar: Grammar) -> Found:
    """The records of a text (UTF-8), however irregular. The text begins at a record."""
    lines, mark = _lines(text.decode())
    lines = lines.with_row_index("line_number", 1)
    if b'"' not in text or lines["text"].str.contains(grammar.strict).all():
        return Found(_records(lines.with_columns(begins=True, broken=False)), lines.height)
    lines = _follow_quotes(lines, grammar).with_columns(
        pl.when("inside").then(_with_line_end(mark)).otherwise("text").alias("text")
    )
    if not lines["inside"].last():
        return Found(_records(lines), lines.height)
    whole = _last(lines["begins"])
    rest = "".join(lines["text"][whole:]).encode()
    return Found(_records(lines[:whole]), whole, rest, _last(lines["opens"]) - whole + 1)


def end_of_records(text: bytes) -> int:
    """Where the last record of a text ends, if the text is regular."""
    end = text.rfind(b"\n") + 1
    inside = text.count(b'"', 0, end) % 2
    while inside and end:
        before = text.rfind(b"\n", 0, text.rfind(b'"', 0, end)) + 1
        inside ^= text.count(b'"', before, end) % 2
        end = before
    return end


def count_line_ends(text: bytes) -> int:
    """How many lines end in a text, inside quotes or not."""
    return text.count(b"\n") + (text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else 0)


def after_lines(text: bytes, lines: int) -> int:
    """Where so many lines of a text end."""
    ends = itertools.islice(re.finditer(LINE_END.encode(), text), lines - 1, None)
    return next((found.end() for found in ends), len(text))


def _records(lines: pl.DataFrame) -> pl.DataFrame:
    """One row for each record."""
    begins = pl.col("begins")
    row = begins.cum_sum().cast(ROW_NUMBER).alias("row_number")
    numbered = lines.select(row, "line_number", "text", "broken", one_line=begins & begins.shift(-1, fill_value=True))
    by_line = numbered.filter("one_line").drop("one_line")
    if by_line.height == numbered.height:
        return by_line
    joined = (
        numbered.filter(~pl.col("one_line"))
        .group_by("row_number")
        .agg(pl.col("line_number").first(), pl.col("text").str.join(""), pl.col("broken").any())
    )
    return pl.concat([by_line, joined]).sort("row_number")


def _last(flags: pl.Series) -> int:
    return int(flags.arg_true()[-1])


def _lines(text: str) -> tuple[pl.DataFrame, str]:
    """The lines with and without their line ends, and the mark that was put after each lone carriage return."""
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

    A line begins inside or outside quotes. It then keeps that state, swaps it, or ends in a certain state whatever came
    before (a reset). So the state after a line is that of the last reset, swapped by every swap since.
    """
    text = pl.col("text")
    quoted = lines.filter(text.str.contains('"', literal=True)).select(
        "line_number",
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
        "line_number",
        "inside",
        opens=pl.when(before).then("reopens").otherwise("opened"),
        broken=pl.when(before).then(~(from_inside | pl.col("closes"))).otherwise(~(pl.col("closed") | from_outside)),
    )
    lines = lines.join(quoted, on="line_number", how="left", maintain_order="left")
    return lines.with_columns(
        pl.col("inside").forward_fill().fill_null(False),
        pl.col("opens", "broken").fill_null(False),
    ).with_columns(begins=~before)
