"""Whether the encoding of an upload's file is beyond doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contact_pipeline.orchestration.checking import Verdict, upload_check
from contact_pipeline.orchestration.metadata import reason

if TYPE_CHECKING:
    from contact_pipeline.store import Upload


@upload_check("matched_changeset")
def encoding_guard(upload: Upload) -> Verdict:
    """The file can be read in one way only, or somebody has declared its encoding or confirmed the reading."""
    stopped = upload.reason is not None and "encoding" in upload.reason.get("confirm", ())
    read_as = f"Read as {upload.encoding}." if upload.encoding else "It is no text file."
    return Verdict(not stopped, reason(upload) if stopped else read_as, is_grave=stopped)
