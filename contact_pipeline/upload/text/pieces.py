"""Cuts delimited text into pieces of whole records: regular text as it is, else the records found in it."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from contact_pipeline.upload.text.encoding import LONGEST_LINE
from contact_pipeline.upload.text.records import (
    LONGEST_RECORD,
    Grammar,
    UnclosedQuote,
    after_lines,
    count_line_ends,
    end_of_records,
    find_records,
)


class EndlessLine(Exception):
    """A line is longer than any line of a table."""

    def __init__(self, line_number: int) -> None:
        super().__init__(f"line {line_number} is longer than {LONGEST_LINE >> 20} MB")
        self.line_number = line_number


class Pieces:
    """The records of a text (UTF-8, blocks of whole lines), the heading first, then the rows piece by piece."""

    def __init__(self, blocks: Iterator[bytes], grammar: Grammar, lines_before: int = 0) -> None:
        self._blocks = blocks
        self._grammar = grammar
        self._lines = lines_before  # lines before the rest
        self._rest = b""
        self._ended = False

    def heading(self, first_row: int) -> tuple[int, str, bool] | None:
        """Takes the first record that is not blank, from `first_row` on; None if there is none.

        Returns:
            its row_number, its text, and whether text follows a closing quote.

        Raises:
            UnclosedQuote: a quoted value is open at the end, or for longer than any record can be.
            EndlessLine: a line is longer than any line of a table.
        """
        before = 0
        for text in self._texts():
            found = find_records(text, self._grammar)
            filled = found.records.filter(
                pl.col("row_number") + before >= first_row, ~pl.col("text").str.contains(self._grammar.blank)
            )
            if filled.height:
                row, line, heading, broken = filled.row(0)
                lines = line - 1 + count_line_ends(f"{heading}\n".encode())
                self._lines += lines
                self._rest = text[after_lines(text, lines) :]
                return before + row, heading, broken
            before += found.records.height
            self._keep(found.rest, found.lines, found.opened)
        return None

    def rows(self, width: int) -> Iterator[tuple[int, bytes | pl.DataFrame]]:
        """The pieces after the heading, each with the number of lines before it.

        Args:
            width: columns of the heading.

        Raises:
            UnclosedQuote: a quoted value is open at the end, or for longer than any record can be.
            EndlessLine: a line is longer than any line of a table.
        """
        for text in self._texts():
            end = end_of_records(text)
            if end and self._grammar.is_regular(_as_series(text[:end]), width, line_end=r"\r?\n").item():
                yield self._lines, text[:end]
                self._rest = text[end:]
                self._lines += count_line_ends(text[:end])
            else:
                found = find_records(text, self._grammar)
                yield self._lines, found.records
                self._keep(found.rest, found.lines, found.opened)

    def _texts(self) -> Iterator[bytes]:
        """The rest with the next block; at the end as long as there is a rest."""
        while self._rest or not self._ended:
            block = next(self._blocks, b"")
            self._ended = not block
            text = self._rest + block
            if len(text) > LONGEST_LINE:
                self._refuse_endless_line(text)
            if text:
                yield text

    def _keep(self, rest: bytes, lines: int, opened: int) -> None:
        self._rest = rest
        self._lines += lines
        if rest and (self._ended or len(rest) > LONGEST_RECORD):
            raise UnclosedQuote(self._lines + opened)

    def _refuse_endless_line(self, text: bytes) -> None:
        for number, line in enumerate(text.splitlines(), start=self._lines + 1):
            if len(line) > LONGEST_LINE:
                raise EndlessLine(number)


def _as_series(text: bytes) -> pl.Series:
    return pl.Series([text], dtype=pl.Binary).cast(pl.String)
