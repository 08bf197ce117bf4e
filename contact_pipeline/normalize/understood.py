"""Values that mean another one, as people said of them once; such a value becomes a repair."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from contact_pipeline.kinds import text
from contact_pipeline.kinds.distinct import map_distinct
from contact_pipeline.profiles.reference import Meaning


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
