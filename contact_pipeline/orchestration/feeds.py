"""Feeds in Dagster: each has an asset, which is overdue when no file comes, and a job that fetches."""

import json
import re
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
from dagster._core.utils import is_valid_email  # an owner that this refuses keeps Dagster from loading anything

from contact_pipeline.errors import ContactPipelineError, Refusal, number_of
from contact_pipeline.feeds.elsewhere import note_elsewhere
from contact_pipeline.feeds.model import Feed, Schedule
from contact_pipeline.feeds.place import place_of
from contact_pipeline.feeds.source import check
from contact_pipeline.feeds.status import note_missed, note_missed_of
from contact_pipeline.feeds.times import seconds_of
from contact_pipeline.feeds.trouble import PASSING
from contact_pipeline.machine import fault_of
from contact_pipeline.masking import ANY, mask
from contact_pipeline.orchestration.events import fail, logged_output, of_run
from contact_pipeline.orchestration.links import as_link
from contact_pipeline.orchestration.metadata import reason
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.steps import again_if_busy
from contact_pipeline.orchestration.turns import UNFINISHED
from contact_pipeline.store.feeds import feed_states

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from contact_pipeline.feeds.run import FeedRun
    from contact_pipeline.pipeline import Pipeline

FETCHED: Final = "fetched_files"  # the asset of a feed, behind the feed's name

FETCH: Final = "contact_pipeline/fetch"  # tag of the runs that fetch: the feed

LOOK_SECONDS: Final = 8  # for a server to let the sensor in, and to list; Dagster gives up on a tick after 60
TRIED_AGAIN_AFTER, AND_EVERY = timedelta(minutes=5), timedelta(hours=1)
_TRIED_AGAIN: Final = 24  # times
_OVERDUE_SECONDS: Final = 60
_AGAIN_SECONDS: Final = 120
_FAILED_WITHIN: Final = timedelta(days=7)  # later the schedule has long run
OF_ONE_SECONDS: Final = 300  # between looks of the sensors that one feed has for itself: there may be a hundred of them
_SHORTEST_WINDOW: Final = 60  # seconds: Dagster takes no shorter one
_LONGEST_KIND: Final = 63  # signs
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")  # as cron counts them


def feed_definitions(name: str, feed: Feed, pipeline: PipelineResource, described_in: str = "") -> dg.Definitions:
    """The definitions of a feed: its asset, the job that fetches, and the schedule or sensor that starts the job.

    What starts a job again that left something to do is `again`, one sensor for many feeds.

    Args:
        name: of the feed; the asset's key begins with it.
        feed: the feed.
        pipeline: on the home into which files are fetched.
        described_in: where it is described, if no file of the home does; the home keeps that.
    """
    asset = _asset(name, feed, pipeline, described_in)
    job = dg.define_asset_job(
        f"fetch_{name}",
        selection=[asset],
        executor_def=dg.in_process_executor,
        tags={FETCH: name},
        description="Fetches what is new, stages it, and applies it where the profile applies by itself.",
    )
    schedules = [_schedule(name, feed.schedule, job)] if feed.schedule else []
    sensors = [_polling(name, feed, feed.every, pipeline, job)] if feed.every else []
    return dg.Definitions(assets=[asset], jobs=[job], schedules=schedules, sensors=sensors)


def _asset(name: str, feed: Feed, pipeline: PipelineResource, described_in: str) -> dg.AssetsDefinition:
    place = place_of(feed.source)
    facts = {"source": feed.source, "profile": feed.profile, "owner": feed.owner, "after": str(feed.after)}

    @dg.asset(  # type: ignore[call-overload, untyped-decorator]  # Nothing is a dagster type, and annotated as another
        name=FETCHED,
        key_prefix=[name],
        description=f"{feed.title or f'Files of the feed {name}'}. Made when a file has come; each is an upload.",
        group_name=name,
        owners=[feed.owner] if feed.owner and is_valid_email(feed.owner) else None,
        kinds={re.sub("[^a-z0-9]", "_", place.scheme)[:_LONGEST_KIND]},
        metadata={key: value for key, value in facts.items() if value},
        freshness_policy=_freshness(feed),
        dagster_type=dg.Nothing,
    )
    def fetched_files(context: dg.AssetExecutionContext) -> dg.Output[None]:
        if described_in:
            note_elsewhere(pipeline.settings, name, feed, described_in)
        try:
            with again_if_busy():
                run = pipeline.open().run_feed(name, described=feed, stage=True)
        except ContactPipelineError as problem:
            if isinstance(problem, Refusal) and problem.code == "feed-running":
                context.log.info("%s", problem)
                return logged_output()
            raise dg.Failure(str(problem), allow_retries=False) from None
        event = dg.AssetMaterialization if run.has_delivered else dg.AssetObservation
        of_run(context).log(event(context.asset_key, metadata=_shown(run)))
        for upload in run.uploads:
            if upload.line.is_given_up:
                context.log.warning("%s is not applied: %s", upload.upload_id, reason(upload))
        for defect in run.defects:
            context.log.error("%s", mask("".join(traceback.format_exception(defect)), ANY))
        fail([*([str(run.problem)] if run.problem else []), *map(_of_program, run.defects)])
        return logged_output()

    return fetched_files  # type: ignore[no-any-return]


