"""Composes the five stages: an upload is received, read, normalized, validated, matched, and then applied."""

from contact_pipeline.contracts.states import APPLIED
from contact_pipeline.pipeline.pipeline import Pipeline
from contact_pipeline.pipeline.states import STAGES

__all__ = ["APPLIED", "STAGES", "Pipeline"]
