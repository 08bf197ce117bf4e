"""What people corrected, laid over what stands in the file: cells of single rows, and values that mean another one.

A corrected text is then read as if it had stood in the file.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from contact_pipeline.kinds import text
from contact_pipeline.kinds.distinct import map_distinct
from contact_pipeline.profiles.reference import Meaning


def corrected(raw: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """The raw rows with the texts of the corrected cells among them.

    Args:
        raw: contracts.RAW_ROWS, or row_number and some of its columns.
        cells: row_number, column (raw column) and text of each corrected cell of the file.
    """
    if cells.is_empty():
        return raw
    mine = cells.join(raw.select("row_number"), on="row_number", how="semi")
    for (column,), texts in mine.partition_by("column", as_dict=True).items():
        if column in raw.columns:
            found = raw.select("row_number").join(
                texts.select("row_number", "text", is_corrected=True),
                on="row_number",
                how="left",
                maintain_order="left",
            )
            text_read = pl.when(found["is_corrected"].fill_null(False)).then(found["text"]).otherwise(pl.col(column))
            raw = raw.with_columns(text_read.alias(column))
    return raw


def without_corrected(cell_errors: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """The errors in cells of a workbook (contracts.CELL_ERRORS) in whose place nobody has put a text."""
    return cell_errors.join(cells, on=["row_number", "column"], how="anti") if cells.height else cell_errors


def compared(texts: pl.Expr) -> pl.Expr:
    """Texts as values of files are compared with each other: case and spaces make no difference; null: blank."""
    return text.tidied(texts).str.to_lowercase()


def understood(texts: pl.Series, meanings: Mapping[str, Meaning]) -> tuple[pl.Series, pl.Series]:
    """The texts with what those of them mean that people said it of, and which these are."""
    keys = _keys(texts)
    known = keys.is_in([*meanings]).fill_null(False)
    if not known.any():
        return texts, known
    means = keys.replace_strict(
        [*meanings], [meaning.text for meaning in meanings.values()], default=None, return_dtype=pl.String
    )
    return texts.zip_with(~known, means.alias(texts.name)), known


def why_understood(texts: pl.Expr, meanings: Mapping[str, Meaning]) -> pl.Expr:
    """Who said what the texts mean, in words; null where nobody did."""
    whys = [meaning.why for meaning in meanings.values()]
    return texts.map_batches(
        lambda series: _keys(series).replace_strict([*meanings], whys, default=None, return_dtype=pl.String),
        return_dtype=pl.String,
    )


def _keys(texts: pl.Series) -> pl.Series:
    return map_distinct(texts, lambda some: some.to_frame("text").select(compared(pl.col("text"))).to_series())
