"""Reports to Dagster, afterwards, what happened without a run: on the command line, or a refusal in the inbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg

from contact_pipeline.errors import ContactPipelineError, StoreBusy
from contact_pipeline.machine import fault_of
from contact_pipeline.orchestration.approval import Ending, describe_state
from contact_pipeline.orchestration.checking import UploadCheck
from contact_pipeline.orchestration.events import Events, without_run
from contact_pipeline.orchestration.feeds import FETCH
from contact_pipeline.orchestration.metadata import STAGED
from contact_pipeline.orchestration.partitions import keys_of
from contact_pipeline.orchestration.showing import (
    not_shown,
    observe,
    remember_shown,
    show_applied,
    show_checks,
    show_stage,
)
from contact_pipeline.store.ledger import now

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.store import Upload
    from contact_pipeline.store.ledger import Glance

_UNDER_WAY = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_WAS_TO_BE_APPLIED = frozenset({"applied", "finalized", "undone", "stale"})


def report(instance: dg.DagsterInstance, pipeline: Pipeline, checks: Sequence[UploadCheck], at_once: int) -> int:
    """Adds a partition for every new upload and shows its current state; returns how many uploads were reported.

    Uploads that are received but not staged are left out: their command, or run, is still at work. So are uploads
    whose Dagster records have expired.
    """
    ledger = pipeline.store.glances()
    known = set(instance.get_dynamic_partitions("uploads"))
    new = [glance.upload_id for glance in ledger if glance.upload_id not in known and not glance.runs_expired][:at_once]
    for upload_id in new:
        _report_new(instance, pipeline, checks, pipeline.show(upload_id))
        instance.add_dynamic_partitions("uploads", [upload_id])  # last: a tick that is cut off is done again
    old = [glance for glance in ledger if glance.upload_id in known]
    changed = _changed_without_run(instance, pipeline, old)[:at_once]
    for upload_id in changed:
        _report_changed(instance, pipeline, checks, pipeline.show(upload_id))
    return len(new) + len(changed)


def _changed_without_run(instance: dg.DagsterInstance, pipeline: Pipeline, uploads: list[Glance]) -> list[str]:
    """Uploads whose state in Dagster is out of date; not those of unfinished runs, which may yet show them."""
    runs = instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY))
    feeds, ordered = {run.tags.get(FETCH) for run in runs} - {None}, instance.get_dynamic_partitions("uploads")
    carried = {key for run in runs for key in keys_of(run.tags, ordered)}
    at_rest = [glance for glance in uploads if glance.upload_id not in carried and glance.feed not in feeds]
    return not_shown(instance, pipeline, at_rest)


def _report_new(
    instance: dg.DagsterInstance, pipeline: Pipeline, checks: Sequence[UploadCheck], upload: Upload
) -> None:
    events = without_run(instance, upload.added_at)
    with _or_why_not(events, upload):
        for asset in STAGED:
            show_stage(events, pipeline, asset, upload)
        show_checks(events, checks, upload)
    if upload.state in _WAS_TO_BE_APPLIED:
        show_applied(without_run(instance, upload.finished_at or upload.added_at), describe_state(pipeline, upload))


def _report_changed(
    instance: dg.DagsterInstance, pipeline: Pipeline, checks: Sequence[UploadCheck], upload: Upload
) -> None:
    """Shows the state of an upload at the present time: the ledger does not have the time of every change."""
    events = without_run(instance, now())
    if upload.state in {"staged", "blocked"}:
        with _or_why_not(events, upload):
            show_stage(events, pipeline, "matched_changeset", upload)
            show_checks(events, [check for check in checks if check.asset == "matched_changeset"], upload)
    else:
        show_applied(events, describe_state(pipeline, upload))


@contextmanager
def _or_why_not(events: Events, upload: Upload) -> Iterator[None]:
    """Shows why the staged data of an upload cannot be shown, where it is damaged: other uploads do not wait for it."""
    try:
        yield
    except StoreBusy:  # the next tick does it
        raise
    except Exception as error:
        problem = error if isinstance(error, ContactPipelineError) else fault_of(error)
        if problem is None:
            raise
        observe(events, "matched_changeset", Ending(upload, f"What was staged cannot be shown: {problem}"))
        remember_shown(events.instance, upload)
