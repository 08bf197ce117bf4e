"""Why a changeset may not be applied as it is: rows that do not add up, defects, or a guard that asks first."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final, Literal

from contact_pipeline.match.match import Changeset
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.options import UploadOptions, guard_limits

Guarded = Literal["encoding", "deactivations", "rejected", "changed"]

# What somebody confirms → the code of the guard.
GUARDS: Final[dict[Guarded, str]] = {
    "encoding": "encoding-guard",
    "deactivations": "deactivation-guard",
    "rejected": "rejection-guard",
    "changed": "change-guard",
}


def blocked_because(
    file_name: str,
    data_rows: int,
    profile: Profile,
    options: UploadOptions,
    changeset: Changeset,
    doubt: str | None = None,
) -> dict[str, Any] | None:
    """The reason, as the ledger holds it, or None where nothing blocks the changeset.

    Args:
        file_name: of the upload.
        data_rows: physical rows of the file, counted when it was read.
        profile: as it holds for the upload.
        options: of the upload.
        changeset: what matching found.
        doubt: why the encoding of the file is doubtful, if it is.
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
    if profile.approvals > 1 and review:  # a row decided after apply would have the approval of one person only
        return {
            "code": "rows-in-review",
            "message": f"{file_name}: {_rows(review, 'needs', 'need')} review; profile {profile.name} asks for two "
            "people to approve, and they approve all of it.",
            "fix": "Decide them, with `skip` for rows not to import: `contact-pipeline in-review` lists them.",
        }
    problems: dict[Guarded, str] = {"encoding": doubt} if doubt else {}
    return _to_be_confirmed(problems | dict(_exceeded(file_name, profile, options, changeset)))


def merges_too_many(profile: Profile, merged: int, active: int) -> dict[str, Any] | None:
    """Why a merge whose sets nobody named one by one waits until somebody confirms it; None: it need not wait.

    Args:
        profile: whose limit holds.
        merged: how many contacts would be deactivated.
        active: how many active contacts the address book has.
    """
    limit = profile.guards.deactivated_percent
    if _share(merged, active) <= limit:
        return None
    of = f"{merged} of {active} active contacts"
    return _to_be_confirmed({"deactivations": f"The merge would deactivate {of} {_beyond(merged, active, limit)}"})


def to_confirm(reason: dict[str, Any] | None) -> Collection[Guarded]:
    """What somebody has to confirm before the blocked upload can be applied; empty where confirming does not help."""
    asked: Collection[Guarded] = (reason or {}).get("confirm", ())
    return asked


def _to_be_confirmed(problems: dict[Guarded, str]) -> dict[str, Any] | None:
    if not problems:
        return None
    options = " ".join(f"--confirm-{guarded}" for guarded in problems)
    fix = f"Look at the upload; if it is as intended, apply with {options}."
    if "encoding" in problems:
        again = "Plan the file again with --encoding NAME, or save it anew as CSV UTF-8."
        fix = f"{again} If it reads right as it is, apply with {options}."
    return {
        "code": GUARDS[next(iter(problems))],
        "message": " ".join(problems.values()),
        "fix": fix,
        "confirm": [*problems],
    }


def _exceeded(
    file_name: str, profile: Profile, options: UploadOptions, changeset: Changeset
) -> Iterator[tuple[Guarded, str]]:
    """Each guard whose limit is passed, with its message."""
    limits = guard_limits(profile, options)
    limit = limits["deactivations"]
    if _share(changeset.deactivated, changeset.active) > limit:
        of = f"{changeset.deactivated} of {changeset.active} active contacts"
        yield (
            "deactivations",
            f"{file_name} would deactivate {of} {_beyond(changeset.deactivated, changeset.active, limit)}",
        )
    elif changeset.deactivated and changeset.rejected_without_key:
        unknown = _rows(changeset.rejected_without_key, "that is rejected means", "that are rejected mean")
        deactivated = f"{file_name} would deactivate {changeset.deactivated} contacts"
        yield "deactivations", f"{deactivated}, but nobody can say whom {unknown}."
    rejected = changeset.outcomes["rejected"] - changeset.skipped
    rows = sum(changeset.outcomes.values()) - changeset.outcomes["blank"]
    limit = limits["rejected"]
    if _share(rejected, rows) > limit:
        yield "rejected", f"{rejected} of {rows} rows of {file_name} are rejected {_beyond(rejected, rows, limit)}"
    limit = limits["changed"]
    if _share(changeset.changed, changeset.stored) > limit:
        of = f"{changeset.changed} of {changeset.stored} {profile.target}s"
        yield "changed", f"{file_name} would change {of} {_beyond(changeset.changed, changeset.stored, limit)}"


def _share(count: int, total: int) -> float:
    """In percent; 0 where the total is 0."""
    return 100 * count / total if total else 0.0


def _beyond(count: int, total: int, limit: float) -> str:
    return f"({_share(count, total):.0f} %); the limit is {limit:g} %."


def _rows(count: int, one: str, many: str) -> str:
    return f"1 row {one}" if count == 1 else f"{count} rows {many}"
