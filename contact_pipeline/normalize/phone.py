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

    What begins like an international prefix is never national; what is a national number as it stands is not taken
    apart further.
    """
    plus = pl.when(digits.str.starts_with("+")).then(digits)
    if plan is None:
        return plus
    code, rest = plan.calling_code, digits.str.slice(len(plan.calling_code))
    at_home = ~digits.str.contains(plan.international_prefix)
    has_code = at_home & digits.str.starts_with(code)
    choices = [
        plus,
        pl.when(at_home & digits.str.contains(plan.national)).then(pl.lit(f"+{code}") + digits),
        pl.when(has_code & rest.str.contains(plan.national)).then("+" + digits),
    ]
    if prefix := plan.plain_international_prefix:
        abroad = digits.str.contains(f"^{prefix}[1-9]")
        choices.append(pl.when(abroad).then("+" + digits.str.slice(len(prefix))))
    if trunk := plan.trunk_prefix:
        local = digits.str.slice(len(trunk))
        dialled = at_home & ~has_code & digits.str.starts_with(trunk) & local.str.contains(plan.national)
        choices.append(pl.when(dialled).then(pl.lit(f"+{code}") + local))
    return pl.coalesce(choices)
