"""The rows in review as a file to fill in: each with its candidates and its cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from contact_pipeline.reports.candidates import in_words
from contact_pipeline.reports.output import new_file, refuse_csv_output
from contact_pipeline.reports.spreadsheet import write_text_table
from contact_pipeline.settings import Settings
from contact_pipeline.store import Upload
from contact_pipeline.store.expiries import not_kept

OWN_COLUMNS = ("row_number", "to", "why", "candidates", "compared")


def write_in_review(
    upload: Upload,
    path: Path | None,
    settings: Settings,
    *,
    overwrite: bool = False,
    compared: Sequence[Mapping[str, Any]] = (),
) -> tuple[Path | None, int]:
    """Writes an upload's rows in review as CSV, with an empty column `to`; only its owner may read the file.

    Its columns are row_number, to, why, candidates (their ids), compared (their values) and then those of the upload's
    file. A column of that file with one of these names gets `(in the file)` behind it.

    Args:
        upload: the upload.
        path: where to write, a .csv file; unset: `in_review.csv` in the upload's folder.
        settings: of the home.
        overwrite: whether an existing file is replaced.
        compared: the rows with the values of their candidates, as `compare_candidates` gives them.

    Returns:
        The file and how many rows it holds; no file if no row is in review.

    Raises:
        Refusal: the staged data is gone (code `nothing-staged`).
        Usage: no CSV file can be written there (see `refuse_csv_output`).
    """
    if not upload.staging.exists():
        raise not_kept(upload.line, "Plan the file again to see its rows.")
    if path is None:
        path, overwrite = settings.upload_path(upload.upload_id) / "in_review.csv", True
    refuse_csv_output(path, overwrite=overwrite)
    headings, rows = _rows(upload)
    if rows.is_empty():
        return None, 0
    lines = {row["row_number"]: "\n".join(map(in_words, row["candidates"])) for row in compared}
    rows = rows.with_columns(
        compared=pl.col("row_number").cast(pl.Int64).replace_strict(lines, default="", return_dtype=pl.String)
    ).select("row_number", "to", "why", "candidates", "compared", pl.exclude(OWN_COLUMNS))
    with new_file(path, overwrite=overwrite) as file:
        write_text_table(rows, [*OWN_COLUMNS, *map(_distinct_heading, headings)], file)
    return path, rows.height


def _distinct_heading(heading: str) -> str:
    """A heading of the upload's file, made different from the first columns, as people may move columns."""
    return f"{heading} (in the file)" if heading.strip().casefold() in OWN_COLUMNS else heading


def _rows(upload: Upload) -> tuple[Sequence[str], pl.DataFrame]:
    """The file's headings, and the rows in review with the cells under them."""
    with upload.reading(), upload.staging.open(read_only=True) as database:
        if not database.has("reviews"):
            return (), pl.DataFrame()
        facts = upload.staging.facts()
        reviewed = database.frame("""
            SELECT row_number, reviewed.why, could_be.candidates
            FROM (
                SELECT row_number, string_agg(why, '; ' ORDER BY entity) AS why FROM reviews GROUP BY row_number
            ) AS reviewed LEFT JOIN (
                SELECT row_number, array_to_string(list(candidate ORDER BY candidate)
                                                   FILTER (candidate IS NOT NULL), ' or ') AS candidates
                FROM review_candidates GROUP BY row_number
            ) AS could_be USING (row_number)""")
        rows = upload.corrected_rows("SELECT row_number FROM reviews")
    cells = [pl.col(name).alias(f"cell {place}") for place, name in enumerate(facts.columns)]
    return facts.headings, rows.join(reviewed, on="row_number", maintain_order="left").select(
        pl.col("row_number").cast(pl.String), pl.lit("").alias("to"), "why", "candidates", *cells
    )
