"""The order in which uploads of the inbox are applied: for each profile as they came, however long staging takes."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import dagster as dg

from contact_pipeline.contracts.states import State
from contact_pipeline.orchestration.approval import AUTOMATIC
from contact_pipeline.orchestration.events import APPLIED
from contact_pipeline.orchestration.jobs import APPLY, IMPORT, STAGE
from contact_pipeline.orchestration.partitions import SHORT_BYTES, keys_of

if TYPE_CHECKING:
    from contact_pipeline.pipeline import Pipeline
    from contact_pipeline.store import Upload

BY_PROFILE: Final = {"ops": {APPLIED: {"config": {"approved_by": AUTOMATIC}}}}  # config of a run that nobody asks for
FEW: Final = 10  # uploads that one run stages and applies: others wait while it does
MANY: Final = 25  # uploads that are worth a run of their own while the runs that staged them still stage others

UNFINISHED: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

_UNDER_WAY: Final[frozenset[State]] = frozenset({"received", "staged"})
_NEW: Final = timedelta(minutes=10)  # how long an upload may be without a run: staging was tried again by then
_LATE: Final = timedelta(minutes=1)  # a run that has ended is surely listed after this time
_LOOKS_BACK: Final = timedelta(hours=1)  # where nothing is remembered
_APPLIED_AGAIN_AFTER: Final = timedelta(hours=1)  # where the run that was to apply it failed
_STOPPED: Final = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_ENDED: Final = {
    STAGE: [dg.DagsterRunStatus.SUCCESS, *_STOPPED],
    IMPORT: _STOPPED,
}  # job → ends that leave uploads to apply


def carried(instance: dg.DagsterInstance, *jobs: str) -> set[str]:
    """The uploads of unfinished runs of these jobs; by default of all that stage or apply."""
    keys, ordered = set(), instance.get_dynamic_partitions("uploads")
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)):
        if run.job_name in (jobs or (STAGE, IMPORT, APPLY)):
            keys.update(keys_of(run.tags, ordered))
    return keys


def at_once(received: Sequence[Upload], pipeline: Pipeline) -> list[str]:
    """The new uploads that one run may both stage and apply: a few short ones, with no earlier one to wait for."""
    if len(received) > FEW:
        return []
    short = {upload.upload_id for upload in received if is_short(upload)}
    under_way = filter(_applies_itself, pipeline.uploads(states=_UNDER_WAY))
    waited_for = {upload.profile for upload in under_way if upload.upload_id not in short}
    return [upload.upload_id for upload in received if _applies_itself(upload) and upload.profile not in waited_for]


def is_short(upload: Upload) -> bool:
    """Whether its file is staged in a second or two."""
    return upload.file_size <= SHORT_BYTES


class Turns:
    """Staged uploads that wait for their turn to be applied; kept as text between ticks."""

    def __init__(self, cursor: str | None) -> None:
        try:
            kept = json.loads(cursor or "{}")
            self._until = datetime.fromisoformat(kept["until"]).astimezone(UTC)
            self._seen = set(kept["seen"])
            self._waiting = list(kept["waiting"])
            self._early = set(kept.get("early", ()))  # given while their run still staged others
        except (ValueError, KeyError, TypeError, OverflowError):
            self._until, self._seen, self._waiting = datetime.now(UTC) - _LOOKS_BACK, set[str](), list[str]()
            self._early = set[str]()
        self.failed: list[Upload] = []  # uploads that are tried again, as a run failed to apply them an hour ago

    def kept(self) -> str:
        """The state for the next tick, as text."""
        seen, early = sorted(self._seen), sorted(self._early)
        return json.dumps({"until": self._until.isoformat(), "seen": seen, "waiting": self._waiting, "early": early})

    def ready(self, instance: dg.DagsterInstance, pipeline: Pipeline) -> list[str]:
        """Removes and returns the uploads whose turn it is.

        An upload that is being staged or applied holds up the later uploads of its profile. An upload that waits for
        somebody holds up none. Of runs that still stage others, uploads are given when there are many.
        """
        # First: a run that ends meanwhile still holds others up.
        staging, importing, applying = (carried(instance, job) for job in (STAGE, IMPORT, APPLY))
        keys, failed = self._staged(instance)
        self._waiting += [key for key in keys if key not in self._waiting]
        self._early &= staging
        if not self._waiting and not staging:
            return []
        uploads = [*filter(_applies_itself, pipeline.uploads(states=_UNDER_WAY, oldest_first=True))]
        staged = {upload.upload_id for upload in uploads if upload.state == "staged"}
        self.failed = [upload for upload in uploads if upload.upload_id in staged & failed]
        early = (staged & staging) - self._early - applying
        busy = (staging - self._early) | importing | applying
        ready, held = self._in_turn(uploads, early, busy - early)
        if len(early.intersection(ready)) < MANY:
            ready, held = self._in_turn(uploads, set(), busy)
        self._early |= staging.intersection(ready)
        self._waiting = [key for key in self._waiting if key in held]
        return ready

    def _in_turn(
        self, uploads: Sequence[Upload], early: Collection[str], busy: Collection[str]
    ) -> tuple[list[str], set[str]]:
        """Those whose turn it is, of uploads in the order of arrival, and those that others hold up."""
        ready, held, held_up = list[str](), set[str](), set[str]()
        for upload in uploads:
            key = upload.upload_id
            if key in busy or _is_new(upload):
                held_up.add(upload.profile)
            if upload.profile in held_up:
                held.add(key)
            elif upload.state == "staged" and (key in early or key in self._waiting):
                ready.append(key)
        return ready, held

    def _staged(self, instance: dg.DagsterInstance) -> tuple[list[str], set[str]]:
        """The uploads of runs that have ended since the last look, or failed to apply an hour ago; and the latter."""
        now, ordered = datetime.now(UTC), instance.get_dynamic_partitions("uploads")
        since = min(self._until, now) - _LATE  # the clock may have been set back
        found = [
            run
            for job, statuses in _ENDED.items()
            for run in instance.get_runs(dg.RunsFilter(job_name=job, statuses=statuses, updated_after=since))
        ]
        failed = dg.RunsFilter(
            job_name=APPLY, statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since - _APPLIED_AGAIN_AFTER
        )
        found += [
            record.dagster_run
            for record in instance.get_run_records(failed)
            if record.dagster_run.run_config.get("ops") == BY_PROFILE["ops"]
            and not now - _APPLIED_AGAIN_AFTER < record.update_timestamp < now + _LATE  # later: the clock was ahead
        ]
        new = [
            (key, run.job_name == APPLY)
            for run in found
            if run.run_id not in self._seen
            for key in keys_of(run.tags, ordered)
        ]
        self._until, self._seen = now, {run.run_id for run in found}
        return (
            [key for key, has_failed in new if has_failed or key not in self._early],
            {key for key, has_failed in new if has_failed},
        )


def _applies_itself(upload: Upload) -> bool:
    """Whether it needs no approval. An upload planned on the command line waits for whoever planned it."""
    return upload.line.inbox and upload.apply_mode == "automatic" and not upload.line.is_given_up


def _is_new(upload: Upload) -> bool:
    """Whether a run may be about to stage it. One that came when the clock was ahead is in a run, or left behind."""
    age = datetime.now(UTC).replace(tzinfo=None) - upload.added_at
    return upload.state == "received" and timedelta(0) <= age < _NEW
