"""The sensors: they stage the files of the inbox, apply automatic uploads, and report what happened without a run."""

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.tags import RUN_KEY_TAG

from contact_pipeline.errors import ContactPipelineError, MachineFault
from contact_pipeline.machine import check_room, fault_of
from contact_pipeline.orchestration import inbox as folder
from contact_pipeline.orchestration.checking import UploadCheck
from contact_pipeline.orchestration.jobs import APPLY, IMPORT, STAGE, apply_upload, import_upload, stage_upload
from contact_pipeline.orchestration.metadata import reason
from contact_pipeline.orchestration.partitions import LONG, in_ranges, request, uploads
from contact_pipeline.orchestration.reporting import report
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.turns import BY_PROFILE, Turns, at_once, carried, is_short
from contact_pipeline.pipeline.uploads import note_fault
from contact_pipeline.store.news import is_recent, keep_news_of_home
from contact_pipeline.store.originals import display_name
from contact_pipeline.store.source import alone_in, files_being_written

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.store import Upload

TICK_SECONDS = 5  # the daemon looks no oftener
REPORT_SECONDS = 15
NOTICE_SECONDS = 15
BUDGET_SECONDS = 20  # for taking files in one tick; the daemon gives up on a tick after 60
LOST_AFTER = timedelta(minutes=2)  # longer than any tick lasts
TRIED_AGAIN_AFTER, GIVEN_UP_AFTER = timedelta(minutes=5), timedelta(days=1)
TRIES = 24  # one an hour
REPORTED_AT_ONCE = 20  # uploads; each is a dozen events


