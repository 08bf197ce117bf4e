"""Stage 5: changeset → contacts, in one commit."""

from contact_pipeline.apply.commit import write_changeset
from contact_pipeline.apply.stale import changed_since, moved_rows

__all__ = ["changed_since", "moved_rows", "write_changeset"]
