"""Composes the five stages: an upload is received, read, normalized, validated, matched, and then applied."""

from contact_pipeline.pipeline.pipeline import Pipeline
from contact_pipeline.pipeline.stages import STAGES
from contact_pipeline.pipeline.states import APPLIED

__all__ = ["APPLIED", "STAGES", "Pipeline"]
