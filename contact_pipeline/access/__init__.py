"""The answer to a request for access: everything that is held about a person, in a form that they can read."""

from contact_pipeline.access.access import Access, export_person

__all__ = ["Access", "export_person"]
