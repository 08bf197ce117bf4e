"""What the page of an upload offers: the calls, the confirmations, and what can be taken back or corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contact_pipeline.contracts.states import CALLS
from contact_pipeline.web.deciding import CONFIRMATIONS

if TYPE_CHECKING:
    from contact_pipeline.store import Upload


def possible_calls(upload: Upload) -> list[str]:
    """The calls that are possible in the upload's state and would change something."""
    possible = [name for name, call in CALLS.items() if upload.state in call.leads]
    asks = (upload.reason or {}).get("confirm")
    hidden = {
        "apply": upload.state not in {"staged", "blocked"} or (upload.state == "blocked" and not asks),
        "replan": upload.state != "stale" or upload.is_by_hand,
        "finalize": upload.state != "applied" or not upload.held,
        "undo": upload.state == "undone",
        "redo": upload.state != "undone",
        "cancel": upload.state == "cancelled",
        "resolve": upload.is_by_hand,
        "correct": upload.is_by_hand,
    }
    return [name for name in possible if not hidden.get(name)]


def confirmations_for(upload: Upload) -> list[tuple[str, str]]:
    """The confirmations that an approval needs: name and text."""
    asked = [*(upload.reason or {}).get("confirm", ())]
    if upload.deactivated and "deactivations" not in asked:
        asked.append("deactivations")
    them = "contact that is" if upload.deactivated == 1 else "contacts that are"
    words = CONFIRMATIONS | {"deactivations": f"Deactivate {upload.deactivated:,} {them} not in the file."}
    return [(name, words[name]) for name in asked]


def stands(decision: dict[str, Any], upload: Upload) -> bool:
    """Whether a decision was made about the upload, and is not withdrawn."""
    return decision["upload_id"] == upload.upload_id and not decision["withdrawn"]


def cells_to_correct(mapping: dict[str, str]) -> list[tuple[str, str]]:
    """Each heading, and the name by which its cells are corrected: the field's, unless several columns fill it."""
    fields = [*mapping.values()]
    return [(heading, field if fields.count(field) == 1 else heading) for heading, field in mapping.items()]


def in_effect(corrections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The corrections in effect, the newest first."""
    return [each for each in reversed(corrections) if not each["withdrawn"]]


def filled(change: dict[str, Any]) -> dict[str, Any]:
    """A change with all keys that the page reads."""
    names = ("contact_id", "account_id", "name", "group_name", "linked_to", "linked_to_name")
    return dict.fromkeys(names) | change
