"""Reads a delimited text file: splits its records piece by piece, numbers the rows, and writes them in slices."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings
from contact_pipeline.upload.heading import above, heading_in
from contact_pipeline.upload.heading_row import refuse_swallowed, warn_of_wide_rows
from contact_pipeline.upload.limits import check_cell, check_columns, check_rows
from contact_pipeline.upload.raw import (
    RawUpload,
    drop_unused_end,
    join_rejections,
    name_columns,
    unreadable_rows,
    write_empty_rows,
    write_rows,
)
from contact_pipeline.upload.text.cells import Split, split
from contact_pipeline.upload.text.delimiter import (
    CANDIDATES,
    Layout,
    ambiguous,
    delimiter_name,
    find_layout,
    take_declaration,
)
from contact_pipeline.upload.text.encoding import LONGEST_LINE, find_encoding, text_blocks
from contact_pipeline.upload.text.pieces import EndlessLine, Pieces
from contact_pipeline.upload.text.records import Grammar, UnclosedQuote
from contact_pipeline.watched import tell

_BLOCK_BYTES: Final = 1 << 20
_BYTES_OF_A_SHORT_ROW: Final = 32  # keeps a slice of very short rows near the number of rows that settings ask for
_BEGINNING: Final = 1 << 16  # bytes in which a heading is looked for first
_AHEAD: Final = 2  # pieces split at the same time: one for each of two processors
_PART_OF_A_FILE: Final = 10  # if a tenth of the rows splits by another delimiter, it is no accident


def read_delimited(
    path: Path,
    file_name: str,
    *,
    delimiter: str | None,
    encoding: str | None,
    known: Collection[str],
    folder: Path,
    settings: Settings,
) -> RawUpload:
    """Reads a delimited text file into slices of raw rows.

    Raises:
        Refusal: the file has no records (`file-empty`), its encoding or delimiter is ambiguous or not the declared one
            (`encoding`, `delimiter`), a quote never closes (`quote-unclosed`) or takes rows into the headings
            (`heading-broken`), it is beyond a limit (`limit`), or a line never ends (`file-unreadable`).
    """
    found = find_encoding(path, file_name, encoding, known)
    size = min(_BLOCK_BYTES, max(settings.slice_rows * _BYTES_OF_A_SHORT_ROW, 1 << 16))
    blocks = text_blocks(path, found.name, size)
    sign, first = take_declaration(next(blocks, b"").decode())
    layout = find_layout(first, file_name, delimiter or sign or None, known)
    pieces = Pieces(_begun(first.encode(), blocks), Grammar(layout.delimiter), lines_before=int(sign is not None))
    try:
        heading_row, headings = _heading(pieces, layout, file_name, settings)
        columns = name_columns(headings)
        rows = _Rows(folder, file_name, heading_row, columns, layout.delimiter, settings)
        rows.take(pieces, _named(headings))
    except UnclosedQuote as error:
        raise Refusal(
            "quote-unclosed",
            f'{file_name}: the quote (") that opens on line {error.line_number} never closes.',
            "Close it, or double the quote if it belongs to the value.",
            file=file_name,
            details={"line_number": error.line_number},
        ) from error
    except EndlessLine as error:
        raise Refusal(
            "file-unreadable",
            f"{file_name}: line {error.line_number} is longer than {LONGEST_LINE >> 20} MB.",
            "Check that it is a table of contacts, saved as CSV.",
            file=file_name,
            details={"line_number": error.line_number},
        ) from error
    rejections = join_rejections(rows.rejections)
    _must_agree(rejections, rows.count, layout, len(columns), file_name)
    unused = drop_unused_end(folder, headings, columns)
    return RawUpload(
        file_type="csv",
        encoding=found.name,
        delimiter=layout.delimiter,
        sheet=None,
        sheets=[],
        headings=headings[: len(headings) - unused],
        columns=columns[: len(columns) - unused],
        heading_row=heading_row,
        data_rows=rows.count,
        rejections=rejections,
        joined=rows.joined,
        warnings=[
            *found.warnings,
            *above(file_name, heading_row, layout.above),
            *warn_of_wide_rows(_wide(rejections, layout, len(columns)), rows.count, len(columns), file_name),
        ],
        doubt=found.doubt,
    )


def _begun(first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks, with the first cut in two, so that the heading is found without reading all of it."""
    end = first.rfind(b"\n", 0, _BEGINNING) + 1
    return filter(None, itertools.chain([first[:end], first[end:]], blocks))


def _heading(pieces: Pieces, layout: Layout, file_name: str, settings: Settings) -> tuple[int, list[str]]:
    found = pieces.heading(layout.heading_row)
    if found is None:
        raise Refusal("file-empty", f"{file_name} is empty.", "Send a file with a heading and rows.", file=file_name)
    row, text, broken = found
    headings = [heading_in(cell) for cell in Grammar(layout.delimiter).split(pl.Series([text]))[0]]
    if broken:
        refuse_swallowed(headings, row, file_name)
    check_columns(len(headings), file_name, settings)
    return row, headings


def _wide(rejections: pl.DataFrame, layout: Layout, width: int) -> int:
    """How many of the rejected rows split into more values than there are columns."""
    return int((rejections.select(Grammar(layout.delimiter).fields(pl.col("value")).list.len()) > width).sum().item())


