"""Reads a delimited text file: DuckDB splits its records, which were found and numbered before.

Each record is handed to DuckDB with its row_number and line_number in front, in slices of bounded size, so that what
comes back (as a row or as a reject) says itself where it stood. Rows and rejects must add up to what was handed over.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from contact_pipeline.contracts import ROW_NUMBER
from contact_pipeline.engines import DATA_FAULTS, Database, open_database, quoted, text
from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings
from contact_pipeline.upload.delimiter import (
    CANDIDATES,
    Layout,
    ambiguous,
    delimiter_name,
    find_layout,
    take_declaration,
)
from contact_pipeline.upload.encoding import find_encoding, text_blocks
from contact_pipeline.upload.heading import above
from contact_pipeline.upload.limits import check_cell, check_columns, check_rows
from contact_pipeline.upload.raw import (
    RawUpload,
    drop_unused_end,
    join_rejections,
    name_columns,
    raw_path,
    raw_paths,
    unreadable_rows,
    write_empty_rows,
)
from contact_pipeline.upload.records import Grammar, UnclosedQuote, find_records, join_lines

RECORDS: Final = ".records.csv"  # what is handed to DuckDB, for as long as it takes
_BLOCK_BYTES: Final = 8 << 20
_BYTES_OF_A_SHORT_ROW: Final = 32  # keeps a slice of very short rows near the number of rows that settings ask for
_LONGEST_LINE: Final = 16 << 20  # bytes
_PART_OF_A_FILE: Final = 10  # a tenth of the rows splits by another delimiter: that is no accident
_LONGEST_RECORD: Final = 32 << 20  # bytes that DuckDB takes; no record that was found is longer


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
        Refusal: the file has no records (`file-empty`), its encoding or delimiter cannot be told or is not the declared
            one (`encoding`, `delimiter`), a quote never closes (`quote-unclosed`), it is beyond a limit (`limit`), or
            the rows that came back are not those that went in (`file-unreadable`).
    """
    encoding, warnings = find_encoding(path, file_name, encoding)
    size = min(_BLOCK_BYTES, max(settings.slice_rows * _BYTES_OF_A_SHORT_ROW, 1 << 16))
    blocks = text_blocks(path, encoding, size)
    sign, first = take_declaration(next(blocks, ""))
    layout = find_layout(first, file_name, delimiter or sign or None, known)
    grammar = Grammar(layout.delimiter)
    text = find_records(itertools.chain([first], blocks), grammar, lines_before=int(sign is not None))
    try:
        heading_row, headings, lines = _take_heading(text, grammar, layout.heading_row)
        _check_heading(headings, file_name, settings)
        columns = name_columns(headings)
        with open_database(None, settings) as db:
            slices = _Slices(db, folder, file_name, grammar, columns, _named(headings), settings)
            for frame in _without_blank_end(lines, grammar):
                slices.add(frame)
            slices.write()
    except UnclosedQuote as error:
        raise Refusal(
            "quote-unclosed",
            f'{file_name}: the quote (") that opens on line {error.line_number} never closes.',
            "Close it, or double the quote if it belongs to the value.",
            file=file_name,
            details={"line_number": error.line_number},
        ) from error
    rejections, rows = join_rejections(slices.rejections), slices.last_row - heading_row if slices.last_row else 0
    _must_agree(rejections, rows, layout, len(columns), file_name)
    unused = drop_unused_end(folder, headings, columns)
    return RawUpload(
        file_type="csv",
        encoding=encoding,
        delimiter=grammar.delimiter,
        sheet=None,
        sheets=[],
        headings=headings[: len(headings) - unused],
        columns=columns[: len(columns) - unused],
        heading_row=heading_row,
        data_rows=rows,
        rejections=rejections,
        warnings=[*warnings, *above(file_name, heading_row, layout.above)],
    )


