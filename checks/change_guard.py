"""Whether an upload would change more contacts than its guard lets pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contact_pipeline.orchestration.checking import Verdict, guard_verdict, upload_check

if TYPE_CHECKING:
    from contact_pipeline.store import Upload


@upload_check("matched_changeset")
def change_guard(upload: Upload) -> Verdict:
    """The upload changes no more contacts than the profile's guard lets pass, or somebody has confirmed it."""
    return guard_verdict(upload, "changed", upload.count_changes("update", "reactivate"), "contacts changed")
