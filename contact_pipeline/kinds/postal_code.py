"""Postal codes as their country writes them: 02139-4307, SW1A 1AA, 01310-100.

A code that is valid there keeps its letters and digits; only the signs between them may change.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contact_pipeline.kinds.by_country import read_by_country
from contact_pipeline.kinds.cell_rules import NOT_SCIENTIFIC, CellRule, Passes
from contact_pipeline.kinds.country import is_country
from contact_pipeline.kinds.distinct import change_where
from contact_pipeline.kinds.kind import Context, Kind
from contact_pipeline.kinds.postal_code_forms import PostalCodes, postal_codes_of
from contact_pipeline.profiles import Column, Profile

_US: Final = "US"
_US_PLAIN: Final = "^[0-9]{5}(?:-[0-9]{4})?$"
_US_MARK: Final = "(?i)^USA?[ -]+"
_DASHES: Final = "[\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}]"
_NO_SIGN: Final = "[^0-9A-Za-z]"


def _normalize(text: pl.Expr, _: Column, context: Context) -> pl.Expr:
    """The postal code in the form of its country; digits that have lost their leading zeros get them back.

    Rows without a country count as the profile's region, or else as the United States.
    """
    return read_by_country(text, context.profile.region or _US, context.country, _read)


def _fast_path(texts: pl.Series, _: Column, profile: Profile) -> tuple[pl.Series, pl.Series] | None:
    return (texts, texts.str.contains(_US_PLAIN)) if profile.region in {None, _US} else None


def _repaired(before: pl.Expr, after: pl.Expr, *_: object) -> pl.Expr:
    """Whether leading zeros or the sign of the country were added or taken off."""
    return _signs(before) != _signs(after)


def _why(before: pl.Expr, after: pl.Expr, *_: object) -> pl.Expr:
    """Which of these, in words."""
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
        return change_where(values, ~values.str.contains(_US_PLAIN), _in_us_form)
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
        .when(plain.str.contains(_US_PLAIN))
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
    """The code with the separator between its halves."""
    bare = code.str.replace_all("[ -]", "")
    if not codes.separator:
        return bare
    split = bare.str.len_chars() - codes.after
    return bare.str.slice(0, split) + codes.separator + bare.str.slice(split)


def _with_hyphens(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(_DASHES, "-")


def _rules(_: Column, context: Context, *__: object) -> list[CellRule]:
    """The rules of each row's country, if a column holds it; else of the profile's region, or the US."""
    region = context.profile.region or _US
    if not _says_country(context.profile):
        example = _postal_example(region)
        return [NOT_SCIENTIFIC, CellRule("zip-code-format", lambda value: _has_postal_form(value, region), example)]

    def passes(value: pl.Expr) -> pl.Expr:
        both = pl.struct(value.alias("value"), pl.col("country").fill_null(pl.lit(region)))
        return both.map_batches(_have_postal_forms, return_dtype=pl.Boolean)

    def has_country(_: pl.Expr) -> pl.Expr:
        return is_country(pl.col("country")).fill_null(True)

    return [
        NOT_SCIENTIFIC,
        CellRule("zip-code-no-country", has_country),
        CellRule("zip-code-format", passes, "the postal code as its country writes it"),
    ]


def _says_country(profile: Profile) -> bool:
    column = profile.column_of.get("country")
    return column is not None and column.type == "country"


def _quick_rule(_: Column, context: Context, *__: object) -> Passes | None:
    """The pattern of every row's code; None where rows have their own country, or the country has no pattern."""
    pattern = None if _says_country(context.profile) else _pattern_of(context.profile.region or _US)
    return (lambda value: value.str.contains(pattern)) if pattern else None


def _pattern_of(country: str) -> str | None:
    return _US_PLAIN if country == _US else postal_codes_of(country).pattern


def _has_postal_form(value: pl.Expr, country: str) -> pl.Expr:
    pattern = _pattern_of(country)
    return value.str.contains(pattern) if pattern else pl.lit(True)


def _have_postal_forms(rows: pl.Series) -> pl.Series:
    frame = rows.struct.unnest()
    passes = pl.lit(True)
    for country in frame["country"].unique():
        right = _has_postal_form(pl.col("value"), country)
        passes = pl.when(pl.col("country") == country).then(right).otherwise(passes)
    return frame.with_columns(passes=passes).get_column("passes")


def _postal_example(country: str) -> str:
    if country == _US:
        return "five digits, such as 02139, or five and four, such as 02139-4307"
    return f"the code as {postal_codes_of(country).example}"


POSTAL_CODE: Final = Kind(
    normalize=_normalize,
    fast_path=_fast_path,
    repaired=_repaired,
    why=_why,
    by_country=True,
    dashed=True,
    rules=_rules,
    quick_rule=_quick_rule,
)
