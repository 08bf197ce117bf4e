"""The resource that assets, checks and sensors get: the pipeline on one home folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field, PrivateAttr

from contact_pipeline.orchestration.event_log import kept_open

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.settings import Settings
    from contact_pipeline.store import Upload


class PipelineResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Opens the pipeline on first use. The pipeline holds no file open between its steps."""

    home: str = Field(default="", description="Home folder; empty: CONTACT_PIPELINE_HOME, or ./data.")

    _pipeline: Pipeline | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[PipelineResource]:
        """The resource, for one run."""
        with kept_open(context.instance):
            yield self

    @property
    def settings(self) -> Settings:
        """The settings of that home."""
        from contact_pipeline.settings import Settings

        return Settings(home=Path(self.home)) if self.home else Settings()

    def open(self) -> Pipeline:
        """The pipeline on that home."""
        if self._pipeline is None:
            from contact_pipeline.pipeline import Pipeline

            self._pipeline = Pipeline(settings=self.settings)
        return self._pipeline

    def look_up(self, upload_ids: Iterable[str]) -> dict[str, Upload]:
        """The uploads of those ids, read from the ledger at once.

        Raises:
            Refusal: there is no such upload (code `upload-unknown`).
        """
        from contact_pipeline.pipeline.uploads import upload_of

        opened, keys = self.open(), [*upload_ids]
        lines = {line.upload_id: line for line in opened.store.lines(upload_ids=keys)} if keys else {}
        return {key: upload_of(opened.store, lines[key]) if key in lines else opened.show(key) for key in keys}
