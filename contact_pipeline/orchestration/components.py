"""The components that Dagster engineers declare in a project of their own: `dg scaffold defs` writes their YAML."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Self

import dagster as dg
from dagster.components import Scaffolder, ScaffoldRequest
from dagster.components.component_scaffolding import scaffold_component
from pydantic import BaseModel, Field, ValidationError

from contact_pipeline.feeds.model import Feed
from contact_pipeline.orchestration.feeds import OF_ONE_SECONDS, again, feed_definitions, overdue_feed
from contact_pipeline.orchestration.resources import PipelineResource

_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,40}")
Home = Annotated[str, Field(description="Home folder of the contacts. Empty: CONTACT_PIPELINE_HOME, or else ./data.")]
_EXAMPLE: Final = {
    "title": "What it is, for people",
    "source": "s3://BUCKET/FOLDER/*.csv",
    "profile": "dealer_leads",
    "schedule": {"cron": "0 6 * * *", "time_zone": "UTC"},
}


class HomeAttributes(BaseModel, extra="forbid", frozen=True):
    """Where the contacts are."""

    home: Home = ""


class FeedAttributes(Feed):
    """A feed, the home that it fills, and its name."""

    home: Home = ""
    name: str | None = Field(
        default=None,
        pattern=_NAME.pattern,
        description="Name of the feed: letters, digits and _. Unset: that of the folder of this file.",
    )


class _FeedScaffolder(Scaffolder):
    """Writes the YAML of a feed to fill in."""

    def scaffold(self, request: ScaffoldRequest[Any]) -> None:
        """Writes its YAML."""
        scaffold_component(request, _EXAMPLE)


@dg.scaffold_with(_FeedScaffolder)
class ContactFeed(dg.Component):
    """Files of contacts that are fetched again and again: an asset that is overdue when none comes, and its schedule.

    Each file becomes an upload of the home, staged and, where its profile says so, applied. A project with feeds has a
    `contact_pipeline.ContactPipeline` too, which shows the uploads and lets people approve them.
    """

    def __init__(self, name: str, feed: Feed, home: str = "", described_in: str = "a Dagster project") -> None:
        self.name = name
        self.feed = feed
        self.home = home
        self.described_in = described_in

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The attributes that its YAML can have."""
        return FeedAttributes

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """The component that the YAML of a folder declares; `{{ env.NAME }}` in it stands for a variable.

        Raises:
            ValueError: its attributes, filled in, do not fit, or the name of the folder cannot be one of a feed.
        """
        given = attributes.model_dump(exclude_unset=True) if attributes else {}
        try:
            filled = FeedAttributes.model_validate(context.resolution_context.resolve_value(given))
        except ValidationError as error:
            raise ValueError(str(error)) from None
        name = filled.name or context.path.name
        if not _NAME.fullmatch(name):
            raise ValueError(f"'{name}' is no name of a feed: give `name` one of letters, digits and _, 40 at most.")
        feed = Feed.model_validate(filled.model_dump(exclude={"name", "home"}, exclude_unset=True))
        return cls(name, feed, filled.home, str(context.path))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002 - all is in the YAML
        """The asset of the feed, what makes it, and what notices that no file has come."""
        pipeline = PipelineResource(home=self.home)
        definitions = feed_definitions(self.name, self.feed, pipeline, self.described_in)
        sensors = [overdue_feed(self.name, self.feed, pipeline, self.described_in)] if self.feed.due else []
        if self.feed.schedule:
            (job,) = definitions.jobs or ()
            sensors.append(again(f"fetch_{self.name}_again", {self.name: job}, pipeline, OF_ONE_SECONDS))
        return dg.Definitions.merge(definitions, dg.Definitions(sensors=sensors))


class ContactPipeline(dg.Component):
    """The uploads of a home: an asset for each stage, with a partition for each upload; checks, jobs and sensors."""

    def __init__(self, home: str = "") -> None:
        self.home = home

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The attributes that its YAML can have."""
        return HomeAttributes

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """The component that the YAML of a folder declares."""
        given = attributes.model_dump() if attributes else {}
        return cls(HomeAttributes.model_validate(context.resolution_context.resolve_value(given)).home)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """The definitions that `serve` has."""
        from contact_pipeline.orchestration.definitions import build_definitions

        return build_definitions({"pipeline": PipelineResource(home=self.home)})
