"""The sensors: they stage the files of the inbox, apply what applies by itself, and report what was done elsewhere."""

import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from contact_pipeline.errors import ContactPipelineError
from contact_pipeline.orchestration import inbox as folder
from contact_pipeline.orchestration.approval import AUTOMATIC
from contact_pipeline.orchestration.checking import UploadCheck
from contact_pipeline.orchestration.events import APPLIED
from contact_pipeline.orchestration.jobs import APPLY, STAGE, apply_upload, stage_upload
from contact_pipeline.orchestration.metadata import reason
from contact_pipeline.orchestration.partitions import in_ranges, keys_of, request, uploads
from contact_pipeline.orchestration.reporting import report
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.store.originals import is_ordinary, told

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.store import Upload

TICK_SECONDS = 5  # the daemon looks no oftener
REPORT_SECONDS = 15
BUDGET_SECONDS = 20  # for taking files in one tick; the daemon gives up on a tick after 60
LOST_AFTER = timedelta(minutes=2)  # longer than any tick lasts
REPORTED_AT_ONCE = 20  # uploads; each is a dozen events

Looks = dict[str, list[int]]  # file in the inbox → its size and time of change


@dg.sensor(
    job=stage_upload,
    minimum_interval_seconds=TICK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def inbox(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SensorResult | dg.SkipReason:
    """Takes each file that has stood still since the last tick, and requests runs that stage them, 50 to a run.

    The cursor holds what lay in the inbox at the last tick. What an earlier tick took before it died is staged as well.
    """
    opened = pipeline.open()
    before: Looks = json.loads(context.cursor or "{}")
    received = _lost(opened, context.instance.get_dynamic_partitions("uploads"))
    waiting: Looks = {}
    deadline = time.monotonic() + BUDGET_SECONDS
    for drop in folder.drops(opened.settings.inbox):
        if before.get(drop.name) != drop.look or time.monotonic() > deadline:
            waiting[drop.name] = drop.look
        else:
            upload = _take(context, opened, drop)
            received += [upload.upload_id] if upload is not None and upload.state == "received" else []
    if not received:
        context.update_cursor(json.dumps(waiting))
        return dg.SkipReason(f"{len(waiting)} files are still arriving." if waiting else "Nothing to stage.")
    return dg.SensorResult(
        cursor=json.dumps(waiting),
        dynamic_partitions_requests=[uploads.build_add_request(received)],
        run_requests=[request(STAGE, keys, f"{STAGE}:{keys[0]}:{len(keys)}") for keys in in_ranges(received, received)],
    )


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[stage_upload],
    request_job=apply_upload,
    minimum_interval_seconds=TICK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def apply_automatic(
    context: dg.RunStatusSensorContext, pipeline: PipelineResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Once a run has staged files of the inbox, requests that those whose profile says so be applied.

    The ledger knows which. What was planned on the command line waits for whoever planned it.
    """
    ordered = context.instance.get_dynamic_partitions("uploads")
    carried = set(keys_of(context.dagster_run.tags, ordered))
    ready = {
        upload.upload_id
        for upload in pipeline.open().uploads()
        if upload.upload_id in carried and upload.line.inbox
        if upload.state == "staged" and upload.apply_mode == "automatic"
    }
    if not ready:
        yield dg.SkipReason("None of the uploads that were staged applies automatically.")
    for keys in in_ranges(ready, ordered):
        run_key = f"{APPLY}:{context.dagster_run.run_id}:{keys[0]}"
        yield request(APPLY, keys, run_key, {"ops": {APPLIED: {"config": {"approved_by": AUTOMATIC}}}})


def command_line_uploads(checks: Sequence[UploadCheck]) -> dg.SensorDefinition:
    """The sensor that reports what was done on the command line, with those checks.

    It is made, not declared, because only the definitions may load the checks.
    """

    @dg.sensor(
        name="command_line_uploads",
        minimum_interval_seconds=REPORT_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SkipReason:
        """Reports what became of uploads on the command line: staged, applied, finalized, undone, redone, cancelled."""
        reported = report(context.instance, pipeline.open(), checks, REPORTED_AT_ONCE)
        return dg.SkipReason(f"{reported} reported." if reported else "Nothing was done on the command line.")

    return sensor


def _take(context: dg.SensorEvaluationContext, pipeline: "Pipeline", drop: folder.Drop) -> "Upload | None":
    """Receives a file, refused or not; None where the machine did not let us, and the next tick tries again."""
    try:
        options, problem = folder.read_options(drop, pipeline.settings.profiles_path)
        claimed = options.pop("user", None)
        user = str(claimed) if claimed and pipeline.settings.trust_inbox_user else folder.owner(drop.path)
        upload = pipeline.receive(drop.path, told(drop.profile), user=user, move=True, problem=problem, **options)
        if is_ordinary(drop.options_path) and upload.state != "refused":
            pipeline.originals.keep_options(upload.upload_id, drop.options_path)
    except (OSError, ContactPipelineError) as fault:
        context.log.warning("%s is left for the next tick: %s", told(drop.name), told(str(fault)))
        return None
    context.log.info("%s is upload %s (%s) %s", told(drop.name), upload.upload_id, upload.state, reason(upload))
    return upload


def _lost(pipeline: "Pipeline", known: Sequence[str]) -> list[str]:
    """Uploads that a tick received before it died: their files are gone from the inbox, but no run has them."""
    since = datetime.now(UTC).replace(tzinfo=None) - LOST_AFTER
    return [
        upload.upload_id
        for upload in reversed(pipeline.uploads())
        if upload.line.inbox and upload.state == "received" and upload.added_at < since
        if upload.upload_id not in known
    ]
