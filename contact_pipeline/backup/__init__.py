"""Backups of a whole home, made while it is in use, and restored with the erasures that came later."""

from contact_pipeline.backup.make import BackedUp, back_up
from contact_pipeline.backup.restore import Restored, restore

__all__ = ["BackedUp", "Restored", "back_up", "restore"]
