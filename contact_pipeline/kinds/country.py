"""Countries as codes of two letters (ISO 3166-1)."""

from __future__ import annotations

from typing import Final

import polars as pl

from contact_pipeline.kinds.cell_rules import CellRule
from contact_pipeline.kinds.distinct import map_distinct
from contact_pipeline.kinds.kind import Kind
from contact_pipeline.profiles import countries


def normalized(text: pl.Expr) -> pl.Expr:
    """The country's code, where the text is its code or a name of it in any language; else the text as given."""
    return text.map_batches(lambda values: map_distinct(values, _coded), return_dtype=pl.String)


def _repaired(before: pl.Expr, *_: object) -> pl.Expr:
    """Whether the text is the sign of a country's vehicles."""
    return before.map_batches(lambda values: map_distinct(values, _are_signs), return_dtype=pl.Boolean)


def _coded(values: pl.Series) -> pl.Series:
    return pl.Series([countries.code_of(text) or text for text in values], dtype=pl.String)


def _are_signs(values: pl.Series) -> pl.Series:
    return pl.Series([countries.folded(text) in countries.SIGNS for text in values], dtype=pl.Boolean)


def is_country(value: pl.Expr) -> pl.Expr:
    """Whether the value is a country's code."""
    return value.is_in(sorted(countries.country_codes()))


COUNTRY: Final = Kind(
    normalize=lambda given, *_: normalized(given),
    is_country=True,
    repaired=_repaired,
    why=lambda *_: pl.lit("sign of a country's vehicles read as its code"),
    rules=lambda *_: [CellRule("country-unknown", is_country)],
)
