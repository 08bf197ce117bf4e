"""Stage 2: raw rows → normalized rows and repairs, in Polars."""

from contact_pipeline.normalize.formats import fitting_formats, with_formats
from contact_pipeline.normalize.mapping import Mapping, map_headings
from contact_pipeline.normalize.normalize import normalize, repairs_of

__all__ = ["Mapping", "fitting_formats", "map_headings", "normalize", "repairs_of", "with_formats"]
