"""Whether an upload would deactivate more contacts than its guard lets pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contact_pipeline.orchestration.checking import Verdict, upload_check
from contact_pipeline.orchestration.metadata import reason

if TYPE_CHECKING:
    from contact_pipeline.store import Upload

_COUNT = "SELECT count(*) FROM contact_changes WHERE action = 'deactivate'"


@upload_check("matched_changeset")
def deactivation_guard(upload: Upload) -> Verdict:
    """The upload deactivates no more contacts than the profile's guard lets pass, or somebody has confirmed it."""
    staging = upload.staging
    deactivated = 0
    if staging.exists():
        with staging.open(read_only=True) as database:
            deactivated = int(database.value(_COUNT)) if database.has("contact_changes") else 0
    stopped = upload.reason is not None and upload.reason["code"] == "deactivation-guard"
    said = reason(upload) if stopped else f"{deactivated} contacts deactivated."
    return Verdict(not stopped, said, is_grave=stopped, numbers={"deactivated": deactivated})
