"""What was done without a run, on the command line or by a refusal in the inbox, reported to Dagster after the fact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from contact_pipeline.orchestration.approval import describe_state
from contact_pipeline.orchestration.checking import UploadCheck
from contact_pipeline.orchestration.events import without_run
from contact_pipeline.orchestration.metadata import STAGED
from contact_pipeline.orchestration.showing import not_shown, show_applied, show_checks, show_stage
from contact_pipeline.store.ledger import now

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.store import Upload
    from contact_pipeline.store.ledger import Glance

_UNDER_WAY = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_WAS_TO_BE_APPLIED = frozenset({"applied", "finalized", "undone", "stale"})


def report(instance: dg.DagsterInstance, pipeline: Pipeline, checks: Sequence[UploadCheck], at_once: int) -> int:
    """Makes every upload a partition, shown as far as it came and as it stands now; returns how many were reported.

    An upload that was received but not staged is left out: its command, or its run, is still at work. So is one of
    which Dagster was to keep nothing any more.
    """
    ledger = pipeline.store.glances()
    known = set(instance.get_dynamic_partitions("uploads"))
    new = [seen.upload_id for seen in ledger if seen.upload_id not in known and not seen.runs_expired][:at_once]
    if new:
        instance.add_dynamic_partitions("uploads", new)
    for upload_id in new:
        _report_new(instance, pipeline, checks, pipeline.show(upload_id))
    changed = _changed_without_run(instance, pipeline, [seen for seen in ledger if seen.upload_id in known])[:at_once]
    for upload_id in changed:
        _report_changed(instance, pipeline, checks, pipeline.show(upload_id))
    return len(new) + len(changed)


def _changed_without_run(instance: dg.DagsterInstance, pipeline: Pipeline, uploads: list[Glance]) -> list[str]:
    """Uploads that Dagster shows otherwise than they are. A run that is under way may just be about to show them."""
    is_busy = instance.get_runs_count(dg.RunsFilter(statuses=_UNDER_WAY))
    return [] if is_busy else not_shown(instance, pipeline, uploads)


def _report_new(
    instance: dg.DagsterInstance, pipeline: Pipeline, checks: Sequence[UploadCheck], upload: Upload
) -> None:
    events = without_run(instance, upload.added_at)
    for asset in STAGED:
        show_stage(events, pipeline, asset, upload)
    show_checks(events, checks, upload)
    if upload.state in _WAS_TO_BE_APPLIED:
        show_applied(without_run(instance, upload.finished_at or upload.added_at), describe_state(pipeline, upload))


def _report_changed(
    instance: dg.DagsterInstance, pipeline: Pipeline, checks: Sequence[UploadCheck], upload: Upload
) -> None:
    """Shows what has become of an upload since; when exactly that was, the ledger does not say of every change."""
    events = without_run(instance, now())
    if upload.state in {"staged", "blocked"}:
        show_stage(events, pipeline, "matched_changeset", upload)
        show_checks(events, [check for check in checks if check.asset == "matched_changeset"], upload)
    else:
        show_applied(events, describe_state(pipeline, upload))
