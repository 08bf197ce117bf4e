"""An upload as a JSON document, and its rows with their outcomes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from contact_pipeline.store.staged_changes import NamesOf
from contact_pipeline.store.staging import Staging

if TYPE_CHECKING:
    from contact_pipeline.store.upload import Upload

Records = list[dict[str, Any]]


def as_document(
    upload: Upload, errors: Records, row_warnings: Records, rows: Records | None, changes: Records | None
) -> dict[str, Any]:
    """The upload with these errors and warnings; with rows and changes, if there are any to be in it."""
    document: dict[str, Any] = {
        name: getattr(upload, name)
        for name in (
            "upload_id", "profile", "file_name", "file_size", "sha256", "group", "state", "reason", "repeats",
            "continues", "processed", "imports", "outcomes", "deactivated", "contacts_created", "changeset_sha256",
            "duplicates", "encoding", "delimiter", "sheet", "mapping", "ignored", "warnings", "repairs",
            "corrections", "user", "approvals", "first_approved_by", "first_approved_as", "approved_by",
            "approved_as", "replanned_by", "replanned_as", "held", "feed", "expired",
        )
    }  # fmt: skip
    document["added_at"] = _time(upload.added_at)
    document["first_approved_at"] = _time(upload.first_approved_at)
    document["finished_at"] = _time(upload.finished_at)
    document["errors"] = errors
    document["row_warnings"] = row_warnings
    if upload.corrected is not None:
        document |= upload.corrected.as_dict()
    if rows is not None:
        document["rows"] = rows
    if changes is not None:
        document["changes"] = changes
    return document


def rows_in_words(staging: Staging, names_of: NamesOf) -> list[dict[str, Any]]:
    """Every row with its outcome; a row in review with its candidates and the fields that they share."""
    candidates: dict[int, list[dict[str, Any]]] = {}
    for record in staging.records("review_candidates"):
        candidate = {
            f"{record['entity']}_id": record["candidate"],
            "row_number": record["other_row"],
            "shares": record["shares"],
            "active": record["active"],
        }
        known = {name: value for name, value in candidate.items() if value is not None}
        candidates.setdefault(record["row_number"], []).append(known)
    several = [each for found in candidates.values() for each in found if "contact_id" in each]
    names = names_of(each["contact_id"] for each in several) if several else {}
    for each in several:
        if each["contact_id"] in names:
            each["name"] = names[each["contact_id"]]
    rows = staging.records("outcome_rows")
    return [
        row | {"candidates": candidates.get(row["row_number"], [])} if row["outcome"] == "review" else row
        for row in rows
    ]


def _time(value: datetime | None) -> str | None:
    return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")
