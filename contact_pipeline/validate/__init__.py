"""Stage 3: normalized rows → rejections, found by Pandera schemas that are made from the profile."""

from contact_pipeline.codes import CODES
from contact_pipeline.validate.describe import describe_schema
from contact_pipeline.validate.doubtful_dates import blocked_by_dates
from contact_pipeline.validate.notes import noted_cells
from contact_pipeline.validate.schema import schema_for
from contact_pipeline.validate.unique import reject_repeats
from contact_pipeline.validate.validate import find_doubtful, reject, validate

__all__ = [
    "CODES",
    "blocked_by_dates",
    "describe_schema",
    "find_doubtful",
    "noted_cells",
    "reject",
    "reject_repeats",
    "schema_for",
    "validate",
]  # fmt: skip
