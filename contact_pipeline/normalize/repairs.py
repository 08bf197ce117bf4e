"""Which values changed their meaning, and not merely their form, on the way to the canonical form; and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from contact_pipeline.normalize import date, email, identifiers, name, phone, postal_code
from contact_pipeline.profiles import Column

_Changed = Callable[[pl.Expr, pl.Expr], pl.Expr]
_CHANGED: Final[Mapping[str, _Changed]] = {
    "date": date.repaired,
    "email": email.repaired,
    "phone": phone.repaired,
    "ssn": lambda before, _: identifiers.ssn_repaired(before),
    "zip_code": postal_code.repaired,
    "identifier": identifiers.repaired,
    "name": name.repaired,
}


def is_repairable(column: Column) -> bool:
    """Whether normalization can change the meaning of the column's values, other than to blank."""
    return column.type in _CHANGED and (column.type != "name" or column.title_case)


def is_repaired(before: pl.Series, after: pl.Series, column: Column) -> pl.Series:
    """Whether each value changed its meaning.

    Args:
        before: the tidied text, words that mean nothing included.
        after: the value.
        column: what it is.
    """
    changed = (before.is_not_null() & after.is_null()) if column.type not in {"list", "boolean"} else pl.lit(False)
    if is_repairable(column):
        changed = changed | _CHANGED[column.type](pl.col("before"), pl.col("after")).fill_null(False)
    pair = pl.DataFrame({"before": before, "after": after})
    return pair.with_columns(changed=changed).get_column("changed")


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
            return pl.lit("letters left out, or read as digits")
        case "identifier":
            return identifiers.why(before, after)
        case "name":
            return pl.lit("capitals made title case")
        case _:
            return pl.lit("leading zeros restored")
