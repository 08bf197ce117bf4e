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
    parts = values.str.extract_groups(r"^(.*@)([^@]*)$").struct
    lower = parts.field("1") + parts.field("2").str.to_lowercase()
    return lower.fill_null(values)
