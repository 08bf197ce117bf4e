"""Composes the five stages. `Pipeline` hands each call to the module here that does it.

docs/architecture.md describes each module, and which modules it may use.
"""

from contact_pipeline.contracts.states import APPLIED
from contact_pipeline.pipeline.pipeline import Pipeline
from contact_pipeline.pipeline.states import STAGES

__all__ = ["APPLIED", "STAGES", "Pipeline"]
