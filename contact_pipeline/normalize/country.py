"""Countries as codes of two letters (ISO 3166-1)."""

from __future__ import annotations

import polars as pl

from contact_pipeline.profiles import postal
from contact_pipeline.profiles.distinct import map_distinct


def normalized(text: pl.Expr) -> pl.Expr:
    """The country's code, where the text is its code or its English name; else the text as given."""
    return text.map_batches(lambda values: map_distinct(values, _coded), return_dtype=pl.String)


def _coded(values: pl.Series) -> pl.Series:
    codes = postal.country_codes()
    return values.str.to_uppercase().replace_strict(
        list(codes), list(codes.values()), default=values, return_dtype=pl.String
    )
