"""Stage 2: raw rows → normalized rows and repairs, in Polars."""

from contact_pipeline.normalize.formats import fitting_formats, with_formats
from contact_pipeline.normalize.normalize import normalize, repairs_of
from contact_pipeline.normalize.understood import compared

__all__ = ["compared", "fitting_formats", "normalize", "repairs_of", "with_formats"]
