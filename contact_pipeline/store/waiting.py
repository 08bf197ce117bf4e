"""What an upload waits for, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contact_pipeline.errors import number_of

if TYPE_CHECKING:
    from contact_pipeline.store.upload import Upload


def waits_for(upload: Upload) -> str:
    """What somebody has to do before the upload can go on; empty: nothing."""
    rows = upload.outcomes["review"]
    decide = f"decide {number_of(rows, 'row')}" if rows else ""
    match upload.state:
        case "staged" if upload.line.is_automatic_refused:
            code = (upload.reason or {}).get("code")
            first = f"approve{_as_which(upload)}, as applying it by itself was refused ({code})"
        case "staged" if upload.line.is_given_up:
            first = "apply once a defect is mended"
        case "staged":
            first = f"approve{_as_which(upload)}"
        case "blocked" if "confirm" in (upload.reason or {}):
            first = f"confirm{_as_which(upload)} or correct"
        case "blocked":
            first = "" if (upload.reason or {}).get("code") == "rows-in-review" else "correct"
        case "stale":
            first = "plan again"
        case "applied" if upload.held:
            first = "finalize"
        case "applied" | "finalized":
            first = ""
        case _:
            return ""
    return ", ".join(part for part in (first, decide) if part)


def _as_which(upload: Upload) -> str:
    if not upload.line.needs_two:
        return ""
    return f" as the second, after {upload.first_approved_by}" if upload.is_half_approved else " as the first of two"
