"""Proposes a profile from a file, for a person to edit: the type of each column, with the counts behind it."""

from contact_pipeline.drafting.draft import Draft, draft_profile

__all__ = ["Draft", "draft_profile"]
