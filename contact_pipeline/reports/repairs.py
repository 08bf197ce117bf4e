"""The repairs of an upload: values whose meaning was changed when they were read, with the value before."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from contact_pipeline.masking import mask_column
from contact_pipeline.profiles import looks_in
from contact_pipeline.reports.output import new_file, refuse_csv_output
from contact_pipeline.reports.spreadsheet import write_text_table
from contact_pipeline.store import Upload
from contact_pipeline.store.value_mappings import WHY


def repairs_shown(upload: Upload, repairs: pl.DataFrame) -> pl.DataFrame:
    """Repairs in the order of the rows, sensitive values masked.

    Args:
        upload: the upload.
        repairs: its repairs (contracts.REPAIRS).

    Returns:
        row_number, column (the heading), before, after (null: blank), why, and code: why in one word.
    """
    profile = upload.resolved_profile
    if profile is None:
        return _shown(repairs.clear())
    masked = [
        rows.with_columns(
            mask_column(pl.col("before"), looks_in(profile, str(field), as_read=True)),
            mask_column(pl.col("after"), looks_in(profile, str(field))),
        )
        for (field,), rows in repairs.group_by("field", maintain_order=True)
    ]
    return _shown(pl.concat(masked).sort("row_number", maintain_order=True) if masked else repairs)


def write_repairs(repairs: pl.DataFrame, path: Path, *, overwrite: bool = False) -> tuple[Path | None, int]:
    """Writes repairs as CSV: row_number, column, before, after, why; only its owner may read the file.

    Returns:
        The file and how many repairs it holds; no file if nothing was repaired.

    Raises:
        Usage: no CSV file can be written there (see `refuse_csv_output`).
    """
    refuse_csv_output(path, overwrite=overwrite)
    if repairs.is_empty():
        return None, 0
    rows = repairs.select(pl.col("row_number").cast(pl.String), "column", "before", "after", "why")
    with new_file(path, overwrite=overwrite) as file:
        write_text_table(rows, rows.columns, file)
    return path, rows.height


def _shown(repairs: pl.DataFrame) -> pl.DataFrame:
    # `first of several numbers` becomes `first-of-several-numbers`; which format a day was in stands in `why` alone.
    words = pl.col("why").str.replace(rf"%.*|(^{WHY}):.*", "$1").str.to_lowercase()
    code = words.str.replace_all(r"[^a-z]+", "-").str.strip_chars("-").alias("code")
    return repairs.with_columns(code).drop("field")
