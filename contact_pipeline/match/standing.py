"""Contacts in the loop over colliding rows: their current cells and keys, and an index from keys to contacts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from operator import itemgetter
from typing import Final

from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.match.keys import key_column, part_key
from contact_pipeline.match.part import NAME_PARTS, Part
from contact_pipeline.match.required import weighed_fields
from contact_pipeline.profiles import NAME, MatchRule

# A cell is the key of a value (for a required field, the value), None where it is blank, or one of these marks:
_NOTHING: Final = ""  # the row has a word for "nothing": it clears the field
_LEFT: Final = "\x01"  # the row's cell could not be imported: the stored value stays
_KEYLESS: Final = "\x00"  # a value without a key
_HIGHEST_MARK: Final = "\x01"

Cells = tuple[str | None, ...]
Getter = Callable[[Cells], Cells]

# Whom a row means: the id of a stored contact or account, or minus the number of the row that creates one.
Person = int
IN_DOUBT: Final[Person] = 0


class Standing:
    """A contact or account as the rows so far have left it. One created by a row has no id yet."""

    __slots__ = ("cells", "id", "keys", "person")

    def __init__(self, person: Person, cells: Cells, keys: Cells, number: int | None = None) -> None:
        self.person = person
        self.cells = cells
        self.keys = keys
        self.id = number


class Columns:
    """The cells that the loop follows: those of the keys, then the required ones."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._names = [name for name in NAME_PARTS if name in part.looked_at]
        self._whole = self._names[:1] == ["full_name"]
        self._keyed = [column for name in part.key_fields for column in (self._names if name == NAME else [name])]
        self.weighed = weighed_fields(part)
        self._policies = [
            part.blank_policies[name] if name in part.kinds and name not in part.adds else "keep"
            for name in [*self._keyed, *self.weighed]
        ]
        self._keeps = all(policy == "keep" for policy in self._policies)
        self._name_at = self._place_of_name()

    def keys(self, cells: Cells) -> Cells:
        """The keys of a row's or a contact's cells, in the order of the part's key fields."""
        if self.weighed:
            cells = cells[: len(self._keyed)]
        keys = tuple([None if cell is None or cell <= _HIGHEST_MARK else cell for cell in cells])
        if self._name_at is None:
            return keys
        first, last = self._name_at, self._name_at + len(self._names)
        return (*keys[:first], self._name(cells[first:last], keys[first:last]), *keys[last:])

    def written(self, there: Cells, given: Cells) -> Cells:
        """A contact's cells after a row, by the blank policy of each."""
        if self._keeps:
            return tuple([old if new is None else new or None for old, new in zip(there, given, strict=True)])
        return tuple(map(_written, self._policies, there, given))

    def made(self, given: Cells, defaults: Cells) -> Cells:
        """The cells of a new contact."""
        return tuple([new if new and new != _LEFT else default for new, default in zip(given, defaults, strict=True)])

    def weigh(self, cells: Cells) -> dict[str, str | None]:
        """Field → value, of those that are required."""
        return dict(zip(self.weighed, cells[len(self._keyed) :], strict=True))

    def of_rows(self, alias: str, keys: str) -> list[str]:
        """The SQL expressions of a row's cells. Its keys are in the table `keys`, except for the parts of a name."""
        part = self._part
        keyed = [
            part_key(part, name, alias, part.kinds) if name in self._names else f"{keys}.{key_column(name)}"
            for name in self._keyed
        ]
        cells = [self._cell(alias, name, key) for name, key in zip(self._keyed, keyed, strict=True)]
        return [*cells, *(self._cell(alias, name, self._value(alias, name)) for name in self.weighed)]

    def of_candidates(self, alias: str) -> list[str]:
        """The SQL expressions of a candidate's cells."""
        known = self._part.looked_at
        keyed = [
            _stored(f"{alias}.{quoted(name)}", part_key(self._part, name, alias, known))
            if name in known
            else "NULL::VARCHAR"
            for name in self._keyed
        ]
        return [*keyed, *(f"nullif({self._value(alias, name)}, '')" for name in self.weighed)]

    def defaults(self, database: Tables) -> Cells:
        """The defaults of a new contact."""
        given = self._part.when_new
        keyed = [
            f"""(SELECT {part_key(self._part, name, "d", [name])}
                 FROM (SELECT {literal(given[name])} AS {quoted(name)}) AS d)"""
            if name in given
            else "NULL"
            for name in self._keyed
        ]
        values = [literal(given[name]) if name in given else "NULL" for name in self.weighed]
        cells = ", ".join(f"{cell} AS cell_{place}" for place, cell in enumerate([*keyed, *values]))
        return database.rows(f"SELECT {cells}")[0] if cells else ()

    def _place_of_name(self) -> int | None:
        fields = self._part.key_fields
        return fields.index(NAME) if NAME in fields else None

    def _name(self, cells: Cells, keys: Cells) -> str | None:
        """The key of a whole name, or else of a first and last one put together."""
        if self._whole:
            whole = cells[0]
            if whole is not None and whole not in {_NOTHING, _LEFT}:
                return keys[0]
        return " ".join([key for key in keys if key is not None]) or None

    def _cell(self, alias: str, name: str, expression: str) -> str:
        if name not in self._part.kinds:
            return "NULL::VARCHAR"
        value = f"{alias}.{quoted(name)}"
        absent = ""
        if self._part.takes_notes and self._part.blank_policies[name] == "overwrite":
            absent = f"WHEN list_contains({alias}.noted, {literal(name)}) THEN chr(1)"
        empty = f"WHEN {value} = '' THEN ''" if self._part.kinds[name] == "text" else ""
        return f"CASE {absent} {empty} WHEN {value} IS NOT NULL THEN coalesce({expression}, chr(0)) END"

    def _value(self, alias: str, name: str) -> str:
        """A text as it is; of a list or a truth value only that it is filled."""
        kinds = {**self._part.stored, **self._part.weighed}
        value = f"{alias}.{quoted(name)}"
        return value if kinds.get(name, "text") == "text" else f"CASE WHEN {value} IS NOT NULL THEN 'filled' END"