def _must_agree(rejections: pl.DataFrame, rows: int, layout: Layout, width: int, file_name: str) -> None:
    """Refuses a file where part of the rows splits by the delimiter that was found, and part by another."""
    if layout.is_declared or width == 1 or not rejections.height:
        return
    for sign in (sign for sign in CANDIDATES if sign != layout.delimiter):
        others = rejections.filter(Grammar(sign).fields(pl.col("value")).list.len() == width)
        if others.height * _PART_OF_A_FILE >= rows:
            why = f"{rows - rejections.height} rows split by the first and {others.height} by the second"
            raise ambiguous(file_name, layout.delimiter, sign, why, others["value"][0])


@dataclass
class _Rows:
    """Numbers the rows of split pieces, and writes them in slices."""

    folder: Path
    file_name: str
    heading_row: int
    columns: list[str]
    delimiter: str
    settings: Settings
    rejections: list[pl.DataFrame] = field(default_factory=list)
    count: int = 0  # rows below the heading up to the last that holds anything
    joined: bool = False
    _numbered: int = 0
    _waiting: list[pl.DataFrame] = field(default_factory=list)  # blank rows, until a filled one follows
    _slice: list[pl.DataFrame] = field(default_factory=list)
    _writing: list[Future[None]] = field(default_factory=list)

    def take(self, pieces: Pieces, named: int) -> None:
        """Takes every piece. While one is read, those before it are split and a slice is written."""
        work = partial(split, grammar=Grammar(self.delimiter), columns=self.columns, named=named)
        with ThreadPoolExecutor(_AHEAD) as pool:
            begun: deque[tuple[int, Future[Split]]] = deque()
            for lines, piece in pieces.rows(len(self.columns)):
                begun.append((lines, pool.submit(work, piece)))
                if len(begun) > _AHEAD:
                    self._add(pool, *begun.popleft())
            for lines, part in begun:
                self._add(pool, lines, part)
            self._write(pool, sum(rows.height for rows in self._slice))
            for written in self._writing:
                written.result()
        if not self._writing:
            write_empty_rows(self.folder, self.columns)

    def _add(self, pool: ThreadPoolExecutor, lines: int, splitting: Future[Split]) -> None:
        part = splitting.result().after(self.heading_row + self._numbered, lines)
        self._numbered += part.records
        self.joined |= part.joined
        last = max([_last_filled(part.rows), *part.others["row_number"].tail(1)])
        if not last:
            self._waiting.append(part.rows)
            return
        self.count = last - self.heading_row
        tell("reading", self.count)
        check_rows(self.count, self.file_name, self.settings)
        self._check_cells(part)
        self._reject(part.others)
        self._slice += [*self._waiting, part.rows.filter(pl.col("row_number") <= last)]
        self._waiting = [part.rows.filter(pl.col("row_number") > last)]
        rows = sum(rows.height for rows in self._slice)
        if rows >= self.settings.slice_rows:
            self._write(pool, rows - rows % self.settings.slice_rows)

    def _write(self, pool: ThreadPoolExecutor, rows: int) -> None:
        """Starts writing so many rows, once the slice before is written."""
        if rows:
            for written in self._writing[-1:]:
                written.result()
            collected = pl.concat(self._slice)
            self._slice = [collected[rows:]]
            self._writing.append(pool.submit(write_rows, self.folder, len(self._writing) + 1, collected[:rows]))

    def _check_cells(self, part: Split) -> None:
        most, cells = self.settings.max_cell_characters, pl.col(self.columns)
        long = part.rows.filter(pl.any_horizontal(cells.str.len_bytes() > most))
        longest = long.select("row_number", longest=pl.max_horizontal(cells.str.len_chars()))
        for row, characters in [*longest.rows(), *part.others.select("row_number", "longest").rows()]:
            check_cell(row, characters, self.file_name, self.settings)

    def _reject(self, others: pl.DataFrame) -> None:
        if others.is_empty():
            return
        at = ("row_number", "line_number")
        broken = pl.format("Row {} (line {}) has text after a closing quote.", *at)
        fix = 'Double each quote that belongs to the value ("") or remove it.'
        self.rejections.append(unreadable_rows(others.filter("broken"), broken, fix))
        values = pl.when(pl.col("found") == 1).then(pl.lit("1 value")).otherwise(pl.format("{} values", "found"))
        heading = f"the heading has {len(self.columns)} columns."
        ragged = pl.format("Row {} (line {}) has {}; " + heading, *at, values)
        sign = delimiter_name(self.delimiter)
        fix = f"Look for a {sign} too many or too few; put a value that holds one in quotes."
        self.rejections.append(unreadable_rows(others.filter(~pl.col("broken")), ragged, fix))


def _last_filled(rows: pl.DataFrame) -> int:
    """The row_number of the last row that holds anything; 0 if none does."""
    filled = pl.any_horizontal(pl.all().exclude("row_number", "line_number").str.contains(r"\S"))
    for last in (rows.tail(1), rows):
        found = last.filter(filled)["row_number"]
        if found.len():
            return int(found[-1])
    return 0


def _named(headings: list[str]) -> int:
    """The number of columns up to the last with a heading."""
    return max((n for n, heading in enumerate(headings, start=1) if heading.strip()), default=len(headings))
