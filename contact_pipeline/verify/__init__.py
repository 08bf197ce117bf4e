"""Whether a home is whole: databases, staged files and originals, contacts against their history, counts."""

from contact_pipeline.verify.findings import Finding
from contact_pipeline.verify.verify import Verified, verify

__all__ = ["Finding", "Verified", "verify"]
