"""The rules over a whole row as expressions: fields that must be filled, and cells that must agree."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from contact_pipeline.profiles.base import NAME
from contact_pipeline.profiles.rules import AnyOf, InOrder, RequiredWhen, Same, Together

_ISO = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_NAME_FIELDS = ("full_name", "first_name", "last_name")


def is_filled(field: str, there: Collection[str], lists: Collection[str] = ()) -> pl.Expr:
    """Whether a field holds something; a name is a whole one or any part of one.

    Args:
        field: a field, or `name`.
        there: the columns of the frame; a missing one is blank.
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
    """Whether the two cells agree; other rules judge blank ones."""
    field, other = rule.same
    return (pl.col(field) == pl.col(other)).fill_null(True) if {field, other} <= set(there) else pl.lit(True)


def has_together(rule: Together, there: Collection[str], lists: Collection[str] = ()) -> pl.Expr:
    """Whether all of the fields are filled, or none."""
    filled = [is_filled(field, there, lists) for field in rule.together]
    return pl.all_horizontal(filled) | ~pl.any_horizontal(filled)


def has_required(rule: RequiredWhen, there: Collection[str], lists: Collection[str] = ()) -> pl.Expr:
    """Whether the field is filled, or not needed in the row."""
    applies = [
        pl.col(field).is_in(values) if values and field in there else is_filled(field, there, lists)
        for field, values in rule.when.items()
    ]
    return is_filled(rule.required, there, lists) | ~pl.all_horizontal(applies).fill_null(False)


def is_in_order(rule: InOrder, there: Collection[str]) -> pl.Expr:
    """Whether the end is not before the start; ISO dates sort as text; other rules judge other texts."""
    if not {rule.start, rule.end} <= set(there):
        return pl.lit(True)
    start, end = pl.col(rule.start), pl.col(rule.end)
    return (start <= end) | ~start.str.contains(_ISO) | ~end.str.contains(_ISO) | start.is_null() | end.is_null()
