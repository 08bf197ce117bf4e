"""Reads corrections of many cells from one file, which has a column row_number and columns of the upload."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from contact_pipeline.engines import read_parquet
from contact_pipeline.errors import Refusal, listed
from contact_pipeline.headings.naming import has_reasons, labels, meant_by
from contact_pipeline.pipeline.cells import CELLS, Staged
from contact_pipeline.reports.spreadsheet import neutral
from contact_pipeline.settings import Settings
from contact_pipeline.temporary import passing_folder
from contact_pipeline.upload import ReadOptions, raw_paths, read_upload

_ROW: Final = "row_number"
_SHOWN: Final = 8


def read_corrections(path: Path, settings: Settings, staged: Staged) -> pl.DataFrame:
    """The corrections that a file makes to an upload (CELLS): each cell whose text differs from the upload's.

    The column row_number names the upload's row; the other headings are headings or fields of the upload. A blank cell
    changes nothing. A last column with reasons of rejected rows is ignored. Columns that fill no field, and rows that
    could not be split into columns, cannot be corrected; they are ignored if they are unchanged.

    Args:
        path: where the file lies, text or a workbook.
        settings: of the home.
        staged: the upload.

    Raises:
        Refusal: the file cannot be read, lacks the column, or names a row or a heading that the upload does not have
            (code `corrections-file`).
    """
    rows, headings = _read(path, settings, staged)
    wanted = rows[_ROW].cast(pl.UInt32)
    parts = [pl.DataFrame(schema=CELLS)]
    for column, heading in headings.items():
        given = rows.select(wanted, after=pl.col(column)).drop_nulls("after")
        meant = staged.labelled(heading)
        if meant is None or meant in staged.facts.fields or not _others(staged, meant, given).is_empty():
            field, columns = staged.fill(heading) if meant is None else staged.filled_by(meant)
            if len(columns) > 1:
                raise _refusal(path, f"Several columns of {staged.line.file_name} fill {field}.", "Use their headings.")
            parts.append(staged.differing(_others(staged, columns[0], given), field, columns[0]))
    found = pl.concat(parts)
    if twice := found.filter(pl.struct(_ROW, "column").is_duplicated())["column"].unique().to_list():
        message = f"Several columns of {path.name} correct column {listed(twice)}."
        raise _refusal(path, message, "Keep one of them.")
    return found


def _others(staged: Staged, column: str, given: pl.DataFrame) -> pl.DataFrame:
    """The rows in which the text of a raw column differs from `after`."""
    return staged.read([column]).join(given, on=_ROW).filter(_is_other(pl.col("after"), pl.col(column)))


def _is_other(given: pl.Expr, there: pl.Expr) -> pl.Expr:
    """Whether a text differs from that of a cell, apart from what giving back and spreadsheet programs change.

    Texts given back have an apostrophe before formulas, and spreadsheet programs may change line ends.
    """
    given, there = (text.str.replace_all("\r\n?", "\n") for text in (given, neutral(there)))
    return given.ne_missing(there)


def _read(path: Path, settings: Settings, staged: Staged) -> tuple[pl.DataFrame, dict[str, str]]:
    """The rows of the file, with row_number, and its other raw columns with their headings."""
    known = [_ROW, *staged.facts.label_of.values(), *staged.profile.column_of]
    try:
        with passing_folder(settings.home) as folder:
            upload = read_upload(path, path.name, None, ReadOptions(), folder, settings, known=known)
            rows = pl.concat([read_parquet(part) for part in raw_paths(folder)])
    except Refusal as error:
        raise _refusal(path, error.message, error.fix) from error
    except FileNotFoundError as error:
        raise _refusal(path, f"There is no file {path}.", "Check the path.") from error
    if upload.rejections.height:
        raise _refusal(path, f"{path.name}: {listed(upload.rejections['message'], limit=3)}", "Correct these rows.")
    columns, headings = upload.columns, upload.headings
    if has_reasons(headings, meant_by(staged.profile, staged.facts.mapped_headings)):
        columns, headings = columns[:-1], headings[:-1]
    numbers = [column for column, heading in zip(columns, headings, strict=True) if _is_row(heading)]
    if len(numbers) != 1 + sum(map(_is_row, staged.facts.headings)):  # the upload may have such a column itself
        message = f"{path.name} has {'several columns' if numbers else 'no column'} {_ROW}."
        fix = "`contact-pipeline rejected UPLOAD --row-numbers` writes one; it says which row of the upload each is."
        raise _refusal(path, message, fix)
    others = [column for column in columns if column != numbers[0]]
    of_others = [heading for column, heading in zip(columns, headings, strict=True) if column != numbers[0]]
    place = "place in this file"
    rows = rows.rename({_ROW: place}).with_columns(pl.col(numbers[0]).str.strip_chars().alias(_ROW))
    rows = rows.filter(pl.any_horizontal(pl.col(columns).is_not_null()))
    rows = _without_unreadable(rows, others, staged)
    there = staged.read(())[_ROW].cast(pl.String).implode()
    number = pl.col(_ROW).fill_null("")
    wrong = [
        *_errors(rows, ~number.is_in(there), f"is no row of {staged.line.file_name}"),
        *_errors(rows, number.is_in(there) & ~number.is_first_distinct(), "is corrected in an earlier row already"),
        *_errors(rows, number.is_in(staged.erased().cast(pl.String).implode()), "is of a person who was erased"),
    ]
    if wrong:
        fix = "Correct these cells; nothing is changed yet."
        raise _refusal(path, f"{path.name}: {listed(wrong, limit=_SHOWN)}.", fix)
    named = zip(others, labels(of_others), strict=True)
    return rows, {column: heading for column, heading in named if heading.strip()}


def _is_row(heading: str) -> bool:
    return heading.strip().casefold() == _ROW


def _without_unreadable(rows: pl.DataFrame, columns: list[str], staged: Staged) -> pl.DataFrame:
    """The rows without those that could not be split into columns, which are given back whole in the first column.

    Raises:
        Refusal: one of them is corrected (code `row-unreadable`).
    """
    texts = staged.staging.unreadable()
    if texts is None:
        return rows
    number, text = texts[_ROW].cast(pl.String), texts["text"]
    unreadable = pl.col(_ROW).is_in(number.implode()).fill_null(False)
    first, *others = columns or [_ROW]
    whole = pl.col(_ROW).replace_strict(number, text, default=None, return_dtype=pl.String)
    corrected = pl.any_horizontal(
        pl.col(first).is_not_null() & _is_other(pl.col(first), whole), pl.col(others).is_not_null()
    )
    for row in rows.filter(unreadable & corrected)[_ROW].head(1):
        staged.row(int(row))
    return rows.filter(~unreadable)


def _errors(rows: pl.DataFrame, wrong: pl.Expr, problem: str) -> list[str]:
    found = rows.filter(wrong).select("place in this file", _ROW).iter_rows()
    return [f"row {place}, column {_ROW}: '{value or ''}' {problem}" for place, value in found]


def _refusal(path: Path, message: str, fix: str) -> Refusal:
    return Refusal("corrections-file", message, fix, file=path.name)
