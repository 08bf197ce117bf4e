"""Taking back what Dagster was shown: the partition of an upload that was undone is not materialized any more.

Dagster has a call for it, `wipe_asset_partitions`, which its own storage does not implement. So rows are deleted here
from Dagster's index of asset events. The log of the run that materialized the partition keeps them, where Dagster's
records lie in SQLite; in PostgreSQL log and index are one table.
"""

from __future__ import annotations

import dagster as dg
import sqlalchemy as sa
from dagster._core.events import DagsterEventType
from dagster._core.instance.utils import RUNLESS_RUN_ID
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._serdes import serialize_value

_EVENTS = (DagsterEventType.ASSET_MATERIALIZATION.value, DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value)


def forget_materializations(instance: dg.DagsterInstance, asset: str, upload_id: str) -> None:
    """Makes the partition of an upload unmaterialized; nothing happens where it is so already."""
    key, storage = dg.AssetKey(asset), instance.event_log_storage
    if newest_materialization(instance, asset, upload_id) is None or not isinstance(storage, SqlEventLogStorage):
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
    left = instance.fetch_materializations(key, limit=1).records
    with storage.index_connection() as connection:
        newest = serialize_value(left[0]) if left else None
        connection.execute(AssetKeyTable.update().where(of_asset).values(last_materialization=newest))


def forget_check_result(instance: dg.DagsterInstance, result: dg.AssetCheckEvaluation) -> None:
    """Makes room for a check result without a run: Dagster keeps one of them for a partition, and refuses a second."""
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


def newest_materialization(instance: dg.DagsterInstance, asset: str, upload_id: str) -> dg.EventLogRecord | None:
    """The newest materialization of an upload's partition; None where it is not materialized."""
    chosen = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[upload_id])
    records = instance.fetch_materializations(chosen, limit=1).records
    return records[0] if records else None
