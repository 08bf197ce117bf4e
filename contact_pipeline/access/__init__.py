"""The answer to a request for access: everything that is held about one person, for that person to read."""

from contact_pipeline.access.access import Exported, export_person

__all__ = ["Exported", "export_person"]
