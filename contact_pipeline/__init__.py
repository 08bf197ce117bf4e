"""Plan and apply for contact data: a file becomes a changeset that is shown, applied in one commit, and undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline

__all__ = ["Pipeline"]


def __getattr__(name: str) -> object:
    """Loads `Pipeline` on first use, so that importing the package costs nothing."""
    if name == "Pipeline":
        from contact_pipeline.pipeline import Pipeline

        return Pipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
