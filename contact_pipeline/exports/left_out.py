"""Finds rows that importing would change, and why: they are left out of a file that an import profile reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from contact_pipeline.errors import number_of
from contact_pipeline.exports.cells import come_back
from contact_pipeline.exports.layout import Cell, Layout
from contact_pipeline.exports.rows import HAS_ACCOUNT, ID, LINKED, PEOPLE
from contact_pipeline.kinds.cell_rules import local_today
from contact_pipeline.kinds.kind import Context
from contact_pipeline.kinds.name import completed
from contact_pipeline.kinds.name_parts import PARTS
from contact_pipeline.kinds.registry import KINDS
from contact_pipeline.profiles import NAME, AnyOf, Column, InOrder, MatchRule, Profile, RequiredWhen, Same, Together
from contact_pipeline.profiles.model import AccountContacts
from contact_pipeline.profiles.row_rules import (
    has_any_of,
    has_required,
    has_same,
    has_together,
    is_filled,
    is_in_order,
)
from contact_pipeline.profiles.rules import RowRule, required_when
from contact_pipeline.reports.profiles import match_in_words
from contact_pipeline.terms import ACCOUNT_FIELDS

_NAMED: Final = 20  # ids


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Contacts or accounts that are left out of the file for one reason.

    Attributes:
        what: contacts or accounts.
        why: the reason, in words.
        count: how many are left out.
        ids: the ids of the first ones.
    """

    what: str
    why: str
    count: int
    ids: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """What is left out as a JSON document."""
        return {"what": self.what, "why": self.why, "count": self.count, "ids": list(self.ids)}

    @property
    def in_words(self) -> str:
        """The same as a sentence for people."""
        ids = ", ".join(map(str, self.ids[:3])) + ", …" * (self.count > 3)
        counted = number_of(self.count, self.what.removesuffix("s"))
        return f"{counted} left out: {self.why}" + (f" ({ids})." if self.ids else ".")


