"""Erasing: a person's values go out of every file of the home, and what deleting leaves in databases goes with them."""

from contact_pipeline.erase.erase import Erased, erase

__all__ = ["Erased", "erase"]
