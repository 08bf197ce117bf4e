"""The Dagster assets in flow order, one partition per upload. Each calls one step of the pipeline and has no rules."""

from .applied_contacts import applied_contacts
from .matched_changeset import matched_changeset
from .normalized_frame import normalized_frame
from .raw_upload import raw_upload
from .validated_rows import validated_rows

# raw_upload → normalized_frame → validated_rows → matched_changeset → applied_contacts
ASSETS = (raw_upload, normalized_frame, validated_rows, matched_changeset, applied_contacts)

__all__ = ["ASSETS", "applied_contacts", "matched_changeset", "normalized_frame", "raw_upload", "validated_rows"]
