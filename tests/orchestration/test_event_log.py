"""Dagster's event log kept open: it holds the same as by default, whoever else reads, deletes or fails meanwhile."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.events import DagsterEventType
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from contact_pipeline.erase.previews import erase_previews
from contact_pipeline.errors import StoreBusy
from contact_pipeline.orchestration.event_log import keep_open, kept_open, together
from contact_pipeline.orchestration.events import Events, without_run
from contact_pipeline.settings import Settings
from contact_pipeline.store.ledger import now


@pytest.fixture
def lasting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance with SQLite databases on disk."""
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance:
        yield instance


def databases(instance: dg.DagsterInstance) -> SqliteEventLogStorage:
    storage = instance.event_log_storage
    assert isinstance(storage, SqliteEventLogStorage)
    return storage


def materialize(instance: dg.DagsterInstance, *keys: str) -> None:
    for key in keys:
        instance.report_runless_asset_event(dg.AssetMaterialization("people", partition=key))


def fail_after(instance: dg.DagsterInstance, key: str) -> None:
    with together(instance):
        materialize(instance, key)
        1 / 0  # noqa: B018


def materialized(instance: dg.DagsterInstance) -> set[str]:
    return instance.get_materialized_partitions(dg.AssetKey("people"))


def other_process(instance: dg.DagsterInstance) -> set[str]:
    """What somebody sees who opens the same instance anew."""
    with dg.DagsterInstance.from_config(instance.root_directory) as another:
        return materialized(another)


def test_what_is_logged_is_there_at_once_for_others(lasting):
    with kept_open(lasting):
        materialize(lasting, "a")
        assert other_process(lasting) == {"a"}
        materialize(lasting, "b")
    materialize(lasting, "c")
    assert other_process(lasting) == {"a", "b", "c"}


def test_the_databases_are_opened_once(lasting, monkeypatch):
    opened = list[str]()
    anew = SqliteEventLogStorage._connect

    def counted(storage: SqliteEventLogStorage, shard: str) -> object:
        opened.append(shard)
        return anew(storage, shard)

    monkeypatch.setattr(SqliteEventLogStorage, "_connect", counted)
    materialize(lasting, "a", "b", "c")
    assert len(opened) >= 6
    opened.clear()
    with kept_open(lasting):
        materialize(lasting, "d", "e", "f")
        assert len(opened) == len({*opened})
    opened.clear()
    materialize(lasting, "g")
    assert len(opened) >= 2


def test_events_of_a_block_are_stored_together_or_not_at_all(lasting):
    with kept_open(lasting):
        with together(lasting):
            materialize(lasting, "a", "b")
            assert other_process(lasting) == set()
        assert other_process(lasting) == {"a", "b"}
        with pytest.raises(ZeroDivisionError):
            fail_after(lasting, "c")
        materialize(lasting, "d")
    assert other_process(lasting) == {"a", "b", "d"}


def test_a_block_in_a_block_is_part_of_it(lasting):
    with kept_open(lasting), together(lasting):
        with together(lasting):
            materialize(lasting, "a")
        assert other_process(lasting) == set()
    assert other_process(lasting) == {"a"}


def test_whether_a_table_is_there_is_asked_once(lasting, monkeypatch):
    def fail(*_: object) -> None:
        raise AssertionError("asked again")

    with kept_open(lasting):
        storage = databases(lasting)
        assert storage.supports_asset_checks
        assert not storage.has_table("people")
        monkeypatch.setattr(sa, "inspect", fail)
        assert storage.supports_asset_checks


def test_what_is_shown_afterwards_is_shown_though_the_work_ends_early(lasting):
    def work(events: Events) -> None:
        events.log(dg.AssetMaterialization("people", partition="a"))
        events.remember({"people:a": "there"})
        assert other_process(lasting) == set()
        raise KeyboardInterrupt

    with kept_open(lasting), pytest.raises(KeyboardInterrupt), without_run(lasting, now()).afterwards() as events:
        work(events)
    assert other_process(lasting) == {"a"}
    assert lasting.daemon_cursor_storage.get_cursor_values({"people:a"}) == {"people:a": "there"}


def test_values_are_remembered_only_of_events_that_are_stored(lasting):
    def work(events: Events) -> None:
        events.log(dg.AssetMaterialization("people", partition="a"))
        events.remember({"people:a": "there"})
        1 / 0  # noqa: B018

    with kept_open(lasting), pytest.raises(ZeroDivisionError), without_run(lasting, now()).together() as events:
        work(events)
    assert other_process(lasting) == set()
    assert lasting.daemon_cursor_storage.get_cursor_values({"people:a"}) == {}


def test_without_being_kept_open_events_are_stored_one_by_one(lasting):
    with together(lasting):
        materialize(lasting, "a")
        assert other_process(lasting) == {"a"}


