"""Makes a note on the contact of each value that is not imported, so that nothing is lost."""

from __future__ import annotations

from typing import Final

import polars as pl

PREFIX: Final = "[import]"
_KEPT: Final = ("email-several", "several-values")  # further values, which a row keeps in any case
_NAMES_ITS_COLUMN: Final = r" \([^()]+\)(?:, |$)"


def noted_cells(rejections: pl.DataFrame) -> pl.DataFrame:
    """For each row with something for the notes: the fields taken out, which count as absent, and the notes.

    Args:
        rejections: contracts.REJECTIONS; a sensitive value is masked there, and a masked value is not written into a
            note.

    Returns:
        row_number, fields (List(String)) and notes (List(String)).
    """
    is_masked = pl.col("value").str.contains(r"^[^\p{L}\p{N}]*\*[^\p{L}\p{N}]*$")
    text = pl.when(is_masked).then(pl.lit("not imported")).otherwise("value")
    taken_out = pl.col("severity") == "noted"
    # Without `beside`, `Mobile: … (Work phone)` would read as if the number at work were the mobile one.
    elsewhere = pl.col("code").is_in(_KEPT) & text.str.contains(_NAMES_ITS_COLUMN)
    column = pl.when(elsewhere).then(pl.format("beside {}", "column")).otherwise("column")
    return (
        rejections.filter(taken_out | pl.col("code").is_in(_KEPT))
        .sort("row_number", maintain_order=True)
        .group_by("row_number", maintain_order=True)
        .agg(fields=pl.col("field").filter(taken_out), notes=pl.format(f"{PREFIX} {{}}: {{}}", column, text))
    )
