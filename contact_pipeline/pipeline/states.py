"""The reasons in an upload's ledger line, and the refusals of calls that its state does not allow."""

from __future__ import annotations

from typing import Any, Final

from contact_pipeline.contracts.states import CALLS
from contact_pipeline.errors import Refusal, listed
from contact_pipeline.masking import mask_heading
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.options import UploadOptions
from contact_pipeline.store import LedgerLine

STAGES: Final = ("received", "read", "normalized", "validated", "matched")
MADE_BY_HAND: Final = "It was made by hand: give the command for it again."


def resolved(line: LedgerLine) -> tuple[Profile, UploadOptions]:
    """The profile as it holds for an upload, and the upload's options.

    Raises:
        Refusal: the upload has no profile (code `wrong-state`).
    """
    profile = line.read_profile()
    if profile is None:
        raise wrong_state(line, "staged", "It was made by hand, or refused before there was a profile for it.")
    return Profile.model_validate(profile), UploadOptions.model_validate(line.options)


def reason(code: str, message: str, fix: str, **details: Any) -> dict[str, Any]:
    """The reason of an upload's state, as the ledger line has it."""
    return {"code": code, "message": message, "fix": fix, **details}


def refused(refusal: Refusal, file_name: str) -> dict[str, Any]:
    """The reason of a refused upload; headings that look like somebody's numbers are masked."""
    why = refusal.as_dict() | {"file": refusal.file or file_name}
    if refusal.code in {"headings", "mapping"}:
        why |= {"message": mask_heading(refusal.message), "fix": mask_heading(refusal.fix)}
    return why


def stale(line: LedgerLine, rows: list[int | None]) -> dict[str, Any]:
    """The reason of a stale upload, naming the rows (None: a contact that no row names)."""
    named = [row for row in rows if row is not None]
    where = f" Rows: {listed(named)}." if named else ""
    return reason(
        "stale",
        f"Contacts have changed since {line.file_name} was planned.{where}",
        MADE_BY_HAND if line.resolved_profile is None else "Plan it again, and approve the new changeset.",
        rows=named,
    )


def where_it_stands(line: LedgerLine) -> str:
    """The state of an upload after an interruption, in a sentence."""
    match line.state:
        case "received":
            again = f"`contact-pipeline replan {line.upload_id}` goes on with it"
            return f"Upload {line.upload_id} is not planned yet; {again}."
        case "staged" | "blocked" | "stale":
            return f"Upload {line.upload_id} is {line.state}; nothing of it is applied."
        case "cancelled":
            return f"Upload {line.upload_id} is cancelled: nothing of it stays but its line."
        case _:
            return f"Upload {line.upload_id} is {line.state}."


def clears_consent(line: LedgerLine, count: int) -> Refusal:
    """The refusal of an undo after which people could be contacted again."""
    who = "1 contact" if count == 1 else f"{count:,} contacts"
    return Refusal(
        "clears-do-not-contact",
        f"Undoing upload {line.upload_id} takes back from {who} the wish not to be contacted.",
        "Look at them with --plan. To undo it all the same, give --clear-do-not-contact; to a job, "
        "clear_do_not_contact: true.",
        file=line.file_name,
        details={"contacts": count},
    )


def must_allow(line: LedgerLine, call: str) -> None:
    """Refuses a call that an upload's state does not allow.

    Raises:
        Refusal: code `wrong-state`.
    """
    if line.state not in CALLS[call].leads:
        raise not_allowed(line, call)


def not_allowed(line: LedgerLine, call: str) -> Refusal:
    """The refusal of a call that an upload's state does not allow."""
    return wrong_state(line, CALLS[call].wanted, CALLS[call].fix)


def wrong_state(line: LedgerLine, wanted: str, fix: str) -> Refusal:
    """The refusal of something that an upload's state does not allow."""
    return Refusal(
        "wrong-state", f"Upload {line.upload_id} is {line.state}; it cannot be {wanted}.", fix, file=line.file_name
    )
