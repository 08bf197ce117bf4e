"""The rule that a single cell must pass, named by the code of its defect, and the rules that several kinds share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import polars as pl

from contact_pipeline.kinds.distinct import fill_where, map_distinct
from contact_pipeline.profiles import Column

Passes = Callable[[pl.Expr], pl.Expr]

_SCIENTIFIC: Final = r"^-?[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{1,3}$"


@dataclass(frozen=True, slots=True)
class CellRule:
    """A rule for a single cell.

    Attributes:
        code: name of the defect where a cell fails.
        passes: whether the value of a column passes; null passes.
        expected: what would be right, in words.
    """

    code: str
    passes: Passes
    expected: str = ""


def local_today() -> date:
    """The day where the program runs, by which rules tell what lies in the future."""
    return datetime.now(UTC).astimezone().date()


NOT_SCIENTIFIC: Final = CellRule("excel-scientific", lambda value: ~value.str.contains(_SCIENTIFIC))


def not_too_long(column: Column) -> CellRule:
    """A text must not be longer than the column allows."""

    # Counting bytes is fast, and a text has at least as many bytes as characters.
    def passes(value: pl.Expr) -> pl.Expr:
        return (value.str.len_bytes() <= column.max_length) | (value.str.len_chars() <= column.max_length)

    return CellRule("too-long", passes, f"{column.max_length} characters")


def unless(quick: Passes, careful: Passes) -> Passes:
    """Passes what the quick rule passes; only the distinct rest is tested by the careful rule."""

    def judge(values: pl.Series) -> pl.Series:
        return values.to_frame().select(careful(pl.col(values.name))).to_series()

    def judge_rest(values: pl.Series) -> pl.Series:
        passed = values.to_frame().select(quick(pl.col(values.name))).to_series()
        return fill_where(passed, ~passed, values, lambda some: map_distinct(some, judge))

    return lambda value: value.map_batches(judge_rest, return_dtype=pl.Boolean)
