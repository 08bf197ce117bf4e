"""Gives back the rejected rows of an upload to be corrected: finds the rows, and the form and place of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import polars as pl

from contact_pipeline.errors import Usage
from contact_pipeline.headings.naming import meant_by
from contact_pipeline.owner_only import owner_only
from contact_pipeline.reports.output import new_file, refuse_output
from contact_pipeline.reports.rejected import Form, write_rejected
from contact_pipeline.settings import Settings
from contact_pipeline.store import Upload
from contact_pipeline.store.expiries import not_kept
from contact_pipeline.temporary import temporary_folder

_DELIMITED: Final = (".csv", ".tsv", ".tab", ".txt")


def give_back_rejected(
    upload: Upload, path: Path | None, settings: Settings, *, overwrite: bool = False, numbered: bool = False
) -> tuple[Path | None, int]:
    """Writes an upload's rejected rows, ready to be corrected and sent again.

    Args:
        upload: the upload.
        path: where to write; its ending decides csv or xlsx. Unset: under the file's own name in the upload's folder.
        settings: of the home.
        overwrite: whether an existing file is replaced.
        numbered: whether the rows have their row numbers in front, as `correct --from` needs them.

    Returns:
        The file and how many rows it holds; no file if no row was rejected.

    Raises:
        Refusal: the staged data is gone (code `nothing-staged`).
        Usage: the path's ending is no file type (`file-type`), or nothing can be written there (see `refuse_output`).
    """
    if not upload.staging.exists():
        raise not_kept(upload.line, "Its ledger line says what happened; plan the file again to see its rows.")
    name = Path(upload.file_name)
    if path is None:
        path = settings.upload_path(upload.upload_id) / f"rejected_{name.stem}{_ending(upload, name)}"
        overwrite = True
        with owner_only():
            path.parent.mkdir(parents=True, exist_ok=True)
    form = _form(upload, _file_type(path))
    refuse_output(path, overwrite=overwrite)
    with upload.reading():
        rejections = upload.rejections.filter(pl.col("severity") == "error")
        if rejections.is_empty():
            return None, 0
        facts = upload.staging.facts()
        rejected, unreadable = _rejected(upload), upload.staging.unreadable()
    with new_file(path, overwrite=overwrite) as file:
        rows = write_rejected(
            rejected,
            facts.headings,
            facts.columns,
            rejections,
            file,
            form,
            temporary=temporary_folder(settings.home),
            unreadable=unreadable,
            meant=_meant(upload, facts.mapped_headings),
            numbered=numbered,
        )
    return path, rows


def _ending(upload: Upload, name: Path) -> str:
    """The ending of the file to write: that of the upload's file, or else .xlsx for a workbook and .csv for text."""
    if upload.sheet is not None:
        return ".xlsx"
    return name.suffix.lower() if name.suffix.lower() in _DELIMITED else ".csv"


def _form(upload: Upload, file_type: Literal["csv", "xlsx"]) -> Form:
    """The form of the file that was sent.

    Its encoding is kept if it was declared or marked. A detected code page is not kept: a few rows alone may look like
    another one, so they are written as marked UTF-8.
    """
    file = upload.resolved_profile.file if upload.resolved_profile else None
    declared = upload.options.encoding or (file.encoding if file else None)
    own = upload.encoding or ""
    encoding = declared or (own if own.startswith("utf") else "utf-8")
    return Form(file_type, upload.delimiter or ",", encoding, upload.sheet or (file.sheet if file else None))


def _meant(upload: Upload, mapped: list[str]) -> list[str]:
    """The headings that mean something to the profile, or that are mapped in this upload."""
    profile = upload.resolved_profile
    return mapped if profile is None else meant_by(profile, mapped)


def _rejected(upload: Upload) -> pl.DataFrame:
    """The rejected rows, with their corrections; the other rows are not loaded."""
    return upload.corrected_rows("SELECT row_number FROM rejections WHERE severity = 'error'")


def _file_type(path: Path) -> Literal["csv", "xlsx"]:
    match path.suffix.lower():
        case ending if ending in _DELIMITED:
            return "csv"
        case ".xlsx":
            return "xlsx"
        case _:
            raise Usage(
                "file-type", f"'{path.name}' ends in no file type.", "Let it end in .csv or .xlsx.", file=path.name
            )
