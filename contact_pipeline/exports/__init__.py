"""Contacts and accounts as files, by named export profiles. Reads the store, never a stage."""

from contact_pipeline.exports.export import Exported, export
from contact_pipeline.exports.find import check_export_profile, find_export_profile, find_export_profiles
from contact_pipeline.exports.layout import Layout
from contact_pipeline.exports.left_out import LeftOut
from contact_pipeline.exports.model import ExportProfile
from contact_pipeline.exports.rows import Wanted

__all__ = [
    "ExportProfile",
    "Exported",
    "Layout",
    "LeftOut",
    "Wanted",
    "check_export_profile",
    "export",
    "find_export_profile",
    "find_export_profiles",
]
