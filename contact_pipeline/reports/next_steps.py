"""What somebody would do next with an upload: why, and the words of the command."""

from __future__ import annotations

from collections.abc import Iterator

from contact_pipeline.contracts.states import APPLIED, PLANNED
from contact_pipeline.store import Upload


def next_steps(upload: Upload) -> Iterator[tuple[str, list[str]]]:
    """What somebody would do with an upload in this state, the likeliest first."""
    upload_id = upload.upload_id
    match upload.state:
        case "staged":
            yield "Nothing is changed yet. To apply it", ["apply", upload_id]
            yield "To give it up", ["cancel", upload_id]
        case "blocked" if "confirm" in (upload.reason or {}):
            confirmations = [f"--confirm-{guarded}" for guarded in (upload.reason or {})["confirm"]]
            yield "To apply it all the same", ["apply", upload_id, *confirmations]
            yield "To give it up", ["cancel", upload_id]
        case "stale" if not upload.is_by_hand:
            yield "To plan it again with the contacts as they are now", ["replan", upload_id]
        case "applied" if upload.held:
            yield "Held back. To make it visible in the published contacts", ["finalize", upload_id]
        case "applied" | "finalized":
            yield "To see the contacts", ["contacts", "list"]
            yield "To take it back", ["undo", upload_id]
        case "undone":
            yield "To bring it back", ["redo", upload_id]
        case "repeated":
            yield "Nothing was changed. The upload that it repeats", ["show", upload.repeats or ""]
        case _:
            pass
    if upload.outcomes.get("review") and upload.state in {"staged", "blocked", *APPLIED}:
        yield "The rows in review", ["show", upload_id, "--rows"]
        yield "To write the rows in review into a file to fill in", ["in-review", upload_id]
        yield "To decide one of the rows in review", ["resolve", upload_id, "--row", "N", "--to", "WHO|new|skip"]
    if upload.outcomes.get("rejected"):
        yield from _after_rejections(upload)


def _after_rejections(upload: Upload) -> Iterator[tuple[str, list[str]]]:
    if upload.state in PLANNED:
        yield "To correct one of its rows", ["correct", upload.upload_id, "--row", "N", "--set", "FIELD=VALUE"]
    yield "The rejected rows, to correct and drop again", ["rejected", upload.upload_id]
