"""How many defects the rows of an upload have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contact_pipeline.orchestration.checking import Verdict, upload_check

if TYPE_CHECKING:
    from contact_pipeline.store import Upload


@upload_check("validated_rows")
def error_count(upload: Upload) -> Verdict:
    """No cell or row has a defect. Grave where the profile imports all rows or none, so that the upload is blocked."""
    by_code = upload.rejections_by_code() if upload.error_count else {}
    errors = f"{upload.error_count} errors: " + ", ".join(f"{count} {code}" for code, count in by_code.items())
    return Verdict(
        upload.error_count == 0,
        errors if upload.error_count else "No errors.",
        is_grave=upload.state == "blocked",
        numbers={"errors": upload.error_count},
        details=by_code,
    )
