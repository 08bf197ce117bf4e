"""Feeds in Dagster: each has an asset, which is overdue when no file comes, and a job that fetches."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import dagster as dg
from dagster._core.utils import is_valid_email  # an owner that this refuses keeps Dagster from loading anything

from contact_pipeline.contracts.states import ENDED_WITHOUT
from contact_pipeline.errors import ContactPipelineError, Refusal, number_of
from contact_pipeline.feeds.calendar import seconds_of
from contact_pipeline.feeds.model import Feed, Schedule
from contact_pipeline.feeds.place import place_of
from contact_pipeline.orchestration.events import fail, logged_output, of_run
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.orchestration.turns import UNFINISHED

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from contact_pipeline.feeds.run import FeedRun

FETCHED: Final = "fetched_files"  # the asset of a feed, behind the feed's name

_OVERDUE_SECONDS: Final = 60
_SHORTEST_WINDOW: Final = 60  # seconds: Dagster takes no shorter one
_LONGEST_KIND: Final = 63  # signs
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")  # as cron counts them


def feed_definitions(name: str, feed: Feed, pipeline: PipelineResource) -> dg.Definitions:
    """The definitions of a feed: its asset, the job that fetches, and the schedule or sensor that starts the job.

    Args:
        name: of the feed; the asset's key begins with it.
        feed: the feed.
        pipeline: on the home into which files are fetched.
    """
    asset = _asset(name, feed, pipeline)
    job = dg.define_asset_job(
        f"fetch_{name}",
        selection=[asset],
        executor_def=dg.in_process_executor,
        description="Fetches what is new, stages it, and applies it where the profile applies by itself.",
    )
    schedules = [_schedule(name, feed.schedule, job)] if feed.schedule else []
    sensors = [_polling(name, feed, feed.every, pipeline, job)] if feed.every else []
    return dg.Definitions(assets=[asset], jobs=[job], schedules=schedules, sensors=sensors)


def _asset(name: str, feed: Feed, pipeline: PipelineResource) -> dg.AssetsDefinition:
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
        try:
            run = pipeline.open().run_feed(name, described=feed, stage=True)
        except ContactPipelineError as problem:
            if isinstance(problem, Refusal) and problem.code == "feed-running":
                context.log.info("%s", problem)
                return logged_output()
            raise dg.Failure(str(problem), allow_retries=False) from None
        has_come = any(upload.state not in ENDED_WITHOUT for upload in run.uploads)
        event = dg.AssetMaterialization if has_come else dg.AssetObservation
        of_run(context).log(event(context.asset_key, metadata=_shown(run)))
        fail([str(run.problem)] if run.problem else [])
        return logged_output()

    return fetched_files  # type: ignore[no-any-return]


def _shown(run: "FeedRun") -> Mapping[str, dg.MetadataValue]:
    """What a run of a feed shows: numbers, which Dagster plots, and a line for each file."""
    rows = [
        f"| {_plain(file.name)} | {_link(file.upload.upload_id)} | {file.upload.state} | {file.upload.processed:,} |"
        if file.upload
        else f"| {_plain(file.name)} | | {_plain(str(file.left or 'left'))} | |"
        for file in run.files
    ]
    rows += [f"| {_plain(name)} | | never taken: {_plain(why)} | |" for name, why in run.strays.items()]
    table = "\n".join(["| file | upload | state | rows |", "|---|---|---|---:|", *rows])
    return {
        "fetched": dg.MetadataValue.int(len(run.uploads)),
        "waiting": dg.MetadataValue.int(run.waiting),
        "known": dg.MetadataValue.int(run.known),
        **({"files": dg.MetadataValue.md(table)} if rows else {}),
        **({"overdue_since": dg.MetadataValue.text(f"{run.missed_at:%Y-%m-%d %H:%M} UTC")} if run.missed_at else {}),
    }


def _link(upload_id: str) -> str:
    return f"[{upload_id}](/pages/uploads/{upload_id})"


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
        """
        if context.instance.get_runs_count(dg.RunsFilter(job_name=job.name, statuses=UNFINISHED)):
            return dg.SkipReason("The run before this one is not finished.")
        opened = pipeline.open()
        try:
            found = opened.check_feed(name, described=feed)
        except ContactPipelineError as problem:
            if context.cursor == str(problem):
                return dg.SkipReason(str(problem))
            context.update_cursor(str(problem))
            return dg.RunRequest()
        was_broken = bool(context.cursor)
        context.update_cursor("")
        if found.new or was_broken or opened.uploads(1, feed=name, states=["received"]):
            return dg.RunRequest()
        return dg.SkipReason("Nothing is new.")

    return polling


@dg.sensor(minimum_interval_seconds=_OVERDUE_SECONDS, default_status=dg.DefaultSensorStatus.RUNNING)
def overdue_feeds(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SkipReason:
    """Records the feeds of the home whose file was due and has not come, so that a notice is sent."""
    missed = pipeline.open().missed_feeds()
    for status in missed:
        context.log.warning("A file of the feed %s was due at %s UTC and has not come.", status.name, status.missed_at)
    return dg.SkipReason(f"{number_of(len(missed), 'feed')} overdue." if missed else "No feed is overdue.")
