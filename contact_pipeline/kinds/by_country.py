"""Reads values whose form depends on the country of their row, country by country."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from contact_pipeline.profiles.countries import country_codes

Read = Callable[[pl.Series, str | None], pl.Series]


def read_by_country(text: pl.Expr, default: str | None, country: pl.Expr | None, read: Read) -> pl.Expr:
    """The values as `read` makes them for the country of each row.

    Rows whose country is given but not understood are read for no country, not for the default.

    Args:
        text: the values.
        default: the country (ISO 3166-1 alpha-2) of rows without one.
        country: the country of each row; None: no row has one.
        read: reads the values of one country; None: of an unknown one.
    """
    if country is None:
        return text.map_batches(lambda values: read(values, default), return_dtype=pl.String)
    both = pl.struct(text.alias("text"), country.fill_null(pl.lit(default)).alias("country"))
    return both.map_batches(lambda rows: _each_country(rows, read), return_dtype=pl.String)


def _each_country(rows: pl.Series, read: Read) -> pl.Series:
    texts, given = rows.struct.field("text"), rows.struct.field("country")
    countries = given.set(~given.is_in(list(country_codes())), None)
    result = texts
    for country in countries.unique():
        places = countries.eq_missing(pl.Series([country], dtype=pl.String)).arg_true()
        result = result.scatter(places, read(texts.gather(places), country))
    return result
