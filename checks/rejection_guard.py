"""Whether more rows of an upload are rejected than its guard lets pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contact_pipeline.orchestration.checking import Verdict, guard_verdict, upload_check

if TYPE_CHECKING:
    from contact_pipeline.store import Upload

_REJECTED = "SELECT count(*) FROM outcome_rows WHERE outcome = 'rejected'"


@upload_check("matched_changeset")
def rejection_guard(upload: Upload) -> Verdict:
    """No more rows are rejected than the profile's guard lets pass, or somebody has confirmed it."""
    with upload.staging.look() as database:
        rejected = database.value(_REJECTED) if database and database.has("outcome_rows") else 0
    return guard_verdict(upload, "rejected", rejected, "rows rejected")
