"""Decides colliding rows in file order. Their candidates are contacts as earlier rows have left or created them.

The loop covers these rows alone. It follows the keys of contacts and their required fields; writes are made later.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any, Final

import polars as pl

from contact_pipeline.engines import Tables, literal
from contact_pipeline.match.colliding import add_all, add_composed, composed_sets, has_unsettled, make_rows_in_turn
from contact_pipeline.match.erased import make_erased_in_turn, make_was_erased
from contact_pipeline.match.part import Part
from contact_pipeline.match.required import lacks, reject_rows
from contact_pipeline.match.standing import IN_DOUBT, Cells, Columns, Index, Person, Standing
from contact_pipeline.settings import Settings

Row = tuple[Cells, Cells]  # a row's cells, and their keys

_LOOPED: Final = "FROM rows_in_turn ANTI JOIN settled USING (row_number)"
_MOST_SEARCHES: Final = 3  # after so many searches for more colliding rows, every row is decided in turn

DECIDED: Final = {
    "row_number": pl.UInt32, "decision": pl.String, "target": pl.Int64, "leader": pl.UInt32, "counts": pl.Boolean,
}  # fmt: skip
DOUBTS: Final = {
    "row_number": pl.UInt32, "candidate": pl.Int64, "other_row": pl.UInt32, "shares": pl.List(pl.String),
}  # fmt: skip


def decide_in_turn(database: Tables, parts: Sequence[Part], settings: Settings) -> None:
    """Makes <entity>_in_turn, the decisions about colliding rows, and <entity>_doubts, their candidates in review.

    Also rejects colliding rows that would clear a required field.
    """
    turns: list[_Turns] = []
    clearing: list[tuple[int, str]] = []
    make_rows_in_turn(database, parts)
    searches, found = 0, has_unsettled(database)
    while found:
        with _no_collecting():
            turns = [_Turns(database, part, settings) for part in parts]
            clearing = _decide_all(database, turns)
        added = [add_composed(database, turn.part, turn.composed) for turn in turns]
        found = any(added)
        searches += 1
        if found and searches == _MOST_SEARCHES:
            for part in parts:
                add_all(database, part)
    for part, turn in zip_longest(parts, turns):
        _store(database, part.table("in_turn"), turn.decided if turn else [], DECIDED)
        _store(database, part.table("doubts"), turn.doubts if turn else [], DOUBTS)
        if part.primary:
            database.append(
                part.table("in_turn"),
                """
                SELECT row_number, decision, target, CASE WHEN decision = 'new' THEN first END AS leader, true AS counts
                FROM settled""",
            )
        make_was_erased(database, part, turn.was_erased if turn else [])
    reject_rows(database, clearing)


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Switches the garbage collector off: the loop makes no reference cycles, and scanning all rows takes long."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _store(database: Tables, table: str, lines: list[Any], schema: dict[str, Any]) -> None:
    database.see("lines", pl.DataFrame(lines, schema=schema, orient="row"))
    database.make(table, "FROM lines")
    database.unsee("lines")


def _decide_all(database: Tables, turns: list[_Turns]) -> list[tuple[int, str]]:
    """Decides each row; returns rows that would clear a required field, with the name of the field.

    A row has no effect at all when one of its parts is in review.
    """
    clearing = []
    first, *second = turns
    rejects = first.part.within_file == "reject_later"
    further = [(turn, dict(_rows(database, turn.part))) for turn in second]
    for row, cells in _rows(database, first.part):
        given = first.with_keys(cells)
        person = first.decide(row, given)
        more = [(turn, turn.with_keys(rows[row])) for turn, rows in further if row in rows]
        others = [(turn, turn.decide(row, part_given), part_given) for turn, part_given in more]
        takes = person is not None and all(other is not None for _, other, _ in others)
        repeats = rejects and person is not None and takes and first.repeats(person)
        if person is not None and takes and not repeats and (words := first.objection(person, given)):
            clearing.append((row, words))
            takes = False
        first.note(row, person, counts=takes)
        if takes and not repeats and person is not None:
            first.take(row, person, given)
        for turn, other, part_given in others:
            turn.note(row, other, counts=takes and not repeats)
            if takes and not repeats and other is not None:
                turn.take(row, other, part_given)
    return clearing


def _rows(database: Tables, part: Part) -> Iterator[tuple[int, Cells]]:
    """The colliding rows of a part in file order, each with its cells."""
    columns = _named(Columns(part).of_rows("r", "k"))
    frame = database.frame(f"""
        SELECT row_number{columns}
        FROM (FROM {part.table("row_keys")} SEMI JOIN ({_LOOPED}) USING (row_number)) AS k
             JOIN {part.table("rows")} AS r USING (row_number) ANTI JOIN left_out USING (row_number)
        ORDER BY row_number""")
    for row, *cells in frame.iter_rows():
        yield row, tuple(cells)


def _named(cells: list[str]) -> str:
    """More columns for a select list."""
    return "".join(f", {cell} AS cell_{place}" for place, cell in enumerate(cells))


class _Turns:
    """The colliding rows of one part: whom each row means, and how it changes that contact."""

    def __init__(self, database: Tables, part: Part, settings: Settings) -> None:
        self.part = part
        self.decided: list[tuple[int, str, int | None, int | None, bool]] = []
        self.doubts: list[tuple[int, int | None, int | None, list[str]]] = []
        # Rows that would be new, each with the erased contact to which it belongs.
        self.was_erased: list[tuple[int, int]] = []
        self.composed: dict[tuple[str, ...], set[Cells]] = defaultdict(set)
        self._erased = self._read_erased(database, settings)
        self._columns = Columns(part)
        self._index = Index(part)
        self._composed = self._index.getters(composed_sets(part))
        self._persons: dict[int, Person] = {}  # row → whom it means, of the rows that count
        self._reached: dict[Person, Standing | None] = {}  # whom rows mean → what further rows write to
        self._defaults = self._columns.defaults(database)
        self._there = self._read_candidates(database)
        self._resolved = self._read_resolutions(database)

    def with_keys(self, cells: Cells) -> Row:
        """A row's cells, with their keys."""
        return cells, self._columns.keys(cells)

    def decide(self, row: int, given: Row) -> Person | None:
        """Whom a row means. None: in review, with its candidates noted."""
        _, keys = given
        resolved = self._resolved.get(row)
        if resolved and resolved[2]:
            return self._chosen(row, *resolved[:2])
        person = self._index.person_of(keys)
        if person is not None and person != IN_DOUBT:
            return person
        if person is None:
            erased = self._erased.get(row)
            if erased is None:
                return -row
            self.was_erased.append((row, erased))
        if resolved:
            return self._chosen(row, *resolved[:2])
        if person is not None:
            self._doubt(row, keys)
        return None

    def objection(self, person: Person, given: Row) -> str | None:
        """The required field that the row would clear, in words."""
        if not self._columns.weighed or (target := self._target(person)) is None:
            return None
        after = self._columns.written(target.cells, given[0])
        return lacks(self.part, self._columns.weigh(target.cells), self._columns.weigh(after))

    def repeats(self, person: Person) -> bool:
        """Whether an earlier row means the same."""
        return person in self._reached

    def take(self, row: int, person: Person, given: Row) -> None:
        """Applies a row to its target, as far as the profile allows."""
        self._persons[row] = person
        repeats, target = person in self._reached, self._target(person)
        if target is not None:
            self._write(target, given)
        elif not repeats and not (person > 0 and self.part.matched == "ignore"):
            target = self._make(person, given)
        if not repeats:
            self._reached[person] = target

    def note(self, row: int, person: Person | None, *, counts: bool) -> None:
        """Notes the decision about a row."""
        if person is None:
            self.decided.append((row, "review", None, None, False))
        elif person > 0:
            self.decided.append((row, "matched", person, None, counts))
        else:
            self.decided.append((row, "new", None, -person, counts))

    def _chosen(self, row: int, choice: Any, other: int | None) -> Person:
        """What a person decided: a contact, the same as another row, or somebody new."""
        if choice == "contact" and other is not None:
            return other
        return self._persons.get(other, -row) if choice == "row" and other is not None else -row

    def _target(self, person: Person) -> Standing | None:
        """The contact that another row of this person writes to, if any."""
        if person not in self._reached:
            return self._there.get(person) if self.part.updates else None
        return self._reached[person] if self.part.within_file in {"merge", "last_wins"} else None

    def _write(self, target: Standing, given: Row) -> None:
        cells, row_keys = given
        after = self._columns.written(target.cells, cells)
        if after == target.cells:
            return
        target.cells = after
        keys = self._columns.keys(after)
        if keys != target.keys:
            self._index.move(target, keys)
            self._compose(keys, row_keys)

    def _make(self, person: Person, given: Row) -> Standing:
        cells, row_keys = given
        made = self._columns.made(cells, self._defaults)
        standing = Standing(person, made, self._columns.keys(made))
        self._index.add(standing)
        self._compose(standing.keys, row_keys)
        return standing

    def _compose(self, keys: Cells, row_keys: Cells) -> None:
        """Notes whole keys that the contact has by now and the row has not."""
        if keys != row_keys:
            for fields, get in self._composed:
                values = get(keys)
                if values != get(row_keys) and None not in values:
                    self.composed[fields].add(values)

    def _doubt(self, row: int, keys: Cells) -> None:
        """Notes the candidates of a row in review, and the fields that it shares with each."""
        listed = set()
        for standing in self._index.candidates(keys):
            candidate = standing.id or (standing.person if standing.person > 0 else None)
            other = None if candidate else -standing.person
            if (candidate, other) not in listed:
                listed.add((candidate, other))
                pairs = zip(self.part.key_fields, keys, standing.keys, strict=True)
                shares = [name for name, one, another in pairs if one is not None and one == another]
                self.doubts.append((row, candidate, other, shares))

    def _read_candidates(self, database: Tables) -> dict[Person, Standing]:
        """The contacts that these rows can reach, by id."""
        pairs = f"(FROM {self.part.table('pairs')} SEMI JOIN ({_LOOPED}) USING (row_number))"
        columns = _named(self._columns.of_candidates("c"))
        frame = database.frame(f"""
            WITH reached AS (
                SELECT candidate AS id, representative FROM {pairs}
                UNION SELECT representative, representative FROM {pairs}
            ),
            chosen AS (
                SELECT contact_id AS id, contact_id AS representative FROM resolutions
                WHERE entity = {literal(self.part.entity)} AND contact_id NOT IN (SELECT id FROM reached)
            )
            SELECT met.id, met.representative{columns} FROM {self.part.table("candidates")} AS c
            JOIN (FROM reached UNION ALL FROM chosen) AS met ON met.id = c.{self.part.id} ORDER BY met.id""")
        there = {}
        for number, person, *cells in frame.iter_rows():
            standing = Standing(person, tuple(cells), self._columns.keys(tuple(cells)), number)
            there[number] = standing
            self._index.add(standing)
        return there

    def _read_resolutions(self, database: Tables) -> dict[int, tuple[str, int | None, bool]]:
        """Row → what was decided about it: the choice, the contact or the other row, and whether in this upload."""
        rows = database.rows(f"""
            SELECT row_number, choice, coalesce(contact_id, other_row), own FROM resolutions
            WHERE entity = {literal(self.part.entity)} AND choice <> 'skip'""")
        return {row: (choice, other, own) for row, choice, other, own in rows}

    def _read_erased(self, database: Tables, settings: Settings) -> dict[int, int]:
        """Row → the erased contact to whom it belongs, unless a stored contact matches."""
        make_erased_in_turn(database, self.part, settings)
        return dict(database.rows("SELECT row_number, contact_id FROM erased_in_turn"))
