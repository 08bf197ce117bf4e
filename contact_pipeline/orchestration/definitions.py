"""Everything that Dagster loads, put together; the one place that knows where the assets and checks are."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import dagster as dg

from contact_pipeline.feeds.model import Feed
from contact_pipeline.feeds.read import find_feeds
from contact_pipeline.orchestration.checking import UploadCheck
from contact_pipeline.orchestration.expiring import expire_nightly, expire_uploads
from contact_pipeline.orchestration.feeds import again, feed_definitions, overdue_feeds
from contact_pipeline.orchestration.jobs import apply_upload, import_upload, request_jobs, stage_upload
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.sensors import apply_automatic, command_line_uploads, inbox, notices
from contact_pipeline.orchestration.totals import contact_totals, contacts
from contact_pipeline.orchestration.waiting import awaiting_approval, waiting_uploads


def build_definitions(resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The definitions, with other resources where tests want them."""
    checks: tuple[UploadCheck, ...] = _package("checks").CHECKS
    resources = {"pipeline": PipelineResource(), **(resource_overrides or {})}
    uploads = dg.Definitions(
        assets=[*_package("assets").ASSETS, contacts, awaiting_approval],
        asset_checks=[check.definition for check in checks],
        jobs=[stage_upload, apply_upload, import_upload, *request_jobs(checks), expire_uploads],
        schedules=[expire_nightly],
        sensors=[inbox, apply_automatic, command_line_uploads(checks), notices, waiting_uploads, contact_totals],
        resources=resources,
    )
    return dg.Definitions.merge(uploads, *_feeds(resources["pipeline"]))


def _feeds(pipeline: PipelineResource) -> Iterator[dg.Definitions]:
    """The feeds of the home as they are now. A feed whose file cannot be used is left out, with a warning."""
    found, scheduled = find_feeds(pipeline.settings), dict[str, Any]()
    for name, feed in found.items():
        if not isinstance(feed, Feed):
            logging.getLogger("dagster").warning("A feed is left out. %s", feed)
            continue
        try:
            made = feed_definitions(name, feed, pipeline)
        except Exception as error:  # noqa: BLE001 - one feed that Dagster refuses must not hide all others
            logging.getLogger("dagster").warning("The feed %s is left out: %s", name, error)
            continue
        yield made
        if feed.schedule:
            (scheduled[name],) = made.jobs or ()
    if scheduled:
        yield dg.Definitions(sensors=[again("feeds_again", scheduled, pipeline)])
    if found:
        yield dg.Definitions(sensors=[overdue_feeds])


def _package(name: str) -> ModuleType:
    """In a checkout `assets` and `checks` are top-level folders; an install has them beside this module."""
    installed = f"{__package__}.{name}"
    return import_module(installed if find_spec(installed) else name)


defs = build_definitions()