def _of_program(defect: Exception) -> str:
    what = f"a defect of the program ({type(defect).__name__}), not of the file"
    return f"An upload has failed by {what}. The log of this run has its traceback."


def _shown(run: "FeedRun") -> Mapping[str, dg.MetadataValue]:
    """What a run of a feed shows: numbers, which Dagster plots, and a line for each file."""
    rows = []
    for file in run.files:
        cells = "", _plain(str(file.left or "left")), ""
        if upload := file.upload:
            cells = as_link(upload.upload_id, upload.upload_id), upload.state, f"{upload.processed:,}"
        rows.append(f"| {_plain(file.name)} | {' | '.join(cells)} |")
    rows += [f"| {_plain(name)} | | never taken: {_plain(why)} | |" for name, why in run.strays.items()]
    table = "\n".join(["| file | upload | state | rows |", "|---|---|---|---:|", *rows])
    return {
        "fetched": dg.MetadataValue.int(len(run.received)),
        "waiting": dg.MetadataValue.int(run.waiting),
        "known": dg.MetadataValue.int(run.known),
        **({"files": dg.MetadataValue.md(table)} if rows else {}),
        **({"overdue_since": dg.MetadataValue.text(f"{run.missed_at:%Y-%m-%d %H:%M} UTC")} if run.missed_at else {}),
    }


def _plain(text: str) -> str:
    """A text that markdown takes as it is."""
    return "".join(f"\\{sign}" if sign in "|\\`*_{}[]()#+!<>" else " " if sign in "\r\n" else sign for sign in text)


def _freshness(feed: Feed) -> dg.FreshnessPolicy | None:
    """How old the newest file may become before Dagster calls the feed overdue."""
    if feed.due is None:
        return None
    if feed.due.within is not None:
        seconds = max(seconds_of(feed.due.within), _SHORTEST_WINDOW)
        return dg.FreshnessPolicy.time_window(fail_window=timedelta(seconds=seconds))
    hour, minute = (int(part) for part in (feed.due.at or "00:00").split(":"))
    days = sorted(_DAYS.index(day) for day in feed.due.days or _DAYS)
    shortest = min((after - day) % 7 or 7 for day, after in zip(days, [*days[1:], days[0]], strict=True))
    return dg.FreshnessPolicy.cron(
        deadline_cron=f"{minute} {hour} * * {','.join(map(str, days))}",
        lower_bound_delta=timedelta(days=shortest),
        timezone=str(feed.due_time_zone),
    )


def _schedule(name: str, schedule: Schedule, job: "UnresolvedAssetJobDefinition") -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"fetch_{name}_schedule",
        job=job,
        cron_schedule=schedule.cron,
        execution_timezone=schedule.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Fetches the feed {name}.",
    )