def _stored(value: str, expression: str) -> str:
    return f"CASE WHEN {value} <> '' THEN coalesce({expression}, chr(0)) END"


def _written(policy: str, there: str | None, given: str | None) -> str | None:
    if given == _LEFT:
        return there
    if policy == "fill":
        return there if there is not None else given or None
    if policy == "overwrite" or given is not None:
        return given or None
    return there


@dataclass(frozen=True, slots=True)
class _Rule:
    """A match rule by places in the keys."""

    rule: MatchRule
    indexes: list[tuple[Getter, dict[Cells, Standing | dict[Standing, None]]]]
    counted: list[int]
    narrow: list[int]
    higher: list[list[int]]


class Index:
    """The contacts so far, by their whole keys."""

    def __init__(self, part: Part) -> None:
        self._at = {name: place for place, name in enumerate(part.key_fields)}
        self._rules = [self._by_places(part, number, rule) for number, rule in enumerate(part.rules)]
        self._indexes = [index for rule in self._rules for index in rule.indexes]

    def add(self, standing: Standing) -> None:
        """Adds a contact."""
        for get, found in self._indexes:
            values = get(standing.keys)
            if None not in values:
                _add(found, values, standing)

    def move(self, standing: Standing, keys: Cells) -> None:
        """Replaces the keys of a contact."""
        for get, found in self._indexes:
            before, after = get(standing.keys), get(keys)
            if before != after:
                if None not in before:
                    _remove(found, before, standing)
                if None not in after:
                    _add(found, after, standing)
        standing.keys = keys

    def getters(self, sets: Iterable[Sequence[str]]) -> list[tuple[tuple[str, ...], Getter]]:
        """Sets of fields, each with a function that takes their values out of keys."""
        return [(tuple(fields), _getter([self._at[name] for name in fields])) for fields in sets]

    def person_of(self, keys: Cells) -> Person | None:
        """Whom the keys mean: the first rule that finds anybody decides. None: nobody; IN_DOUBT: nobody can say."""
        for rule in self._rules:
            found = _agreeing(rule, keys)
            if found:
                return _judged(rule, keys, found)
        return None

    def candidates(self, keys: Cells) -> Iterator[Standing]:
        """Everybody who agrees by a rule."""
        for rule in self._rules:
            yield from _agreeing(rule, keys)

    def _by_places(self, part: Part, number: int, rule: MatchRule) -> _Rule:
        sets = [tuple(rule.equal)] if rule.equal else list(combinations(rule.of, rule.at_least or 1))
        higher = [earlier.equal for earlier in part.rules[:number] if earlier.equal]
        return _Rule(
            rule,
            [(get, {}) for _, get in self.getters(sets)],
            [self._at[name] for name in rule.of],
            [self._at[step.field] for step in rule.narrow],
            [[self._at[name] for name in fields] for fields in higher] if rule.higher_differs != "same" else [],
        )