def _take_heading(
    frames: Iterator[pl.DataFrame], grammar: Grammar, heading_row: int
) -> tuple[int, list[str], Iterator[pl.DataFrame]]:
    """The first record from that row on that is not blank, its row_number, and the lines after it."""
    for lines in frames:
        filled = lines.filter(pl.col("row_number") >= heading_row, ~pl.col("text").str.contains(grammar.blank))
        if filled.height:
            row = int(filled["row_number"][0])
            heading = join_lines(lines.filter(pl.col("row_number") == row))["text"]
            return row, grammar.split(heading)[0], itertools.chain([lines.filter(pl.col("row_number") > row)], frames)
    return 0, [], iter(())


def _check_heading(headings: list[str], file_name: str, settings: Settings) -> None:
    if not headings:
        raise Refusal("file-empty", f"{file_name} is empty.", "Send a file with a heading and rows.", file=file_name)
    check_columns(len(headings), file_name, settings)


def _must_agree(rejections: pl.DataFrame, rows: int, layout: Layout, width: int, file_name: str) -> None:
    """Refuses a file of which a part splits by the delimiter that was found, and a part by another."""
    if layout.is_declared or width == 1 or not rejections.height:
        return
    for sign in (sign for sign in CANDIDATES if sign != layout.delimiter):
        others = rejections.filter(Grammar(sign).fields(pl.col("value")).list.len() == width)
        if others.height * _PART_OF_A_FILE >= rows:
            why = f"{rows - rejections.height} rows split by the first and {others.height} by the second"
            raise ambiguous(file_name, layout.delimiter, sign, why, others["value"][0])


def _without_blank_end(frames: Iterator[pl.DataFrame], grammar: Grammar) -> Iterator[pl.DataFrame]:
    """The lines up to the last that is not blank, with `blank` added; those between others are kept."""
    held: list[pl.DataFrame] = []
    for lines in frames:
        blank = pl.col("text").str.contains(grammar.blank) & pl.col("begins") & ~pl.col("inside")
        held.append(lines.with_columns(blank.alias("blank")))
        filled = (~held[-1]["blank"]).arg_true()
        if filled.len():
            end = filled.to_list()[-1] + 1
            yield pl.concat([*held[:-1], held[-1][:end]])
            held = [held[-1][end:]]


