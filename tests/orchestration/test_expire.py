"""The job `expire`: partitions, events and runs of uploads that ended long ago go; all others stay as they are."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
import yaml
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.runs.schema import KeyValueStoreTable, RunsTable

from contact_pipeline.errors import StoreBusy
from contact_pipeline.orchestration import steps
from contact_pipeline.orchestration.definitions import build_definitions
from contact_pipeline.orchestration.reporting import report
from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.pipeline import Pipeline
from contact_pipeline.store.expiries import Amount
from tests.postgres import postgres_server

Run = Callable[..., dg.ExecuteInProcessResult]
STAGED = ("raw_upload", "normalized_frame", "validated_rows", "matched_changeset")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance that keeps each run's log in a database of its own, as that of `serve` does."""
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as kept:
        yield kept


@pytest.fixture
def run(definitions: dg.Definitions, instance: dg.DagsterInstance, home: Path) -> Run:
    """Runs a job; over the keys from the first to the last, where there are any."""

    def ran(job: str, op: str, *keys: str, **config: Any) -> dg.ExecuteInProcessResult:
        config = {"approved_by": home.owner(), **config} if job == "expire" else config
        ends = zip(("start", "end"), (keys[0], keys[-1]), strict=True) if len(keys) > 1 else ()
        where: dict[str, Any] = {"tags": {f"dagster/asset_partition_range_{end}": key for end, key in ends}}
        where |= {"partition_key": keys[0]} if len(keys) == 1 else {}
        return definitions.resolve_job_def(job).execute_in_process(
            instance=instance, run_config={"ops": {op: {"config": config}}} if config else None, **where
        )

    return ran


def left_of(instance: dg.DagsterInstance, upload_id: str) -> tuple[int, int]:
    """Events and check results of a partition."""
    events, checks = SqlEventLogStorageTable, AssetCheckExecutionsTable
    with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
        return tuple(
            connection.execute(sa.select(sa.func.count()).where(table.c.partition == upload_id)).scalar()
            for table in (events, checks)
        )  # type: ignore[return-value]


def materialized(instance: dg.DagsterInstance) -> set[str]:
    return instance.get_materialized_partitions(dg.AssetKey("matched_changeset"))


def test_what_dagster_keeps_of_old_uploads_goes_and_is_not_reported_again(
    pipeline: Pipeline,
    outreach_file: Callable[..., Path],
    run: Run,
    instance: dg.DagsterInstance,
    home: Path,
    tmp_path: Path,
) -> None:
    """A run over several uploads goes with the last of them. The line of evidence says how many runs and events."""
    old, young = (
        pipeline.receive(outreach_file(f"{name}.csv", f"{name}@example.com"), "outreach_contacts", group="G").upload_id
        for name in ("old", "young")
    )
    instance.add_dynamic_partitions("uploads", [old, young])
    together = run("stage_upload", "", old, young).run_id
    own = {
        old: run("apply_upload", "applied_contacts", old, approved_by=home.owner()).run_id,
        young: run("cancel_upload", "cancel", young, approved_by=home.owner()).run_id,
    }
    with pipeline.store.change() as database:
        sets = "SET finished_at = finished_at - INTERVAL 10 DAY"
        database.run(f"UPDATE uploads {sets} WHERE upload_id = ?", [old])
        database.run("UPDATE commits SET committed_at = committed_at - INTERVAL 10 DAY WHERE upload_id = ?", [old])
    before = left_of(instance, old)
    assert min(before) > 0

    shown = run("expire", "delete_expired", older_than_days=9, dry_run=True)
    assert shown.success
    assert left_of(instance, old) == before
    assert pipeline.expiries(old) == []
    assert run("expire", "delete_expired", older_than_days=9).success

    assert left_of(instance, old) == (0, 0)
    assert min(left_of(instance, young)) > 0
    assert instance.get_dynamic_partitions("uploads") == [young]
    assert instance.get_run_by_id(own[old]) is None
    assert instance.get_run_by_id(own[young]) is not None
    assert instance.get_run_by_id(together) is not None  # the other upload is in it
    assert not list(tmp_path.glob(f"dagster/**/{own[old]}*"))
    assert materialized(instance) == {young}  # it was matched before it was cancelled
    kinds = {each["kind"]: each for each in pipeline.expiries(old)}
    assert {each["actor"] for each in pipeline.expiries(old)} == {home.owner()}
    assert (kinds["runs"]["files"], kinds["runs"]["rows"]) == (2, before[0])
    assert kinds["staged_data"]["finished_at"] is not None
    report(instance, pipeline, (), 20)
    assert instance.get_dynamic_partitions("uploads") == [young]

    assert run("expire", "delete_expired", older_than_days=0, kinds=["runs"]).success
    assert instance.get_run_by_id(together) is None
    assert instance.get_dynamic_partitions("uploads") == []
    assert materialized(instance) == set()
    assert pipeline.verify().findings == []