class Sieve:
    """Keeps the rows of a file that importing leaves unchanged, batch by batch, and counts the others."""

    def __init__(self, layout: Layout, context: Context) -> None:
        self._layout = layout
        self._context = context
        self._profile = context.profile
        self._found: dict[tuple[str, str], tuple[int, list[int]]] = {}

    def keep(self, values: pl.DataFrame, texts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The rows that importing leaves unchanged, as values and as texts.

        Args:
            values: the stored values, by field, and further columns.
            texts: the cells, by their place in the file.
        """
        read_right = self._read_right(values, texts)
        if (people := self._profile.account_contacts) is not None:
            values, texts = self._without_doubtful_people(people, values, texts, read_right)
        reasons = [*self._reasons(values.columns), *self._unread(read_right), *_named_otherwise(values, self._profile)]
        judged = values.with_columns(**read_right).select(
            ID,
            why=pl.coalesce(pl.when(there).then(pl.lit(why)) for why, there in reasons),
        )
        kept = judged["why"].is_null()
        for (why,), some in judged.filter(~kept).group_by("why", maintain_order=True):
            self._count(self._layout.of, str(why), some.height, some[ID].head(_NAMED).to_list())
        return values.filter(kept), texts.filter(kept)

    def left_out(self) -> list[LeftOut]:
        """What was left out so far."""
        return [LeftOut(what, why, count, tuple(ids)) for (what, why), (count, ids) in self._found.items()]

    def _count(self, what: str, why: str, count: int, ids: list[int]) -> None:
        before, named = self._found.get((what, why), (0, []))
        if count:
            self._found[what, why] = (before + count, (named + ids)[:_NAMED])

    def _read_right(self, values: pl.DataFrame, texts: pl.DataFrame) -> dict[str, pl.Series]:
        """For each column whether reading its cells gives the stored values, under a name that no field has."""
        return {
            _right(cell): come_back(values, texts[str(place)], cell.column, self._context)
            for place, cell in enumerate(self._layout.cells)
            if cell is not None and cell.field is not None and cell.column is not None
        }

    def _reasons(self, there: Sequence[str]) -> Iterator[tuple[str, pl.Expr]]:
        """Each reason and whether a row has it."""
        profile = self._profile
        if LINKED in there:
            yield "an older contact is the same person, and stands for them", pl.col(LINKED)
        if profile.needs_account:
            yield "their account number is no account's", ~pl.col(HAS_ACCOUNT)
        for column in profile.columns:
            yield from _of_blanks(column, self._context)
        lists = [field for field, kind in profile.row_fields.items() if kind != "text"]
        for rule in profile.rules:
            found = _passes(rule, there, lists)
            if found is not None:
                why, passes = found
                yield why, ~passes
        keys = " or ".join(match_in_words(profile, number) for number in range(len(profile.match)))
        has_key = pl.any_horizontal(_has_key(rule, profile, there) for rule in profile.match)
        yield f"importing would not find them again by {keys}", ~has_key

    def _unread(self, read_right: dict[str, pl.Series]) -> Iterator[tuple[str, pl.Expr]]:
        for cell in self._layout.filled:
            if (right := _right(cell)) in read_right:
                yield f"'{cell.heading}' holds what importing would refuse or read otherwise", ~pl.col(right)

    def _without_doubtful_people(
        self, people: AccountContacts, values: pl.DataFrame, texts: pl.DataFrame, read_right: dict[str, pl.Series]
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Blanks contacts of accounts whose cells importing would refuse; counts contacts that have no place."""
        layout = self._layout
        fields = [name for name in people.fields.values() if name not in ACCOUNT_FIELDS]
        rights = [_right(cell) for cell in layout.filled if cell.field in fields]
        rules = [rule for rule in self._profile.rules if {*rule.fields} <= {*fields}]
        asked = [found[1] for rule in rules if (found := _passes(rule, values.columns, ())) is not None]
        judged = values.with_columns(**{name: read_right[name] for name in rights}).select(
            good=pl.all_horizontal(pl.lit(True), *map(pl.col, rights), *asked, pl.col(ID).is_not_null()),
            there=pl.any_horizontal(pl.col(name).is_not_null() for name in fields),
        )
        good, there = judged["good"], judged["there"]
        places = [str(n) for n, cell in enumerate(layout.cells) if cell is not None and cell.field in fields]
        blank = pl.when(pl.lit(good)).then
        values = values.with_columns(blank(pl.col(name)).alias(name) for name in fields)
        texts = texts.with_columns(blank(pl.col(name)).alias(name) for name in places)
        for right in rights:
            read_right[right] |= ~good
        missing = values[PEOPLE] - (good & there).cast(pl.Int64)
        why = "an account's row has room for one, with a name of its own and all that the profile asks for"
        with_missing = values.filter(missing > 0)[ID].head(_NAMED).to_list()
        self._count("contacts of accounts", why, int(missing.sum()), with_missing)
        return values, texts


def _named_otherwise(values: pl.DataFrame, profile: Profile) -> Iterator[tuple[str, pl.Expr]]:
    """Rows in which importing would complete names from other names, and write them."""
    if not {"update", "merge"} & {profile.matched, *profile.options.rule}:
        return
    made = completed(values, profile)
    fields = [field for field in (*PARTS, "full_name") if field in profile.column_of]
    same = [made[field].eq_missing(values[field]) for field in fields]
    if same:
        yield "importing would put their names together, or take them apart", ~pl.all_horizontal(map(pl.lit, same))


def _right(cell: Cell) -> str:
    return f"_right {cell.field}"


def _of_blanks(column: Column, context: Context) -> Iterator[tuple[str, pl.Expr]]:
    """Reasons by which a blank cell would not be read as blank, or a value that it stands for is the only one taken."""
    is_list = context.profile.row_fields[column.field] == "list"
    value = pl.col(column.field)
    blank = value.list.len().fill_null(0) == 0 if is_list else value.is_null()
    if column.required and not column.nothing:
        yield f"'{column.heading}' is required, and blank", blank
    if column.blank_means is not None:
        yield f"a blank in '{column.heading}' would mean '{column.blank_means}'", blank
        for rule in KINDS[column.type].rules(column, context, local_today()):
            if rule.code == "not-a-choice":
                yield f"'{column.heading}' is not {' or '.join(column.choices)}", ~rule.passes(value)


def _passes(rule: RowRule, there: Sequence[str], lists: Sequence[str]) -> tuple[str, pl.Expr] | None:
    """The reason if a rule is broken, and whether a row passes it; None: the rule does not judge single rows."""
    match rule:
        case AnyOf():
            return f"they have not {rule.message}", has_any_of(rule, there, lists)
        case Same():
            return f"{rule.same[0]} differs from {rule.same[1]}", has_same(rule, there)
        case Together():
            return f"they have only a part of {', '.join(rule.together)}", has_together(rule, there, lists)
        case RequiredWhen():
            return f"{rule.required} is blank where {required_when(rule)}", has_required(rule, there, lists)
        case InOrder():
            return f"{rule.end} is before {rule.start}", is_in_order(rule, there)
        case _:
            return None


def _has_key(rule: MatchRule, profile: Profile, there: Sequence[str]) -> pl.Expr:
    if rule.of:
        filled = [_is_key(name, profile, there).cast(pl.Int32) for name in rule.of]
        return pl.sum_horizontal(filled) >= (rule.at_least or 1)
    return pl.all_horizontal(_is_key(name, profile, there) for name in rule.equal)


def _is_key(name: str, profile: Profile, there: Sequence[str]) -> pl.Expr:
    """Whether a field can be compared: it is filled, and with no placeholder."""
    filled = is_filled(name, [each for each in there if each in profile.column_of])
    column = None if name == NAME else profile.column_of.get(name)
    is_placeholder = KINDS[column.type].is_placeholder if column and column.placeholders != "take" else None
    return filled if is_placeholder is None else filled & ~is_placeholder(pl.col(name)).fill_null(False)
