"""Restricts costly work to the values that need it: to a part of a column, or to its distinct values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

_SAMPLED: Final = 16  # one value of so many
_FEW: Final = 4  # times fewer


def change_where(values: pl.Series, needed: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """The values, changed where `needed` is true."""
    return fill_where(values, needed, values, change)


def fill_where(
    target: pl.Series, needed: pl.Series, source: pl.Series, make: Callable[[pl.Series], pl.Series]
) -> pl.Series:
    """The target; where `needed` is true, the result of `make` for the source."""
    places = needed.fill_null(False).arg_true()
    if places.is_empty():
        return target
    return target.scatter(places, make(source.gather(places)))


def map_distinct(values: pl.Series, decide: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """The values, each replaced by the result of `decide` for its distinct value; null stays null."""
    distinct = values.drop_nulls().unique()
    decided = decide(distinct)
    if distinct.is_empty():
        return pl.Series(values.name, [None], dtype=decided.dtype).new_from_index(0, values.len())
    return values.replace_strict(distinct, decided, return_dtype=decided.dtype, default=None)


def are_few(values: pl.Series) -> bool:
    """Whether a column has far fewer distinct values than rows, judged by a sample."""
    sample = values.gather_every(_SAMPLED)
    return sample.n_unique() * _FEW < sample.len()


def numbered(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """For each value its place among the distinct values (null stays null), and the distinct values."""
    coded = values.cast(pl.Categorical(pl.Categories.random()))
    distinct = coded.drop_nulls().unique()
    return coded.to_physical(), distinct.cast(pl.String).gather(distinct.to_physical().arg_sort())
