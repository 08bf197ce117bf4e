"""Stage 5: changeset → contacts, in one commit; and taking what was applied out of effect, and back."""

from contact_pipeline.apply.commit import mark_effect, write_changeset
from contact_pipeline.apply.effect import Turn, plan_effect, stage_activation, stage_memberships
from contact_pipeline.apply.stale import changed_since, members_gone, moved_rows, rows_with_new_links

__all__ = [
    "Turn",
    "changed_since",
    "mark_effect",
    "members_gone",
    "moved_rows",
    "plan_effect",
    "rows_with_new_links",
    "stage_activation",
    "stage_memberships",
    "write_changeset",
]
