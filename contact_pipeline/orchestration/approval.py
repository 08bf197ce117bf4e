"""Applying from Dagster: what an operator says when launching `apply_upload`, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from contact_pipeline.errors import Refusal
from contact_pipeline.orchestration.checking import Verdict
from contact_pipeline.orchestration.metadata import reason

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.store import Upload

APPLIED_STATES = frozenset({"applied", "finalized"})
STOPPED_STATES = frozenset({"blocked", "stale", "refused", "failed"})


class Approval(dg.Config):
    """The approval of an upload's changeset. Empty, only what its profile applies automatically is applied."""

    approved_by: str | None = Field(default=None, description="Login of whoever approves; self-declared.")
    changeset: str | None = Field(default=None, description="Hash of the changeset that is approved, and of no other.")
    confirm_deactivations: bool = Field(default=False, description="Whether to go past the guard on deactivations.")
    confirm_rejected: bool = Field(default=False, description="Whether to go past the guard on rows rejected.")
    confirm_changed: bool = Field(default=False, description="Whether to go past the guard on contacts changed.")


@dataclass(frozen=True, slots=True)
class Ending:
    """Where an upload stands after it was to be applied, in words, and whether the request itself was refused."""

    upload: Upload
    said: str
    refused: bool = False

    @property
    def verdict(self) -> Verdict:
        """The ending as a check result: grave where something was to be applied and could not be."""
        stopped = self.refused or self.upload.state in STOPPED_STATES
        return Verdict(not stopped, self.said, is_grave=stopped, numbers={"imports": self.upload.imports})


def apply_approved(pipeline: Pipeline, upload_id: str, approval: Approval) -> Ending:
    """Applies an upload as far as this approval and its profile allow. What cannot be applied is said, not raised."""
    try:
        if approval.approved_by:
            upload = pipeline.apply(
                upload_id,
                user=approval.approved_by,
                changeset=approval.changeset,
                confirm_deactivations=approval.confirm_deactivations,
                confirm_rejected=approval.confirm_rejected,
                confirm_changed=approval.confirm_changed,
            )
        else:
            upload = pipeline.apply_automatic(upload_id)
    except Refusal as refusal:
        return Ending(pipeline.show(upload_id), f"Nothing was applied: {refusal}", refused=True)
    return standing(upload)


def standing(upload: Upload) -> Ending:
    """Where an upload stands, whoever applied it."""
    match upload.state:
        case "finalized":
            said = "Applied and finalized."
        case "applied":
            said = "Applied; hidden from the published contacts until it is finalized." if upload.held else "Applied."
        case "staged":
            said = (
                f"Nothing was applied: the changeset {upload.changeset_sha256} awaits approval. "
                "Launch apply_upload for this partition with approved_by in its config."
            )
        case state:
            said = f"Nothing was applied: the upload is {state}. {reason(upload)}".strip()
    return Ending(upload, said)
