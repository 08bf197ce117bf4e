"""Writes stored values as the text of cells so that reading them gives the same values, and tests whether it does."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import polars as pl

from contact_pipeline.codes import CODES
from contact_pipeline.exports.layout import Cell
from contact_pipeline.kinds.cell_rules import local_today
from contact_pipeline.kinds.distinct import change_where
from contact_pipeline.kinds.kind import Context
from contact_pipeline.kinds.registry import KINDS
from contact_pipeline.kinds.text import are_blanks, blanked, dashed, tidied
from contact_pipeline.profiles import Column, Profile
from contact_pipeline.profiles.model import Blanks
from contact_pipeline.terms import JOINED

_SEPARATOR: Final = ";"  # of lists in files that no profile reads
_ENTITY: Final = "&#?[A-Za-z0-9]+;"
_ENCODED: Final = "&amp;amp;amp;"  # reading decodes three times
_READ_AS_FORMULA: Final = "^['=]"
_KEPT: Final = "\u00a0:::\u00a0"  # with no-break spaces, which read as spaces and do not separate values


def as_text(cell: Cell, profile: Profile | None) -> pl.Expr:
    """The text of a column's cells, from the values of its field; null for an empty cell.

    Args:
        cell: the column.
        profile: the profile that reads the file; None: there is none.
    """
    if cell.field is None:
        return pl.lit(None, pl.String)
    value, column = pl.col(cell.field), cell.column
    match cell.stored:
        case "number":
            return value.cast(pl.String)
        case "boolean":
            return pl.when(value).then(pl.lit("yes")).when(~value).then(pl.lit("no"))
        case "list":
            text = KINDS["list"].as_text(value, column or _LIST)
            return pl.when(value.list.len() > 0).then(_protected(text) if column else text)
    if column is None:
        return value
    value = KINDS[column.type].as_cell(value, column, profile)
    text = _protected(value.replace("", None))
    return text.fill_null(column.nothing) if column.required and column.nothing else text


def come_back(values: pl.DataFrame, texts: pl.Series, column: Column, context: Context) -> pl.Series:
    """Whether reading each cell gives the stored value again, without a defect.

    Args:
        values: the stored values, by field.
        texts: the column's cells.
        column: the column by which they are read.
        context: what else their form depends on; the country comes from the stored values.
    """
    kind, stored = KINDS[column.type], values[column.field]
    found = None if context.country is not None and kind.by_country else kind.fast_path(texts, column, context.profile)
    same = pl.Series([False]).new_from_index(0, texts.len())
    if found is not None:
        read, certain = found
        is_word = are_blanks(texts, _words(column, context)).fill_null(False)
        same = certain.fill_null(False) & ~is_word & read.eq_missing(stored)
    asked = ~same & stored.is_not_null() & texts.is_not_null()
    if kind.taken_apart or kind.as_joined:
        asked |= texts.str.contains(JOINED, literal=True).fill_null(False)
    right = pl.Series([True]).new_from_index(0, texts.len())
    if asked.any():
        right = right.scatter(asked.arg_true(), _read_right(values.filter(asked), texts.filter(asked), column, context))
    return right & _passes(values, column, context)


def _read_right(values: pl.DataFrame, texts: pl.Series, column: Column, context: Context) -> pl.Series:
    """Whether reading gives the stored value, by normalizing the cells; for those that the fast path leaves open."""
    kind = KINDS[column.type]
    text = blanked(tidied(pl.col("text")), _words(column, context))
    cells = pl.DataFrame({"text": texts})
    if context.country is not None:
        cells = cells.with_columns(values["country"])
    cells = cells.with_columns(dashed(text) if kind.dashed else text)
    read = cells.select(kind.normalize(pl.col("text"), column, context)).to_series()
    is_joined = texts.str.contains(JOINED, literal=True).fill_null(False)
    return read.eq_missing(values[column.field]) & ~is_joined


def _words(column: Column, context: Context) -> Blanks:
    """The words that are no value: blanks, and the word for nothing."""
    blanks = context.profile.blanks_in(column)
    return replace(blanks, words=blanks.words | {column.nothing.lower()}) if column.nothing else blanks


def _passes(values: pl.DataFrame, column: Column, context: Context) -> pl.Series:
    """Whether the column takes each value."""
    kind, today, value = KINDS[column.type], local_today(), pl.col(column.field)
    quick = kind.quick_rule(column, context, today)
    passed = values.select(value.is_null() | (quick(value) if quick else False)).to_series().fill_null(False)
    rest = values.filter(~passed)
    if rest.is_empty():
        return passed
    rules = [rule.passes for rule in kind.rules(column, context, today) if CODES[rule.code].severity == "error"]
    if kind.is_placeholder is not None and column.placeholders == "reject":
        rules.append(lambda given: ~kind.is_placeholder(given))  # type: ignore[misc]
    judged = rest.select(value.is_null() | pl.all_horizontal(pl.lit(True), *(rule(value) for rule in rules)))
    return passed.scatter((~passed).arg_true(), judged.to_series().fill_null(False))


def _protected(text: pl.Expr) -> pl.Expr:
    """The text; if reading would change it, in a form that reading turns back into the same text."""
    return text.map_batches(_protect, return_dtype=pl.String)


def _protect(texts: pl.Series) -> pl.Series:
    read = texts.to_frame("text").select(tidied(pl.col("text"))).to_series()
    changed, joined = read.ne_missing(texts), texts.str.contains(JOINED, literal=True)
    safe = change_where(texts.clone(), changed, _written_safely)
    return change_where(safe, joined, lambda some: some.str.replace_all(JOINED, _KEPT, literal=True))


def _written_safely(texts: pl.Series) -> pl.Series:
    encoded = change_where(texts, texts.str.contains(_ENTITY), lambda some: some.str.replace_all("&", _ENCODED))
    return change_where(
        encoded,
        encoded.str.contains(_READ_AS_FORMULA),
        lambda some: '="' + some.str.replace_all('"', '""', literal=True) + '"',
    )


_LIST: Final = Column(field="values", heading="values", type="list", separator=_SEPARATOR)
