"""Which values changed their meaning, and not merely their form, on the way to the canonical form; and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from contact_pipeline.kinds import choice, country, date, email, identifier, name, phone, postal_code
from contact_pipeline.kinds.distinct import fill_where
from contact_pipeline.kinds.text import are_blanks
from contact_pipeline.profiles import Column
from contact_pipeline.profiles.model import Blanks

_Changed = Callable[[pl.Expr, pl.Expr], pl.Expr]
_CHANGED: Final[Mapping[str, _Changed]] = {
    "date": date.repaired,
    "email": email.repaired,
    "phone": phone.repaired,
    "ssn": identifier.ssn_repaired,
    "zip_code": postal_code.repaired,
    "country": country.repaired,
    "identifier": identifier.repaired,
    "name": name.repaired,
}


def is_repaired(before: pl.Series, after: pl.Series, column: Column, blanks: Blanks) -> pl.Series:
    """Whether each value changed its meaning.

    Args:
        before: the tidied text, words that mean nothing included.
        after: the value.
        column: what it is.
        blanks: the words that mean nothing.
    """
    if column.type == "boolean":  # what is neither yes nor no has no value either
        return are_blanks(before, blanks).fill_null(False)
    if column.type == "list":
        return choice.hold_blanks(before, column.separator, blanks).fill_null(False)
    blanked = before.is_not_null() & after.is_null()
    changed = _CHANGED.get(column.type)
    if changed is None or (column.type == "name" and not column.title_case):
        return blanked

    pairs = pl.DataFrame({"before": before, "after": after})
    differs = (before != after).fill_null(False)
    if differs.sum() * 2 > pairs.height:  # then looking at all of them costs less than picking some out
        return blanked | _judged(pairs, changed)
    return fill_where(blanked, differs, pairs.to_struct(), lambda some: _judged(some.struct.unnest(), changed))


def _judged(pairs: pl.DataFrame, changed: _Changed) -> pl.Series:
    return pairs.select(changed(pl.col("before"), pl.col("after"))).to_series().fill_null(False)


def why(before: pl.Expr, after: pl.Expr, column: Column) -> pl.Expr:
    """What was done to a value that is repaired, in words."""
    return pl.when(after.is_null()).then(pl.lit("a word for nothing: blank")).otherwise(_why(before, after, column))


def _why(before: pl.Expr, after: pl.Expr, column: Column) -> pl.Expr:
    match column.type:
        case "date":
            return date.why(before, after, column.formats, column.pivot)
        case "email":
            return email.why(before)
        case "phone":
            return phone.why(before, after)
        case "identifier":
            return identifier.why(before, after)
        case "list":
            return pl.lit("a word for nothing left out")
        case "name":
            return pl.lit("capitals made title case")
        case "zip_code":
            return postal_code.why(before, after)
        case "country":
            return pl.lit("sign of a country's vehicles read as its code")
        case _:
            return pl.lit("leading zeros restored")
