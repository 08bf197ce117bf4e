"""Why a changeset may not be applied as it is: rows that do not add up, defects, or too many deactivations."""

from __future__ import annotations

from typing import Any

from contact_pipeline.match.match import Changeset
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.options import UploadOptions

DEACTIVATION_GUARD = "deactivation-guard"


def blocked_because(
    file_name: str, data_rows: int, profile: Profile, options: UploadOptions, changeset: Changeset
) -> dict[str, Any] | None:
    """The reason, as the ledger holds it, or None where nothing holds the changeset back.

    Args:
        file_name: of the upload.
        data_rows: physical rows of the file, counted when it was read.
        profile: as it holds for the upload.
        options: of the upload.
        changeset: what matching found.
    """
    total = sum(changeset.outcomes.values())
    if total != data_rows:
        return {
            "code": "reconciliation",
            "message": f"{file_name} has {data_rows} rows, but {total} have an outcome.",
            "fix": "This is a defect of the program: please report it. Nothing is applied.",
        }
    rejected, review = changeset.outcomes["rejected"] - changeset.skipped, changeset.outcomes["review"]
    if profile.on_error == "block" and (rejected or review):
        return {
            "code": "rows-rejected",
            "message": f"{file_name}: {_rows(rejected, 'has an error', 'have errors')} and "
            f"{_rows(review, 'needs', 'need')} review; profile {profile.name} imports all rows or none.",
            "fix": "Correct them and upload the file again; `contact-pipeline rejected` gives them with their errors.",
        }
    return _deactivations(file_name, profile, options, changeset)


def _deactivations(
    file_name: str, profile: Profile, options: UploadOptions, changeset: Changeset
) -> dict[str, Any] | None:
    allowed = options.allow_deactivations
    limit = profile.guards.deactivated_percent if allowed is None else allowed
    share = 100 * changeset.deactivated / changeset.active if changeset.active else 0.0
    if share > limit:
        problem = (
            f"{file_name} would deactivate {changeset.deactivated} of {changeset.active} active contacts "
            f"({share:.0f} %); the limit is {limit:g} %."
        )
    elif changeset.deactivated and changeset.rejected_without_key:
        problem = (
            f"{file_name} would deactivate {changeset.deactivated} contacts, but nobody can say whom "
            f"{_rows(changeset.rejected_without_key, 'that is rejected means', 'that are rejected mean')}."
        )
    else:
        return None
    fix = "Look at the changes; if they are meant, apply with --confirm-deactivations."
    return {"code": DEACTIVATION_GUARD, "message": problem, "fix": fix}


def _rows(count: int, one: str, many: str) -> str:
    return f"1 row {one}" if count == 1 else f"{count} rows {many}"
