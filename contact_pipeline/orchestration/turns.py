"""In which order uploads of the inbox are applied: those of one profile as they came, however long each is staged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import dagster as dg

from contact_pipeline.contracts.states import State
from contact_pipeline.orchestration.approval import AUTOMATIC
from contact_pipeline.orchestration.events import APPLIED
from contact_pipeline.orchestration.jobs import APPLY, IMPORT, STAGE
from contact_pipeline.orchestration.partitions import keys_of

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.store import Upload

SHORT_BYTES: Final = 2_000_000  # of a file: some 20,000 rows, which are staged in a second or two
BY_PROFILE: Final = {"ops": {APPLIED: {"config": {"approved_by": AUTOMATIC}}}}  # config of a run that nobody asks for
FEW: Final = 10  # uploads that a run both stages and applies: it holds others up while it does

UNFINISHED: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

_UNDER_WAY: Final[frozenset[State]] = frozenset({"received", "staged"})
_NEW: Final = timedelta(minutes=10)  # as long as an upload may be without a run: by then it was staged once more
_LATE: Final = timedelta(minutes=1)  # after which a run that has ended is surely found
_LOOKS_BACK: Final = timedelta(hours=1)  # where nothing is remembered
_APPLIED_AGAIN_AFTER: Final = timedelta(hours=1)  # where the run that was to apply it failed
_STOPPED: Final = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_ENDED: Final = {STAGE: [dg.DagsterRunStatus.SUCCESS, *_STOPPED], IMPORT: _STOPPED}  # job → how it leaves some to apply


def carried(instance: dg.DagsterInstance) -> set[str]:
    """The uploads that runs carry which have not ended."""
    keys, ordered = set(), instance.get_dynamic_partitions("uploads")
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)):
        if run.job_name in {STAGE, IMPORT, APPLY}:
            keys.update(_keys(run, ordered))
    return keys


def at_once(received: Sequence[Upload], pipeline: Pipeline) -> list[str]:
    """Which uploads that have just come one run may stage and apply: few short ones that wait for none before them."""
    if len(received) > FEW:
        return []
    short = {upload.upload_id for upload in received if upload.file_size <= SHORT_BYTES}
    under_way = filter(_applies_itself, pipeline.uploads(states=_UNDER_WAY))
    waited_for = {upload.profile for upload in under_way if upload.upload_id not in short}
    return [upload.upload_id for upload in received if _applies_itself(upload) and upload.profile not in waited_for]


class Turns:
    """Uploads that runs have staged and that wait for their turn to be applied; kept as text between ticks."""

    def __init__(self, cursor: str | None) -> None:
        try:
            kept = json.loads(cursor or "{}")
            self._until = datetime.fromisoformat(kept["until"]).astimezone(UTC)
            self._seen = set(kept["seen"])
            self._waiting = list(kept["waiting"])
        except (ValueError, KeyError, TypeError, OverflowError):
            self._until, self._seen, self._waiting = datetime.now(UTC) - _LOOKS_BACK, set[str](), list[str]()

    def kept(self) -> str:
        """The text from which it goes on."""
        seen = sorted(self._seen)
        return json.dumps({"until": self._until.isoformat(), "seen": seen, "waiting": self._waiting})

    def ready(self, instance: dg.DagsterInstance, pipeline: Pipeline) -> list[str]:
        """The uploads whose turn it is; they wait no longer.

        One that a run still carries, or stages, holds up those of its profile that came after it; one that waits for
        somebody holds up none.
        """
        busy, held_up = carried(instance), set[str | None]()  # first: a run that ends meanwhile still holds others up
        self._waiting += [key for key in self._staged(instance) if key not in self._waiting]
        if not self._waiting:
            return []
        ready, waiting = list[str](), list[str]()
        for upload in filter(_applies_itself, pipeline.uploads(states=_UNDER_WAY, oldest_first=True)):
            if upload.upload_id in busy or _is_new(upload):
                held_up.add(upload.profile)
            if upload.upload_id in self._waiting and upload.profile in held_up:
                waiting.append(upload.upload_id)
            elif upload.upload_id in self._waiting and upload.state == "staged":
                ready.append(upload.upload_id)
        self._waiting = waiting
        return ready

    def _staged(self, instance: dg.DagsterInstance) -> list[str]:
        """The uploads of the runs that have ended since the last look, or failed to apply them an hour ago."""
        now, ordered = datetime.now(UTC), instance.get_dynamic_partitions("uploads")
        since = min(self._until, now) - _LATE  # the clock may have been set back
        found = [
            run
            for job, statuses in _ENDED.items()
            for run in instance.get_runs(dg.RunsFilter(job_name=job, statuses=statuses, updated_after=since))
        ]
        failed = dg.RunsFilter(
            job_name=APPLY,
            statuses=[dg.DagsterRunStatus.FAILURE],
            updated_after=since - _APPLIED_AGAIN_AFTER,
            updated_before=now - _APPLIED_AGAIN_AFTER,
        )
        found += [run for run in instance.get_runs(failed) if run.run_config.get("ops") == BY_PROFILE["ops"]]
        keys = [key for run in found if run.run_id not in self._seen for key in _keys(run, ordered)]
        self._until, self._seen = now, {run.run_id for run in found}
        return keys


def _applies_itself(upload: Upload) -> bool:
    """Whether nobody is to approve it. What was planned on the command line waits for whoever planned it."""
    return upload.line.inbox and upload.apply_mode == "automatic"


def _is_new(upload: Upload) -> bool:
    """Whether a run may be about to stage it."""
    return upload.state == "received" and datetime.now(UTC).replace(tzinfo=None) - upload.added_at < _NEW


def _keys(run: dg.DagsterRun, ordered: Sequence[str]) -> list[str]:
    try:
        return keys_of(run.tags, ordered)
    except ValueError:  # of uploads that are gone
        return []
