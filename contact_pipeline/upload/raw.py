"""The result of reading a file: its facts, the names of its raw columns and the rows that could not be split."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import polars as pl

from contact_pipeline.contracts.frames import CELL_ERRORS, REJECTIONS, ROW_NUMBER, empty, filled
from contact_pipeline.engines import read_parquet
from contact_pipeline.machine import put_in_place
from contact_pipeline.masking import mask_heading

UNREADABLE: Final = "row-unreadable"
_RESERVED = frozenset({"row_number", "line_number"})


@dataclass(frozen=True)
class Doubt:
    """Why the bytes of a file do not show which text is meant.

    Attributes:
        message: the doubt, in a sentence.
        readings: doubtful words: each as it is read, then as it could be read.
    """

    message: str
    readings: list[tuple[str, ...]]


@dataclass(frozen=True)
class RawUpload:
    """The facts of one file that was read. Its rows lie beside it as Parquet.

    Attributes:
        file_type: `csv`, `xlsx`, `xlsb`, `xls` or `ods`, by its content.
        encoding: encoding of a CSV file, declared, found or assumed.
        delimiter: delimiter of a CSV file, declared or found.
        sheet: the sheet that was read, of a workbook.
        sheets: every sheet of a workbook.
        headings: the headings as in the file, in order; empty where a column has none.
        columns: for each heading, the name of its raw column.
        heading_row: row_number of the heading.
        data_rows: rows after the heading up to the last one that holds anything, including blank ones between others
            and unreadable ones. Counted from the file's lines, not from the rows that the reader made of them.
        rejections: rows that could not be split into the heading's columns.
        joined: whether any cell holds several values that an export joined (JOINED).
        warnings: what was assumed, in sentences.
        doubt: why its encoding is doubtful, if it is.
        cell_errors: cells of a workbook that hold an error (contracts.CELL_ERRORS), not yet with their field.
    """

    file_type: str
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    sheets: list[str]
    headings: list[str]
    columns: list[str]
    heading_row: int
    data_rows: int
    rejections: pl.DataFrame
    joined: bool
    warnings: list[str]
    doubt: Doubt | None = None
    cell_errors: pl.DataFrame = field(default_factory=lambda: empty(CELL_ERRORS))

    def without_columns(self, names: set[str]) -> RawUpload:
        """The same facts without some of the raw columns."""
        kept = [(h, c) for h, c in zip(self.headings, self.columns, strict=True) if c not in names]
        return replace(self, headings=[heading for heading, _ in kept], columns=[column for _, column in kept])


def name_columns(headings: list[str]) -> list[str]:
    """A name for each heading, unique whatever the case: `Email`, `Email_2`, and `column_4` for an empty fourth.

    Also named by its place is a heading that Polars would read as a pattern (`*`, or from ^ to $), and one that looks
    like somebody's number or day, since names of columns are shown.
    """
    taken = set(_RESERVED)
    names: list[str] = []
    for position, heading in enumerate(headings, start=1):
        base = heading.strip()
        is_pattern = base == "*" or (base.startswith("^") and base.endswith("$"))
        if not base or is_pattern or mask_heading(base) != base:
            base = f"column_{position}"
        name, count = base, 1
        while name.casefold() in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name.casefold())
        names.append(name)
    return names


def raw_path(folder: Path, number: int) -> Path:
    """The path of a slice of the raw rows; the names sort in file order."""
    return folder / f"raw-{number:05d}.parquet"


def raw_paths(folder: Path) -> list[Path]:
    """The slices of the raw rows, in file order."""
    return sorted(folder.glob("raw-*.parquet"))


def first_rows(folder: Path, most: int = 1_000) -> pl.DataFrame:
    """The first raw rows, to look at."""
    return read_parquet(raw_paths(folder)[0], most=most)


def write_rows(folder: Path, number: int, rows: pl.DataFrame) -> None:
    """Writes a slice of the raw rows, without statistics, which nothing uses."""
    with put_in_place(raw_path(folder, number)) as path:
        rows.write_parquet(path, compression="lz4", statistics=False)


def write_empty_rows(folder: Path, columns: list[str]) -> None:
    """Writes a slice without rows, so that a file without data has its columns, too."""
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "row_number": ROW_NUMBER,
        "line_number": ROW_NUMBER,
        **dict.fromkeys(columns, pl.String()),
    }
    write_rows(folder, 1, pl.DataFrame(schema=schema))


def drop_unused_end(folder: Path, headings: list[str], columns: list[str]) -> int:
    """Drops the last raw columns if they have neither heading nor value. Returns how many."""
    unused = 0
    for heading, column in zip(reversed(headings), reversed(columns), strict=True):
        if heading.strip() or not _is_empty(folder, column):
            break
        unused += 1
    if unused:
        for number, path in enumerate(raw_paths(folder), start=1):
            write_rows(folder, number, read_parquet(path).drop(columns[-unused:]))
    return unused


def _is_empty(folder: Path, column: str) -> bool:
    return all(bool(read_parquet(path, columns=[column])[column].is_null().all()) for path in raw_paths(folder))


def unreadable_rows(rows: pl.DataFrame, message: pl.Expr, fix: str) -> pl.DataFrame:
    """Rejections for rows (row_number, line_number, text) that cannot be split into the heading's columns."""
    return rows.select(
        filled(
            REJECTIONS,
            row_number=pl.col("row_number"),
            line_number=pl.col("line_number"),
            value=pl.col("text"),
            code=pl.lit(UNREADABLE),
            message=message,
            fix=pl.lit(fix),
            severity=pl.lit("error"),
        )
    )


def join_rejections(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """All rejections, in file order."""
    return pl.concat([empty(REJECTIONS), *parts]).sort("row_number")
