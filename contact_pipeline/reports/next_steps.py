"""The next steps with an upload: the commands that its state allows, with its id and options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from contact_pipeline.contracts.states import APPLIED, CALLS, ENDED_WITHOUT, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contact_pipeline.profiles import Profile
    from contact_pipeline.store import Upload

MOST: Final = 3
_AGAIN: Final = ("group", "lead_type")  # options without which a profile may refuse the file


class Step(NamedTuple):
    """A command to type next.

    Attributes:
        why: what the command is for.
        words: the command, without the program and the home.
        call: its call on the upload (contracts.states.CALLS); empty: it only looks, or sends another file.
    """

    why: str
    words: list[str]
    call: str = ""


def next_steps(upload: Upload, login: str | None = None) -> list[Step]:
    """The next steps, at most three, the likeliest first.

    Args:
        upload: the upload.
        login: who asks; unset: anybody. If the profile asks for a role, the command names the sender of the file.
    """
    found = (step for step in _steps(upload, login) if not step.call or upload.state in CALLS[step.call].leads)
    return list(found)[:MOST]


def _steps(upload: Upload, login: str | None) -> Iterator[Step]:
    upload_id, by = upload.upload_id, _by(upload, login)
    for call, why in _FIRST.get(upload.state, {}).items():
        if _makes_sense(call, upload):
            asked = [f"--confirm-{guarded}" for guarded in upload.to_confirm] if call == "apply" else []
            two = call == "apply" and upload.line.needs_two
            what_for = _TWO[upload.is_half_approved] if two else why
            yield Step(what_for, [call, upload_id, *asked, *(by if call in _APPROVED and not two else ())], call)
    if upload.is_half_approved_by(login):
        yield Step("Take your approval back", ["apply", upload_id, "--withdraw"], "apply")
    if upload.state in CALLS["resolve"].leads and upload.state != "stale":
        yield from _rows(upload)
    for call, why in _LAST.items():
        if upload.state in CALLS[call].leads and upload.state not in {"undone", "cancelled"}:
            yield Step(why, [call, upload_id, *(by if call in _APPROVED else ())], call)
    if upload.state in APPLIED:
        yield Step("See whom it changed", ["contacts", "find", "--upload", upload_id])
    elif upload.state == "repeated":
        yield Step("See the upload that it repeats", ["show", upload.repeats or ""])
    elif upload.state in ENDED_WITHOUT:
        yield from _again(upload)


_FIRST: Final[Mapping[State, Mapping[str, str]]] = {
    "received": {"replan": "Go on planning it"},
    "staged": {"apply": "Apply it"},
    "blocked": {"apply": "Apply it all the same"},
    "stale": {"replan": "Plan it again with the contacts as they are now"},
    "applied": {"finalize": "Make it visible to everybody"},
    "undone": {"redo": "Bring it back"},
}
_TWO: Final = {
    False: "Two people who did not send it approve it",
    True: "Somebody else who did not send it approves it, too, and applies it",
}
_LAST: Final = {"undo": "Take it back", "cancel": "Give it up"}
_APPROVED: Final = frozenset({"replan", "apply", "finalize", "undo", "redo", "cancel"})  # calls that may ask for a role


def _makes_sense(call: str, upload: Upload) -> bool:
    """Whether a call that the state allows would do anything."""
    match call, upload.state:
        case "apply", "blocked":
            return bool(upload.to_confirm)
        case "replan", "stale":
            return not upload.is_by_hand
        case "finalize", _:
            return bool(upload.held)
    return True


def _rows(upload: Upload) -> Iterator[Step]:
    """Steps for rows in review and rejected rows."""
    if upload.outcomes["review"]:
        yield Step("Write the rows in review into a file to fill in", ["in-review", upload.upload_id], "resolve")
    if upload.outcomes["rejected"] and "staged_data" not in (upload.expired or {}):
        numbered = ["--row-numbers"] if upload.state in CALLS["correct"].leads else []  # for `correct --from`
        yield Step("Write the rejected rows into a file to correct", ["rejected", upload.upload_id, *numbered])


def needed(profile: Profile) -> list[str]:
    """The options that a profile needs with every file, with placeholders for the values."""
    group = ["--group", "GROUP"] if profile.group is not None and not profile.group.default else []
    return group + (["--lead-type", "TYPE"] if profile.lead_types else [])


def again_with(upload: Upload) -> list[str]:
    """The options without which a profile may refuse the file, as they were given for this upload."""
    options: Mapping[str, Any] = upload.line.options or {}
    return [word for name in _AGAIN if options.get(name) for word in (f"--{name.replace('_', '-')}", options[name])]


def _again(upload: Upload) -> Iterator[Step]:
    """Steps to send a file again, corrected if necessary."""
    if upload.is_by_hand:
        yield Step("See the contacts", ["contacts", "list"])
        return
    options: Mapping[str, Any] = upload.line.options or {}
    if upload.file_name.startswith(f"{upload.profile}_by_hand."):
        named = [f"{name}={options[name]}" for name in _AGAIN if options.get(name)]
        chosen = [word for pair in named for word in ("--option", pair)]
        words = ["contacts", "add", "--profile", upload.profile, "--field", "FIELD=VALUE", *chosen]
        yield Step("Enter it again", words)
        return
    if upload.state == "refused":
        yield Step("See what the profile asks of a file", ["profiles", "show", upload.profile])
    why = "Send the file again" if upload.state == "cancelled" else "Send the file again, corrected"
    yield Step(why, ["plan", "FILE", "--profile", upload.profile, *again_with(upload)])


def _by(upload: Upload, login: str | None) -> list[str]:
    """The option that names the sender of the file, if the profile asks for a role."""
    profile = upload.line.read_profile() or {}
    return ["--user", upload.user] if profile.get("roles") and upload.user and upload.user != login else []
