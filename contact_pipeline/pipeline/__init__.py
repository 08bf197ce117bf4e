"""Composes the five stages. `Pipeline` hands each call to the module here that does it.

docs/architecture.md says what each module does, and which may use which.
"""

from contact_pipeline.contracts.states import APPLIED
from contact_pipeline.pipeline.pipeline import Pipeline
from contact_pipeline.pipeline.states import STAGES

__all__ = ["APPLIED", "STAGES", "Pipeline"]
