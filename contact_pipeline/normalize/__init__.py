"""Stage 2: raw rows → normalized rows and repairs, in Polars."""

from contact_pipeline.normalize.mapping import Mapping, map_headings
from contact_pipeline.normalize.normalize import normalize, repairs_of

__all__ = ["Mapping", "map_headings", "normalize", "repairs_of"]
