"""The staged changes of an upload: the query for them, and how they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeGuard

from contact_pipeline.engines import StoredTables, literal, quoted
from contact_pipeline.masking import TOLD, mask_value, mask_within
from contact_pipeline.profiles import Profile, looks_in
from contact_pipeline.store.changes import touches

NamesOf = Callable[[Iterable[int]], dict[int, str]]  # ids of contacts → id → name
CHANGED: Final = ("account", "contact", "membership", "link")


def has_changes(database: StoredTables | None, target: str) -> TypeGuard[StoredTables]:
    """Whether changes to contacts, accounts, memberships or links are staged."""
    return database is not None and database.has(f"{target}_changes")


def changes_to(
    target: str,
    database: StoredTables,
    limit: int | None = None,
    *,
    row_number: int | None = None,
    among: Iterable[int] | None = None,
) -> str:
    """The query for the changes to contacts, accounts, memberships or links, ordered by row."""
    table = f"{target}_changes"
    kinds = database.types(table)
    fields = [name.removeprefix("after_") for name in kinds if name.startswith("after_")]
    identity = "account_id" if target == "account" else "contact_id"
    rest = "* EXCLUDE (action, row_number)"
    if fields:
        sides = (
            f"""CASE WHEN {touches(field)} THEN {{
                'field': {literal(field)},
                'before': {_as_text(f"before_{field}", kinds)},
                'after': {_as_text(f"after_{field}", kinds)}}} END"""
            for field in fields
        )
        rest = f"{identity}, list_filter([{', '.join(sides)}], lambda side: side IS NOT NULL) AS fields"
    where = "true" if row_number is None else f"row_number = {row_number}"
    if among is not None:
        where += f" AND {identity} IN ({', '.join(map(str, among)) or 'NULL'})"
    return f"""
        SELECT {literal(target)} AS target, action, row_number, {rest}
        FROM {table} WHERE {where}
        ORDER BY row_number, {identity} LIMIT {"ALL" if limit is None else limit}"""


def show_changes(profile: Profile | None, changes: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The records of `changes_to` as JSON documents, sensitive values masked."""
    for change in changes:
        fields = {}
        for field in change.pop("fields", None) or ():
            looks = looks_in(profile, field["field"]) if profile else TOLD
            fields[field["field"]] = [mask_value(value, looks) for value in (field["before"], field["after"])]
        named = {name: mask_within(value) for name, value in change.items() if value is not None}
        yield named | {"fields": fields}


def name_changes(changes: list[dict[str, Any]], names_of: NamesOf) -> list[dict[str, Any]]:
    """The changes with the names of their contacts: `name`, and for a link also `linked_to_name`."""
    ids = {change[key] for change in changes for key in ("contact_id", "linked_to") if key in change}
    names = names_of(ids) if ids else {}
    for change in changes:  # contacts that the upload creates have no other name yet
        given = _given_name(change)
        if given and change.get("contact_id") not in names:
            names[change["contact_id"]] = given
    for change in changes:
        for key, called in (("contact_id", "name"), ("linked_to", "linked_to_name")):
            if change.get(key) in names:
                change[called] = names[change[key]]
    return changes


def _given_name(change: dict[str, Any]) -> str:
    """The name that a change gives to the contact that it makes."""
    if change["target"] != "contact" or change["action"] != "create":
        return ""
    fields = change["fields"]
    whole, *parts = ((fields.get(name) or [None, None])[1] for name in ("full_name", "first_name", "last_name"))
    return whole or " ".join(part for part in parts if part)


def _as_text(column: str, kinds: dict[str, str]) -> str:
    name = quoted(column)
    return f"array_to_string({name}, '; ')" if kinds[column].endswith("[]") else f"{name}::VARCHAR"