def _getter(places: list[int]) -> Getter:
    if len(places) == 1:
        (place,) = places
        return lambda keys: (keys[place],)
    return itemgetter(*places)


def _add(found: dict[Cells, Standing | dict[Standing, None]], values: Cells, standing: Standing) -> None:
    """Adds a contact under a key. Most keys have one contact alone, and need no dictionary."""
    known = found.get(values)
    if known is None:
        found[values] = standing
    elif isinstance(known, Standing):
        found[values] = {known: None, standing: None}
    else:
        known[standing] = None


def _remove(found: dict[Cells, Standing | dict[Standing, None]], values: Cells, standing: Standing) -> None:
    known = found[values]
    if isinstance(known, Standing):
        del found[values]
    else:
        del known[standing]


def _agreeing(rule: _Rule, keys: Cells) -> list[Standing]:
    """Those who agree in the rule's fields, or in any k of its n, and are not another person by a higher rule."""
    agreeing: list[Standing] = []
    for get, found in rule.indexes:
        known = found.get(get(keys))  # no contact is indexed under a key with a blank
        if known is None:
            continue
        several = [known] if isinstance(known, Standing) else [*known]
        agreeing = several if not agreeing else [*dict.fromkeys([*agreeing, *several])]
    if agreeing and rule.higher:
        return [one for one in agreeing if rule.rule.higher_differs == "review" or not _differs(rule, keys, one.keys)]
    return agreeing


def _judged(rule: _Rule, keys: Cells, found: list[Standing]) -> Person | None:
    if rule.counted and len(found) > 1:
        counts = [_shared(rule, keys, standing.keys) for standing in found]
        most = max(counts)
        found = [standing for standing, count in zip(found, counts, strict=True) if count == most]
    for step, place in zip(rule.rule.narrow, rule.narrow, strict=True):
        found = [one for one in found if keys[place] is not None and keys[place] == one.keys[place]]
        if not found:
            return None if step.otherwise == "new" else IN_DOUBT
    if len(found) > 1 and len({standing.person for standing in found}) > 1:
        return IN_DOUBT
    if rule.rule.higher_differs == "review" and any(_differs(rule, keys, one.keys) for one in found):
        return IN_DOUBT
    return found[0].person


def _shared(rule: _Rule, keys: Cells, others: Cells) -> int:
    return sum(keys[place] is not None and keys[place] == others[place] for place in rule.counted)


def _differs(rule: _Rule, keys: Cells, others: Cells) -> bool:
    """Whether a key of an earlier rule is filled on both sides and different."""
    for places in rule.higher:
        pairs = [(keys[place], others[place]) for place in places]
        if all(one is not None and other is not None for one, other in pairs) and any(a != b for a, b in pairs):
            return True
    return False
