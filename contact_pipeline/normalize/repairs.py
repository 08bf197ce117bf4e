"""Finds the values that changed their meaning, not only their form, when they were normalized; and the reasons."""

from __future__ import annotations

import polars as pl

from contact_pipeline.kinds.distinct import fill_where
from contact_pipeline.kinds.registry import KINDS
from contact_pipeline.profiles import Column
from contact_pipeline.profiles.model import Blanks


def is_repaired(before: pl.Series, after: pl.Series, column: Column, blanks: Blanks) -> pl.Series:
    """Whether each value changed its meaning.

    Args:
        before: the tidied text, including words that mean nothing.
        after: the value.
        column: its column.
        blanks: the words that mean nothing.
    """
    kind = KINDS[column.type]
    blanked, repaired = kind.blanked(before, after, column, blanks).fill_null(False), kind.repaired
    if repaired is None:
        return blanked
    pairs = pl.DataFrame({"before": before, "after": after})
    changed = repaired(pl.col("before"), pl.col("after"), column).fill_null(False)
    differs = (before != after).fill_null(False)
    if differs.sum() * 2 > pairs.height:  # testing all then costs less than picking some out
        return blanked | (differs & pairs.select(changed).to_series())
    return fill_where(
        blanked, differs, pairs.to_struct(), lambda some: some.struct.unnest().select(changed).to_series()
    )


def why(before: pl.Expr, after: pl.Expr, column: Column) -> pl.Expr:
    """The reason of a repair, in words."""
    kept = KINDS[column.type].why(before, after, column)
    return pl.when(after.is_null()).then(pl.lit("a word for nothing: blank")).otherwise(kept)
