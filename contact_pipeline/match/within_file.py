"""Rows that match no contact but each other: each joins the earliest leader before it, or leads itself.

Almost all rows share no key with another new row and are never looked at here; only those that do need the loop.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations

import polars as pl

from contact_pipeline.engines import Database
from contact_pipeline.match.keys import key_column
from contact_pipeline.match.part import Part
from contact_pipeline.profiles import MatchRule

Keys = tuple[str | None, ...]

FOLLOWERS = {"row_number": pl.UInt32, "leader": pl.UInt32, "in_doubt": pl.Boolean}


def find_followers(database: Database, part: Part, keys: str, decisions: str) -> pl.DataFrame:
    """The new rows that belong to an earlier new row: row_number, leader, and whether only a person can say.

    Args:
        database: with the part's tables.
        part: whose rows they are.
        keys: table of the rows' keys.
        decisions: table of the rows' decisions; only those decided as new are compared.
    """
    names = part.key_fields
    columns = ", ".join(key_column(name) for name in names)
    new = f"(SELECT * FROM {keys} SEMI JOIN (FROM {decisions} WHERE decision = 'new') USING (row_number))"
    shared = (
        " OR ".join(
            f"({fields}) IN (SELECT ({fields}) FROM new WHERE {filled} GROUP BY ALL HAVING count(*) > 1)"
            for fields, filled in _groupings(part.rules)
        )
        or "false"
    )
    rows = database.rows(f"WITH new AS {new} SELECT row_number, {columns} FROM new WHERE {shared} ORDER BY row_number")
    return pl.DataFrame(
        _Leaders(part.rules, names).follow((row[0], row[1:]) for row in rows), schema=FOLLOWERS, orient="row"
    )


def _sets(rule: MatchRule) -> list[tuple[str, ...]]:
    """The sets of fields of which two rows must agree in one, whole, to match by the rule."""
    return [tuple(rule.fields)] if rule.equal else list(combinations(rule.of, rule.at_least or 1))


def _groupings(rules: Iterable[MatchRule]) -> list[tuple[str, str]]:
    """Sets of key columns of which two rows must share one to match at all, each with the test that it is filled."""
    return [
        (
            ", ".join(key_column(name) for name in fields),
            " AND ".join(f"{key_column(name)} IS NOT NULL" for name in fields),
        )
        for rule in rules
        for fields in _sets(rule)
    ]


class _Leaders:
    """The leaders so far, found by their own submitted values; followers never attract others."""

    def __init__(self, rules: tuple[MatchRule, ...], names: list[str]) -> None:
        self._rules = rules
        self._sets = [_sets(rule) for rule in rules]
        self._at = {name: position for position, name in enumerate(names)}
        self._keys: dict[int, Keys] = {}
        self._by_value: dict[tuple[object, ...], list[int]] = defaultdict(list)

    def follow(self, rows: Iterable[tuple[int, Keys]]) -> list[tuple[int, int, bool]]:
        """Goes through the rows in file order; the followers among them."""
        followers = []
        for row_number, keys in rows:
            leader, in_doubt = self._leader_of(keys)
            if leader is None:
                self._add(row_number, keys)
            else:
                followers.append((row_number, leader, in_doubt))
        return followers

    def _leader_of(self, keys: Keys) -> tuple[int | None, bool]:
        found: dict[int, bool] = {}
        for number, rule in enumerate(self._rules):
            for leader in self._agreeing(number, keys):
                differs = rule.higher_differs if self._higher_differs(number, keys, self._keys[leader]) else "same"
                if differs != "another" and leader not in found:
                    found[leader] = differs == "review"
        if not found:
            return None, False
        earliest = min(found)
        return earliest, found[earliest]

    def _agreeing(self, number: int, keys: Keys) -> Iterable[int]:
        return {leader for entry in self._entries(number, keys) for leader in self._by_value.get(entry, ())}

    def _add(self, row_number: int, keys: Keys) -> None:
        self._keys[row_number] = keys
        for number in range(len(self._rules)):
            for entry in self._entries(number, keys):
                self._by_value[entry].append(row_number)

    def _entries(self, number: int, keys: Keys) -> Iterable[tuple[object, ...]]:
        for fields in self._sets[number]:
            values = tuple(keys[self._at[name]] for name in fields)
            if None not in values:
                yield number, fields, *values

    def _higher_differs(self, number: int, keys: Keys, others: Keys) -> bool:
        for rule in self._rules[:number]:
            pairs = [(keys[self._at[name]], others[self._at[name]]) for name in rule.equal]
            if pairs and all(a is not None and b is not None for a, b in pairs) and any(a != b for a, b in pairs):
                return True
        return False
