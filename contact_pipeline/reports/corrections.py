"""What an upload gives back to be corrected: finds its rejected rows and where to write them."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import polars as pl

from contact_pipeline.errors import Refusal, Usage
from contact_pipeline.reports.rejected import write_rejected
from contact_pipeline.store import Upload

_UNREADABLE: Final = "unreadable.parquet"  # rows that could not be split, as reading left them


def give_back_rejected(upload: Upload, path: Path | None, *, kept_in: Path) -> tuple[Path | None, int]:
    """Writes an upload's rejected rows, ready to be corrected and sent again.

    Args:
        upload: the upload.
        path: where to write; its ending decides csv or xlsx. Unset: under the file's own name in `kept_in`.
        kept_in: the upload's folder.

    Returns:
        The file and how many rows it holds; no file when no row was rejected.

    Raises:
        Refusal: nothing is staged any more (code `nothing-staged`).
        Usage: the path's ending is no file type (`file-type`), or its folder is missing (`folder-missing`).
    """
    if not upload.staging.exists():
        raise Refusal(
            "nothing-staged",
            f"Upload {upload.upload_id} is {upload.state}, and its rows are not kept.",
            "Its ledger line says what happened; plan the file again to see its rows.",
            file=upload.file_name,
        )
    name = Path(upload.file_name)
    path = path or kept_in / f"rejected_{name.stem}{name.suffix.lower()}"
    kind = _file_type(path)
    if not path.parent.is_dir():
        raise Usage(
            "folder-missing", f"There is no folder {path.parent}.", "Make it, or write elsewhere.", file=path.name
        )
    rejections = upload.rejections.filter(pl.col("severity") == "error")
    if rejections.is_empty():
        return None, 0
    facts = upload.staging.facts()
    rows = write_rejected(
        _rejected(upload),
        facts["headings"],
        facts["columns"],
        rejections,
        path,
        kind,
        upload.delimiter,
        unreadable=_unreadable(upload),
    )
    return path, rows


def _rejected(upload: Upload) -> pl.DataFrame:
    """The raw rows that were rejected; the others stay on disk."""
    with upload.staging.open(read_only=True) as database:
        return database.frame("""
            FROM raw_rows SEMI JOIN (FROM rejections WHERE severity = 'error') USING (row_number)
            ORDER BY row_number""")


def _unreadable(upload: Upload) -> pl.DataFrame | None:
    file = upload.staging.folder / _UNREADABLE
    return pl.read_parquet(file, glob=False) if file.exists() else None


def _file_type(path: Path) -> Literal["csv", "xlsx"]:
    match path.suffix.lower():
        case ".csv":
            return "csv"
        case ".xlsx":
            return "xlsx"
        case _:
            raise Usage(
                "file-type", f"'{path.name}' ends in no file type.", "Let it end in .csv or .xlsx.", file=path.name
            )
