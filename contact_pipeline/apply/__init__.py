"""Stage 5: changeset → contacts, in one commit; and the inverse of what was committed."""

from contact_pipeline.apply.commit import commits_to_undo, mark_undone, write_changeset
from contact_pipeline.apply.inverse import plan_inverse, stage_activation
from contact_pipeline.apply.stale import changed_since, moved_rows

__all__ = [
    "changed_since",
    "commits_to_undo",
    "mark_undone",
    "moved_rows",
    "plan_inverse",
    "stage_activation",
    "write_changeset",
]
