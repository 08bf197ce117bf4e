"""The head of the page: what would happen or has happened, in a few sentences; facts, counts and assumptions."""

from __future__ import annotations

from typing import Any, Final

from contact_pipeline.contracts.states import APPLIED
from contact_pipeline.masking import mask_within
from contact_pipeline.pages import shown
from contact_pipeline.pages.review.room import cut
from contact_pipeline.store import Upload
from contact_pipeline.store.expiries import what_expired

# What applying would do and has done, by outcome.
_WOULD: Final = {
    "created": "create {}", "updated": "update {}", "linked": "link {} as new",
}  # fmt: skip
_HAS: Final = {"created": "created {}", "updated": "updated {}", "linked": "linked {} as new"}
_NOT_IMPORTED: Final = {
    "rejected": ("is rejected", "are rejected"),
    "review": ("waits for a decision", "wait for a decision"),
    "duplicate": ("is a duplicate", "are duplicates"),
    "unchanged": ("changes nothing", "change nothing"),
}
MEANS: Final = {
    "created": "new contacts or accounts",
    "updated": "known ones that change",
    "unchanged": "known ones that stay as they are",
    "linked": "new ones, linked with a known one",
    "duplicate": "not imported: the same as another",
    "rejected": "not imported: something is wrong",
    "review": "wait for somebody to decide",
    "left_out": "taken out of the plan by somebody",
    "blank": "rows without data",
}
_GUARDS: Final = {
    "encoding": ("Encoding", None, None),
    "deactivations": ("Contacts deactivated", "allow_deactivations", "deactivated_percent"),
    "rejected": ("Rows rejected", "allow_rejected", "rejected_percent"),
    "changed": ("Contacts changed", "allow_changed", "changed_percent"),
}


_WHO: Final = {1: "somebody approves", 2: "two people approve who did not send it"}
_STATES: Final = {
    "staged": "Nothing is changed yet.",
    "blocked": "Nothing is changed: it is blocked.",
    "stale": "Nothing is changed: the contacts have changed since this was planned. Plan it again.",
    "applied": "It is applied.",
    "finalized": "It is applied, and visible in the published contacts.",
    "undone": "It was applied and is taken back: its changes are not in effect.",
    "repeated": "Nothing was changed: the same file was applied before.",
    "cancelled": "It was given up. Nothing was changed.",
    "refused": "The file could not be taken. Nothing was changed.",
    "failed": "A fault of the machine or of the program ended it. Nothing was changed.",
    "received": "It is being read.",
}


def verdict(upload: Upload) -> list[str]:
    """What the upload would do or has done, in a few sentences, the most important first."""
    if upload.held and upload.state == "applied":
        return ["It is applied, and held back until it is finalized.", *_work(upload, "It has", _HAS)]
    sentences = [_STATES[upload.state], *(f"By age, {each}." for each in what_expired(upload.line))]
    if upload.is_half_approved:
        sentences.append(f"{upload.first_approved_by} has approved it; somebody else has to, too.")
    match upload.state:
        case "staged":
            return sentences + _work(upload, "Applying it would", _WOULD)
        case "blocked":
            return sentences + _work(upload, "Without that, applying it would", _WOULD)
        case state if state in APPLIED:
            return sentences + _work(upload, "It has", _HAS)
        case _:
            return sentences


def _work(upload: Upload, begin: str, words: dict[str, str]) -> list[str]:
    profile = upload.resolved_profile
    one = profile.target if profile else "contact"
    done = [
        phrase.format(shown.counted(upload.outcomes[name], one))
        for name, phrase in words.items()
        if upload.outcomes[name]
    ]
    if upload.deactivated:
        done.append(
            f"{'deactivated' if words is _HAS else 'deactivate'} {shown.counted(upload.deactivated, 'contact')}"
        )
    if not done and not upload.is_by_hand:
        done = ["changed nothing" if words is _HAS else "change nothing"]
    left = [
        f"{shown.counted(count, 'row')} {phrases[count != 1]}"
        for name, phrases in _NOT_IMPORTED.items()
        if (count := upload.outcomes[name])
    ]
    sentences = [f"{begin} {_listed(done)}."] if done else []
    return sentences + ([f"{_listed(left)}."] if left else [])


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def counts(upload: Upload) -> dict[str, Any]:
    """The counts that reconcile: the rows of the file are the sum of their outcomes."""
    total = sum(upload.outcomes.values())
    return {
        "rows": upload.line.data_rows,
        "total": total,
        "reconciles": total == upload.line.data_rows,
        "outcomes": [(name, count, MEANS[name]) for name, count in upload.outcomes.items()],
    }


def guards(upload: Upload) -> list[dict[str, str]]:
    """Each guard with its limit, the upload's figure, and whether it stops the upload."""
    profile = upload.resolved_profile
    if profile is None or upload.line.stage != "matched":
        return []
    options, asked = upload.options, (upload.reason or {}).get("confirm", ())
    found = []
    for name, (title, option, limit) in _GUARDS.items():
        allowed = option and getattr(options, option)
        percent = allowed if allowed is not None else limit and getattr(profile.guards, limit)
        blocks = name in asked
        found.append(
            {
                "name": title,
                "limit": "–" if percent is None else f"{percent:g} %{' (chosen for this upload)' if allowed else ''}",
                "found": _found(upload, name),
                "verdict": "blocks it"
                if blocks and upload.state not in APPLIED
                else "confirmed"
                if blocks
                else "passes",
            }
        )
    return found


def _found(upload: Upload, guard: str) -> str:
    match guard:
        case "deactivations":
            return shown.counted(upload.deactivated, "contact")
        case "rejected":
            rejected = upload.outcomes["rejected"]
            return f"{rejected:,} of {upload.processed:,} ({shown.share(rejected, upload.processed)})"
        case "changed":
            return shown.counted(upload.outcomes["updated"], "row")
        case _:
            return upload.encoding or "–"


def options_chosen(upload: Upload) -> list[tuple[str, str]]:
    """The chosen options, and the rules of the profile, in words."""
    profile = upload.resolved_profile
    if profile is None:
        return []
    given = mask_within(upload.options.model_dump(exclude_defaults=True))
    named = {name: value for name, value in given.items() if name not in {"map", "group"}}
    words = [(name.replace("_", " "), _in_words(value)) for name, value in named.items()]
    holds = {
        "rows with errors": {"block": "block the whole file", "reject": "are left out", "note": "lose the bad cells"}[
            profile.on_error
        ],
        "a known contact": {
            "update": "is updated", "ignore": "is left alone", "merge": "is merged", "create": "gets a linked one",
        }[profile.matched],
        "a blank": {"fill": "is filled", "keep": "keeps the value", "overwrite": "clears the value"}[profile.blank],
        "applied": "at once" if profile.apply == "automatic" else f"when {_WHO[profile.approvals]}",
    }  # fmt: skip
    return [*((f"{name}: chosen", value) for name, value in words), *holds.items()]


def _in_words(value: object) -> str:
    match value:
        case True:
            return "yes"
        case dict():
            return "; ".join(f"{name} → {each}" for name, each in value.items())
        case _:
            return str(value)


def columns(upload: Upload) -> list[tuple[str, str, str]]:
    """Each heading that fills a field: the heading, the field and the type of the values."""
    profile = upload.resolved_profile
    types = {column.field: column.type for column in profile.columns} if profile else {}
    return [(cut(heading), field, types.get(field, "")) for heading, field in upload.mapping.items()]