def test_a_run_that_was_cut_off_is_finished_by_the_next(
    pipeline: Pipeline, outreach_file: Callable[..., Path], run: Run, instance: dg.DagsterInstance
) -> None:
    """What only Dagster can delete waits for the job; the command leaves it alone."""
    upload = pipeline.receive(outreach_file("a.csv", "a@example.com"), "outreach_contacts", group="G")
    key = upload.upload_id
    instance.add_dynamic_partitions("uploads", [key])
    run("stage_upload", "", key)
    pipeline.cancel(key)

    class Dead:
        def find(self, _: Any) -> Any:
            return Amount(1, 1, None)

        def delete(self, _: Any) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline.expire(older_than=0, runs=Dead())
    assert pipeline.expire().completed == []
    assert {finding.code for finding in pipeline.verify().findings} == {"expiry"}
    assert run("expire", "delete_expired").success
    assert left_of(instance, key) == (0, 0)
    assert pipeline.verify().findings == []


def events_without_run(instance: dg.DagsterInstance, words: str) -> int:
    """How many events outside of any run hold these words, wherever Dagster keeps them."""
    events, found = SqlEventLogStorageTable, 0
    storage: Any = instance.event_log_storage
    for connect in (storage.index_connection, lambda: storage.run_connection("")):
        with connect() as connection:
            chosen = sa.and_(events.c.run_id == "", events.c.event.contains(words))
            found += connection.execute(sa.select(sa.func.count()).where(chosen)).scalar()
    return found


def test_what_was_reported_without_a_run_goes_too(
    pipeline: Pipeline,
    outreach_file: Callable[..., Path],
    definitions: dg.Definitions,
    run: Run,
    instance: dg.DagsterInstance,
) -> None:
    """With SQLite such an event lies in two databases, and what was shown last is remembered beside them."""
    key = pipeline.plan(outreach_file("a.csv", "a@example.com"), "outreach_contacts", group="G").upload_id
    report(instance, pipeline, (), 20)
    pipeline.cancel(key)
    report(instance, pipeline, (), 20)
    assert events_without_run(instance, key) > 0
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        assert key in str(connection.execute(sa.select(KeyValueStoreTable.c.key)).fetchall())
    assert run("expire", "delete_expired", older_than_days=0).success
    assert events_without_run(instance, key) == 0
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        assert key not in str(connection.execute(sa.select(KeyValueStoreTable.c.key)).fetchall())


