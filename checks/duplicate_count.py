"""How many rows of an upload are duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contact_pipeline.orchestration.checking import Verdict, upload_check

if TYPE_CHECKING:
    from contact_pipeline.store import Upload


@upload_check("matched_changeset")
def duplicate_count(upload: Upload) -> Verdict:
    """No row is a duplicate, be it of a contact that there was already or of a row before it."""
    existing = upload.duplicates.get("of_existing", 0)
    within = upload.duplicates.get("within_file", 0)
    total = existing + within
    description = f"{existing} of existing contacts and {within} within the file." if total else "No duplicates."
    details = {"of_existing": existing, "within_file": within}
    return Verdict(total == 0, description, numbers={"duplicates": total}, details=details)