def test_a_database_that_somebody_deleted_is_made_anew(lasting):
    with kept_open(lasting):
        materialize(lasting, "a")
        shard = Path(databases(lasting).path_for_shard("_runless"))
        [found] = [path for path in shard.parent.glob("*.db") if path.stem not in {"index", "runs"}]
        for ending in ("", "-wal", "-shm"):
            Path(f"{found}{ending}").unlink(missing_ok=True)
        materialize(lasting, "b")
        assert found.exists()
    assert other_process(lasting) == {"a", "b"}


def test_a_database_that_somebody_replaced_is_opened_anew(lasting, tmp_path):
    with kept_open(lasting):
        materialize(lasting, "a")
        shard = Path(databases(lasting).path_for_shard("_runless"))
        [found] = [path for path in shard.parent.glob("*.db") if path.stem not in {"index", "runs"}]
        with closing(sqlite3.connect(found)) as opened:
            opened.execute("VACUUM INTO ?", [str(tmp_path / "another.db")])
        for ending in ("-wal", "-shm"):
            Path(f"{found}{ending}").unlink(missing_ok=True)
        (tmp_path / "another.db").replace(found)
        materialize(lasting, "b")
    with closing(sqlite3.connect(found)) as opened:
        assert opened.execute("SELECT partition FROM event_logs ORDER BY id").fetchall() == [("a",), ("b",)]


def test_few_databases_of_runs_stay_open(lasting):
    kept = keep_open(lasting.event_log_storage)
    assert kept is not None
    for number in range(20):
        with databases(lasting).run_connection(f"run{number}"):
            pass
    with databases(lasting).index_connection():
        pass
    for number in range(20):
        with databases(lasting).run_connection(f"again{number}"):
            pass
    names = [*kept._engines]
    assert "index" in names
    assert len(names) <= 9
    kept.remove()


def test_it_is_kept_open_once(lasting):
    outer = keep_open(lasting.event_log_storage)
    assert outer is not None
    with kept_open(lasting):  # leaves the outer one in place
        materialize(lasting, "a")
    with together(lasting):
        materialize(lasting, "b")
        assert other_process(lasting) == {"a"}
    outer.remove()


def test_another_kind_of_event_log_is_left_as_it_is(instance):
    with kept_open(instance), together(instance):
        materialize(instance, "a")
    assert materialized(instance) == {"a"}
    with kept_open(None):
        pass


def test_what_a_run_is_to_make_is_stored_at_once(lasting, monkeypatch):
    """Dagster announces every asset and partition of a run; gathered, they are one transaction."""
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "1000")
    keys = [f"u{number}" for number in range(5)]
    partitions = dg.DynamicPartitionsDefinition(name="uploads")
    lasting.add_dynamic_partitions("uploads", keys)

    @dg.asset(partitions_def=partitions, backfill_policy=dg.BackfillPolicy.single_run())
    def people() -> None:
        pass

    job = dg.Definitions([people], jobs=[dg.define_asset_job("make", [people])]).resolve_job_def("make")
    tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
    kept, batches = keep_open(lasting.event_log_storage), list[int]()
    assert kept is not None
    store = databases(lasting).store_event_batch
    monkeypatch.setattr(
        databases(lasting), "store_event_batch", lambda events: (batches.append(len(events)), store(events))
    )
    found = job.execute_in_process(instance=lasting, tags=tags)
    monkeypatch.undo()
    kept.remove()
    assert found.success
    assert max(batches) >= len(keys)
    planned = lasting.all_logs(found.run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    assert len(planned) == len(keys)
    assert other_process(lasting) == {*keys}


def test_erasing_reaches_what_is_kept_open(lasting, tmp_path):
    """An open database keeps SQLite's log beside it, which no closing takes away."""
    home = tmp_path / "home"
    home.mkdir()
    Path(lasting.root_directory).rename(home / "dagster")
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance, kept_open(instance):
        shown = dg.AssetMaterialization("people", partition="a", metadata={"name": "Ximena Quillfeather"})
        instance.report_runless_asset_event(shown)
        assert holding(home, b"Quillfeather")
        erase_previews(Settings(home=home), re.compile("()" * 9 + "Ximena Quillfeather"), {})
        assert holding(home, b"Quillfeather") == []
        materialize(instance, "b")
        assert materialized(instance) == {"a", "b"}


def test_erasing_is_not_done_while_somebody_keeps_the_log_of_a_database(lasting, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    Path(lasting.root_directory).rename(home / "dagster")
    settings, pattern = Settings(home=home, lock_wait_seconds=0.2), re.compile("()" * 9 + "Ximena Quillfeather")
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance, kept_open(instance):
        shown = dg.AssetMaterialization("people", partition="a", metadata={"name": "Ximena Quillfeather"})
        instance.report_runless_asset_event(shown)
        with closing(sqlite3.connect(databases(instance).path_for_shard("index"))) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM event_logs").fetchall()
            with pytest.raises(StoreBusy, match=r"index\.db has been in use"):
                erase_previews(settings, pattern, {})
        erase_previews(settings, pattern, {})
        assert holding(home, b"Quillfeather") == []


def holding(home: Path, name: bytes) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and name in path.read_bytes()]
