"""Shows the state of uploads in Dagster: a materialization for what was done, an observation for what was not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from contact_pipeline.contracts.states import PLANNED
from contact_pipeline.orchestration.approval import Ending, describe_state
from contact_pipeline.orchestration.checking import UploadCheck, Verdict, evaluations, is_due
from contact_pipeline.orchestration.events import APPLIED, Events, materialized_assets
from contact_pipeline.orchestration.forgetting import SHOWN, forget_materializations
from contact_pipeline.orchestration.metadata import STAGED, Metadata, counts, facts, staged
from contact_pipeline.store.ledger import Glance

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.store import Upload

_AT_ONCE = 5_000  # keys in one query: SQLite takes a limited number


def show_stage(events: Events, pipeline: Pipeline, asset: str, upload: Upload, seconds: float | None = None) -> None:
    """Shows one of the first four assets of an upload as it is now, and how long its stage took, if known."""
    made = materialized_assets(upload)
    if asset in made:
        shown = staged(asset, upload, pipeline) | _taken(seconds)
        events.log(dg.AssetMaterialization(asset, partition=upload.upload_id, metadata=shown))
    else:
        for other in STAGED.keys() - made:
            forget_materializations(events.instance, other, upload.upload_id)
        observe(events, asset, describe_state(pipeline, upload))
    if asset == "matched_changeset":
        events.remember(_as_shown(upload))


def show_applied(events: Events, ending: Ending, seconds: float | None = None) -> None:
    """Shows applied_contacts of an upload, and its check `apply_gates`, as they are now; and how long applying took."""
    upload = ending.upload
    if ending.is_applied and not ending.refused:
        shown = _ending_metadata(ending) | facts(upload) | counts(upload, APPLIED) | _taken(seconds)
        events.log(dg.AssetMaterialization(APPLIED, partition=upload.upload_id, metadata=shown))
    else:
        if not ending.is_applied:
            forget_materializations(events.instance, APPLIED, upload.upload_id)
        observe(events, APPLIED, ending)
    if not (ending.is_applied and ending.refused):  # a refused request does not change what is in effect
        _show_check(events, APPLIED, "apply_gates", upload, ending.verdict)
    events.remember(_as_shown(upload))


def observe(events: Events, asset: str, ending: Ending, more: Metadata | None = None) -> None:
    """Shows the state of an upload, and leaves open whether it is materialized."""
    shown = _ending_metadata(ending) | facts(ending.upload) | (more or {})
    events.log(dg.AssetObservation(asset, partition=ending.upload.upload_id, metadata=shown))


def show_checks(events: Events, checks: Iterable[UploadCheck], upload: Upload) -> None:
    """Shows the results of the checks that have something to judge."""
    for check in checks:
        if is_due(check.asset, check.name, upload):
            _show_check(events, check.asset, check.name, upload, check.judge(upload))


def _show_check(events: Events, asset: str, name: str, upload: Upload, verdict: Verdict) -> None:
    for result in evaluations(events.instance, asset, name, {upload.upload_id: verdict}):
        events.log(result)


def remember_shown(instance: dg.DagsterInstance, upload: Upload) -> None:
    """Remembers that Dagster shows an upload as it is now."""
    instance.daemon_cursor_storage.set_cursor_values(_as_shown(upload))


def _as_shown(upload: Upload) -> dict[str, str]:
    """The key of an upload in Dagster's storage, and how the upload looks now."""
    glance = Glance(
        upload.upload_id,
        upload.state,
        upload.changeset_sha256,
        upload.outcomes["review"],
        upload.first_approved_by,
        runs_expired=False,
        feed=upload.feed,
    )
    return {SHOWN + upload.upload_id: _appearance(glance)}


def not_shown(instance: dg.DagsterInstance, pipeline: Pipeline, uploads: Collection[Glance]) -> list[str]:
    """The uploads whose state in Dagster is out of date, in the order given.

    What an earlier version showed is not remembered. Such an upload counts as shown if the right assets are
    materialized, and is remembered then.
    """
    shown = _remembered(instance, [SHOWN + upload.upload_id for upload in uploads])
    green: dict[str, set[str]] = {}
    if len(shown) < len(uploads):
        green = {asset: instance.get_materialized_partitions(dg.AssetKey(asset)) for asset in (*STAGED, APPLIED)}
    differing = []
    for glance in uploads:
        remembered = shown.get(SHOWN + glance.upload_id)
        if remembered is None:
            upload = pipeline.show(glance.upload_id)
            if {asset for asset, keys in green.items() if glance.upload_id in keys} == materialized_assets(upload):
                remember_shown(instance, upload)
                continue
        if remembered != _appearance(glance):
            differing.append(glance.upload_id)
    return differing


def _remembered(instance: dg.DagsterInstance, keys: Sequence[str]) -> dict[str, str]:
    """The values of these keys, where there are any."""
    found: dict[str, str] = {}
    for start in range(0, len(keys), _AT_ONCE):
        found |= instance.daemon_cursor_storage.get_cursor_values(set(keys[start : start + _AT_ONCE]))
    return found


def _appearance(glance: Glance) -> str:
    """A text that stays equal as long as the upload looks the same in Dagster."""
    appearance = f"{glance.state} {glance.changeset_sha256} {glance.review}"
    is_half_approved = glance.first_approved_by and glance.state in PLANNED
    return f"{appearance} {glance.first_approved_by}" if is_half_approved else appearance


def _ending_metadata(ending: Ending) -> dict[str, dg.MetadataValue]:
    return {"ending": dg.MetadataValue.text(ending.words), "state": dg.MetadataValue.text(ending.upload.state)}


def _taken(seconds: float | None) -> Metadata:
    return {} if seconds is None else {"seconds": dg.MetadataValue.float(round(seconds, 3))}
