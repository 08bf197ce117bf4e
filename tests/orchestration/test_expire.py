"""The job `expire`: partitions, events and runs of uploads that ended long ago go; all others stay as they are."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable

from contact_pipeline.orchestration.reporting import report
from contact_pipeline.pipeline import Pipeline
from contact_pipeline.store.expiries import Amount

Run = Callable[..., dg.ExecuteInProcessResult]
STAGED = ("raw_upload", "normalized_frame", "validated_rows", "matched_changeset")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance that keeps each run's log in a database of its own, as that of `serve` does."""
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as kept:
        yield kept


@pytest.fixture
def run(definitions: dg.Definitions, instance: dg.DagsterInstance) -> Run:
    """Runs a job; over the keys from the first to the last, where there are any."""

    def ran(job: str, op: str, *keys: str, **config: Any) -> dg.ExecuteInProcessResult:
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


def test_nothing_is_deleted_by_itself_until_somebody_turns_the_schedule_on(definitions: dg.Definitions) -> None:
    schedule = definitions.resolve_schedule_def("expire_nightly")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    assert schedule.job_name == "expire"
