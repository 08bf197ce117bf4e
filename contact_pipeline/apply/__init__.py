"""Stage 5: changeset → contacts, in one commit; undo and redo of what was applied."""

from contact_pipeline.apply.by_hand import stage_activation, stage_memberships
from contact_pipeline.apply.commit import mark_effect, write_changeset
from contact_pipeline.apply.effect import Turn, plan_effect
from contact_pipeline.apply.stale import stale_rows

__all__ = [
    "Turn",
    "mark_effect",
    "plan_effect",
    "stage_activation",
    "stage_memberships",
    "stale_rows",
    "write_changeset",
]
