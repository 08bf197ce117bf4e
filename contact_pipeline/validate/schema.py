"""The Pandera schema of a profile's normalized rows. Every check is named by the code of the defect that it finds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData

from contact_pipeline.contracts.frames import NORMALIZED_ROWS
from contact_pipeline.kinds.cell_rules import CellRule, Passes, local_today, unless
from contact_pipeline.kinds.kind import Context
from contact_pipeline.kinds.registry import KINDS
from contact_pipeline.profiles import AnyOf, Column, InOrder, Profile, RequiredWhen, Same, Together
from contact_pipeline.profiles.model import STORED_AS
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.profiles.row_rules import has_any_of, has_required, has_same, has_together, is_in_order
from contact_pipeline.profiles.rules import RowRule, required_when
from contact_pipeline.terms import FURTHER, UNREAD

_TYPES: Final = {"text": pl.String(), "list": pl.List(pl.String), "boolean": pl.Boolean()}


@dataclass(frozen=True, slots=True)
class FrameRule:
    """A rule of a profile; a check of the schema is made of it.

    Attributes:
        code: name of the defect where a row fails.
        column: the column in error, without which the rule does not apply; None: the row as a whole.
        passes: columns of the frame → whether each row passes.
        expected: what would be right, in words.
        of_cell: whether the rule reads this column alone.
    """

    code: str
    column: str | None
    passes: Callable[[Collection[str]], pl.Expr]
    expected: str = ""
    of_cell: bool = False


def schema_for(
    profile: Profile, reference: Reference, *, cells: bool = True, rows: bool = True, today: date | None = None
) -> pa.DataFrameSchema:
    """The schema that a profile's normalized rows must meet.

    Validate eager frames: on a LazyFrame Pandera skips the checks of data. Checks keep no failure cases, which would
    be unmasked values. Each error's `check_output` has the places of the failures, the check's `description` what would
    be right.

    Args:
        profile: the columns and the rules.
        reference: known logins and registered values.
        cells: whether to check single cells.
        rows: whether to check what rows need as a whole.
        today: the day after which nobody has been born; unset: today.
    """
    rules = [rule for rule in rules_of(profile, reference, today) if (cells if rule.of_cell else rows)]
    columns = dict(NORMALIZED_ROWS.columns)
    for column in profile.columns:
        kind = _TYPES[profile.row_fields[column.field]]
        columns[column.field] = pa.Column(kind, _checks(rules, column.field), nullable=True, required=False)
        for beside, _ in _beside(column):
            columns[beside] = pa.Column(pl.String(), _checks(rules, beside), nullable=True, required=False)
    return pa.DataFrameSchema(columns, checks=_checks(rules, None), name=profile.name, strict=False)


def rules_of(profile: Profile, reference: Reference, today: date | None = None) -> list[FrameRule]:
    """The rules of a profile, in the order in which defects are named; the arguments are those of `schema_for`."""
    today, context = today or local_today(), Context(profile, reference)
    return [
        *(rule for column in profile.columns for rule in _of_column(column, context, today)),
        *(found for rule in profile.rules for found in _of_whole_rows(rule, profile)),
    ]


def in_doubt(normalized: pl.DataFrame, profile: Profile, reference: Reference, today: date | None = None) -> pl.Series:
    """Whether each row fails a rule; the other arguments are those of `schema_for`.

    All rules run at once; where a column has a quick rule, it replaces the rules for cells. A schema then names the
    defects of the few rows in doubt.
    """
    today, there, context = today or local_today(), normalized.columns, Context(profile, reference)
    rules = [rule for rule in rules_of(profile, reference, today) if rule.column is None or rule.column in there]
    columns = [column for column in profile.columns if column.field in there]
    found = {column.field: KINDS[column.type].quick_rule(column, context, today) for column in columns}
    quick = {field: rule for field, rule in found.items() if rule is not None}
    quickly = [_all_pass(field, rule, rules) for field, rule in quick.items()]
    others = [rule.passes(there) for rule in rules if not (rule.of_cell and rule.column in quick)]
    passes = {f"rule {number}": rule for number, rule in enumerate([pl.lit(True), *quickly, *others])}
    return normalized.with_columns(**passes).select(~pl.all_horizontal(list(passes)).fill_null(False)).to_series()


def _all_pass(field: str, quick: Passes, rules: Sequence[FrameRule]) -> pl.Expr:
    """Whether a cell passes the quick rule of its column, or else all its other rules."""
    careful = pl.all_horizontal(rule.passes([field]) for rule in rules if rule.of_cell and rule.column == field)
    return unless(lambda value: quick(value) | value.is_null(), lambda _: careful)(pl.col(field))


def _of_column(column: Column, context: Context, today: date) -> Iterator[FrameRule]:
    """The rules that blame one column: what its cells must be, that it is filled, that it agrees with another."""
    field, profile = column.field, context.profile
    for cell in (*KINDS[column.type].rules(column, context, today), *_placeholder(column)):
        yield _of_cell(cell, column)
    if column.required:
        yield FrameRule("required", field, lambda _: pl.col(field).is_not_null())
    for rule in profile.rules:
        yield from _blaming(rule, field, profile)
    if column.split:
        yield FrameRule("name-whole", field, partial(_is_taken_apart, profile))
    for beside, code in _beside(column):
        yield FrameRule(code, beside, partial(_is_blank, beside), of_cell=True)


def _placeholder(column: Column) -> Iterator[CellRule]:
    """The rule against placeholders. They are in form, so a value with another defect never fails it."""
    is_placeholder = KINDS[column.type].is_placeholder
    if is_placeholder is None or column.placeholders == "take":
        return
    code = "placeholder" if column.placeholders == "warn" else "placeholder-rejected"
    yield CellRule(code, lambda value: ~is_placeholder(value))


def _beside(column: Column) -> Iterator[tuple[str, str]]:
    """The columns that may stand beside a field's, and the code of a row where one is filled."""
    kind = KINDS[column.type]
    if kind.unread_code:
        yield f"{UNREAD}{column.field}", kind.unread_code
    yield f"{FURTHER}{column.field}", kind.further_code


