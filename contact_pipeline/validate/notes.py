"""What becomes of cells that were taken out of a row: a note on the contact for each, so that nothing is lost."""

from __future__ import annotations

from typing import Final

import polars as pl

PREFIX: Final = "[import]"


def noted_cells(rejections: pl.DataFrame) -> pl.DataFrame:
    """For each row with cells taken out: their fields, which count as absent, and the notes that keep their values.

    Args:
        rejections: contracts.REJECTIONS; a sensitive value is masked there, and a masked value is not written into a
            note.

    Returns:
        row_number, fields (List(String)) and notes (List(String)).
    """
    is_masked = pl.col("value").str.contains(r"^[^\p{L}\p{N}]*\*[^\p{L}\p{N}]*$")
    text = pl.when(is_masked).then(pl.lit("not imported")).otherwise("value")
    return (
        rejections.filter(pl.col("severity") == "noted")
        .sort("row_number", maintain_order=True)
        .group_by("row_number", maintain_order=True)
        .agg(fields="field", notes=pl.format(f"{PREFIX} {{}}: {{}}", "column", text))
    )
