"""Puts a defect into words: the messages and fixes of the catalogue, filled in for whole columns at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl
from rapidfuzz import process, utils

from contact_pipeline.errors import listed

_LONGEST_QUOTED: Final = 80
_NEAR_ENOUGH: Final = 55  # of 100, as rapidfuzz scores likeness
_MOST_ADVISED: Final = 1_000  # values of a column; with more of them it is the column that is wrong


def worded(template: str, words: Mapping[str, pl.Expr]) -> pl.Expr:
    """The template with each {word} replaced."""
    parts = re.split(r"\{(\w+)\}", template)
    texts = [words[part] if place % 2 else pl.lit(part) for place, part in enumerate(parts) if part]
    return pl.concat_str(texts)


def quoted(value: pl.Expr) -> pl.Expr:
    """The value as a message shows it: shortened where it is long."""
    long = value.str.len_chars() > _LONGEST_QUOTED
    return pl.when(long).then(value.str.slice(0, _LONGEST_QUOTED) + "…").otherwise(value)


def nearest(values: pl.Series, registered: Sequence[str], wanted: str, separator: str | None = None) -> pl.Series:
    """For each value, the advice to use the registered ones that are most like it.

    Args:
        values: unregistered values.
        registered: the values to choose from.
        wanted: what to load where nothing is registered.
        separator: what separates several values in one; None: each is one.
    """
    distinct = values.drop_nulls().unique(maintain_order=True).head(_MOST_ADVISED)
    advice = [" ".join(_advice(item, registered, wanted) for item in _items(value, separator)) for value in distinct]
    return values.replace_strict(
        distinct,
        pl.Series(advice, dtype=pl.String),
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
