"""Stage 1: the bytes of a file → raw rows, with every cell as text. Every physical row is accounted for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from contact_pipeline.contracts.frames import ROW_NUMBER
from contact_pipeline.engines import read_parquet
from contact_pipeline.errors import Refusal, listed
from contact_pipeline.machine import NEW, put_in_place
from contact_pipeline.masking import ALONE, ANY, TOLD, is_label, mask, mask_column, mask_heading
from contact_pipeline.owner_only import owner_only
from contact_pipeline.profiles.model import FileFormat
from contact_pipeline.settings import Settings
from contact_pipeline.temporary import passing_folder
from contact_pipeline.upload.file_type import FileType, find_file_type
from contact_pipeline.upload.heading import folded
from contact_pipeline.upload.heading_row import holds_text, refuse_split, warn_of
from contact_pipeline.upload.raw import RawUpload, raw_paths
from contact_pipeline.upload.text.delimited import read_delimited

_UNREADABLE_ROWS: Final = "unreadable.parquet"


@dataclass(frozen=True)
class ReadOptions:
    """Declarations for one file. They override the profile."""

    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None


def read_upload(
    path: Path,
    file_name: str,
    file: FileFormat | None,
    options: ReadOptions,
    folder: Path,
    settings: Settings,
    *,
    mask: bool = False,
    known: Collection[str] = (),
) -> RawUpload:
    """Reads a file into `folder`: its raw rows as `raw-*.parquet`, in file order, in slices of bounded memory.

    Rows that cannot be split into the heading's columns are rejections; their text is kept in `unreadable.parquet`, to
    be given back to the sender. Raw rows and rejections together are all rows of the file.

    Args:
        path: the file.
        file_name: the sender's name for it.
        file: the file format of the profile; None: any file, without a profile.
        options: declarations for this file.
        folder: where to write, made if missing.
        settings: the settings.
        mask: whether the text of unreadable rows is left out of the rejections, because a column may be sensitive.
        known: expected headings. They help to find the heading below titles, and the sheet among others.

    Raises:
        Refusal: the file cannot be taken, in words for its sender.
    """
    kind = find_file_type(path, file_name, file, settings)
    expected = frozenset(folded(heading) for heading in known)
    with owner_only():
        folder.mkdir(parents=True, exist_ok=True)
        _clear(folder)
        try:
            upload = _read(kind, path, file_name, file, options, folder, settings, expected)
            upload = _with_whole_heading(upload, file_name, folder, expected)
        except Refusal:
            _clear(folder)
            raise
        unreadable = upload.rejections.select("row_number", "line_number", pl.col("value").alias("text"))
        with put_in_place(folder / _UNREADABLE_ROWS) as unreadable_path:
            unreadable.write_parquet(unreadable_path)
    if mask:
        upload = replace(upload, rejections=upload.rejections.with_columns(pl.lit(None, pl.String).alias("value")))
    return upload


def _read(
    kind: FileType,
    path: Path,
    file_name: str,
    file: FileFormat | None,
    options: ReadOptions,
    folder: Path,
    settings: Settings,
    known: Collection[str],
) -> RawUpload:
    if kind != "csv":
        from contact_pipeline.upload.workbook.workbook import read_workbook  # its libraries take time to load

        sheet = options.sheet or (file.sheet if file else None)
        upload = read_workbook(path, file_name, kind, sheet=sheet, known=known, folder=folder, settings=settings)
    else:
        upload = read_delimited(
            path,
            file_name,
            delimiter=options.delimiter or (file.delimiter if file else None),
            encoding=options.encoding or (file.encoding if file else None),
            known=known,
            folder=folder,
            settings=settings,
        )
    if file is not None and upload.data_rows == 0:
        raise Refusal(
            "file-header-only",
            f"{file_name} has a heading but no rows.",
            "Fill in at least one row below the heading.",
            file=file_name,
        )
    return upload


def _with_whole_heading(upload: RawUpload, file_name: str, folder: Path, known: Collection[str]) -> RawUpload:
    """The facts with warnings about the headings; refuses headings that stand in two rows."""
    headings, row = upload.headings, upload.heading_row
    unnamed = [c for c, heading in zip(upload.columns, headings, strict=True) if not heading.strip()]
    below = read_parquet(raw_paths(folder)[0], most=1)
    if below.height and below["row_number"][0] == row + 1:
        refuse_split(headings, below.select(upload.columns).row(0), row, file_name, known)
    filled = {
        upload.columns.index(column)
        for column in unnamed
        if any(holds_text(read_parquet(part, columns=[column])[column]) for part in raw_paths(folder))
    }
    return replace(upload, warnings=[*upload.warnings, *warn_of(headings, row, filled, file_name)])


def _clear(folder: Path) -> None:
    """Deletes the files of an earlier reading, or of one that was refused midway."""
    for old in (*raw_paths(folder), folder / _UNREADABLE_ROWS, *folder.glob(f"*{NEW}")):
        old.unlink(missing_ok=True)


def inspect_file(
    path: Path, options: ReadOptions, settings: Settings, *, known: Collection[str] = (), unmasked: bool = False
) -> dict[str, Any]:
    """Describes a file without a profile: its facts, all its rows as text, and the rows that do not fit.

    Args:
        path: the file.
        options: declarations for this file.
        settings: the settings.
        known: headings that some profile expects.
        unmasked: whether cells that look like a social security number or a date of birth are shown, too.

    Raises:
        Refusal: the file cannot be read.
    """
    with passing_folder(settings.home) as folder:
        upload = read_upload(path, path.name, None, options, folder, settings, known=known)
        rows = pl.concat([read_parquet(part) for part in raw_paths(folder)])
    headings, unreadable = upload.headings, upload.rejections.select("row_number", "value", "code", "message")
    if not unmasked:
        labelled = {c for c, heading in zip(upload.columns, headings, strict=True) if is_label(heading)}
        other = ALONE if labelled else TOLD
        rows = rows.with_columns(mask_column(pl.col(c), None if c in labelled else other) for c in upload.columns)
        unreadable = unreadable.with_columns(mask_column(pl.col("value"), ANY if labelled else TOLD))
        headings = [mask_heading(heading) for heading in headings]
    cells = rows.select(
        pl.col("row_number").cast(ROW_NUMBER),
        pl.concat_list(pl.col(upload.columns).fill_null("")).alias("cells"),
    )
    return {
        "file_type": upload.file_type,
        "encoding": upload.encoding,
        "delimiter": upload.delimiter,
        "sheet": upload.sheet,
        "sheets": upload.sheets,
        "heading_row": upload.heading_row,
        "headings": headings,
        "data_rows": upload.data_rows,
        "rows": cells.to_dicts(),
        "unreadable": unreadable.rename({"value": "text"}).to_dicts(),
        "warnings": [*upload.warnings, *_doubts(upload)],
    }


def read_columns(
    path: Path,
    needed: Collection[str],
    settings: Settings,
    *,
    optional: Collection[str] = (),
    known: Collection[str] = (),
) -> pl.DataFrame:
    """Some columns of a file that people have filled in, in any form that a spreadsheet program saves.

    Args:
        path: the file.
        needed: headings of the columns, whatever their case.
        settings: the settings.
        optional: headings of columns that may be missing; they are null then.
        known: other headings that the file may have.

    Returns:
        `place`, the row as a spreadsheet shows it, and a column of text for each of these headings.

    Raises:
        Refusal: the file cannot be read, has a row that does not split into its columns (`row-unreadable`), or lacks a
            column or has it twice (`column-missing`, `column-twice`).
    """
    with passing_folder(settings.home) as folder:
        upload = read_upload(path, path.name, None, ReadOptions(), folder, settings, known=[*needed, *optional, *known])
        rows = pl.concat([read_parquet(part) for part in raw_paths(folder)])
    if upload.rejections.height:
        reasons = listed(upload.rejections["message"], limit=3)
        raise Refusal("row-unreadable", f"{path.name}: {reasons}", "Correct these rows.", file=path.name)
    found = {name: _called(name, upload) for name in (*needed, *optional)}
    if missing := [name for name in needed if not found[name]]:
        message = f"{path.name} has no column {listed(missing)}."
        raise Refusal("column-missing", message, f"Give it the columns {listed(needed)}.", file=path.name)
    if twice := [name for name, columns in found.items() if len(columns) > 1]:
        message = f"{path.name} has several columns {listed(twice)}."
        raise Refusal("column-twice", message, "Give all but one another heading.", file=path.name)
    cells = [
        pl.col(columns).alias(name) if columns else pl.lit(None, pl.String).alias(name)
        for name, columns in found.items()
    ]
    return rows.select(pl.col("row_number").alias("place"), *cells)


def _called(name: str, upload: RawUpload) -> list[str]:
    """The raw columns under a heading, whatever its case."""
    columns = zip(upload.columns, upload.headings, strict=True)
    return [column for column, heading in columns if heading.strip().casefold() == name]


def _doubts(upload: RawUpload) -> list[str]:
    if upload.doubt is None:
        return []
    examples = "; ".join(" or ".join(words) for words in upload.doubt.readings[:3])
    return [mask(f"{upload.doubt.message} For example {examples}.") if examples else upload.doubt.message]
