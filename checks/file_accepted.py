"""Whether the file could be taken at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contact_pipeline.orchestration.checking import Verdict, upload_check
from contact_pipeline.orchestration.metadata import reason

if TYPE_CHECKING:
    from contact_pipeline.store import Upload


@upload_check("raw_upload")
def file_accepted(upload: Upload) -> Verdict:
    """The file is of a type, with headings and options, that its profile takes."""
    if upload.state in {"refused", "failed"}:
        return Verdict(False, f"The file was {upload.state}. {reason(upload)}".strip(), is_grave=True)
    if upload.state == "repeated":
        return Verdict(True, f"The file repeats upload {upload.repeats} and changes nothing.")
    return Verdict(True, "The file was taken.")
