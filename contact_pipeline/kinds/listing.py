"""Lists: the values between separators, each in its registered spelling, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from contact_pipeline.kinds.cell_rules import CellRule
from contact_pipeline.kinds.choice import choice
from contact_pipeline.kinds.distinct import map_distinct
from contact_pipeline.kinds.kind import Context, Kind
from contact_pipeline.kinds.registered import advice, code_of_unregistered, offered
from contact_pipeline.kinds.text import are_blanks, blanked
from contact_pipeline.profiles import Column
from contact_pipeline.profiles.model import Blanks
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.terms import JOINED

_ESCAPED: Final = "\ufdd0"  # stands for a separator that is part of a value; no text holds it


def _normalize(text: pl.Expr, column: Column, context: Context) -> pl.Expr:
    """The values between separators, each in its registered spelling, once; null where there are none.

    A word for a blank is no value, just as it would be alone in a cell.
    """
    registered, blanks = context.reference.registered(column), context.profile.blanks_in(column)
    return text.map_batches(
        lambda values: _listed(values, column.separator, registered, blanks), return_dtype=pl.List(pl.String)
    )


def _hold_blanks(values: pl.Series, separator: str, blanks: Blanks) -> pl.Series:
    """Whether each text is, or has among the values between its separators, a word that means nothing."""

    def hold(texts: pl.Series) -> pl.Series:
        items = pl.DataFrame({"text": texts, "item": _split(texts, separator)}).explode("item", empty_as_null=True)
        is_blank = are_blanks(items["item"].str.strip_chars(), blanks).fill_null(False)
        found = items.filter(is_blank)["text"]
        return texts.is_in(found.implode()) | are_blanks(texts, blanks)

    return map_distinct(values, hold)


def _listed(values: pl.Series, separator: str, registered: Sequence[str], blanks: Blanks) -> pl.Series:
    distinct = values.drop_nulls().unique()
    items = (
        pl.DataFrame({"text": distinct, "item": _split(distinct, separator)})
        .explode("item", empty_as_null=True)
        .with_columns(pl.col("item").str.replace_all(_ESCAPED, separator, literal=True))
        .with_columns(blanked(pl.col("item").str.strip_chars(), blanks))
        .filter(pl.col("item") != "")
    )
    lists = (
        items.with_columns(choice(pl.col("item"), registered))
        .unique(["text", "item"], keep="first", maintain_order=True)
        .group_by("text", maintain_order=True)
        .agg("item")
    )
    return values.to_frame("text").join(lists, on="text", how="left", maintain_order="left")["item"]


def _split(texts: pl.Series, separator: str) -> pl.Series:
    """The texts between separators. A separator behind a backslash stays in the text, as `_ESCAPED`."""
    return texts.str.replace_all(f"\\{separator}", _ESCAPED, literal=True).str.split(separator)


def _joined(values: pl.Expr, column: Column) -> pl.Expr:
    """The values as one text that reads back as the same values."""
    separator = column.separator
    escaped = pl.element().str.replace_all(separator, f"\\{separator}", literal=True)
    return values.list.eval(escaped).list.join(f"{separator} ")


def _quoted(cell: pl.Expr, column: Column, _: str, reference: Reference) -> tuple[pl.Expr, pl.Expr]:
    """The whole list, and the values in it that are not registered."""
    known, between = list(reference.registered(column)), f"{column.separator} "
    return cell.list.join(between), cell.list.filter(~pl.element().is_in(known)).list.join(between)


def _rules(column: Column, context: Context, *_: object) -> list[CellRule]:
    if not (column.choices or column.vocabulary):
        return []
    values = list(context.reference.registered(column))
    return [
        CellRule(code_of_unregistered(column), lambda items: items.list.eval(pl.element().is_in(values)).list.all())
    ]


def _expected(code: str, named: pl.Series, column: Column, reference: Reference) -> pl.Expr | None:
    return advice(code, named, column, reference, separator=column.separator)


LIST: Final = Kind(
    normalize=_normalize,
    blanked=lambda before, _, column, blanks: _hold_blanks(before, column.separator, blanks),
    why=lambda *_: pl.lit("a word for nothing left out"),
    as_text=_joined,
    taken_apart=False,
    as_joined=lambda text, column: text.str.replace_all(JOINED, f" {column.separator} ", literal=True),
    offered=lambda column, reference: (offered(column, reference)[0], "take"),  # a cell may hold several
    rules=_rules,
    quoted=_quoted,
    expected=_expected,
)
