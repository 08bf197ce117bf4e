"""Stage 2: raw rows → normalized rows and repairs, in Polars."""

from contact_pipeline.normalize.corrected import compared, corrected, without_corrected
from contact_pipeline.normalize.formats import fitting_formats, with_formats
from contact_pipeline.normalize.normalize import normalize, repairs_of

__all__ = [
    "compared",
    "corrected",
    "fitting_formats",
    "normalize",
    "repairs_of",
    "with_formats",
    "without_corrected",
]
