"""Choices: one of some registered values, in its registered spelling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from contact_pipeline.kinds.cell_rules import CellRule
from contact_pipeline.kinds.distinct import map_distinct
from contact_pipeline.kinds.kind import Context, Kind
from contact_pipeline.kinds.registered import advice, code_of_unregistered, offered
from contact_pipeline.letters import folded
from contact_pipeline.profiles import Column


def choice(text: pl.Expr, registered: Sequence[str]) -> pl.Expr:
    """The registered spelling, whatever the case and the accents; the text as given where it is not registered."""
    return text.map_batches(lambda values: _registered(values, registered), return_dtype=pl.String)


def _registered(values: pl.Series, registered: Sequence[str]) -> pl.Series:
    if not registered:
        return values
    spellings = pl.Series(list(registered), dtype=pl.String)
    known = pl.DataFrame({"folded": _folded(spellings), "spelling": spellings}).unique("folded", keep="first")

    def spelled(some: pl.Series) -> pl.Series:
        return _folded(some).replace_strict(known["folded"], known["spelling"], default=some, return_dtype=pl.String)

    return map_distinct(values, spelled)


def _folded(values: pl.Series) -> pl.Series:
    return pl.Series([folded(text) for text in values], dtype=pl.String)


def _rules(column: Column, context: Context, *_: object) -> list[CellRule]:
    values = list(context.reference.registered(column))
    return [CellRule(code_of_unregistered(column), lambda value: value.is_in(values))]


CHOICE: Final = Kind(
    normalize=lambda given, column, context: choice(given, context.reference.registered(column)),
    offered=offered,
    rules=_rules,
    expected=advice,
)
