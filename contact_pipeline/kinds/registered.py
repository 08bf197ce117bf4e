"""Registered values: the choices of a column, those of a vocabulary, and known logins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
from rapidfuzz import process, utils

from contact_pipeline.errors import listed
from contact_pipeline.kinds.kind import Other
from contact_pipeline.profiles import Column
from contact_pipeline.profiles.reference import Reference

_UNREGISTERED: Final = frozenset({"not-a-choice", "not-in-vocabulary", "unknown-login"})
_NEAR_ENOUGH: Final = 55  # of 100, as rapidfuzz scores likeness
_MOST_ADVISED: Final = 1_000  # values of a column; with more, the column is wrong, not its values


def code_of_unregistered(column: Column) -> str:
    """The defect of a value that is not among those of the column."""
    return "not-a-choice" if column.choices else "not-in-vocabulary"


def offered(column: Column, reference: Reference) -> tuple[tuple[str, ...], Other]:
    """The registered values, and the word for nothing. More may be registered by the time the file is filled in."""
    values = reference.registered(column)
    nothing = (column.nothing,) if column.nothing and values else ()
    return (*nothing, *values), "refuse" if column.choices else "ask"


def advice(
    code: str,
    named: pl.Series,
    column: Column,
    reference: Reference,
    *,
    wanted: str | None = None,
    separator: str | None = None,
) -> pl.Expr | None:
    """Advice for values that are not registered; None for any other defect.

    Args:
        code: of the defect.
        named: the values as messages name them.
        column: where they stand.
        reference: known logins and registered values.
        wanted: what to load where nothing is registered; None: the column's vocabulary.
        separator: separates several values in one text; None: each text is one value.
    """
    if code not in _UNREGISTERED:
        return None
    if column.sensitive:
        return pl.lit("Use one of the registered values.")
    wanted = wanted or f"vocabulary '{column.vocabulary}'"
    return pl.lit(_nearest(named, reference.registered(column), wanted, separator))


def _nearest(values: pl.Series, registered: Sequence[str], wanted: str, separator: str | None) -> pl.Series:
    """For each value, the advice to use the registered ones that are most like it."""
    distinct = values.drop_nulls().unique(maintain_order=True).head(_MOST_ADVISED)
    advised = [" ".join(_advice(item, registered, wanted) for item in _items(value, separator)) for value in distinct]
    return values.replace_strict(
        distinct,
        pl.Series(advised, dtype=pl.String),
        default=_in_general(registered, wanted),
        return_dtype=pl.String,
    )


def _items(value: str, separator: str | None) -> list[str]:
    return [item.strip() for item in value.split(separator)] if separator else [value]


def _advice(value: str, registered: Sequence[str], wanted: str) -> str:
    near = process.extract(value, registered, processor=utils.default_process, score_cutoff=_NEAR_ENOUGH, limit=3)
    return f"Did you mean {' or '.join(name for name, *_ in near)}?" if near else _in_general(registered, wanted)


def _in_general(registered: Sequence[str], wanted: str) -> str:
    return f"Use one of: {listed(registered)}." if registered else f"Load the {wanted} first: nothing is registered."
