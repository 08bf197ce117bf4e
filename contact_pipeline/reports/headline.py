"""The headline of an upload: what happened to it, in one line, with its counts.

Planned changes are never worded as if they were applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from contact_pipeline.contracts.states import APPLIED, WAS_APPLIED, State
from contact_pipeline.errors import number_of
from contact_pipeline.terms import IMPORTED, LEFT_OUT

if TYPE_CHECKING:
    from contact_pipeline.store import Upload

_PLANNED: Final = {"created": "to create", "updated": "to update", "linked": "to link"}
_DONE: Final = {
    "create": "created", "update": "updated", "reactivate": "reactivated", "deactivate": "deactivated",
    "remove": "removed",
}  # fmt: skip
_REFUSED: Final = ("rejected", "review")
_WOULD: Final = {action: f"to {action}" for action in _DONE}


_HEADLINE_OF: Final[Mapping[State, str]] = {
    "received": "Received, and not planned yet",
    "staged": "Planned, nothing is changed yet",
    "blocked": "Blocked, nothing is changed",
    "stale": "Stale, nothing is changed: the contacts have changed since it was planned",
    "applied": "Applied",
    "finalized": "Finalized, visible to everybody",
    "undone": "Undone, taken back",
    "repeated": "Repeated, nothing is changed: the same file is applied already",
    "cancelled": "Cancelled, nothing was imported",
    "refused": "Refused, nothing was imported",
    "failed": "Failed, nothing was imported",
}


def headline(upload: Upload) -> str:
    """What happened to an upload, in one line."""
    held = ", held back until it is finalized" if upload.held and upload.state == "applied" else ""
    text = f"{_HEADLINE_OF[upload.state]}{held}"
    if upload.is_half_approved:
        text = f"Approved by {upload.first_approved_by}, the first of two; nothing is changed yet"
    if upload.state in {"staged", *APPLIED}:
        return f"{text}: {_what(upload)}."
    if upload.state == "blocked":
        asked = upload.to_confirm
        why = _counted(upload, _REFUSED)
        return f"{text} unless you confirm: {', '.join(asked)}." if asked else f"{text}{f': {why}' if why else ''}."
    if upload.state == "undone":
        taken = upload.file_name if upload.is_by_hand else _counted(upload, IMPORTED)
        return f"{text}: {taken or 'nothing had come in'}."
    return f"{text}, as upload {upload.repeats}." if upload.repeats else f"{text}."


def of_turn(turn: str, counts: Mapping[str, Mapping[str, int]], left_alone: int, *, planned: bool) -> str:
    """What an undo or redo has written, or would write, in one line.

    Args:
        turn: undo or redo.
        counts: target → action → changes.
        left_alone: values that stay as they are.
        planned: whether nothing is changed yet.
    """
    words = _WOULD if planned else _DONE
    text = _joined(
        f"{number_of(count, target)} {words.get(action, action)}"
        for target, actions in counts.items()
        for action, count in actions.items()
    )
    kept = f"; {number_of(left_alone, 'value')} left alone" if left_alone else ""
    begins = f"{turn.capitalize()} planned, nothing is changed yet" if planned else f"{turn.capitalize()}ne"
    return f"{begins}: {text or 'nothing to change'}{kept}."


def _joined(parts: Iterable[str]) -> str:
    """Counts in words, one after the other."""
    return ", ".join(part for part in parts if part)


def _what(upload: Upload) -> str:
    """The outcomes of an upload's rows, and how many wait; for a change by hand, its description."""
    if upload.is_by_hand:
        return f"{upload.file_name}{_whom(upload)}"
    text = _counted(upload, (*IMPORTED, "unchanged", "rejected", "duplicate", LEFT_OUT))
    more = _joined(
        (
            f"{number_of(upload.deactivated, 'contact')} deactivated" if upload.deactivated else "",
            f"{number_of(upload.contacts_created, 'contact')} with them" if upload.contacts_created else "",
        )
    )
    count = upload.outcomes["review"]
    waits = f"{count:,} {'waits' if count == 1 else 'wait'} for review" if count else ""
    counts = _joined((text, more)) or ("" if waits else "no rows")
    return f"{'; '.join(part for part in (counts, waits) if part)}{_whom(upload)}"


def _counted(upload: Upload, outcomes: Iterable[str]) -> str:
    """Outcomes with their counts, worded as planned or done."""
    done = upload.state in WAS_APPLIED
    return _joined(
        f"{upload.outcomes[outcome]:,} {_word(upload, outcome, done=done)}"
        for outcome in outcomes
        if upload.outcomes.get(outcome)
    )


_OUTCOME: Final = {"review": "for review", LEFT_OUT: "left out"}


def _word(upload: Upload, outcome: str, *, done: bool) -> str:
    if outcome == "duplicate":
        profile = upload.line.read_profile() or {}
        many = "duplicate" if upload.outcomes["duplicate"] == 1 else "duplicates"
        return f"{many} {'merged' if profile.get('within_file') == 'merge' else 'ignored'}"
    if outcome in _OUTCOME:
        return _OUTCOME[outcome]
    return outcome if done else _PLANNED.get(outcome, outcome)


def _whom(upload: Upload) -> str:
    """The contact, if the upload changes only one."""
    outcomes = upload.outcomes
    if not upload.is_by_hand and sum(outcomes[outcome] for outcome in IMPORTED) != 1:
        return ""
    changes = upload.first_changes(2)
    ids = {change["contact_id"] for change in changes if "contact_id" in change}
    if len(ids) != 1:
        return ""
    names = [change["name"] for change in changes if change.get("name")]
    contact = f"contact {ids.pop()}"
    if contact in upload.file_name and upload.is_by_hand:
        return f", {names[0]}" if names else ""
    return f" ({contact}{f', {names[0]}' if names else ''})"
