"""News: what people can be told of an upload, a feed or the home, and what each notice says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from contact_pipeline.contracts.ledger import LedgerLine

UploadEvent = Literal[
    "staged", "blocked", "stale", "applied", "held", "finalized", "undone", "refused", "failed", "stopped"
]
FeedEvent = Literal["missed", "broken"]
HomeEvent = Literal["disk_low"]
Event = Literal[UploadEvent, FeedEvent, HomeEvent]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a notice about an event.

    Attributes:
        became: after `<file> is …`.
        means: the meaning of the event, in a sentence.
        next: purpose → command; `{}` stands for the upload's id, or the name of the feed.
        good: whether the event is the wanted one (True), a problem (False), or neither.
        waits: whether somebody has to act; such news is out of date once the upload has gone on.
    """

    became: str
    means: str
    next: dict[str, str]
    good: bool | None = None
    waits: bool = False


_LOOK: Final = {"Look at it": "show {}"}
_UNDO: Final = {"Take it back": "undo {}"}

EVENTS: Final[Mapping[Event, Words]] = {
    "staged": Words(
        "staged and waits for approval",
        "The changeset is frozen. Nothing is changed yet; the counts say what applying it would do.",
        _LOOK | {"Approve it": "apply {}", "Give it up": "cancel {}"},
        waits=True,
    ),
    "blocked": Words(
        "blocked",
        "Errors, or a guard, block it. Nothing is changed.",
        {"See why": "show {}", "Give it up": "cancel {}"},
        good=False,
        waits=True,
    ),
    "stale": Words(
        "stale",
        "The contacts changed after it was planned. Nothing of it is applied.",
        {"Plan it again": "replan {}"} | _LOOK,
        good=False,
        waits=True,
    ),
    "applied": Words("applied", "The contacts are changed.", _LOOK | _UNDO, good=True),
    "held": Words(
        "applied and waits to be finalized",
        "The contacts are changed, but the changes are not published yet.",
        _LOOK | {"Finalize it": "finalize {}"} | _UNDO,
        good=True,
    ),
    "finalized": Words("finalized", "Its changes are published.", _LOOK | _UNDO, good=True),
    "undone": Words(
        "undone", "What it had applied is taken back.", {"Look at it": "show {}", "Bring it back": "redo {}"}
    ),
    "refused": Words(
        "refused",
        "The file or the request could not be taken. Nothing is changed.",
        {"See why, and what to correct": "show {}"},
        good=False,
    ),
    "failed": Words(
        "failed",
        "A fault stopped it. Nothing is changed. Plan the file again.",
        {"See what happened": "show {}"},
        good=False,
    ),
    "stopped": Words(
        "stopped by a fault of the machine",
        "The machine, or a crash, keeps it from being staged or applied. It is tried again each hour; one that is not "
        "staged yet, for a day. Such a fault is told of once a day for each profile.",
        {"See what happened": "show {}", "Give it up": "cancel {}"},
        good=False,
    ),
    "missed": Words(
        "overdue",
        "A file was due, and none has come.",
        {"See what it did last": "feeds", "Look whether one is there": "feeds check {}", "Fetch now": "feeds run {}"},
        good=False,
    ),
    "broken": Words(
        "broken",
        "Its files could not be fetched, or its own file cannot be used. It is tried again when it runs next.",
        {"See why": "feeds", "Look whether its source can be reached": "feeds check {}"},
        good=False,
    ),
    "disk_low": Words(
        "short of disk space",
        "No file of the inbox is taken until there is room. The files stay there and are taken then.",
        {"See what can be removed": "expire --dry-run"},
        good=False,
    ),
}


def event_of(line: LedgerLine) -> UploadEvent | None:
    """The event that an upload's new state is; None: nobody is told of it.

    A staged file of the inbox or of a feed whose profile applies it by itself waits for nobody, unless a defect of the
    program kept it from being applied.
    """
    match line.state:
        case "staged":
            is_automatic = bool(line.inbox or line.feed) and line.applies_itself
            return "staged" if line.is_given_up or not is_automatic else None
        case "applied":
            return "held" if line.held else "applied"
        case "blocked" | "stale" | "finalized" | "undone" | "refused" | "failed":
            return line.state
        case _:
            return None
