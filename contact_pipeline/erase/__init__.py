"""Erasing: removes a person's values from every file of the home, including what databases keep of deleted rows."""

from contact_pipeline.erase.erase import Erased, erase

__all__ = ["Erased", "erase"]
