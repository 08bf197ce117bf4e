"""What was done without a run, on the command line or by a refusal in the inbox, reported to Dagster after the fact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from contact_pipeline.orchestration.approval import APPLIED_STATES, standing
from contact_pipeline.orchestration.checking import UploadCheck, evaluation
from contact_pipeline.orchestration.metadata import STAGED, counts, facts, staged

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.store import Upload

_UNDER_WAY = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def report(instance: dg.DagsterInstance, pipeline: Pipeline, checks: Sequence[UploadCheck], at_once: int) -> int:
    """Makes every upload a partition, materialized as far as it came; returns how many were reported.

    An upload that was received but not staged is left out: its command, or its run, is still at work.
    """
    ledger = [upload for upload in reversed(pipeline.uploads()) if upload.state != "received"]
    known = set(instance.get_dynamic_partitions("uploads"))
    new = [upload for upload in ledger if upload.upload_id not in known][:at_once]
    if new:
        instance.add_dynamic_partitions("uploads", [upload.upload_id for upload in new])
    for upload in new:
        _report_staged(instance, pipeline, checks, upload)
    applied = _applied_without_run(instance, ledger)[:at_once]
    for upload in applied:
        _report_applied(instance, upload)
    return len({upload.upload_id for upload in (*new, *applied)})


def _applied_without_run(instance: dg.DagsterInstance, ledger: list[Upload]) -> list[Upload]:
    """Applied uploads that Dagster knows nothing of. A run that is under way may just be about to tell it."""
    if instance.get_runs_count(dg.RunsFilter(statuses=_UNDER_WAY)):
        return []
    told = instance.get_materialized_partitions(dg.AssetKey("applied_contacts"))
    return [upload for upload in ledger if upload.state in APPLIED_STATES and upload.upload_id not in told]


def _report_staged(
    instance: dg.DagsterInstance, pipeline: Pipeline, checks: Sequence[UploadCheck], upload: Upload
) -> None:
    for asset in STAGED:
        shown = staged(asset, upload, pipeline)
        instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=upload.upload_id, metadata=shown))
    for check in checks:
        verdict = check.judge(upload)
        instance.report_runless_asset_event(evaluation(instance, check.asset, check.name, upload.upload_id, verdict))


def _report_applied(instance: dg.DagsterInstance, upload: Upload) -> None:
    ending = standing(upload)
    shown = {"ending": dg.MetadataValue.text(ending.said)} | facts(upload) | counts(upload)
    instance.report_runless_asset_event(
        dg.AssetMaterialization("applied_contacts", partition=upload.upload_id, metadata=shown)
    )
    instance.report_runless_asset_event(
        evaluation(instance, "applied_contacts", "apply_gates", upload.upload_id, ending.verdict)
    )
