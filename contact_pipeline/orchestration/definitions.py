"""Everything that Dagster loads, put together; the one place that knows where the assets and checks are."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import dagster as dg

from contact_pipeline.orchestration.checking import UploadCheck
from contact_pipeline.orchestration.jobs import apply_upload, request_jobs, stage_upload
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.sensors import apply_automatic, command_line_uploads, inbox, notices


def build_definitions(resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The definitions, with other resources where tests want them."""
    checks: tuple[UploadCheck, ...] = _package("checks").CHECKS
    return dg.Definitions(
        assets=_package("assets").ASSETS,
        asset_checks=[check.definition for check in checks],
        jobs=[stage_upload, apply_upload, *request_jobs(checks)],
        sensors=[inbox, apply_automatic, command_line_uploads(checks), notices],
        resources={"pipeline": PipelineResource(), **(resource_overrides or {})},
        executor=dg.in_process_executor,
    )


def _package(name: str) -> ModuleType:
    """In a checkout `assets` and `checks` are top-level folders; an install has them beside this module."""
    installed = f"{__package__}.{name}"
    return import_module(installed if find_spec(installed) else name)


defs = build_definitions()
