"""The interface of a kind: the functions that stages call for one type of column. Each kind has its own module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from contact_pipeline.kinds.cell_rules import CellRule, Passes
from contact_pipeline.profiles import Column, Profile
from contact_pipeline.profiles.model import Blanks
from contact_pipeline.profiles.reference import Reference

# What a spreadsheet does with a value that a cell does not offer.
Other = Literal["refuse", "ask", "take"]


@dataclass(frozen=True, slots=True)
class Context:
    """Everything besides its text and its column that a value may depend on.

    Attributes:
        profile: the profile as it holds for the upload.
        reference: known logins and registered values.
        country: the country of each row (two letters); None where no column of the file holds it.
    """

    profile: Profile
    reference: Reference
    country: pl.Expr | None = None


def _is_as_given(given: pl.Expr, *_: object) -> pl.Expr:
    return given


def _has_nothing_beside(*_: object) -> Sequence[pl.Expr]:
    return ()


def _is_emptied(before: pl.Series, after: pl.Series, *_: object) -> pl.Series:
    return before.is_not_null() & after.is_null()


def _is_only_emptied(*_: object) -> pl.Expr:
    return pl.lit("a word for nothing: blank")


def _has_no_rules(*_: object) -> Sequence[CellRule]:
    return ()


def _is_quoted_whole(cell: pl.Expr, *_: object) -> tuple[pl.Expr, pl.Expr]:
    return cell, cell


def _says_nothing(*_: object) -> None:
    return None


def _as_text(value: pl.Expr, *_: object) -> pl.Expr:
    return value.cast(pl.String)


def _offers_nothing(*_: object) -> tuple[tuple[str, ...], Other]:
    return (), "take"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The functions for the values of one type of column. The defaults are those of plain text.

    Expressions and series hold the values of a whole column: nothing here runs once for each row.

    Attributes:
        normalize: tidied text → canonical value; the text as given where it has no canonical form.
        fast_path: cells as read → their values, and which of these are certain; None: no fast path.
        beside: the columns kept beside the value of a text, `further_<field>` and `unread_<field>`.
        blanked: text, value, column, words → whether the text held a word that means nothing.
        repaired: whether a text that differs from its value changed its meaning, not its form alone; None: never.
        why: the reason of a repair, in words.
        as_text: the value as people write it.
        by_country: whether the form depends on the country of the row.
        is_country: whether the values are countries, on which the form of others depends.
        dashed: whether a dash of a word processor stands for a hyphen.
        taken_apart: whether a cell in which an export joined several values is taken apart before it is read.
        as_joined: such a cell as one that holds all its values, in a column that takes several; None: it takes one.
        counts_last: of several columns of a field, the cells that count only where all others are blank; None: none.
        labels: the labels beside a value with which it means something else, and is read; None: no label does that.
        day_part: the part of each text that the column's formats describe; None: of values that have no formats.
        as_cell: the stored text as a file for people has it, by the column and the profile that reads the file, if any.
        offered: the values that a cell of a file to fill in offers, and what becomes of others.
        rules: column, context, today → the rules for cells, in the order in which defects are named.
        quick_rule: a value that passes it passes all `rules`; None: there is no such rule.
        is_placeholder: whether people write the value where they have none; None: no value is a placeholder.
        quoted: the cell as text, and the part of it that a message about a defect (by its code) names.
        expected: what would be right, where the failed rule does not say it; None: the rule says it.
        unread_code: the defect of a text that could not be read, if such texts are kept beside the value.
        further_code: the warning about further values of a row.
    """

    normalize: Callable[[pl.Expr, Column, Context], pl.Expr] = _is_as_given
    fast_path: Callable[[pl.Series, Column, Profile], tuple[pl.Series, pl.Series] | None] = _says_nothing
    beside: Callable[[pl.Expr, Column, Context], Sequence[pl.Expr]] = _has_nothing_beside
    blanked: Callable[[pl.Series, pl.Series, Column, Blanks], pl.Series] = _is_emptied
    repaired: Callable[[pl.Expr, pl.Expr, Column], pl.Expr] | None = None
    why: Callable[[pl.Expr, pl.Expr, Column], pl.Expr] = _is_only_emptied
    as_text: Callable[[pl.Expr, Column], pl.Expr] = _as_text
    by_country: bool = False
    is_country: bool = False
    dashed: bool = False
    taken_apart: bool = True
    as_joined: Callable[[pl.Expr, Column], pl.Expr] | None = None
    counts_last: Callable[[pl.Series], pl.Series] | None = None
    labels: Callable[[pl.Expr], pl.Expr] | None = None
    day_part: Callable[[pl.Series], pl.Series] | None = None
    as_cell: Callable[[pl.Expr, Column, Profile | None], pl.Expr] = _is_as_given
    offered: Callable[[Column, Reference], tuple[tuple[str, ...], Other]] = _offers_nothing
    rules: Callable[[Column, Context, date], Sequence[CellRule]] = _has_no_rules
    quick_rule: Callable[[Column, Context, date], Passes | None] = _says_nothing
    is_placeholder: Passes | None = None
    quoted: Callable[[pl.Expr, Column, str, Reference], tuple[pl.Expr, pl.Expr]] = _is_quoted_whole
    expected: Callable[[str, pl.Series, Column, Reference], pl.Expr | None] = _says_nothing
    unread_code: str | None = None
    further_code: str = "several-values"
