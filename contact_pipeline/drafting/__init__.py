"""A profile proposed from a file, for a person to edit: what each column holds, with the counts that speak for it."""

from contact_pipeline.drafting.draft import Draft, draft_profile

__all__ = ["Draft", "draft_profile"]
