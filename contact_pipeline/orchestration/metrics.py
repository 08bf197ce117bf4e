"""The figures at `/metrics` for Prometheus: counts of a home, age of waiting uploads, and disk space.

Labels are names that operators chose (profiles, feeds) and fixed words; no value of a file, and no login.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

import dagster as dg
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from contact_pipeline.errors import ContactPipelineError
from contact_pipeline.feeds.status import list_feeds
from contact_pipeline.orchestration.jobs import APPLY, IMPORT, STAGE
from contact_pipeline.store import Store
from contact_pipeline.store.ledger import now
from contact_pipeline.store.measures import Measures, measure

if TYPE_CHECKING:
    from contact_pipeline.orchestration.health import Check
    from contact_pipeline.settings import Settings

_LOOK_SECONDS: Final = 3.0  # to wait for the contact database; the other figures do not need it
_ANSWER_HOLDS: Final = 5.0  # seconds: each look makes writers wait for a moment
_SIZE_HOLDS: Final = 60.0  # seconds: a home can have a hundred thousand files

_NAME: Final = "contact_pipeline"


class Metrics(Collector):
    """The figures of one home."""

    def __init__(
        self, settings: Settings, instance: dg.DagsterInstance, checks: Callable[[], Mapping[str, Check]]
    ) -> None:
        """Registers itself as the only collector.

        Args:
            settings: of the home.
            instance: Dagster's.
            checks: returns the checks of `/health`.
        """
        patience = min(settings.lock_wait_seconds, _LOOK_SECONDS)
        self._settings, self._instance, self._checks = settings, instance, checks
        self._store = Store(settings.model_copy(update={"lock_wait_seconds": patience}))
        self._registry = CollectorRegistry(auto_describe=False)
        self._alone = Lock()
        self._size: tuple[float, int] = (float("-inf"), 0)
        self._figures: tuple[float, list[GaugeMetricFamily]] = (float("-inf"), [])
        self._registry.register(self)

    def text(self, accepted: str) -> tuple[bytes, str]:
        """The figures as text, and its content type.

        Args:
            accepted: the `Accept` header of the request.
        """
        encode, kind = choose_encoder(accepted)
        return encode(self._registry), kind

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing before somebody asks."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures, at most five seconds old."""
        with self._alone:
            if time.monotonic() - self._figures[0] > _ANSWER_HOLDS:
                found = [*self._look()]  # slow while the contact database is written; requests that waited share it
                self._figures = time.monotonic(), found
            yield from self._figures[1]

    def _look(self) -> Iterator[GaugeMetricFamily]:
        health = _gauge("health", "Whether a check of /health is good.", "check")
        checks = self._checks()
        for name, check in checks.items():
            health.add_metric([name], int(check.is_good))
        yield health
        if checks["contacts"].is_good:  # opening a missing database would create it
            yield from self._contacts()
        yield self._steps()
        yield GaugeMetricFamily(f"{_NAME}_home_bytes", "Size of the home on disk.", value=self._size_of_home())
        free = shutil.disk_usage(self._settings.home).free
        yield GaugeMetricFamily(f"{_NAME}_disk_free_bytes", "Free room on the disk of the home.", value=free)

    def _contacts(self) -> Iterator[GaugeMetricFamily]:
        try:
            with self._store.open(read_only=True) as contacts:
                measures = measure(contacts)
            feeds = list_feeds(self._store)
        except ContactPipelineError:  # being written
            return
        yield from _of_uploads(measures)
        overdue = _gauge("feed_overdue", "Whether a file of the feed was due and has not come.", "feed")
        broken = _gauge("feed_broken", "Whether the feed could not be fetched, or its file be used.", "feed")
        for status in feeds:
            overdue.add_metric([status.name], int(status.missed_at is not None))
            broken.add_metric([status.name], int(status.as_dict()["ended"] == "broken"))
        yield from (overdue, broken)

    def _steps(self) -> GaugeMetricFamily:
        steps = _gauge("step_seconds", "How long a step of the newest run that succeeded took.", "job", "step")
        with suppress(Exception):  # Dagster's storage may not answer; the other figures do not need it
            for job in (STAGE, APPLY, IMPORT):
                succeeded = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS])
                for run in self._instance.get_runs(succeeded, limit=1):
                    for step in self._instance.get_run_step_stats(run.run_id):
                        if step.start_time is not None and step.end_time is not None:
                            steps.add_metric([job, step.step_key], step.end_time - step.start_time)
        return steps

    def _size_of_home(self) -> int:
        if time.monotonic() - self._size[0] > _SIZE_HOLDS:
            self._size = time.monotonic(), size_on_disk(self._settings.home)
        return self._size[1]


def _gauge(name: str, description: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{_NAME}_{name}", description, labels=labels)


def _of_uploads(measures: Measures) -> Iterator[GaugeMetricFamily]:
    of_state = ("profile", "state")
    uploads = _gauge("uploads", "Uploads.", *of_state)
    rows = _gauge("rows", "Rows of uploads by outcome.", *of_state, "outcome")
    errors = _gauge("row_errors", "Defects of rows that are no warnings.", *of_state)
    duplicates = _gauge("duplicate_rows", "Duplicates of contacts, or of rows of the same file.", *of_state, "of")
    waiting = _gauge("uploads_waiting", "Uploads that wait for somebody; the staged ones for approval.", *of_state)
    oldest = _gauge("uploads_waiting_oldest_seconds", "Time since the oldest of them was received.", *of_state)
    for found in measures.uploads:
        named = [found.profile, found.state]
        uploads.add_metric(named, found.uploads)
        for outcome, count in found.outcomes.items():
            rows.add_metric([*named, outcome], count)
        errors.add_metric(named, found.errors)
        duplicates.add_metric([*named, "existing"], found.of_existing)
        duplicates.add_metric([*named, "file"], found.within_file)
        if found.oldest is not None:
            waiting.add_metric(named, found.waiting)
            oldest.add_metric(named, max(0.0, (now() - found.oldest).total_seconds()))  # a clock may have been ahead
    unsent = _gauge("notices_unsent", "Notices that were not sent, or of which nobody knows.", "state")
    for state, count in measures.unsent.items():
        unsent.add_metric([state], count)
    yield from (uploads, rows, errors, duplicates, waiting, oldest, unsent)


def size_on_disk(folder: Path) -> int:
    """The disk space of a folder's files, in bytes. Files that vanish meanwhile count as nothing."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                found = Path(path, name).lstat()
            except OSError:
                continue
            total += found.st_blocks * 512 if stat.S_ISREG(found.st_mode) else 0
    return total
