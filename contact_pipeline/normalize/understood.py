"""Replaces remembered values by their meaning; each is a repair."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from contact_pipeline.kinds import text
from contact_pipeline.kinds.distinct import map_distinct
from contact_pipeline.profiles.reference import Meaning


def compared(texts: pl.Expr) -> pl.Expr:
    """Texts in the form in which remembered values compare: without case, spaces tidied; null where blank."""
    return text.tidied(texts).str.to_lowercase()


def understood(texts: pl.Series, meanings: Mapping[str, Meaning]) -> tuple[pl.Series, pl.Series]:
    """The texts with remembered values replaced by their meaning, and a flag for each text that was replaced."""
    keys = _keys(texts)
    known = keys.is_in([*meanings]).fill_null(False)
    if not known.any():
        return texts, known
    means = keys.replace_strict(
        [*meanings], [meaning.text for meaning in meanings.values()], default=None, return_dtype=pl.String
    )
    return texts.zip_with(~known, means.alias(texts.name)), known


def why_understood(texts: pl.Expr, meanings: Mapping[str, Meaning]) -> pl.Expr:
    """Who gave the texts their meaning, in words; null where nobody did."""
    whys = [meaning.why for meaning in meanings.values()]
    return texts.map_batches(
        lambda series: _keys(series).replace_strict([*meanings], whys, default=None, return_dtype=pl.String),
        return_dtype=pl.String,
    )


def _keys(texts: pl.Series) -> pl.Series:
    return map_distinct(texts, lambda some: some.to_frame("text").select(compared(pl.col("text"))).to_series())
