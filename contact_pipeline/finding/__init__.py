"""Finding people by what is known of them, written in any way, and telling whom one word of a command means."""

from contact_pipeline.finding.find import Criteria, Found, find
from contact_pipeline.finding.who import Fitting, SeveralFit, must_be_one, who

__all__ = ["Criteria", "Fitting", "Found", "SeveralFit", "find", "must_be_one", "who"]