def _polling(
    name: str, feed: Feed, every: str, pipeline: PipelineResource, job: "UnresolvedAssetJobDefinition"
) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"fetch_{name}_polling",
        job=job,
        minimum_interval_seconds=seconds_of(every),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Looks every {every} whether the feed {name} has new files, and has them fetched.",
    )
    def polling(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Requests a run only where there is something to do: each run costs seconds and is kept.

        A problem with the source fails one run, which sends the notice. The cursor holds the problem until it is over.
        Where the server was too slow for this look, a run is requested each time: it waits longer and tries again.
        """
        if context.instance.get_runs_count(dg.RunsFilter(job_name=job.name, statuses=UNFINISHED)):
            return dg.SkipReason("The run before this one is not finished.")
        opened = pipeline.open()
        try:
            found = check(opened.store, name, feed, LOOK_SECONDS)
        except (ContactPipelineError, OSError) as error:
            problem = str(fault_of(error) or error)
            if context.cursor == problem and getattr(error, "code", None) != "feed-timeout":
                return dg.SkipReason(problem)
            context.update_cursor(problem)
            return dg.RunRequest()
        was_broken = bool(context.cursor)
        context.update_cursor("")
        if found.new or was_broken or opened.uploads(1, feed=name, states=["received"]):
            return dg.RunRequest()
        return dg.SkipReason(" ".join(["Nothing is new.", *(f"{name} {why}" for name, why in found.strays.items())]))

    return polling


def again(
    sensor_name: str, jobs: "Mapping[str, Any]", pipeline: PipelineResource, seconds: int = _AGAIN_SECONDS
) -> dg.SensorDefinition:
    """The sensor that has feeds with a schedule fetched again before their time. One look at the home serves all.

    Args:
        sensor_name: its name.
        jobs: feed → the job that fetches it.
        pipeline: on the home of the feeds.
        seconds: between two looks.
    """

    @dg.sensor(
        name=sensor_name,
        jobs=[*jobs.values()],
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Has feeds fetched again before their time, where a run was cut off or a server was away.",
    )
    def fetch_again(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """Requests a run five minutes after one that left something to do, and then each hour for a day.

        The cursor holds for each such feed how many runs were requested, and when the last one was.
        """
        busy = {run.job_name for run in context.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))}
        left = _left_since({name: job.name for name, job in jobs.items()}, pipeline.open(), context.instance)
        asked, known = dict[str, tuple[int, str]](), _tries(context.cursor)
        requests, reasons = list[dg.RunRequest](), list[str]()
        now = datetime.now(UTC).replace(tzinfo=None)
        for name, since in left.items():
            tries, last = known.get(name, (0, ""))
            before, wait = (datetime.fromisoformat(last), AND_EVERY) if last else (since, TRIED_AGAIN_AFTER)
            due = before + wait if before <= now else now  # later: the clock was ahead
            if last:
                asked[name] = tries, last
            if jobs[name].name in busy:
                reasons.append(f"The run of {name} before this one is not finished.")
            elif tries >= _TRIED_AGAIN:
                reasons.append(f"{name} was tried again for a day. Its schedule goes on.")
            elif now < due:
                reasons.append(f"{name} is tried again at {due:%H:%M} UTC.")
            else:
                asked[name] = tries + 1, now.isoformat()
                requests.append(dg.RunRequest(job_name=jobs[name].name))
        context.update_cursor(json.dumps(asked) if asked else "")
        if not requests:
            return dg.SkipReason(" ".join(reasons) or "Nothing is left to do.")
        return dg.SensorResult(run_requests=requests)

    return fetch_again


def _tries(cursor: str | None) -> dict[str, tuple[int, str]]:
    """Feed → how many runs were requested, and when the last one was."""
    kept = json.loads(cursor or "{}")
    return kept if isinstance(kept, dict) else {}  # an earlier version kept those of one feed


def _left_since(jobs: Mapping[str, str], opened: "Pipeline", instance: dg.DagsterInstance) -> dict[str, datetime]:
    """The feeds that have something left to do that a further run may do, and since when, in UTC.

    That is a received file that was not staged, trouble with a server that may pass, or a run that failed before it
    could record why, such as one that found the contact database locked.

    Args:
        jobs: feed → name of its job.
        opened: the pipeline.
        instance: Dagster's.
    """
    received = {upload.feed: upload.added_at for upload in opened.uploads(states=["received"])}  # the oldest of each
    with opened.store.open(read_only=True) as contacts:
        states = feed_states(contacts)
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=datetime.now(UTC) - _FAILED_WITHIN)
    suspects = {run.job_name for run in instance.get_runs(failed)}
    left = dict[str, datetime]()
    for name, job in jobs.items():
        state, since = states.get(name), received.get(name)
        if since is not None:
            left[name] = since
        elif state is not None and state.ended == "broken":
            if state.ran_at is not None and (state.problem or {}).get("code") in PASSING:
                left[name] = state.ran_at
        elif job in suspects:
            for record in instance.get_run_records(dg.RunsFilter(job_name=job), limit=1):  # none: it was deleted
                ended_at = record.update_timestamp.astimezone(UTC).replace(tzinfo=None)
                is_newest = state is None or state.ran_at is None or state.ran_at < ended_at
                if is_newest and record.dagster_run.status == dg.DagsterRunStatus.FAILURE:
                    left[name] = ended_at
    return left


@dg.sensor(minimum_interval_seconds=_OVERDUE_SECONDS, default_status=dg.DefaultSensorStatus.RUNNING)
def overdue_feeds(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SkipReason:
    """Records feeds of the home whose file was due and has not come, or that cannot be used: notices are sent."""
    found = note_missed(pipeline.open().store)
    missed = [status for status in found if status.missed_at is not None]
    for status in found:
        if status.feed is None and status.problem:
            context.log.warning("%s %s", status.problem["message"], status.problem["fix"])
    for status in missed:
        context.log.warning("A file of the feed %s was due at %s UTC and has not come.", status.name, status.missed_at)
    return dg.SkipReason(f"{number_of(len(missed), 'feed')} overdue." if missed else "No feed is overdue.")


def overdue_feed(name: str, feed: Feed, pipeline: PipelineResource, described_in: str) -> dg.SensorDefinition:
    """The sensor that notices when no file of a feed comes, for a feed that no file of the home describes."""

    @dg.sensor(
        name=f"fetch_{name}_overdue",
        minimum_interval_seconds=OF_ONE_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Records that a file of the feed {name} was due and has not come: notices are sent.",
    )
    def overdue(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        """Records it once; a new feed is recorded first, and its files are due from then on."""
        note_elsewhere(pipeline.settings, name, feed, described_in)
        missed_at = note_missed_of(pipeline.open().store, name, feed)
        if missed_at is None:
            return dg.SkipReason("It is not overdue.")
        context.log.warning("A file of the feed %s was due at %s UTC and has not come.", name, missed_at)
        return dg.SkipReason(f"A file was due at {missed_at:%Y-%m-%d %H:%M} UTC and has not come.")

    return overdue