@dg.sensor(
    jobs=[stage_upload, import_upload],
    minimum_interval_seconds=TICK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def inbox(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SensorResult | dg.SkipReason:
    """Takes each file that has stood still and is not being written, and requests runs that stage them, 50 to a run.

    Each long file has a run of its own. A few short files of automatic profiles are applied by the run that stages
    them. The cursor holds what lay in the inbox at the last tick. Files that an earlier tick took before it died are
    staged as well.
    """
    opened = pipeline.open()
    if not opened.settings.inbox.is_dir():
        return dg.SkipReason("There is no inbox.")
    with alone_in(opened.settings.inbox) as alone:
        return _tick(context, opened) if alone else dg.SkipReason("An earlier tick is still taking files.")


def _tick(context: dg.SensorEvaluationContext, opened: "Pipeline") -> dg.SensorResult | dg.SkipReason:
    opened.tidy_arrivals()
    received, again = _left_behind(context.instance, opened)
    profiles, _ = opened.profiles()
    inbox, seconds = opened.settings.inbox, opened.settings.inbox_settle_seconds
    settling = folder.Settling(context.cursor, seconds)
    found = folder.look_through(inbox, profiles)
    ready = _ready(settling, found)
    if settling.waiting and 0 < seconds < TICK_SECONDS and not ready:  # sooner than the next tick
        time.sleep(seconds)
        settling, found = folder.Settling(settling.kept(found), seconds), folder.look_through(inbox, profiles)
        ready = _ready(settling, found)
    for name, why in settling.new_strays(found).items():
        context.log.warning("%s %s", folder.shown(name), why)
    with suppress(OSError):  # there may be no room for it
        folder.write_notice(inbox, found.strays)
    taken, full = _take_in_turn(context, opened, ready)
    for drop, upload in taken:
        settling.taken(drop)
        received += [upload] if upload.state == "received" else []
    if not received and not again:
        context.update_cursor(settling.kept(found))
        waiting = f"{settling.waiting} files are still arriving." if settling.waiting else "Nothing to stage."
        strays = (f"{folder.shown(name)!r} {why}" for name, why in found.strays.items())
        return dg.SkipReason(" ".join([f"No file is taken: {full}" if full else waiting, *strays]))
    soon = at_once(received, opened)
    later = [upload for upload in received if upload.upload_id not in soon]
    short = [upload.upload_id for upload in later if is_short(upload)]
    long = [upload for upload in later if not is_short(upload)]
    return dg.SensorResult(
        cursor=settling.kept(found),
        dynamic_partitions_requests=[
            uploads.build_add_request([*soon, *short, *(upload.upload_id for upload in long)])
        ],
        run_requests=[
            *(request(IMPORT, keys, f"{IMPORT}:{keys[0]}:{len(keys)}", BY_PROFILE) for keys in in_ranges(soon, soon)),
            *(request(STAGE, keys, f"{STAGE}:{keys[0]}:{len(keys)}") for keys in in_ranges(short, short)),
            *(_alone(upload, f"{STAGE}:{upload.upload_id}:1") for upload in long),
            *again,
        ],
    )


def _alone(upload: "Upload", run_key: str) -> dg.RunRequest:
    """A run that stages one upload."""
    return request(STAGE, [upload.upload_id], run_key, tags={} if is_short(upload) else {LONG: STAGE})


def _ready(settling: folder.Settling, found: folder.Found) -> list[folder.Drop]:
    """The files that have settled and that nobody has open for writing, as far as the machine says."""
    settled = [drop for drop in found.drops if settling.has_settled(drop)]
    written = {drop.name: folder.is_written(drop) for drop in settled}
    open_files = files_being_written() if None in written.values() else frozenset()
    return [
        drop
        for drop in settled
        if not (folder.is_among(drop, open_files) if written[drop.name] is None else written[drop.name])
    ]


@dg.sensor(job=apply_upload, minimum_interval_seconds=TICK_SECONDS, default_status=dg.DefaultSensorStatus.RUNNING)
def apply_automatic(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SensorResult | dg.SkipReason:
    """Requests runs that apply the staged uploads of automatic profiles, for each profile in the order of arrival.

    Uploads that were planned on the command line are not applied: they wait for whoever planned them.
    """
    turns, opened = Turns(context.cursor), pipeline.open()
    ready = turns.ready(context.instance, opened)
    for upload in turns.failed:
        _say_stopped(opened, upload)
    if not ready:
        context.update_cursor(turns.kept())
        return dg.SkipReason("None of the uploads that were staged applies automatically.")
    stretches = in_ranges(ready, context.instance.get_dynamic_partitions("uploads"))
    requests = [request(APPLY, keys, None, BY_PROFILE) for keys in stretches]
    return dg.SensorResult(cursor=turns.kept(), run_requests=requests)


@dg.sensor(minimum_interval_seconds=NOTICE_SECONDS, default_status=dg.DefaultSensorStatus.RUNNING)
def notices(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SkipReason:
    """Sends the notices that are due: those of runs, and those that could not be sent before."""
    opened = pipeline.open()
    if not opened.settings.notices_path.exists():
        return dg.SkipReason("There is no notices.yaml.")
    try:
        sent = opened.send_notices(seconds=BUDGET_SECONDS)
    except ContactPipelineError as problem:
        context.log.warning("No notice was sent: %s", problem)
        return dg.SkipReason(f"No notice was sent: {problem}")
    for target, why in sent.problems.items():
        context.log.warning("Not sent to %s: %s", target, why)
    return dg.SkipReason(f"{sent.sent} sent, {sent.waiting} waiting.")


def command_line_uploads(checks: Sequence[UploadCheck]) -> dg.SensorDefinition:
    """Makes the sensor that reports what was done on the command line.

    The checks are a parameter because only the definitions may load them.
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


def _take_in_turn(
    context: dg.SensorEvaluationContext, opened: "Pipeline", ready: "Sequence[folder.Drop]"
) -> "tuple[list[tuple[folder.Drop, Upload]], str]":
    """The files that were taken, with their uploads, and why others were not: a full disk stops all of them.

    A file for which there is no room waits, and so do those of its profile that come after it.
    """
    taken: list[tuple[folder.Drop, Upload]] = []
    deadline, full = time.monotonic() + BUDGET_SECONDS, dict[str, MachineFault]()  # profile → why its files wait
    for drop in ready:
        if time.monotonic() > deadline:
            break
        if drop.profile in full:
            continue
        try:
            size = drop.path.lstat().st_size
            if size <= opened.settings.max_file_bytes:  # a larger one is refused, unread
                check_room(opened.settings.home, size, opened.settings.min_free_bytes)
            upload = _take(context, opened, drop)
        except FileNotFoundError:  # it was taken away
            continue
        except MachineFault as fault:
            full[drop.profile] = fault
            continue
        if upload is not None:
            taken.append((drop, upload))
    for profile, why in full.items():
        context.log.warning("No file of %s is taken: %s", folder.shown(profile), why)
        _tell_once_a_day(opened, why)
    return taken, " ".join(dict.fromkeys(map(str, full.values())))


def _tell_once_a_day(opened: "Pipeline", fault: MachineFault) -> None:
    """Lets people know that no file is taken; where there is no room for the news either, the tick alone says so."""
    with suppress(ContactPipelineError, OSError):
        with opened.store.open(read_only=True) as contacts:
            if is_recent(contacts, "disk_low"):
                return
        with opened.store.change() as contacts:
            keep_news_of_home(contacts, "disk_low", fault.code)


def _take(context: dg.SensorEvaluationContext, pipeline: "Pipeline", drop: folder.Drop) -> "Upload | None":
    """Receives a file, refused or not; None where the file stays for a later tick, or its upload was cancelled.

    Raises:
        MachineFault: the disk is full (code `disk-full`).
    """
    try:
        options, problem = folder.read_options(drop, pipeline.settings.profiles_path)
        claimed = options.pop("user", None)
        user = str(claimed) if claimed and pipeline.settings.trust_inbox_user else folder.owner(drop.path)
        upload = pipeline.receive(
            drop.path, display_name(drop.profile), user=user, move=True, seen=drop.seen, problem=problem, **options
        )
    except (OSError, ContactPipelineError) as problem:
        fault = fault_of(problem)
        if fault is not None and fault.code == "disk-full":
            raise fault from problem
        context.log.warning("%s is left for the next tick: %s", drop.shown, folder.shown(str(problem)))
        return None
    context.log.info("%s is upload %s (%s) %s", drop.shown, upload.upload_id, upload.state, reason(upload))
    return upload if upload.state != "cancelled" else None


def _left_behind(instance: dg.DagsterInstance, pipeline: "Pipeline") -> "tuple[list[Upload], list[dg.RunRequest]]":
    """Received uploads that no run carries.

    Returns:
        uploads that a tick received before it died: their files are gone from the inbox, but no run was requested; and
        requests for uploads whose run ended before they were read, as on a full disk: once an hour for a day.
        One that came when the clock was ahead is found at once.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    known, busy = instance.get_dynamic_partitions("uploads"), carried(instance)
    lost, again = [], []
    for upload in pipeline.uploads(states=["received"], oldest_first=True):
        age = now - upload.added_at
        is_ahead = age < timedelta(0)  # the clock was, when it came: nobody knows how long ago that is
        if not upload.line.inbox or upload.upload_id in busy or (age < LOST_AFTER and not is_ahead):
            continue
        if upload.upload_id not in known:
            lost.append(upload)
        elif TRIED_AGAIN_AFTER < age < GIVEN_UP_AFTER or (is_ahead and _runs_alone(instance, upload) < TRIES):
            run_key = f"{STAGE}:{upload.upload_id}:after {age // timedelta(hours=1)} h"
            if not instance.get_runs_count(dg.RunsFilter(tags={RUN_KEY_TAG: run_key})):
                again.append(_alone(upload, run_key))
                _say_stopped(pipeline, upload)
    return lost, again


def _say_stopped(opened: "Pipeline", upload: "Upload") -> None:
    """Lets people know of an upload whose run has failed. The count of defects has its own notice."""
    with suppress(ContactPipelineError, OSError):
        if not upload.line.defects:
            note_fault(opened.store, upload.line, None)


def _runs_alone(instance: dg.DagsterInstance, upload: "Upload") -> int:
    """How many runs were to stage this upload alone."""
    return instance.get_runs_count(dg.RunsFilter(job_name=STAGE, tags={"dagster/partition": upload.upload_id}))