@dataclass
class _Slices:
    """Collects numbered records and has DuckDB split them, a slice at a time."""

    db: Database
    folder: Path
    file_name: str
    grammar: Grammar
    columns: list[str]
    named: int  # columns up to the last that has a heading
    settings: Settings
    rejections: list[pl.DataFrame] = field(default_factory=list)
    first_row: int = 0
    last_row: int = 0
    _number: int = 0
    _rows: int = 0
    _sum: int = 0

    @property
    def _collected(self) -> Path:
        return self.folder / RECORDS

    def add(self, lines: pl.DataFrame) -> None:
        """Takes lines of whole records; the broken ones are rejected here."""
        self.first_row = self.first_row or int(lines["row_number"][0])
        self.last_row = int(lines["row_number"][-1])
        check_rows(self.last_row + 1 - self.first_row, self.file_name, self.settings)
        self._refuse_endless_lines(lines)
        self._check_cells(lines)
        if lines["broken"].any():
            lines = self._reject_broken(lines)
        records = lines.filter("begins")["row_number"]
        self._collect(lines)
        self._rows += records.len()
        self._sum += int(records.cast(pl.UInt64).sum())
        if self._rows >= self.settings.slice_rows:
            self.write()

    def write(self) -> None:
        """Has DuckDB split what was collected, writes the rows as Parquet, and keeps the rejects."""
        if self._rows:
            self._number += 1
            self._split(parallel=True)
            self._collected.unlink()
            self._rows = self._sum = 0
        if not raw_paths(self.folder):
            write_empty_rows(self.folder, self.columns)

    def _refuse_endless_lines(self, lines: pl.DataFrame) -> None:
        endless = lines.filter(pl.col("text").str.len_bytes() > _LONGEST_LINE)["line_number"]
        if endless.len():
            raise Refusal(
                "file-unreadable",
                f"{self.file_name}: line {endless[0]} is longer than {_LONGEST_LINE >> 20} MB.",
                "Check that it is a table of contacts, saved as CSV.",
                file=self.file_name,
                details={"line_number": endless[0]},
            )

    def _check_cells(self, lines: pl.DataFrame) -> None:
        """Only a record that is longer than a cell may be can hold one that is."""
        most = self.settings.max_cell_characters
        if lines["begins"].all():
            long = lines.filter(pl.col("text").str.len_bytes() > most)
        else:
            long = join_lines(lines).filter(pl.col("text").str.len_bytes() > most)
        if long.height:
            longest = self.grammar.values(pl.col("text")).list.eval(pl.element().str.len_chars()).list.max()
            for row, characters in long.select("row_number", longest).iter_rows():
                check_cell(row, characters or 0, self.file_name, self.settings)

    def _reject_broken(self, lines: pl.DataFrame) -> pl.DataFrame:
        broken = lines.filter("broken")["row_number"].implode()
        rows = join_lines(lines.filter(pl.col("row_number").is_in(broken)))
        message = pl.format("Row {} (line {}) has text after a closing quote.", "row_number", "line_number")
        fix = 'Double each quote that belongs to the value ("") or remove it.'
        self.rejections.append(unreadable_rows(rows, message, fix))
        return lines.filter(~pl.col("row_number").is_in(broken))

    def _collect(self, lines: pl.DataFrame) -> None:
        sign = pl.lit(self.grammar.delimiter)
        # A blank line has too few fields for a reader, but it is a row of the file all the same.
        filler = pl.lit(self.grammar.delimiter * (len(self.columns) - 1))
        line = pl.when("blank").then(filler).otherwise("text") if lines["blank"].any() else pl.col("text")
        whole = self._strict(lines.with_columns(line.alias("text")))
        numbered = pl.concat_str("row_number", sign, "line_number", sign, "text", pl.lit("\n"))
        content = whole.select(numbered.str.join("")).item()
        descriptor = os.open(self._collected, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(content)

    def _strict(self, lines: pl.DataFrame) -> pl.DataFrame:
        """The records as RFC 4180 has them, since DuckDB stops at some that are not; one row for each."""
        if lines["strict"].all():
            return lines.select("row_number", "line_number", "text")
        others = pl.col("row_number").is_in(lines.filter(~pl.col("strict"))["row_number"].implode())
        records = join_lines(lines.filter(others))
        text = pl.col("text")
        strict = pl.when(text.str.contains(self.grammar.strict)).then(text).otherwise(self.grammar.made_strict(text))
        rest = lines.filter(~others).select("row_number", "line_number", "text")
        return pl.concat([rest, records.with_columns(strict)]).sort("row_number")

    def _split(self, *, parallel: bool) -> None:
        target = raw_path(self.folder, self._number)
        try:
            self.db.run(self._copy(target, parallel=parallel))
        except DATA_FAULTS as fault:
            self._forget_rejects()
            if not parallel:
                raise self._uncounted("DuckDB could not read them") from fault
            self._split(parallel=False)
            return
        rejects = self._rejects()
        count, total = self.db.rows(f"SELECT count(*), coalesce(sum(row_number), 0) FROM read_parquet({text(target)})")[
            0
        ]
        if (count + rejects.height, total + rejects["row_number"].sum()) == (self._rows, self._sum):
            self.rejections.append(self._rejections(self._put_back(rejects, target)))
        elif parallel:
            self._split(parallel=False)
        else:
            raise self._uncounted(f"{count + rejects.height} were read")

    def _uncounted(self, problem: str) -> Refusal:
        return Refusal(
            "file-unreadable",
            f"{self.file_name}: {self._rows} rows were counted up to row {self.last_row}, but {problem}.",
            "Save the file again as CSV UTF-8 and send it once more.",
            file=self.file_name,
        )

    def _put_back(self, rejects: pl.DataFrame, target: Path) -> pl.DataFrame:
        """Makes rows of those that differ from the heading only in empty cells at the end; the other rejects."""
        if rejects.is_empty():
            return rejects
        width = len(self.columns)
        split = rejects.with_columns(cells=self.grammar.values(pl.col("text")))
        cells = pl.col("cells")
        fits = (cells.list.len() >= self.named) & (cells.list.slice(width).list.join("") == "")
        back = split.filter(fits).select(
            pl.col("row_number", "line_number").cast(ROW_NUMBER),
            *(cells.list.get(n, null_on_oob=True).replace("", None).alias(c) for n, c in enumerate(self.columns)),
        )
        if back.height:
            pl.concat([pl.read_parquet(target), back]).sort("row_number").write_parquet(target)
        return rejects.filter(~pl.col("row_number").is_in(back["row_number"].cast(pl.UInt64).implode()))

    def _copy(self, target: Path, *, parallel: bool) -> str:
        """Reads with every option given, so that nothing is guessed; line ends inside quotes stay as they are."""
        names = [f"column_{n}" for n in range(len(self.columns))]
        types = ", ".join(f"{name}: 'VARCHAR'" for name in names)
        cells = ", ".join(f"{name} AS {quoted(column)}" for name, column in zip(names, self.columns, strict=True))
        return f"""
            COPY (
                SELECT row_number, line_number, {cells}
                FROM read_csv(
                    {text(self._collected)},
                    columns = {{row_number: 'UINTEGER', line_number: 'UINTEGER', {types}}},
                    auto_detect = false, header = false, delim = {text(self.grammar.delimiter)}, quote = '"',
                    escape = '"', new_line = '\\n', nullstr = '', parallel = {parallel},
                    max_line_size = {_LONGEST_RECORD}, buffer_size = {_LONGEST_RECORD},
                    store_rejects = true, rejects_table = 'rejects', rejects_scan = 'reject_scans'
                )
            ) TO {text(target)} (FORMAT parquet)"""

    def _rejects(self) -> pl.DataFrame:
        """What DuckDB could not split, once for each record: row_number, line_number, text."""
        sign = self.grammar.delimiter
        number = f"regexp_extract(csv_line, '^(\\d+)' || {text(_escaped(sign))} || '(\\d+)' || {text(_escaped(sign))}"
        rejects = self.db.frame(f"""
            SELECT DISTINCT {number}, 1) AS row_number, {number}, 2) AS line_number, csv_line AS text
            FROM rejects""")
        self._forget_rejects()
        return rejects.filter(pl.col("row_number") != "").select(
            pl.col("row_number").cast(pl.UInt64),
            pl.col("line_number").cast(pl.UInt64),
            pl.col("text").str.splitn(sign, 3).struct.field("field_2").alias("text"),
        )

    def _forget_rejects(self) -> None:
        self.db.run("DROP TABLE IF EXISTS rejects")
        self.db.run("DROP TABLE IF EXISTS reject_scans")

    def _rejections(self, rejects: pl.DataFrame) -> pl.DataFrame:
        found = self.grammar.fields(pl.col("text")).list.len()
        values = pl.when(found == 1).then(pl.lit("1 value")).otherwise(pl.format("{} values", found))
        heading = f"the heading has {len(self.columns)} columns."
        message = pl.format("Row {} (line {}) has {}; " + heading, "row_number", "line_number", values)
        sign = delimiter_name(self.grammar.delimiter)
        fix = f"Look for a {sign} too many or too few; put a value that holds one in quotes."
        return unreadable_rows(rejects, message, fix)


def _named(headings: list[str]) -> int:
    """How many columns there are up to the last that has a heading."""
    return max((n for n, heading in enumerate(headings, start=1) if heading.strip()), default=len(headings))


def _escaped(sign: str) -> str:
    return sign if sign.isspace() else f"\\{sign}"
