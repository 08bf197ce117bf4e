"""Shows in Dagster where an upload stands: materializations for what happened, observations for what did not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from contact_pipeline.contracts.states import PLANNED
from contact_pipeline.orchestration.approval import Ending, describe_state
from contact_pipeline.orchestration.checking import UploadCheck, evaluation, is_due
from contact_pipeline.orchestration.events import APPLIED, Events, happened
from contact_pipeline.orchestration.forgetting import forget_materializations
from contact_pipeline.orchestration.metadata import STAGED, Metadata, counts, facts, staged
from contact_pipeline.store.ledger import Glance

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.store import Upload

_SHOWN = "contact_pipeline:shown:"  # key of what Dagster was last shown of an upload, in Dagster's own storage
_AT_ONCE = 5_000


def show_stage(events: Events, pipeline: Pipeline, asset: str, upload: Upload, seconds: float | None = None) -> None:
    """Shows one of the first four assets of an upload as it is now, and how long it took, where that is known."""
    there = happened(upload)
    if asset in there:
        shown = staged(asset, upload, pipeline) | _taken(seconds)
        events.log(dg.AssetMaterialization(asset, partition=upload.upload_id, metadata=shown))
    else:
        for other in STAGED.keys() - there:
            forget_materializations(events.instance, other, upload.upload_id)
        observe(events, asset, describe_state(pipeline, upload))
    if asset == "matched_changeset":
        remember_shown(events.instance, upload)


def show_applied(events: Events, ending: Ending, seconds: float | None = None) -> None:
    """Shows applied_contacts of an upload, and its check `apply_gates`, as they are now; and how long it took."""
    upload = ending.upload
    if ending.is_applied and not ending.refused:
        shown = _said(ending) | facts(upload) | counts(upload, APPLIED) | _taken(seconds)
        events.log(dg.AssetMaterialization(APPLIED, partition=upload.upload_id, metadata=shown))
    else:
        if not ending.is_applied:
            forget_materializations(events.instance, APPLIED, upload.upload_id)
        observe(events, APPLIED, ending)
    if not (ending.is_applied and ending.refused):  # what is in effect stays so, whatever was refused now
        events.log(evaluation(events.instance, APPLIED, "apply_gates", upload.upload_id, ending.verdict))
    remember_shown(events.instance, upload)


def observe(events: Events, asset: str, ending: Ending, more: Metadata | None = None) -> None:
    """Shows where an upload stands without a word on whether it is materialized."""
    shown = _said(ending) | facts(ending.upload) | (more or {})
    events.log(dg.AssetObservation(asset, partition=ending.upload.upload_id, metadata=shown))


def show_checks(events: Events, checks: Iterable[UploadCheck], upload: Upload) -> None:
    """Shows the results of the checks that there is something to judge for."""
    for check in checks:
        if is_due(check.asset, check.name, upload):
            events.log(evaluation(events.instance, check.asset, check.name, upload.upload_id, check.judge(upload)))


def remember_shown(instance: dg.DagsterInstance, upload: Upload) -> None:
    """Remembers that Dagster shows an upload as it is now."""
    seen = Glance(
        upload.upload_id,
        upload.state,
        upload.changeset_sha256,
        upload.outcomes["review"],
        upload.first_approved_by,
        runs_expired=False,
    )
    instance.daemon_cursor_storage.set_cursor_values({_SHOWN + upload.upload_id: _appearance(seen)})


def not_shown(instance: dg.DagsterInstance, pipeline: Pipeline, uploads: Collection[Glance]) -> list[str]:
    """The uploads that Dagster shows otherwise than they are, in the order given.

    Of those that an earlier version showed it is not known how; they count as shown if they are materialized as far as
    they have come, and are remembered then.
    """
    shown = _remembered(instance, [_SHOWN + upload.upload_id for upload in uploads])
    green: dict[str, set[str]] = {}
    if len(shown) < len(uploads):
        green = {asset: instance.get_materialized_partitions(dg.AssetKey(asset)) for asset in (*STAGED, APPLIED)}
    differing = []
    for seen in uploads:
        remembered = shown.get(_SHOWN + seen.upload_id)
        if remembered is None:
            upload = pipeline.show(seen.upload_id)
            if {asset for asset, keys in green.items() if seen.upload_id in keys} == happened(upload):
                remember_shown(instance, upload)
                continue
        if remembered != _appearance(seen):
            differing.append(seen.upload_id)
    return differing


def _remembered(instance: dg.DagsterInstance, keys: Sequence[str]) -> dict[str, str]:
    """The values of these keys, those that there are; asked for in parts, for SQLite takes so many at once."""
    found: dict[str, str] = {}
    for start in range(0, len(keys), _AT_ONCE):
        found |= instance.daemon_cursor_storage.get_cursor_values(set(keys[start : start + _AT_ONCE]))
    return found


def _appearance(seen: Glance) -> str:
    """What must be equal for an upload to look the same in Dagster."""
    said = f"{seen.state} {seen.changeset_sha256} {seen.review}"
    return f"{said} {seen.first_approved_by}" if seen.first_approved_by and seen.state in PLANNED else said


def _said(ending: Ending) -> dict[str, dg.MetadataValue]:
    return {"ending": dg.MetadataValue.text(ending.said), "state": dg.MetadataValue.text(ending.upload.state)}


def _taken(seconds: float | None) -> Metadata:
    return {} if seconds is None else {"seconds": dg.MetadataValue.float(round(seconds, 3))}
