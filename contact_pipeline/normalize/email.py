"""E-mail addresses: the domain in lower case, since DNS ignores case; the local part as given (RFC 5321, 2.4)."""

from __future__ import annotations

import polars as pl

from contact_pipeline.normalize.distinct import change_where


def normalized(text: pl.Expr) -> pl.Expr:
    """The address with its domain in lower case."""
    return text.map_batches(_normalized, return_dtype=pl.String)


def _normalized(values: pl.Series) -> pl.Series:
    return change_where(values, values != values.str.to_lowercase(), _lower_domain)


def _lower_domain(values: pl.Series) -> pl.Series:
    parts = values.str.splitn("@", 2).struct
    local, domain = parts.field("field_0"), parts.field("field_1")
    is_address = domain.is_not_null() & ~domain.str.contains("@", literal=True)
    return (local + "@" + domain.str.to_lowercase()).zip_with(is_address, values)
