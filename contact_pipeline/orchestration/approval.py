"""Applying from Dagster: the config of `apply_upload`, and the state of an upload in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import dagster as dg
from pydantic import Field

from contact_pipeline.contracts.states import APPLIED
from contact_pipeline.errors import Refusal
from contact_pipeline.orchestration.checking import Verdict
from contact_pipeline.orchestration.metadata import reason

if TYPE_CHECKING:
    from datetime import datetime

    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.store import Upload

AUTOMATIC: Final = "automatic by profile"  # approved_by of the runs that the sensor requests
CLAIMED: Final = "self-declared, unless a proxy says who is logged in"

_STOPPED: Final = frozenset({"blocked", "stale", "refused", "failed"})


class Approval(dg.Config):
    """The approval of an upload's changeset."""

    approved_by: str = Field(
        description=f"Login of whoever approves; {CLAIMED}. '{AUTOMATIC}' applies what its profile applies at once."
    )
    changeset: str | None = Field(default=None, description="Hash of the changeset that is approved, and of no other.")
    confirm_encoding: bool = Field(default=False, description="Whether a doubtful encoding was found right.")
    confirm_deactivations: bool = Field(default=False, description="Whether to go past the guard on deactivations.")
    confirm_rejected: bool = Field(default=False, description="Whether to go past the guard on rows rejected.")
    confirm_changed: bool = Field(default=False, description="Whether to go past the guard on contacts changed.")


@dataclass(frozen=True, slots=True)
class Ending:
    """The state of an upload, in words. `refused`: the request just made could not be granted."""

    upload: Upload
    words: str
    refused: bool = False

    @property
    def is_applied(self) -> bool:
        """Whether its changeset is in effect."""
        return self.upload.state in APPLIED

    @property
    def verdict(self) -> Verdict:
        """The ending as `apply_gates` has it: failed unless the upload is applied, grave where something stops it."""
        return Verdict(
            self.is_applied and not self.refused,
            self.words,
            is_grave=self.refused or self.upload.state in _STOPPED,
            numbers={"imports": self.upload.imports} if self.is_applied else {},
        )


def apply_approved(pipeline: Pipeline, upload_id: str, approval: Approval, user: str) -> Ending:
    """Applies an upload as far as this approval and its profile allow. A refusal to apply is returned, not raised.

    Raises:
        Refusal: there is no such upload (code `upload-unknown`).
    """
    try:
        if approval.approved_by == AUTOMATIC:
            upload = pipeline.apply_automatic(upload_id)
        else:
            upload = pipeline.apply(
                upload_id,
                user=user,
                changeset=approval.changeset,
                confirm_encoding=approval.confirm_encoding,
                confirm_deactivations=approval.confirm_deactivations,
                confirm_rejected=approval.confirm_rejected,
                confirm_changed=approval.confirm_changed,
            )
    except Refusal as refusal:
        if refusal.code == "upload-unknown":
            raise
        return Ending(pipeline.show(upload_id), f"Nothing was applied: {refusal}", refused=True)
    return describe_state(pipeline, upload)


def describe_state(pipeline: Pipeline, upload: Upload) -> Ending:
    """The state of an upload, and who brought it there and when."""
    match upload.state:
        case "finalized":
            words = (
                f"Applied by {_approvers(upload)}; finalized {_by(upload.line.finalized_by, upload.line.finalized_at)}."
            )
        case "applied":
            held = "; hidden from the published contacts until it is finalized" if upload.held else ""
            words = f"Applied {_by(_approvers(upload), upload.finished_at)}{held}."
        case "undone":
            commit = pipeline.store.last_commit(upload.upload_id)
            by = _by(commit["actor"], commit["committed_at"]) if commit else ""
            words = f"Undone {by}. redo_upload brings it back."
        case "staged" | "blocked" if upload.is_half_approved:
            who, at = upload.line.first_approval or (None, None)
            words = f"Not applied: approved {_by(who, at)}, the first of two. Somebody else who did not send it has to "
            words += f"approve the changeset {upload.changeset_sha256}, too."
        case "staged":
            words = f"Not applied: the changeset {upload.changeset_sha256} awaits approval{_two(upload)}; apply_upload "
            words += " ".join(["gives it.", *filter(None, [reason(upload)])])
        case "repeated":
            words = f"Not applied: the file repeats upload {upload.repeats} and changes nothing."
        case "cancelled":
            words = reason(upload)
        case state:
            words = f"Not applied: the upload is {state}. {reason(upload)}".strip()
    return Ending(upload, words)


def _approvers(upload: Upload) -> str | None:
    first = upload.first_approved_by
    return f"{first} and {upload.approved_by}" if first else upload.approved_by


def _two(upload: Upload) -> str:
    return " by two people who did not send it" if upload.line.needs_two else ""


def _by(who: str | None, at: datetime | None) -> str:
    return f"by {who} at {at:%Y-%m-%d %H:%M:%S} UTC" if at else f"by {who}"
