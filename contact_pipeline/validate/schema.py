"""The Pandera schema of a profile's normalized rows. Every check is named by the code of the defect that it finds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime
from typing import Final

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData

from contact_pipeline.contracts import FURTHER, NORMALIZED_ROWS, UNREAD
from contact_pipeline.profiles import AnyOf, Column, InOrder, Profile, RequiredWhen, Same, Together
from contact_pipeline.profiles.model import RowRule, required_when
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.validate.cells import CellRule, cell_rules
from contact_pipeline.validate.rows import has_any_of, has_required, has_same, has_together, is_in_order

_BESIDE: Final = {"boolean": (UNREAD, "boolean-format"), "email": (FURTHER, "email-several")}

_TYPES: Final = {"text": pl.String(), "list": pl.List(pl.String), "boolean": pl.Boolean()}


def schema_for(
    profile: Profile, reference: Reference, *, cells: bool = True, rows: bool = True, today: date | None = None
) -> pa.DataFrameSchema:
    """The schema that a profile's normalized rows must meet.

    Validate eager frames: on a LazyFrame Pandera skips the checks of data. Checks keep no failure cases, which would
    be unmasked values; the places of the failures are in each error's `check_output`, what would be right is in the
    check's `description`.

    Args:
        profile: the columns and the rules.
        reference: known logins and registered values.
        cells: whether to check single cells.
        rows: whether to check what rows need as a whole.
        today: the day after which nobody has been born; unset: today.
    """
    today = today or datetime.now(UTC).astimezone().date()
    columns = dict(NORMALIZED_ROWS.columns)
    for column in profile.columns:
        rules = cell_rules(column, profile, reference, today) if cells else []
        checks = [_cell_check(rule, column) for rule in rules]
        checks += _row_checks_of(column, profile) if rows else []
        kind = profile.row_fields[column.field]
        columns[column.field] = pa.Column(_TYPES[kind], checks, nullable=True, required=False)
        if cells and column.type in _BESIDE:
            prefix, code = _BESIDE[column.type]
            beside = f"{prefix}{column.field}"
            is_empty = _check(code, pl.col(beside).is_null(), ignore_na=False)
            columns[beside] = pa.Column(pl.String(), is_empty, nullable=True, required=False)
    whole = [check for rule in profile.rules for check in _whole_row_checks(rule, profile)] if rows else []
    return pa.DataFrameSchema(columns, checks=whole, name=profile.name, strict=False)


def _cell_check(rule: CellRule, column: Column) -> pa.Check:
    value = pl.col(column.field)
    if column.nothing and column.type not in {"list", "boolean"}:
        value = pl.when(value != "").then(value)  # the word for nothing passes every rule
    return _check(rule.code, rule.passes(value) | value.is_null(), rule.expected)


def _row_checks_of(column: Column, profile: Profile) -> list[pa.Check]:
    """The row rules that blame one column: it must be filled, or equal another."""
    checks = []
    if column.required:
        checks.append(_check("required", pl.col(column.field).is_not_null(), ignore_na=False))
    return [*checks, *(check for rule in profile.rules for check in _blaming_checks(rule, column, profile))]


def _blaming_checks(rule: RowRule, column: Column, profile: Profile) -> Iterator[pa.Check]:
    """The check of a rule, where it blames this column."""
    lists = _not_text(profile)
    match rule:
        case Same() if rule.same[0] == column.field:
            yield _row_check("differs-from", lambda there: has_same(rule, there), rule.same[1])
        case RequiredWhen() if rule.required == column.field:
            yield _row_check("required-when", lambda there: has_required(rule, there, lists), required_when(rule))
        case InOrder() if rule.end == column.field:
            yield _row_check("end-before-start", lambda there: is_in_order(rule, there), rule.start)


def _whole_row_checks(rule: RowRule, profile: Profile) -> Iterator[pa.Check]:
    """The check of a rule that blames no single column."""
    lists = _not_text(profile)
    match rule:
        case AnyOf():
            yield _row_check("needs-one-of", lambda there: has_any_of(rule, there, lists), rule.message)
        case Together():
            expected = ",".join(rule.together)
            yield _row_check("required-together", lambda there: has_together(rule, there, lists), expected)


def _not_text(profile: Profile) -> list[str]:
    return [field for field, kind in profile.row_fields.items() if kind != "text"]


def _check(code: str, passes: pl.Expr, expected: str = "", *, ignore_na: bool = True) -> pa.Check:
    return _named(code, lambda data: data.lazyframe.select(passes), expected, ignore_na=ignore_na)


def _named(code: str, run: Callable[[PolarsData], pl.LazyFrame], expected: str, *, ignore_na: bool = True) -> pa.Check:
    return pa.Check(run, name=code, description=expected, ignore_na=ignore_na, n_failure_cases=0)


def _row_check(code: str, passes: Callable[[Collection[str]], pl.Expr], expected: str) -> pa.Check:
    """A check over several columns, which is given those that the frame has."""

    def run(data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(passes(data.lazyframe.collect_schema().names()))

    return _named(code, run, expected, ignore_na=False)
