"""Dates in ISO 8601: those that are so already, Excel's date cells, and the formats that a column declares."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from contact_pipeline.normalize.distinct import map_distinct

_ISO_AT_MIDNIGHT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]00:00(?::00(?:\.0+)?)?)?$"
_ISO = "%Y-%m-%d"


def normalized(text: pl.Expr, formats: Sequence[str]) -> pl.Expr:
    """The date as ISO text where it is one, else the text as given; the formats are tried in their order."""

    def read(days: pl.Series) -> pl.Series:
        return days.to_frame("day").select(_read(pl.col("day"), formats)).to_series()

    # A file has far fewer days than rows.
    return text.map_batches(lambda values: map_distinct(values, read), return_dtype=pl.String)


def repaired(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Whether a declared format was used."""
    return (before != after) & ~before.str.contains(_ISO_AT_MIDNIGHT)


def format_read(before: pl.Expr, formats: Sequence[str]) -> pl.Expr:
    """The first of the formats that reads the text."""
    choices = [pl.when(_written(before, declared).is_not_null()).then(pl.lit(declared)) for declared in formats]
    return pl.coalesce(choices) if choices else pl.lit(None, pl.String)


def _read(text: pl.Expr, formats: Sequence[str]) -> pl.Expr:
    iso = pl.when(text.str.contains(_ISO_AT_MIDNIGHT)).then(text.str.slice(0, 10))
    return pl.coalesce([_written(iso, _ISO), *(_written(text, declared) for declared in formats), text])


def _written(text: pl.Expr, declared: str) -> pl.Expr:
    day = text.str.to_date(declared, strict=False)
    # A four-digit year is meant: without this, 04/17/84 would be a day of the year 84.
    return pl.when(day.dt.year().is_between(1000, 9999)).then(day.dt.strftime(_ISO))
