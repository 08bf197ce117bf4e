"""The changes of an upload on the page: counts by kind, and as many changes as have room, before and after."""

from __future__ import annotations

from typing import Any, Final

from contact_pipeline.engines import Tables
from contact_pipeline.pages.review.room import cut, fitting, in_turn
from contact_pipeline.store import Upload
from contact_pipeline.store.changes import kept_fields, touched
from contact_pipeline.store.staged_changes import CHANGED

_GROUPS: Final = 400
_OF_A_GROUP: Final = 1_000
_CHANGES: Final = 3_000
_ROOM: Final = 260_000  # bytes
_NAMES: Final = 2_000
_ROOM_OF_NAMES: Final = 60_000


def gather_changes(upload: Upload) -> dict[str, Any]:
    """The changes that the page has.

    Returns:
        groups: target, action, fields and how many changes; count: of all; changes: target, id, name, action,
        row_number, fields (field → before and after), and `to`: the group or contact of a membership or link.
    """
    groups: list[list[Any]] = []
    changes: list[dict[str, Any]] = []
    with upload.staging.look() as database:
        for target in CHANGED:
            if database is not None and database.has(f"{target}_changes"):
                found = _groups(database, target)
                groups += [[target, action, fields, count] for action, fields, count, _ in found]
                wanted = in_turn([some for *_, some in found])[:_CHANGES]
                among = {identity: place for place, identity in enumerate(wanted)}
                some = upload.changes_among(target, wanted)
                changes += sorted(some, key=lambda change: among[change[_identity(target)]])
    made = {
        change["contact_id"]: change["name"] for change in changes if change["target"] == "contact" and "name" in change
    }
    for change in changes:
        change.setdefault("name", made.get(change.get("contact_id"), ""))
    taken = fitting((_for_the_page(change) for change in _mixed(changes)), _ROOM)
    return {
        "groups": groups,
        "count": sum(group[-1] for group in groups),
        "changes": sorted(taken, key=_in_order),
    }


def _in_order(change: dict[str, Any]) -> tuple[Any, ...]:
    """Sort key: by row, and a contact's own changes before the groups that it joins."""
    return change["row"] is None, change["row"], change["id"], CHANGED.index(change["target"])


def gather_deactivations(upload: Upload) -> dict[str, Any]:
    """The contacts that an upload deactivates: how many, and the first by name (contact_id and name)."""
    with upload.staging.look() as database:
        if database is None or not database.has("contact_changes"):
            return {"count": 0, "contacts": []}
        of = "FROM contact_changes WHERE action = 'deactivate'"
        count = database.value(f"SELECT count(*) {of}")
        ids = [each for (each,) in database.rows(f"SELECT contact_id {of} ORDER BY contact_id LIMIT {_NAMES}")]
    names = upload.names(ids) if ids else {}
    listed = sorted(([each, names.get(each, "")] for each in ids), key=lambda each: (each[1].casefold(), each[0]))
    return {"count": count, "contacts": fitting(cut(listed), _ROOM_OF_NAMES)}


def _identity(target: str) -> str:
    return "account_id" if target == "account" else "contact_id"


def _groups(database: Tables, target: str) -> list[tuple[Any, ...]]:
    table, identity = f"{target}_changes", _identity(target)
    fields = kept_fields(database, table)
    return database.rows(f"""
        SELECT action, {touched(fields) if fields else "[]::VARCHAR[]"} AS fields, count(*) AS changes,
               min({identity}, {_OF_A_GROUP}) AS some
        FROM {table} GROUP BY ALL ORDER BY changes DESC, action, fields LIMIT {_GROUPS}""")


def _mixed(changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The changes with targets alternating, so that all targets have room on the page."""
    by_target: dict[str, list[int]] = {}
    for place, change in enumerate(changes):
        by_target.setdefault(change["target"], []).append(place)
    return [changes[place] for place in in_turn([*by_target.values()])]


def _for_the_page(change: dict[str, Any]) -> dict[str, Any]:
    fields = change["fields"]
    if change["action"] == "create":
        fields = {name: sides for name, sides in fields.items() if name != "active"}
    shown = {
        "target": change["target"],
        "id": change.get(_identity(change["target"])),
        "name": change.get("name", ""),
        "action": change["action"],
        "row": change.get("row_number"),
        "fields": fields,
        "to": change.get("group_name") or change.get("linked_to_name") or change.get("linked_to"),
    }
    cut_short: dict[str, Any] = cut(shown)
    return cut_short
