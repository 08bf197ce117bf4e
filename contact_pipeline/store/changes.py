"""How changes are kept: flat, with before_<field> and after_<field>, both null where a change leaves a field alone.

So a change touches exactly the fields whose two sides differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from contact_pipeline.engines import Tables, literal, quoted


def touches(field: str, alias: str = "") -> str:
    """The SQL condition that a change touches a field."""
    prefix = f"{alias}." if alias else ""
    return f"{prefix}{quoted(f'before_{field}')} IS DISTINCT FROM {prefix}{quoted(f'after_{field}')}"


def touched(fields: Iterable[str], alias: str = "") -> str:
    """The SQL expression for the list of fields that a change touches."""
    names = ", ".join(f"CASE WHEN {touches(field, alias)} THEN {literal(field)} END" for field in fields)
    return f"list_filter([{names}], lambda name: name IS NOT NULL)"


def newest(field: str, alias: str = "", among: str = "true") -> str:
    """The SQL aggregate for the value of a field after the newest of the changes that touch it.

    Args:
        field: of contacts or accounts.
        alias: of the table of changes.
        among: condition on the changes that count.
    """
    return _at_end("arg_max", "after", field, alias, f"{touches(field, alias)} AND {among}")


def oldest(field: str) -> str:
    """The SQL aggregate for the value of a field before the oldest of the changes that touch it."""
    return _at_end("arg_min", "before", field, "", touches(field))


def target_of(change: Mapping[str, Any]) -> str:
    """The target of a change in an upload's document, in words: a contact, account, membership or link."""
    identity = change.get("contact_id") or change.get("account_id") or ""
    if "group_name" in change:
        return f"contact {identity} in group {change['group_name']}"
    if "linked_to" in change:
        return f"contact {identity} linked to {change['linked_to']}"
    return f"{change.get('target', 'contact')} {identity}".strip()


def kept_fields(database: Tables, table: str) -> list[str]:
    """The fields for which a table of changes, such as contact_changes, has columns."""
    return [name.removeprefix("after_") for name in database.columns(table) if name.startswith("after_")]


def _at_end(chosen: str, side: str, field: str, alias: str, condition: str) -> str:
    """In a struct, since arg_max and arg_min pass over nulls, and a change may clear a field."""
    prefix = f"{alias}." if alias else ""
    value, number = f"{prefix}{quoted(f'{side}_{field}')}", f"{prefix}commit_number"
    return f"({chosen}({{'value': {value}}}, {number}) FILTER ({condition})).value"
