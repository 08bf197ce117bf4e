"""Lays corrected cells over the raw rows, so that they are read as if the file had them."""

from __future__ import annotations

import polars as pl


def corrected(raw: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """The raw rows with the texts of corrected cells in place.

    Args:
        raw: contracts.RAW_ROWS, or row_number and some of its columns.
        cells: row_number, column (raw column) and text of each corrected cell of the file, in these rows or others.
    """
    if cells.is_empty():
        return raw
    of_slice = cells.join(raw.select("row_number"), on="row_number", how="semi")
    for (column,), texts in of_slice.partition_by("column", as_dict=True).items():
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
    """The errors in cells of a workbook (contracts.CELL_ERRORS) that nobody has corrected."""
    return cell_errors.join(cells, on=["row_number", "column"], how="anti") if cells.height else cell_errors
