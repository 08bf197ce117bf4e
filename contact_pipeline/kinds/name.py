"""Names of people: the case stays as given; full names are made of their parts, or taken apart into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from contact_pipeline.kinds.cell_rules import not_too_long
from contact_pipeline.kinds.distinct import change_where
from contact_pipeline.kinds.kind import Kind
from contact_pipeline.kinds.name_parts import PARTS, parts_of_names
from contact_pipeline.kinds.text import are_tidy
from contact_pipeline.profiles import Column, Profile

_CAPITALS: Final = r"^[^\p{Ll}]*\p{Lu}[^\p{Ll}]*\p{Lu}[^\p{Ll}]*$"  # two capitals or more and no small letter
_IN_ITS_CASE: Final = r"^[A-Z]?[a-z]+(?:[ '\-][A-Z]?[a-z]+)*$"


def full_name(first: pl.Expr, last: pl.Expr) -> pl.Expr:
    """First and last name put together; null where both are blank."""
    return pl.concat_str([first, last], separator=" ", ignore_nulls=True).replace("", None)


def completed(values: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """The rows with the full name that their parts make and, where the profile says so, the parts of their full name.

    Names that a row gives itself stay as they are.
    """
    whole = profile.column_of.get("full_name")
    made = [part for part in PARTS if part in profile.column_of]
    if whole and whole.split and "full_name" in values.columns:
        values = _with_parts(values, whole, made)
    return _with_full_name(values, profile)


def _standing(column: Column) -> pl.Expr:
    """The name; null if it is too long: validation takes it out of the row, so no other name may be made of it."""
    value = pl.col(column.field)
    return pl.when(value.str.len_chars() <= column.max_length).then(value)


def _with_parts(values: pl.DataFrame, whole: Column, parts: Sequence[str]) -> pl.DataFrame:
    found = parts_of_names(values.select(_standing(whole)).to_series())
    given = {part: values[part] if part in values.columns else found[part].clear(values.height) for part in parts}
    # A row that has a first or last name already gets no further one from its full name.
    named = pl.any_horizontal([given[part].is_not_null() for part in ("first_name", "last_name") if part in given])
    return values.with_columns(
        pl.when(named).then(given[part]).otherwise(given[part].fill_null(found[part])).alias(part) for part in parts
    )


def _with_full_name(values: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    columns = profile.column_of
    parts = [_standing(columns[part]) for part in ("first_name", "last_name") if part in values.columns]
    if not parts or "full_name" not in columns:
        return values
    made = full_name(*parts) if len(parts) == 2 else parts[0]
    given = [pl.col("full_name")] if "full_name" in values.columns else []
    return values.with_columns(full_name=pl.coalesce([*given, made]))


def _in_title_case(values: pl.Series) -> pl.Series:
    return change_where(values, values.str.contains(_CAPITALS), lambda some: some.str.to_titlecase())


def _normalized(text: pl.Expr, column: Column, *_: object) -> pl.Expr:
    """The name as given; in title case where the column wants that and it is all in capitals."""
    return text.map_batches(_in_title_case, return_dtype=pl.String) if column.title_case else text


def _fast_path(texts: pl.Series, column: Column, *_: object) -> tuple[pl.Series, pl.Series]:
    return texts, texts.str.contains(_IN_ITS_CASE) if column.title_case else are_tidy(texts)


NAME: Final = Kind(
    normalize=_normalized,
    fast_path=_fast_path,
    repaired=lambda before, _, column: before.is_not_null() & column.title_case,
    why=lambda *_: pl.lit("capitals made title case"),
    rules=lambda column, *_: [not_too_long(column)],
)
