"""What an undo or redo leaves alone: whose fields they are, their values in the upload, and now."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from contact_pipeline.store import Store, Upload
from contact_pipeline.store.history import made_of_fields

_ENTITIES: Final = ("contact", "account")


def left_alone(store: Store, upload: Upload, limit: int | None = None) -> list[dict[str, Any]]:
    """The conflicts of the planned or executed inverse of an upload; sensitive values are masked.

    Args:
        store: of the home.
        upload: the upload that is undone or redone.
        limit: how many are given, the first ones; unset: all of them.

    Returns:
        target, id, name (if the contact has one), field, upload_id that changed it since, reason, left_as; and for a
        field its value before and after the upload, and now.
    """
    inverse = upload.inverse
    found = inverse.conflicts if limit is None else inverse.conflicts.head(limit)
    conflicts = found.to_dicts()
    if not conflicts:
        return []
    named = inverse.names({each["id"] for each in conflicts if each["target"] != "account"})
    ids: dict[str, set[int]] = defaultdict(set)
    for each in conflicts:
        if each["field"]:
            ids[each["target"]].add(each["id"])
    with store.open(read_only=True) as contacts:
        sides = {entity: made_of_fields(contacts, entity, upload.upload_id, ids[entity]) for entity in _ENTITIES}
    return [
        each
        | ({"name": named[each["id"]]} if each["target"] != "account" and each["id"] in named else {})
        | sides.get(each["target"], {}).get((each["id"], each["field"]), {})
        for each in conflicts
    ]
