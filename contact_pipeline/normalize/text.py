"""Text and names: what every cell goes through before anything else looks at it, and the full name of two parts."""

from __future__ import annotations

import polars as pl

from contact_pipeline.normalize.distinct import change_where

_UNTIDY = r"[^ -~]|  "  # anything but single spaces and visible ASCII


def tidied(cell: pl.Expr) -> pl.Expr:
    """Text in Unicode's composed form (NFC), trimmed, with single spaces; null where nothing is left."""
    return cell.str.strip_chars().replace("", None).map_batches(_tidied, return_dtype=pl.String)


def full_name(first: pl.Expr, last: pl.Expr) -> pl.Expr:
    """First and last name put together; null where both are blank."""
    return pl.concat_str([first, last], separator=" ", ignore_nulls=True).replace("", None)


def _tidied(values: pl.Series) -> pl.Series:
    untidy = values.str.contains(_UNTIDY)
    return change_where(values, untidy, lambda some: some.str.normalize("NFC").str.replace_all(r"\s+", " "))
