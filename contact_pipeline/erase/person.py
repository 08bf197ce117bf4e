"""The person to erase: the contact and those linked to it, and the values by which their rows are found elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import phonenumbers

from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.terms import CANONICAL

# Fields whose value belongs to one person, and those that are sensitive though many share a value. A name, a birth date
# or an address is shared by many.
_IDENTIFYING: Final = {name for name, field in CANONICAL.items() if field.identifies}
_NOT_IDENTIFYING: Final = {name for name, field in CANONICAL.items() if field.sensitive and not field.identifies}

_SHORTEST: Final = 6  # letters and digits of a value that is looked for; "AC-1" would be found anywhere
_LONG: Final = 9  # digits of a number that is hardly ever a part of another one
_SIGNS: Final = " ().\\-/\N{NO-BREAK SPACE}\N{HYPHEN}-\N{EM DASH}"  # between the digits of a number
_BETWEEN_DIGITS: Final = rf"[\s{_SIGNS}]{{0,3}}"
_COUNTRY: Final = rf"\+?(?:\d{{0,4}}{_BETWEEN_DIGITS}){{0,2}}"  # any, before what may be a telephone number
_TRUNK: Final = rf"(?:(?:0\d{{0,2}}|80?|1){_BETWEEN_DIGITS})?"  # dialled before a telephone number in its country

_LETTERS: Final = r"\wÀ-῿"  # to DuckDB, \w is of ASCII alone
_ENDINGS: Final = "csv|tsv|tab|txt|xls[xmb]?|ods"  # of a file that is called by a value

_NOTHING: Final = r"[^\s\S]"  # the pattern that nothing matches

_STARS: Final = r"\1\4\7***\3\6\9"  # in place of a value, what stands around it kept


@dataclass(frozen=True, slots=True)
class Person:
    """The person to erase.

    Attributes:
        contact_ids: the contact and those linked to it, which are the same person.
        pattern: regular expression that finds a value of theirs in a text, as DuckDB, Polars and Python all read it;
            None where they have none that is theirs alone.
        shared: field → the other contacts that hold the same value; such a value stays theirs.
    """

    contact_ids: list[int]
    pattern: str | None
    shared: dict[str, list[int]]

    @property
    def ids(self) -> str:
        """The contact ids as an SQL list."""
        return ", ".join(str(contact_id) for contact_id in self.contact_ids)

    def values_in(self, text: str) -> list[str]:
        """The values that the pattern finds in a text, without the characters around them."""
        found = re.finditer(self.pattern, text) if self.pattern is not None else ()
        return list(dict.fromkeys(match[2] or match[5] for match in found))


def redacted(expression: str, pattern: str) -> str:
    """The SQL expression of a text with stars for the values. Replaces twice, as two may share a sign between them."""
    for _ in range(2):
        expression = f"regexp_replace({expression}, {literal(pattern)}, {literal(_STARS)}, 'g')"
    return expression


def redact(text: str, pattern: re.Pattern[str]) -> str:
    """The text with stars for the values."""
    return pattern.sub(_STARS, pattern.sub(_STARS, text))


def find_person(database: Tables, contact_ids: list[int]) -> Person:
    """Gathers what the contact database knows about a person."""
    stored = database.rows("SELECT name, kind, sensitive FROM fields")
    fields = [
        name
        for name, kind, sensitive in stored
        if kind == "text" and name not in _NOT_IDENTIFYING and (sensitive or name in _IDENTIFYING)
    ]
    every = {name: kind for name, kind, _ in stored if kind != "boolean"}
    person = Person(contact_ids, None, {})
    own = _values_of(database, fields, f"contact_id IN ({person.ids})")
    shared: dict[str, set[int]] = {}
    for field, value, contact_id in _shared_with_others(database, fields, every, person, own):
        own.discard((field, value))
        if contact_id is not None:  # else it is an account's number
            shared.setdefault(field, set()).add(contact_id)
    return Person(
        contact_ids,
        pattern_of(value for _, value in own),
        {field: sorted(ids) for field, ids in sorted(shared.items())},
    )


def _values_of(database: Tables, fields: Iterable[str], where: str) -> set[tuple[str, str]]:
    """All values of these fields, present and past, in lower case."""
    queries = [query for name in fields for query in _values(name, where)]
    return {(field, value) for field, value, _ in database.rows(" UNION ".join(queries))}


def _values(field: str, where: str) -> list[str]:
    sources = [("contacts", field), ("contact_changes", f"before_{field}"), ("contact_changes", f"after_{field}")]
    return [
        f"""SELECT {literal(field)} AS field, lower(trim({quoted(column)})) AS value, contact_id FROM {table}
            WHERE ({where}) AND {quoted(column)} IS NOT NULL"""
        for table, column in sources
    ]


def _shared_with_others(
    database: Tables,
    fields: Iterable[str],
    every: Mapping[str, str],
    person: Person,
    own: set[tuple[str, str]],
) -> list[tuple[Any, ...]]:
    """The values that other contacts hold or held, too, in any field or within a text, and numbers of accounts."""
    if not own:
        return []
    pattern = pattern_of(value for _, value in own) or _NOTHING
    wanted = ", ".join(
        f"({literal(field)}, {literal(value)}, {literal(pattern_of([value]) or _NOTHING)})"
        for field, value in sorted(own)
    )
    of_others = f"contact_id NOT IN ({person.ids})"
    others = [query for name in fields for query in _values(name, of_others)]
    quoting = [f"FROM ({query}) WHERE regexp_matches(text, {literal(pattern)})" for query in _texts(every, of_others)]
    return database.rows(f"""
        WITH wanted(field, value, pattern) AS (VALUES {wanted}),
        quoting AS MATERIALIZED ({" UNION ALL ".join(quoting)})
        SELECT DISTINCT w.field, w.value, o.contact_id
        FROM wanted AS w JOIN ({" UNION ".join(others)}) AS o ON o.value = w.value
        UNION
        SELECT w.field, w.value, q.contact_id
        FROM wanted AS w JOIN quoting AS q ON regexp_matches(q.text, w.pattern)
        UNION
        SELECT w.field, w.value, c.contact_id
        FROM wanted AS w JOIN accounts AS a ON lower(trim(a.account_number)) = w.value
        LEFT JOIN (FROM contacts WHERE {of_others}) AS c USING (address_book, account_number)""")


def _texts(fields: Mapping[str, str], where: str) -> Iterator[str]:
    """The queries for all that contacts hold or held: one text for each contact, and for each side of a change."""
    for table, side in (("contacts", ""), ("contact_changes", "before_"), ("contact_changes", "after_")):
        cells = ", ".join(
            f"array_to_string({quoted(side + name)}, chr(31))" if kind == "list" else quoted(side + name)
            for name, kind in fields.items()
        )
        yield f"SELECT concat_ws(chr(31), {cells}) AS text, contact_id FROM {table} WHERE {where}"


def pattern_of(values: Iterable[str]) -> str | None:
    """The regular expression that finds any of the values, and numbers in any notation; None if there are no values."""
    words: set[str] = set()
    numbers: set[str] = set()
    short_numbers: set[str] = set()
    for value in values:
        if found := _number(value):
            spelling, digits = found
            (numbers if digits >= _LONG else short_numbers).add(spelling)
        elif len(re.sub(r"[\W_]", "", value)) >= _SHORTEST:
            words.add(re.escape(value).replace("i", "[iİ]"))  # DuckDB makes i of İ, and finds no İ by it
    if not words and not numbers and not short_numbers:
        return None
    word, number, short = ("|".join(sorted(found)) or _NOTHING for found in (words, numbers, short_numbers))
    return (
        rf"(?i)(^|[^{_LETTERS}.+%-])({word})($|[^{_LETTERS}.@-]|\.(?:(?:{_ENDINGS})?(?:\W|$)))"
        rf"|(^|\D)({number})($|\D)"
        rf"|((?:^|[^\d{_SIGNS}])[{_SIGNS}]{{0,3}})({short})([{_SIGNS}]{{0,3}}(?:$|[^\d{_SIGNS}]))"
    )


def _number(value: str) -> tuple[str, int] | None:
    """The expression that finds a number, and its count of digits without the country; None if the value is no number.

    A telephone number may be preceded by its country code and trunk prefix. Other numbers are found in other notations
    only if they are long: 260112 is not 26/01/12, nor the end of a telephone number.
    """
    before = _COUNTRY
    if is_phone := value.startswith("+"):
        try:
            phone = phonenumbers.parse(value.partition(";")[0])
        except phonenumbers.NumberParseException:
            return None
        value = str(phone.national_number)
        code = _BETWEEN_DIGITS.join(str(phone.country_code))
        before = rf"\+?{_BETWEEN_DIGITS}(?:(?:\d{{1,4}}{_BETWEEN_DIGITS})?{code}{_BETWEEN_DIGITS})?{_TRUNK}"
    digits = re.sub(rf"[{_SIGNS}]", "", value)
    if not (digits.isascii() and digits.isdecimal() and len(digits) >= _SHORTEST):
        return None
    if is_phone or len(digits) >= _LONG:
        return f"(?:{before}{_BETWEEN_DIGITS.join(digits)})", len(digits)
    return "|".join(sorted({digits, re.escape(value)})), len(digits)
