"""Finds contacts by values as people write them: each is normalized as an import does it, and compared by match keys.

One SQL statement tests all criteria. Names are found by the beginnings of their words, everything else whole.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.erase.person import pattern_of
from contact_pipeline.errors import Refusal
from contact_pipeline.finding.readings import Typed, countries_of, fields_of, readings
from contact_pipeline.finding.words import as_typed, is_id, looks_like_phone
from contact_pipeline.match import key_of
from contact_pipeline.profiles import Profile
from contact_pipeline.store import Store
from contact_pipeline.store.groups import group_key

_ALL_OF_NAME: Final = "nullif(concat_ws(' ', full_name, first_name, last_name), '')"


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is known of somebody; all that is given must fit.

    Attributes:
        text: an id, an e-mail address, a phone number, an account's number or a name: whatever it can be.
        email: an e-mail address, in whatever case.
        phone: a phone number, set out in whatever way.
        name: a name, or the beginnings of its words in any order, without regard to case and accents.
        account: an account's number.
        group: a group's name; case and spaces do not matter.
        upload: id of an upload that changed the contact.
    """

    text: str | None = None
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    account: str | None = None
    group: str | None = None
    upload: str | None = None

    def __post_init__(self) -> None:
        given = [each.name for each in fields(self) if getattr(self, each.name) is not None]
        blank = [name for name in given if not getattr(self, name).strip()]
        if not given or blank:
            message = f"The value of {blank[0]} is empty." if blank else "No value says whom to find."
            fix = "Give an e-mail address, a phone number, a name or an account's number."
            raise Refusal("nothing-to-find", message, fix)


@dataclass(frozen=True, slots=True)
class Found:
    """The contacts that fit.

    Attributes:
        contacts: as `Store.contacts` gives them, sensitive values masked, by id; each with `found_by`, the criteria and
            fields that it fits.
        count: how many fit in all; more than those given where there is a limit.
    """

    contacts: list[dict[str, Any]]
    count: int


def find(store: Store, profiles: Collection[Profile], criteria: Criteria, limit: int | None = None) -> Found:
    """The contacts that fit all the criteria, deactivated ones included; nobody who was erased.

    Args:
        store: of the home.
        profiles: those of the home, which say how values are read.
        criteria: what is known.
        limit: how many to give at most; None: all of them.

    Raises:
        Refusal: there is no such upload (`upload-unknown`) or group (`group-unknown`).
    """
    if criteria.upload is not None:
        store.line(criteria.upload)
    with store.open(read_only=True) as database:
        wanted = [each for each in _conditions(database, profiles, criteria) if each]
        records = database.rows(_query(database, wanted, limit))
    found_by = {contact_id: how for contact_id, how, _ in records}
    contacts = store.contacts(among=found_by) if found_by else []
    shown = [contact | {"found_by": found_by[contact["contact_id"]]} for contact in contacts]
    return Found(shown, records[0][2] if records else 0)


def _query(database: Tables, wanted: Sequence[dict[str, str]], limit: int | None) -> str:
    """The query for contact_id, the names of the conditions that hold, and the count. Of each part one must hold."""
    together = " AND ".join(f"({' OR '.join(part.values())})" for part in wanted) or "false"
    named = ", ".join(f"CASE WHEN {how} THEN {literal(name)} END" for part in wanted for name, how in part.items())
    names = ", ".join(quoted(name) for name in database.columns("contacts"))
    return f"""
        WITH fitting AS (SELECT {names} FROM contacts AS c WHERE {together})
        SELECT contact_id, list_filter([{named or "NULL"}], lambda name: name IS NOT NULL), count(*) OVER ()
        FROM fitting AS c ORDER BY contact_id LIMIT {"ALL" if limit is None else limit}"""


def _conditions(database: Tables, profiles: Collection[Profile], criteria: Criteria) -> list[dict[str, str]]:
    """For each criterion: a name → SQL condition for each way to meet it; `false` where there is no way."""
    columns = database.columns("contacts")
    made: list[dict[str, str]] = []
    if criteria.text is not None:
        made.append(_any_criterion(database, profiles, columns, as_typed(criteria.text)))
    for kind, text in (("email", criteria.email), ("phone", criteria.phone)):
        if text is not None:
            made.append(typed(database, profiles, columns, kind, as_typed(text), notes=True) or {kind: "false"})  # type: ignore[arg-type]
    if criteria.name is not None:
        made.append({"name": _name_begins(database, criteria.name)})
    if criteria.account is not None:
        made.append({"account_number": _equals(database, "account_number", criteria.account, columns)})
    if criteria.group is not None:
        made.append({"group": _in_group(database, criteria.group)})
    if criteria.upload is not None:
        made.append({"upload": _changed_by(criteria.upload)})
    return made


