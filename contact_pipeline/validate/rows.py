"""The rules over a whole row: what must be filled, one of several, and two cells that must agree."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from contact_pipeline.profiles import NAME, AnyOf, Same

_NAME_FIELDS = ("full_name", "first_name", "last_name")


def is_filled(field: str, there: Collection[str], lists: Collection[str] = ()) -> pl.Expr:
    """Whether a field holds something; a name is a whole one or any part of one.

    Args:
        field: a field, or `name`.
        there: the columns of the frame; what is not there is blank.
        lists: the columns that hold no text.
    """
    fields = [name for name in (_NAME_FIELDS if field == NAME else (field,)) if name in there]
    filled = [
        pl.col(name).is_not_null() if name in lists else pl.col(name).is_not_null() & (pl.col(name) != "")
        for name in fields
    ]
    return pl.any_horizontal(filled) if filled else pl.lit(False)


def has_any_of(rule: AnyOf, there: Collection[str], lists: Collection[str] = ()) -> pl.Expr:
    """Whether a whole set of the rule's fields is filled, or the rule does not apply to the row."""

    def all_filled(fields: Sequence[str]) -> pl.Expr:
        return pl.all_horizontal([is_filled(field, there, lists) for field in fields])

    met = pl.any_horizontal([all_filled(fields) for fields in rule.any_of])
    if not rule.when_any:
        return met
    return met | ~pl.any_horizontal([is_filled(field, there, lists) for field in rule.when_any])


def has_same(rule: Same, there: Collection[str]) -> pl.Expr:
    """Whether the two cells agree; a blank one is for other rules to judge."""
    field, other = rule.same
    return pl.col(field) == pl.col(other) if {field, other} <= set(there) else pl.lit(True)
