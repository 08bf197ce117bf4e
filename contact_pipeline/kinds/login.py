"""Logins of known users."""

from __future__ import annotations

from typing import Final

import polars as pl

from contact_pipeline.kinds.cell_rules import CellRule
from contact_pipeline.kinds.kind import Context, Kind
from contact_pipeline.kinds.registered import advice, offered
from contact_pipeline.profiles import Column
from contact_pipeline.profiles.reference import Reference


def _normalize(text: pl.Expr, column: Column, context: Context) -> pl.Expr:
    """The login as it is known, whatever the case."""
    users = context.reference.registered(column)
    if not users:
        return text
    lower = [user.lower() for user in users]
    return text.str.to_lowercase().replace_strict(lower, list(users), default=text, return_dtype=pl.String)


def _rules(column: Column, context: Context, *_: object) -> list[CellRule]:
    users = list(context.reference.registered(column))
    return [CellRule("unknown-login", lambda value: value.is_in(users))]


def _expected(code: str, named: pl.Series, column: Column, reference: Reference) -> pl.Expr | None:
    return advice(code, named, column, reference, wanted="users")


LOGIN: Final = Kind(normalize=_normalize, offered=offered, rules=_rules, expected=_expected)
