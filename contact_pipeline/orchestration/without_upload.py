"""Deletes what Dagster keeps that belongs to no upload.

That is: runs of feeds and of `expire`, launches that were refused, and events of assets without partitions. The newest
materialization of each asset stays, with its run. So do runs of other jobs in the same instance.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import dagster as dg
import sqlalchemy as sa
from dagster._core.events import DagsterEventType
from dagster._core.instance.utils import RUNLESS_RUN_ID
from dagster._core.storage.event_log.schema import AssetEventTagsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

from contact_pipeline.orchestration.feeds import FETCH, FETCHED
from contact_pipeline.orchestration.forgetting import forget_run, logs_without_run, name_all_newest
from contact_pipeline.orchestration.launching import EXPIRE, NOT_TRIED_AGAIN, OF_UPLOADS, PARTITION_TAGS
from contact_pipeline.orchestration.totals import CONTACTS
from contact_pipeline.orchestration.waiting import WAITING

_ENDED: Final = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_SHOWN: Final = (DagsterEventType.ASSET_MATERIALIZATION.value, DagsterEventType.ASSET_OBSERVATION.value)
_AT_ONCE: Final = 500  # ids in one statement: SQLite takes a limited number

_EVENTS: Final = SqlEventLogStorageTable.c
_IS_OF_FEED: Final = _EVENTS.asset_key.endswith(f', "{FETCHED}"]', autoescape=True)


@dataclass(frozen=True, slots=True)
class Old:
    """What is old enough and belongs to no upload.

    Attributes:
        before: the limit (UTC, without a zone).
        run_ids: runs that ended before.
        events: how many events of assets without partitions, outside of any run, are older.
    """

    before: datetime
    run_ids: Sequence[str]
    events: int


def find_old(instance: dg.DagsterInstance, before: datetime, location: str | None) -> Old:
    """What Dagster keeps of no upload from before that time (UTC, without a zone).

    Args:
        instance: Dagster's.
        before: the limit.
        location: name of the code location whose jobs are meant; feeds are found in all of them.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return Old(before, (), 0)
    with storage.index_connection() as connection:
        of_feeds = _column(connection, sa.select(_EVENTS.run_id).where(_IS_OF_FEED).distinct())
        kept = _column(connection, sa.select(_EVENTS.run_id).where(_EVENTS.id.in_(_newest(_SHOWN))))
        events = connection.execute(sa.select(sa.func.count()).where(_is_old_event(before))).scalar()
    runs = [*_ended_before(instance, before, of_feeds), *_ended_before(instance, before, None)]
    found = {
        run.run_id: None for run in runs if _is_feeds_own(run) or (_location(run) == location and _is_of_no_upload(run))
    }
    return Old(before, [run_id for run_id in found if run_id not in kept], events or 0)


def forget_old(instance: dg.DagsterInstance, old: Old) -> None:
    """Deletes it."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return
    for run_id in old.run_ids:
        forget_run(instance, storage, run_id)
    with storage.index_connection() as connection:
        ids = sa.select(_EVENTS.id).where(_is_old_event(old.before))
        connection.execute(AssetEventTagsTable.delete().where(AssetEventTagsTable.c.event_id.in_(ids)))
    for log in logs_without_run(storage):
        with log as connection:
            connection.execute(SqlEventLogStorageTable.delete().where(_is_old_event(old.before)))
    name_all_newest(instance)


def _ended_before(
    instance: dg.DagsterInstance, before: datetime, run_ids: Collection[str] | None
) -> list[dg.DagsterRun]:
    """The runs that ended before a time: those with these ids, or else those of our jobs."""

    def found(chosen: Sequence[str] | None, job: str | None) -> Sequence[dg.DagsterRun]:
        at = before.replace(tzinfo=UTC)
        return instance.get_runs(dg.RunsFilter(run_ids=chosen, job_name=job, statuses=_ENDED, updated_before=at))

    if run_ids is None:
        return [run for job in sorted({*OF_UPLOADS, EXPIRE}) for run in found(None, job)]
    ids = sorted(run_ids)
    pieces = [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
    return [run for piece in pieces for run in found(piece, None)]


def _is_feeds_own(run: dg.DagsterRun) -> bool:
    """Whether a run fetched files and made nothing else."""
    chosen = run.asset_selection or frozenset()
    return FETCH in run.tags or (bool(chosen) and all(key.path[1:] == [FETCHED] for key in chosen))


def _is_of_no_upload(run: dg.DagsterRun) -> bool:
    """Whether a run was launched for no upload, or refused. One whose uploads are gone in part may show the others."""
    is_refused = NOT_TRIED_AGAIN.items() <= run.tags.items()
    return is_refused or not any(run.tags.get(tag) for tag in PARTITION_TAGS)


def _location(run: dg.DagsterRun) -> str | None:
    return run.remote_job_origin.location_name if run.remote_job_origin else None


def _is_ours() -> sa.ColumnElement[bool]:
    """Whether an event is of an asset without partitions that is ours."""
    names = [dg.AssetKey(name).to_string() for name in (CONTACTS, WAITING)]
    return sa.and_(_EVENTS.partition.is_(None), sa.or_(_IS_OF_FEED, _EVENTS.asset_key.in_(names)))


def _newest(kinds: Sequence[str] = ()) -> sa.Select[Any]:
    """The ids of the newest event of each asset and type; of all types where none is named."""
    meant = sa.and_(_is_ours(), _EVENTS.dagster_event_type.in_(kinds) if kinds else sa.true())
    return sa.select(sa.func.max(_EVENTS.id)).where(meant).group_by(_EVENTS.asset_key, _EVENTS.dagster_event_type)


def _is_old_event(before: datetime) -> sa.ColumnElement[bool]:
    """Whether an event outside of any run is old, and not the newest of its asset and type."""
    return sa.and_(
        _is_ours(), _EVENTS.run_id == RUNLESS_RUN_ID, _EVENTS.timestamp < before, _EVENTS.id.not_in(_newest())
    )


def _column(connection: Any, query: sa.Select[Any]) -> set[str]:
    return {value for (value,) in connection.execute(query).fetchall()}
