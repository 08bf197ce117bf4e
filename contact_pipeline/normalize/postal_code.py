"""Postal codes as their country writes them: 02139-4307, SW1A 1AA, 01310-100."""

from __future__ import annotations

from typing import Final

import polars as pl

from contact_pipeline.normalize.by_country import read_by_country
from contact_pipeline.profiles.distinct import change_where
from contact_pipeline.profiles.postal import PostalCodes, postal_codes_of

_US: Final = "US"
US_PLAIN: Final = "^[0-9]{5}(?:-[0-9]{4})?$"
_LOST_ZEROS: Final = "^[0-9]{1,9}$"


def normalized(text: pl.Expr, region: str | None, country: pl.Expr | None = None) -> pl.Expr:
    """The postal code in the form of its country; digits that have lost their leading zeros get them back.

    Args:
        text: tidied text.
        region: the country of rows that say none; None: the United States.
        country: what the rows say (ISO 3166-1 alpha-2); None: nothing.
    """
    return read_by_country(text, region or _US, country, _read)


def repaired(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Whether leading zeros were restored."""
    digits = after.str.replace_all("[^0-9]", "").str.len_bytes()
    return before.str.contains(_LOST_ZEROS) & (digits > before.str.len_bytes())


def _read(values: pl.Series, country: str | None) -> pl.Series:
    if country == _US:
        return change_where(values, ~values.str.contains(US_PLAIN), _in_us_form)
    return _in_form(values, postal_codes_of(country)) if country else values


def _in_us_form(values: pl.Series) -> pl.Series:
    text = pl.col("text")
    form = (
        pl.when(text.str.contains("^[0-9]{3,4}$"))
        .then(text.str.zfill(5))
        .when(text.str.contains("^[0-9]{9}$"))
        .then(text.str.slice(0, 5) + "-" + text.str.slice(5))
        .when(text.str.contains("^[0-9]{5} ?- ?[0-9]{4}$|^[0-9]{5} [0-9]{4}$"))
        .then(text.str.slice(0, 5) + "-" + text.str.tail(4))
        .otherwise(text)
    )
    return values.to_frame("text").select(form).to_series()


def _in_form(values: pl.Series, codes: PostalCodes) -> pl.Series:
    if codes.pattern is None:
        return values
    text = pl.col("text")
    upper = text.str.to_uppercase()
    bare = upper.str.replace_all("[ -]", "")
    if codes.digits:
        lost = bare.str.contains(f"^[0-9]{{{codes.digits - 1}}}$")
        bare = pl.when(lost).then("0" + bare).otherwise(bare)
    split = bare.str.len_chars() - codes.after
    written = bare.str.slice(0, split) + codes.separator + bare.str.slice(split) if codes.separator else bare
    forms = [pl.when(form.str.contains(codes.pattern)).then(form) for form in (written, upper)]
    return values.to_frame("text").select(pl.coalesce([*forms, text])).to_series()
