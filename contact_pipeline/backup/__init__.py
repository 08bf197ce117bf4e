"""Backups of a whole home: made while it is in use, and restored without the people who were erased later."""

from contact_pipeline.backup.make import BackedUp, back_up
from contact_pipeline.backup.restore import Restored, restore

__all__ = ["BackedUp", "Restored", "back_up", "restore"]
