"""Deletes what Dagster keeps of uploads: one materialization of an undone upload, everything of an expired one.

Dagster's own call, `wipe_asset_partitions`, is not implemented by its storage. So rows are deleted here from Dagster's
index of asset events. With SQLite, the log of the run that materialized the partition keeps them; in PostgreSQL, log
and index are one table.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from datetime import UTC
from pathlib import Path
from typing import Final

import dagster as dg
import sqlalchemy as sa

# Not exported by Dagster, though a public class has it as a field; a test shows what it is needed for.
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as JudgedMaterialization,
)
from dagster._core.events import DagsterEventType
from dagster._core.instance.utils import RUNLESS_RUN_ID
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._serdes import serialize_value

_PARTITION: Final = "dagster/partition"
_LOGS: Final = ("", "-wal", "-shm")  # behind the name of an SQLite database
_EVENTS = (DagsterEventType.ASSET_MATERIALIZATION.value, DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value)


def forget_materializations(instance: dg.DagsterInstance, asset: str, upload_id: str) -> None:
    """Makes the partition of an upload unmaterialized, if it is materialized."""
    key, storage = dg.AssetKey(asset), instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage) or not newest_materializations(instance, asset, [upload_id]):
        return
    events, of_asset = SqlEventLogStorageTable, AssetKeyTable.c.asset_key == key.to_string()
    chosen = sa.and_(
        events.c.asset_key == key.to_string(),
        events.c.partition == upload_id,
        events.c.dagster_event_type.in_(_EVENTS),
    )
    with storage.index_connection() as connection:
        ids = sa.select(events.c.id).where(chosen)
        connection.execute(AssetEventTagsTable.delete().where(AssetEventTagsTable.c.event_id.in_(ids)))
        connection.execute(events.delete().where(chosen))
        # The partitions' status is computed anew from the events that are left.
        connection.execute(AssetKeyTable.update().where(of_asset).values(cached_status_data=None))
    _name_newest(instance, key)


def forget_check_result(instance: dg.DagsterInstance, result: dg.AssetCheckEvaluation) -> None:
    """Deletes the earlier result of a check without a run: Dagster refuses a second one for the same partition."""
    storage, table = instance.event_log_storage, AssetCheckExecutionsTable
    if isinstance(storage, SqlEventLogStorage):
        with storage.index_connection() as connection:
            connection.execute(
                table.delete().where(
                    table.c.asset_key == result.asset_key.to_string(),
                    table.c.check_name == result.check_name,
                    table.c.run_id == RUNLESS_RUN_ID,
                    table.c.partition == result.partition,
                )
            )


def newest_materializations(
    instance: dg.DagsterInstance, asset: str, upload_ids: Collection[str]
) -> dict[str, JudgedMaterialization]:
    """Upload → the newest materialization of its partition; those that are not materialized are left out."""
    storage, events = instance.event_log_storage, SqlEventLogStorageTable
    if not isinstance(storage, SqlEventLogStorage):
        return {}
    found = sa.select(events.c.partition, events.c.id, events.c.run_id, events.c.timestamp).where(
        events.c.asset_key == dg.AssetKey(asset).to_string(),
        events.c.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION.value,
        events.c.partition.in_(upload_ids),
    )
    with storage.index_connection() as connection:
        rows = connection.execute(found.order_by(events.c.id)).fetchall()
    return {
        upload_id: JudgedMaterialization(
            storage_id=storage_id, run_id=run_id, timestamp=at.replace(tzinfo=UTC).timestamp()
        )
        for upload_id, storage_id, run_id, at in rows  # the last of an upload counts
    }


def count_runs(instance: dg.DagsterInstance, upload_id: str) -> tuple[int, int]:
    """How many runs carried an upload, and how many events of its partition Dagster has."""
    storage, events = instance.event_log_storage, SqlEventLogStorageTable
    if not isinstance(storage, SqlEventLogStorage):
        return 0, 0
    with storage.index_connection() as connection:
        found = sa.select(events.c.run_id).where(events.c.partition == upload_id)
        run_ids = [run_id for (run_id,) in connection.execute(found).fetchall()]
    runs = {*run_ids, *_runs_alone(instance, upload_id)} - {RUNLESS_RUN_ID}
    return len(runs), len(run_ids)


def forget_uploads(instance: dg.DagsterInstance, upload_ids: Collection[str]) -> None:
    """Deletes the partitions of uploads, their events, and the runs that carried no other upload still known.

    Uploads that Dagster no longer knows are no error. Unfinished runs stay.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return
    for upload_id in upload_ids:  # runs first: they are found by the events of the partition
        for run_id in sorted({*_carrying_only(storage, upload_id), *_runs_alone(instance, upload_id)}):
            run = instance.get_run_by_id(run_id)
            if run is not None and run.is_finished:
                _forget_run(instance, storage, run_id)
        _forget_partition(storage, upload_id)
        instance.delete_dynamic_partition("uploads", upload_id)
    for key in instance.get_asset_keys():
        _name_newest(instance, key)


def _runs_alone(instance: dg.DagsterInstance, upload_id: str) -> set[str]:
    """The runs launched for this partition alone, even those that logged no event of it."""
    return {run.run_id for run in instance.get_runs(dg.RunsFilter(tags={_PARTITION: upload_id}))}


def _carrying_only(storage: SqlEventLogStorage, upload_id: str) -> set[str]:
    """The runs with events of this partition, and of no other."""
    events = SqlEventLogStorageTable
    ours = sa.select(events.c.run_id).where(events.c.partition == upload_id)
    others = sa.select(events.c.run_id).where(events.c.partition != upload_id, events.c.run_id.in_(ours))
    with storage.index_connection() as connection:
        found = [{run_id for (run_id,) in connection.execute(each).fetchall()} for each in (ours, others)]
    return found[0] - found[1] - {RUNLESS_RUN_ID}


def _forget_partition(storage: SqlEventLogStorage, upload_id: str) -> None:
    """Deletes the events and check results of a partition."""
    events, checks = SqlEventLogStorageTable, AssetCheckExecutionsTable
    of_partition = events.c.partition == upload_id
    with storage.index_connection() as connection:
        ids = sa.select(events.c.id).where(of_partition)
        connection.execute(AssetEventTagsTable.delete().where(AssetEventTagsTable.c.event_id.in_(ids)))
        connection.execute(events.delete().where(of_partition))
        connection.execute(checks.delete().where(checks.c.partition == upload_id))


def _forget_run(instance: dg.DagsterInstance, storage: SqlEventLogStorage, run_id: str) -> None:
    """Deletes a run, its events and, with SQLite, its own database and printed output."""
    checks = AssetCheckExecutionsTable
    with storage.index_connection() as connection:
        connection.execute(checks.delete().where(checks.c.run_id == run_id))
    instance.delete_run(run_id)
    if isinstance(storage, SqliteEventLogStorage):
        for ending in _LOGS:
            Path(storage.path_for_shard(run_id) + ending).unlink(missing_ok=True)
        shutil.rmtree(Path(instance.storage_directory()) / run_id, ignore_errors=True)


def _name_newest(instance: dg.DagsterInstance, key: dg.AssetKey) -> None:
    """Makes Dagster show the newest remaining materialization of an asset, and recompute its partitions."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return
    left = instance.fetch_materializations(key, limit=1).records
    newest = serialize_value(left[0]) if left else None
    of_asset = AssetKeyTable.c.asset_key == key.to_string()
    with storage.index_connection() as connection:
        values = {"last_materialization": newest, "cached_status_data": None}
        connection.execute(AssetKeyTable.update().where(of_asset).values(**values))
