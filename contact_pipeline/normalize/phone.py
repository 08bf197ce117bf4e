"""Telephone numbers in E.164, an extension as `;ext=` (RFC 3966); a number that cannot be one stays as given.

Numbers in the usual spellings are read by expressions; the library reads the distinct rest.
"""

from __future__ import annotations

import re

import polars as pl

from contact_pipeline.normalize.distinct import map_distinct
from contact_pipeline.profiles import numbering

_PLAIN = r"^\+?[0-9 ().\-]+$"
_PUNCTUATION = r"[ ().\-]"
_E164 = r"^\+[0-9]+(?:;ext=[0-9]+)?$"
_SCIENTIFIC = re.compile(r"[0-9][.,]?[0-9]*[eE][+-]?[0-9]+")
_WITH_EXTENSION = r"(?i)(?:;ext=|\bext(?:ension|n)?\b\.?:?|\bramal\b|\bx|#) *[0-9]+$"


def normalized(text: pl.Expr, region: str | None) -> pl.Expr:
    """The number in E.164 where it is a valid one, else the text as given.

    Args:
        text: tidied text.
        region: where national numbers belong (ISO 3166-1 alpha-2); None: they stay as given.
    """
    return text.map_batches(lambda values: _normalized(values, region), return_dtype=pl.String)


def repaired(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Whether letters other than those of an extension were left out, or read as digits."""
    letters = before.str.replace(_WITH_EXTENSION, "").str.contains(r"\p{L}")
    return before.str.contains(r"\p{L}") & (before != after) & after.str.contains(_E164) & letters


def left_open(values: pl.Series, region: str | None) -> pl.Series:
    """The distinct numbers that expressions cannot settle, which are those that the library is asked about."""
    return _askable(values.filter(_settled(values, region).is_null()), region).drop_nulls().unique()


def _normalized(values: pl.Series, region: str | None) -> pl.Series:
    settled = _settled(values, region)
    rest = _askable(values.set(settled.is_not_null(), None), region)
    decided = map_distinct(rest, lambda some: pl.Series([_verdict(text, region) for text in some], dtype=pl.String))
    return settled.fill_null(decided).fill_null(values)


def _askable(values: pl.Series, region: str | None) -> pl.Series:
    """Without a region only a plus makes a number readable, so the rest need not be tried."""
    return values if region else values.set(~values.str.contains("[+＋]"), None)


def _verdict(text: str, region: str | None) -> str | None:
    return None if _SCIENTIFIC.fullmatch(text) else numbering.verdict(text, region)


def _settled(values: pl.Series, region: str | None) -> pl.Series:
    """The number in E.164 where that is beyond doubt, else null."""
    plan = numbering.plan_of(region) if region else None
    text = pl.when(pl.col("text").str.contains(_PLAIN)).then(pl.col("text").str.replace_all(_PUNCTUATION, ""))
    number = pl.col("number")
    return (
        pl.DataFrame({"text": values})
        .select(digits=text)
        .select(number=_international(pl.col("digits"), plan))
        .select(pl.when(numbering.is_certain(number)).then(number))
        .to_series()
    )


def _international(digits: pl.Expr, plan: numbering.Plan | None) -> pl.Expr:
    """The same number from its plus sign on, as the library would read it, or null where that takes more thought.

    The order is the library's: plus, international prefix, calling code without plus, national, trunk prefix.
    """
    plus = pl.when(digits.str.starts_with("+")).then(digits)
    if plan is None:
        return plus
    code = plan.calling_code
    rest = digits.str.slice(len(code))
    is_national = digits.str.contains(plan.national)
    has_code = digits.str.starts_with(code)
    choice = plus
    if prefix := plan.plain_international_prefix:
        choice = choice.when(digits.str.contains(f"^{prefix}[1-9]")).then("+" + digits.str.slice(len(prefix)))
    choice = choice.when(digits.str.contains(plan.international_prefix)).then(None)
    choice = choice.when(is_national).then(pl.lit(f"+{code}") + digits)
    choice = choice.when(has_code & rest.str.contains(plan.national)).then("+" + digits)
    if trunk := plan.trunk_prefix:
        local = digits.str.slice(len(trunk))
        dialled = digits.str.starts_with(trunk) & ~has_code & local.str.contains(plan.national)
        choice = choice.when(dialled).then(pl.lit(f"+{code}") + local)
    return choice
