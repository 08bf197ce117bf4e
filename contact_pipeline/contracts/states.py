"""The life of an upload: its states, what each means, and which call leads from which state to which.

Refusals of calls, the table of the guide and the picture of the reference are all made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

State = Literal[
    "received", "staged", "blocked", "stale", "applied", "finalized", "cancelled", "undone", "refused", "repeated",
    "failed",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of a state, and what somebody can do next; both in Markdown."""

    means: str
    next: str = ""


STATES: Final[Mapping[State, Meaning]] = {
    "received": Meaning("the file is taken, and its rows are on the way to a changeset", "`replan` goes on with it"),
    "staged": Meaning("the changeset is frozen, nothing is changed", "`apply` or `cancel`"),
    "blocked": Meaning(
        "errors, or a guard, block it",
        "correct the file and plan it again; or [confirm](#confirm-what-is-unusual) what the guard asks",
    ),
    "stale": Meaning("the contacts changed in the meantime", "`replan`, and approve the new changeset"),
    "applied": Meaning("the contacts are changed", "`finalize`, where the profile holds changes back"),
    "finalized": Meaning("held changes are visible to everybody"),
    "undone": Meaning("it is out of effect: what it applied is taken back", "`redo` brings it back"),
    "repeated": Meaning("the same file is applied already, nothing was changed"),
    "refused": Meaning(
        "the file or the request could not be taken; the ledger says why", "correct it and send it again"
    ),
    "cancelled": Meaning("somebody gave it up; only the ledger line stays"),
    "failed": Meaning("a fault of the machine or of the program", "plan the file again"),
}

RECEIVED: Final[frozenset[State]] = frozenset({"received"})
PLANNED: Final[frozenset[State]] = frozenset({"staged", "blocked", "stale"})  # and nothing of it is applied
APPLIED: Final[frozenset[State]] = frozenset({"applied", "finalized"})
WAS_APPLIED: Final[frozenset[State]] = APPLIED | {"undone"}
NOTHING_CAME_IN: Final[frozenset[State]] = frozenset({"blocked", "stale", "cancelled", "refused", "failed"})
ENDED_WITHOUT: Final[frozenset[State]] = frozenset({"refused", "failed", "cancelled"})  # anything that could go on
LIFE_ENDED: Final[frozenset[State]] = ENDED_WITHOUT | WAS_APPLIED | {"repeated"}  # unless it is held, or rows wait
BEGUN: Final[frozenset[State]] = frozenset({"received", "repeated", "refused", "staged"})  # staged: made by hand

_AS_IT_IS: Final[Mapping[State, frozenset[State]]] = {state: frozenset({state}) for state in STATES}
_MATCHED: Final[frozenset[State]] = frozenset({"staged", "blocked"})
_READ: Final[frozenset[State]] = _MATCHED | {"refused"}


@dataclass(frozen=True, slots=True)
class Call:
    """A call on an upload.

    Attributes:
        leads: state → the states in which the upload may be afterwards; a state that is not here refuses the call.
        wanted: participle for the refusal, as in "cannot be applied".
        fix: which uploads the call is for.
    """

    leads: Mapping[State, frozenset[State]]
    wanted: str = ""
    fix: str = ""


CALLS: Final[Mapping[str, Call]] = {
    "replan": Call(
        {**_AS_IT_IS, **dict.fromkeys(RECEIVED | PLANNED, _READ)},
        "planned again",
    ),
    "correct": Call(
        dict.fromkeys(PLANNED, _READ),
        "corrected",
        "Only a planned upload that is not applied can be corrected.",
    ),
    "apply": Call(
        {
            "staged": frozenset({"applied", "stale", "staged"}),  # staged: approved by the first of two
            "blocked": frozenset({"applied", "stale", "blocked"}),
            "stale": frozenset({"stale"}),
            "applied": frozenset({"applied"}),
            "finalized": frozenset({"finalized"}),
        },
        "applied",
        "Only a staged upload can be applied.",
    ),
    "resolve": Call(
        {
            "staged": _MATCHED,
            "blocked": _MATCHED,
            "stale": _MATCHED,
            "applied": frozenset({"applied"}),
            "finalized": frozenset({"finalized"}),
        },
        "reviewed",
        "Only a staged or applied upload has rows to decide.",
    ),
    "finalize": Call(
        {"applied": frozenset({"finalized"}), "finalized": frozenset({"finalized"})},
        "finalized",
        "Only an applied upload can be finalized.",
    ),
    "undo": Call(
        dict.fromkeys(WAS_APPLIED, frozenset({"undone"})), "undone", "Only an upload that was applied can be."
    ),
    "redo": Call(
        {"undone": APPLIED, "applied": frozenset({"applied"}), "finalized": frozenset({"finalized"})},
        "redone",
        "Only an upload that was applied can be.",
    ),
    "cancel": Call(
        dict.fromkeys(RECEIVED | PLANNED | {"cancelled"}, frozenset({"cancelled"})),
        "cancelled",
        "Only an upload that is not applied can be cancelled.",
    ),
    "erase": Call(
        {**_AS_IT_IS, **{state: frozenset({state, "stale"}) for state in PLANNED}},
    ),
}