@pytest.fixture(params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with its records in SQLite or in PostgreSQL."""
    (tmp_path / "stored").mkdir()
    if request.param == "sqlite":
        with dg.DagsterInstance.local_temp(str(tmp_path / "stored")) as kept:
            yield kept
        return
    with postgres_server() as (address, _):
        storage = {"storage": {"postgres": {"postgres_url": address}}}
        with dg.DagsterInstance.local_temp(str(tmp_path / "stored"), overrides=storage) as kept:
            yield kept


def make_older(instance: dg.DagsterInstance, days: int) -> None:
    """Makes every run and every event of an instance that many days older."""
    events = SqlEventLogStorageTable
    storage: Any = instance.event_log_storage
    runs: Any = instance.run_storage
    logs = [storage.index_connection]
    if isinstance(storage, SqliteEventLogStorage):
        logs.append(partial(storage.run_connection, ""))
    tables = [(runs.connect, RunsTable, RunsTable.c.update_timestamp)]
    tables += [(log, events, events.c.timestamp) for log in logs]
    for connect, table, column in tables:
        with connect() as connection:
            for number, at in connection.execute(sa.select(table.c.id, column)).fetchall():
                changed = {column.name: at - timedelta(days=days)}
                connection.execute(table.update().where(table.c.id == number).values(changed))


def test_what_belongs_to_no_upload_goes_by_a_setting_of_the_home(
    home: Path,
    pipeline: Pipeline,
    program_file: Callable[..., Path],
    stored: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Runs of feeds, of `expire` and refused launches, and old materializations; each asset keeps its newest one."""
    (tmp_path / "drop").mkdir()
    (home / "feeds").mkdir()
    feed = {"source": f"{tmp_path}/drop/*.xlsx", "profile": "program_contacts", "owner": home.owner()}
    (home / "feeds" / "partners.yaml").write_text(yaml.safe_dump(feed))
    definitions = build_definitions({"pipeline": PipelineResource(home=str(home))})

    def ran(job: str, **where: Any) -> str:
        found = definitions.resolve_job_def(job)
        return found.execute_in_process(instance=stored, raise_on_error=False, **where).run_id

    def expire(**config: Any) -> str:
        given = {"approved_by": "ana", **config}
        return ran("expire", run_config={"ops": {"delete_expired": {"config": given}}})

    def fetch(name: str) -> str:
        program_file(f"{name}.xlsx", f"{name}@example.com").rename(tmp_path / "drop" / f"{name}.xlsx")
        return ran("fetch_partners")

    def counted(number: int) -> None:
        for asset in ("contacts", "awaiting_approval"):
            stored.report_runless_asset_event(dg.AssetMaterialization(asset, metadata={"active": number}))

    theirs = definitions_of_others().resolve_job_def("expires")
    others = theirs.execute_in_process(instance=stored).run_id
    old = {expire(), ran("cancel_upload", run_config={"ops": {"cancel": {"config": {"approved_by": "ana"}}}})}
    old |= {fetch("a"), fetch("b")}
    newest = fetch("c")
    report(stored, pipeline, (), 20)
    upload = stored.get_dynamic_partitions("uploads")[0]
    of_upload = ran(
        "cancel_upload", run_config={"ops": {"cancel": {"config": {"approved_by": "x"}}}}, partition_key=upload
    )
    stored.add_dynamic_partitions("uploads", ["gone"])
    ends = {"dagster/asset_partition_range_start": upload, "dagster/asset_partition_range_end": "gone"}
    gone_in_part = ran("cancel_upload", run_config={"ops": {"cancel": {"config": {"approved_by": "x"}}}}, tags=ends)
    stored.delete_dynamic_partition("uploads", "gone")
    counted(1)
    counted(2)
    make_older(stored, 40)
    young = ran("fetch_partners")
    before = {run.run_id for run in stored.get_runs()}
    assert len(before) == 9
    kept = {others, newest, of_upload, gone_in_part, young}

    last = expire()
    assert {run.run_id for run in stored.get_runs()} == before | {last}, "nothing says that it goes"
    monkeypatch.setenv("CONTACT_PIPELINE_KEEP_RUNS_DAYS", "41")
    assert expire_finds(stored, expire(dry_run=True)) == (0, 0)
    monkeypatch.setenv("CONTACT_PIPELINE_KEEP_RUNS_DAYS", "30")
    definitions = build_definitions({"pipeline": PipelineResource(home=str(home))})
    shown = expire(dry_run=True)
    assert expire_finds(stored, shown) == (len(old), 2)
    assert old < {run.run_id for run in stored.get_runs()}
    done = expire()
    assert expire_finds(stored, done) == (len(old), 2)
    left = {run.run_id for run in stored.get_runs()}
    assert not old & left
    assert kept < left
    assert not [path for path in (tmp_path / "stored").rglob("*") for gone in old if path.name.startswith(gone)]
    for asset in ("contacts", "awaiting_approval"):
        records = stored.fetch_materializations(dg.AssetKey(asset), limit=9).records
        assert [record.asset_materialization.metadata["active"].value for record in records] == [2]  # type: ignore[union-attr]
        named = stored.get_latest_materialization_event(dg.AssetKey(asset))
        assert named is not None
        assert named.asset_materialization.metadata["active"].value == 2  # type: ignore[union-attr]
    (fetched,) = stored.fetch_materializations(dg.AssetKey(["partners", "fetched_files"]), limit=9).records
    assert fetched.run_id == newest
    assert expire_finds(stored, expire(profile="program_contacts", older_than_days=0)) == (0, 0)
    assert expire_finds(stored, expire(kinds=["originals"], older_than_days=0)) == (0, 0)
    assert expire_finds(stored, expire(older_than_days=0))[0] > 3, "its own earlier runs, and the young one"


def definitions_of_others() -> dg.Definitions:
    """What another code location of the same instance may have."""

    @dg.op
    def theirs() -> None: ...

    return dg.Definitions(jobs=[dg.GraphDefinition(name="expires", node_defs=[theirs]).to_job()])


def expire_finds(instance: dg.DagsterInstance, run_id: str) -> tuple[Any, Any]:
    """The runs and events of no upload that a run of `expire` says it has found."""
    (output,) = [
        entry.dagster_event.step_output_data.metadata
        for entry in instance.all_logs(run_id)
        if entry.dagster_event is not None and entry.dagster_event.is_successful_output
    ]
    return output["runs_of_no_upload"].value, output["events_of_no_upload"].value


def test_a_run_of_the_profiles_deletes_only_what_they_say(run: Run) -> None:
    with pytest.raises(dg.Failure, match="'automatic by profile' has no older_than_days"):
        run("expire", "delete_expired", approved_by="automatic by profile", older_than_days=3)
    with pytest.raises(dg.Failure, match="give the login of whoever asks"):
        run("expire", "delete_expired", approved_by=" ")
    assert run("expire", "delete_expired", approved_by="automatic by profile").success


def test_a_long_deletion_keeps_no_commit_waiting_and_waits_for_one_itself(
    run: Run, definitions: dg.Definitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert definitions.resolve_job_def("expire").nodes[0].definition.pools == set()
    monkeypatch.setattr(steps, "BUSY_SECONDS", 0)
    really, tried = Pipeline.expire, []

    def busy_at_first(self: Pipeline, **asked: Any) -> Any:
        tried.append(asked)
        if len(tried) == 1:
            raise StoreBusy("contacts.duckdb has been in use by another process.")
        return really(self, **asked)

    monkeypatch.setattr(Pipeline, "expire", busy_at_first)
    assert run("expire", "delete_expired").success
    assert len(tried) == 2


def test_nothing_is_deleted_by_itself_until_somebody_turns_the_schedule_on(definitions: dg.Definitions) -> None:
    schedule = definitions.resolve_schedule_def("expire_nightly")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    assert schedule.job_name == "expire"
    config = schedule.evaluate_tick(dg.build_schedule_context()).run_requests[0].run_config  # type: ignore[index]
    assert definitions.resolve_job_def("expire").execute_in_process(run_config=config).success