def _is_taken_apart(profile: Profile, there: Collection[str]) -> pl.Expr:
    parts = [part for part in ("first_name", "last_name") if part in there and part in profile.column_of]
    taken_apart = pl.any_horizontal(pl.col(part).is_not_null() for part in parts) if parts else pl.lit(True)
    return taken_apart | pl.col("full_name").is_null()


def _is_blank(name: str, _: Collection[str]) -> pl.Expr:
    return pl.col(name).is_null()


def _of_cell(rule: CellRule, column: Column) -> FrameRule:
    value = pl.col(column.field)
    if column.nothing and column.type not in STORED_AS:
        value = pl.when(value != "").then(value)  # the word for nothing passes every rule
    passes = rule.passes(value) | value.is_null()
    return FrameRule(rule.code, column.field, lambda _: passes, rule.expected, of_cell=True)


def _blaming(rule: RowRule, field: str, profile: Profile) -> Iterator[FrameRule]:
    """The rule of a profile, where it blames this field."""
    lists = _not_text(profile)
    match rule:
        case Same() if rule.same[0] == field:
            yield FrameRule("differs-from", field, lambda there: has_same(rule, there), rule.same[1])
        case RequiredWhen() if rule.required == field:
            yield FrameRule("required-when", field, lambda there: has_required(rule, there, lists), required_when(rule))
        case InOrder() if rule.end == field:
            yield FrameRule("end-before-start", field, lambda there: is_in_order(rule, there), rule.start)


def _of_whole_rows(rule: RowRule, profile: Profile) -> Iterator[FrameRule]:
    """The rule of a profile, where it blames no single field."""
    lists = _not_text(profile)
    match rule:
        case AnyOf():
            yield FrameRule("needs-one-of", None, lambda there: has_any_of(rule, there, lists), rule.message)
        case Together():
            yield FrameRule(
                "required-together", None, lambda there: has_together(rule, there, lists), ",".join(rule.together)
            )


def _not_text(profile: Profile) -> list[str]:
    return [field for field, kind in profile.row_fields.items() if kind != "text"]


def _checks(rules: Sequence[FrameRule], column: str | None) -> list[pa.Check]:
    """The rules that blame a column, as checks."""
    return [_check(rule) for rule in rules if rule.column == column]


def _check(rule: FrameRule) -> pa.Check:
    def run(data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(rule.passes(data.lazyframe.collect_schema().names()))

    return pa.Check(run, name=rule.code, description=rule.expected, ignore_na=rule.of_cell, n_failure_cases=0)
