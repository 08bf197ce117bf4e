"""Plan and apply for contact data: a file becomes a changeset that is shown, applied in one commit, and undone."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contact_pipeline.orchestration.components import ContactFeed, ContactPipeline
    from contact_pipeline.pipeline import Pipeline

__all__ = ["ContactFeed", "ContactPipeline", "Pipeline"]

_COMPONENTS = ("ContactFeed", "ContactPipeline")  # for Dagster's `dg`, which looks for them here


def __getattr__(name: str) -> object:
    """Loads a public name on first use, so that importing the package costs nothing and needs no Dagster."""
    if name == "Pipeline":
        from contact_pipeline.pipeline import Pipeline

        return Pipeline
    if name in _COMPONENTS:
        from contact_pipeline.orchestration import components

        return getattr(components, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The names of the package; components are among them where Dagster is installed."""
    return sorted([*globals(), "Pipeline", *(_COMPONENTS if find_spec("dagster") else ())])