def _any_criterion(
    database: Tables, profiles: Collection[Profile], columns: Sequence[str], text: str
) -> dict[str, str]:
    """The conditions for a text that can be anything: an id, an address, a number or a name."""
    found = {"account_number": _equals(database, "account_number", text, columns)}
    if "@" in text:
        return typed(database, profiles, columns, "email", text, notes=True) | found
    if is_id(text):
        found["contact_id"] = f"contact_id = {int(text)}"
    if looks_like_phone(text):
        found |= typed(database, profiles, columns, "phone", text, notes=True)
    if any(sign.isalpha() for sign in text):
        found["name"] = _name_begins(database, text)
    return found


def typed(
    database: Tables,
    profiles: Collection[Profile],
    columns: Sequence[str],
    kind: Typed,
    text: str,
    *,
    notes: bool,
) -> dict[str, str]:
    """Field → the SQL condition that a contact has this address or number in it.

    Args:
        database: the contact database.
        profiles: those of the home.
        columns: of the table `contacts`, seen as `c`.
        kind: what the text is.
        text: as somebody writes it.
        notes: whether to search the notes too, which hold further values of rows.
    """
    values = readings(text, kind, profiles, countries_of(database) if kind == "phone" else ())
    if not values:
        return {}
    found = {}
    for field in fields_of(kind, profiles, columns):
        key = key_of(field, "c", columns)
        keys = {_key(database, field, value) for value in values}
        found[field] = f"{key} IN ({', '.join(map(literal, sorted(keys)))})"
        if kind == "phone":  # a number without its extension means all who have one
            whole = [value for value in values if ";" not in value]
            among = ", ".join(map(literal, whole)) or "NULL"
            found[field] = f"({found[field]} OR split_part(c.{quoted(field)}, ';', 1) IN ({among}))"
    pattern = pattern_of(value.lower() for value in values)
    if notes and pattern:
        text_of = "array_to_string(c.notes, chr(31))"
        found["notes"] = f"(len(c.notes) > 0 AND regexp_matches({text_of}, {literal(pattern)}))"
    return found


def _key(database: Tables, field: str, value: str) -> str:
    """The match key of a value."""
    sql = f"SELECT {key_of(field, 'e', [field])} FROM (SELECT {literal(value)} AS {quoted(field)}) AS e"
    return str(database.value(sql))


def _equals(database: Tables, field: str, text: str, columns: Sequence[str]) -> str:
    value = " ".join(text.split())
    return f"{key_of(field, 'c', columns)} = {literal(_key(database, field, value))}"


def is_named(database: Tables, text: str, columns: Sequence[str]) -> str:
    """The SQL condition that a contact has this name: its full name, or first and last name put together."""
    key = literal(name_key(database, text))
    whole = key_of("name", "c", columns)
    parts = key_of("name", "c", ["first_name", "last_name"])
    return f"({whole} = {key} OR {parts} = {key})"


def name_key(database: Tables, text: str) -> str:
    """The match key of a name; empty where it has no letter."""
    key = _key(database, "full_name", " ".join(text.split()))
    return "" if key == "None" else key


def _name_begins(database: Tables, text: str) -> str:
    """The condition that each word of the text begins a word of the name."""
    words = name_key(database, text).split()
    if not words:
        return "false"
    key = key_of("full_name", "n", ["full_name"])
    begins = " AND ".join(f"contains(folded, {literal(f' {word}')})" for word in dict.fromkeys(words))
    return f"""
        c.contact_id IN (
            SELECT contact_id FROM (
                SELECT contact_id, ' ' || {key} AS folded
                FROM (SELECT contact_id, {_ALL_OF_NAME} AS full_name FROM contacts) AS n)
            WHERE {begins})"""


def _in_group(database: Tables, name: str) -> str:
    same = f"{group_key('group_name')} = {group_key(literal(name))}"
    if not database.value(f"SELECT count(*) FROM groups WHERE {same}"):
        message = f"There is no group '{name}'."
        raise Refusal("group-unknown", message, "`contact-pipeline groups list` lists the groups.")
    return f"c.contact_id IN (SELECT contact_id FROM memberships WHERE {same})"


def _changed_by(upload_id: str) -> str:
    touched = " UNION ALL ".join(
        f"SELECT {column} AS contact_id FROM {table} WHERE upload_id = {literal(upload_id)}"
        for table, column in (
            ("contact_changes", "contact_id"),
            ("membership_changes", "contact_id"),
            ("link_changes", "contact_id"),
            ("link_changes", "linked_to"),
        )
    )
    return f"c.contact_id IN ({touched})"
