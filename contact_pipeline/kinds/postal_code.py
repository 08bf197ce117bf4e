"""Postal codes as their country writes them: 02139-4307, SW1A 1AA, 01310-100.

A code that is valid there keeps its signs; only what stands between them may change.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contact_pipeline.kinds.by_country import read_by_country
from contact_pipeline.kinds.distinct import change_where
from contact_pipeline.kinds.postal_code_forms import PostalCodes, postal_codes_of

_US: Final = "US"
US_PLAIN: Final = "^[0-9]{5}(?:-[0-9]{4})?$"
_US_MARK: Final = "(?i)^USA?[ -]+"
_DASHES: Final = "[\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}]"
_NO_SIGN: Final = "[^0-9A-Za-z]"


def normalized(text: pl.Expr, region: str | None, country: pl.Expr | None = None) -> pl.Expr:
    """The postal code in the form of its country; digits that have lost their leading zeros get them back.

    Args:
        text: tidied text.
        region: the country of rows that say none; None: the United States.
        country: what the rows say (ISO 3166-1 alpha-2); None: nothing.
    """
    return read_by_country(text, region or _US, country, _read)


def repaired(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Whether leading zeros or the sign of the country were added or taken off."""
    return _signs(before) != _signs(after)


def why(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Which of them."""
    given, made = _signs(before), _signs(after)
    return (
        pl.when(given.str.len_bytes() > made.str.len_bytes())
        .then(pl.lit("sign of the country taken off"))
        .when(made.str.contains("^[A-Z]"))
        .then(pl.lit("sign of the country put in front"))
        .otherwise(pl.lit("leading zeros restored"))
    )


def _signs(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(_NO_SIGN, "").str.to_uppercase()


def _read(values: pl.Series, country: str | None) -> pl.Series:
    if country == _US:
        return change_where(values, ~values.str.contains(US_PLAIN), _in_us_form)
    return _in_form(values, postal_codes_of(country)) if country else values


def _in_us_form(values: pl.Series) -> pl.Series:
    text = pl.col("text")
    plain = _with_hyphens(text).str.replace(_US_MARK, "")
    form = (
        pl.when(text.str.contains("^[0-9]{3,4}$"))
        .then(text.str.zfill(5))
        .when(plain.str.contains("^[0-9]{9}$"))
        .then(plain.str.slice(0, 5) + "-" + plain.str.slice(5))
        .when(plain.str.contains("^[0-9]{5} ?- ?[0-9]{4}$|^[0-9]{5} [0-9]{4}$"))
        .then(plain.str.slice(0, 5) + "-" + plain.str.tail(4))
        .when(plain.str.contains(US_PLAIN))
        .then(plain)
        .otherwise(text)
    )
    return values.to_frame("text").select(form).to_series()


def _in_form(values: pl.Series, codes: PostalCodes) -> pl.Series:
    """The first reading of each text that is a code of the country; the text as given where none is."""
    if codes.pattern is None:
        return values
    text = pl.col("text")
    upper = _with_hyphens(text).str.to_uppercase()
    unmarked = upper.str.replace(codes.marks, "")
    readings = [_spaced(upper, codes), upper, _spaced(unmarked, codes), unmarked]
    if codes.prefix:
        readings.append(pl.lit(codes.prefix) + unmarked.str.replace_all("[ -]", ""))
    if codes.zeros:
        lost = text.str.contains(f"^[0-9]{{{codes.digits - codes.zeros},{codes.digits - 1}}}$")
        readings.append(_spaced(pl.when(lost).then(text.str.zfill(codes.digits)), codes))
    forms = [pl.when(form.str.contains(codes.pattern)).then(form) for form in readings]
    return values.to_frame("text").select(pl.coalesce([*forms, text])).to_series()


def _spaced(code: pl.Expr, codes: PostalCodes) -> pl.Expr:
    """The code with what stands between its halves."""
    bare = code.str.replace_all("[ -]", "")
    if not codes.separator:
        return bare
    split = bare.str.len_chars() - codes.after
    return bare.str.slice(0, split) + codes.separator + bare.str.slice(split)


def _with_hyphens(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(_DASHES, "-")
