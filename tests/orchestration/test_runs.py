"""One upload or many in a run: materializations, metadata and check results per partition."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from contact_pipeline.contracts import REJECTIONS
from contact_pipeline.pipeline import Pipeline

STAGED = ("raw_upload", "normalized_frame", "validated_rows", "matched_changeset")

Run = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def run(definitions: dg.Definitions, instance: dg.DagsterInstance) -> Run:
    """Runs a job over one key or over the range from the first to the last of several."""

    def ran(job: str, keys: Sequence[str], **config: Any) -> dg.ExecuteInProcessResult:
        instance.add_dynamic_partitions("uploads", list(keys))
        ends = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
        where = {"partition_key": keys[0]} if len(keys) == 1 else {"tags": ends}
        op = {"apply_upload": "applied_contacts", "finalize_upload": "finalize", "undo_upload": "undo"}.get(job, "")
        run_config = {"ops": {op: {"config": config}}} if config else None
        return definitions.resolve_job_def(job).execute_in_process(instance=instance, run_config=run_config, **where)

    return ran


@pytest.fixture
def three(
    pipeline: Pipeline, outreach_file: Callable[..., Path], program_file: Callable[..., Path], tmp_path: Path
) -> list[str]:
    """A good upload, one that will be blocked, and one that is refused when it is read."""
    (tmp_path / "wrong.csv").write_text("Name,Colour\nRosa,green\n")
    received = [
        pipeline.receive(
            outreach_file("good.csv", "a@example.com", "b@example.com", ""), "outreach_contacts", group="G"
        ),
        pipeline.receive(program_file("bad.xlsx", "c@example.com", ""), "program_contacts"),
        pipeline.receive(tmp_path / "wrong.csv", "outreach_contacts", group="G"),
    ]
    return [upload.upload_id for upload in received]


def metadata(instance: dg.DagsterInstance, asset: str, key: str) -> dict[str, Any]:
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[key]), limit=10
    ).records
    materialization = records[0].asset_materialization
    assert materialization is not None
    return {
        name: [dict(record.data) for record in value.records]
        if isinstance(value, dg.TableMetadataValue)
        else value.value
        for name, value in materialization.metadata.items()
    }


def checks(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str | None], bool]:
    return {(check.check_name, check.partition): check.passed for check in result.get_asset_check_evaluations()}


def test_one_upload_is_staged(run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, three: list[str]) -> None:
    result = run("stage_upload", three[:1])
    upload = pipeline.show(three[0])
    shown = metadata(instance, "matched_changeset", three[0])
    assert result.success
    assert upload.state == "staged"
    assert shown["state"] == "staged"
    assert shown["changeset_sha256"] == upload.changeset_sha256
    assert shown["outcomes"] == upload.outcomes
    assert checks(result) == {
        ("file_accepted", three[0]): True,
        ("error_count", three[0]): False,
        ("duplicate_count", three[0]): False,
        ("reconciliation", three[0]): True,
        ("deactivation_guard", three[0]): True,
        ("rejection_guard", three[0]): True,
        ("change_guard", three[0]): True,
    }


def test_a_range_with_a_blocked_and_a_refused_upload_is_no_failed_run_but_failed_checks(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, three: list[str]
) -> None:
    """X1: the check counts the stored rows of every upload."""
    result = run("stage_upload", three)
    good, blocked, refused = three
    assert result.success
    assert [pipeline.show(key).state for key in three] == ["staged", "blocked", "refused"]
    for asset in STAGED:
        assert instance.get_materialized_partitions(dg.AssetKey(asset)) == set(three)
    found = checks(result)
    assert {key for _, key in found} == set(three)
    assert [found["file_accepted", key] for key in three] == [True, True, False]
    assert [found["error_count", key] for key in three] == [False, False, True]
    assert [found["reconciliation", key] for key in three] == [True, True, True]
    severity = {
        (check.check_name, check.partition): check.severity.value for check in result.get_asset_check_evaluations()
    }
    assert severity["error_count", good] == "WARN"
    assert severity["error_count", blocked] == "ERROR"
    assert severity["file_accepted", refused] == "ERROR"
    assert "heading" in metadata(instance, "raw_upload", refused)["reason"].lower()


def test_a_check_result_counts_for_the_materialization_that_it_judged(
    run: Run, instance: dg.DagsterInstance, three: list[str]
) -> None:
    """What the private name in checking.py is needed for: without it every partition would show as not checked."""
    run("stage_upload", three)
    run("stage_upload", three)
    for asset, name in (("raw_upload", "file_accepted"), ("matched_changeset", "reconciliation")):
        infos = instance.event_log_storage.get_asset_check_partition_info([dg.AssetCheckKey(dg.AssetKey(asset), name)])
        assert {info.partition_key for info in infos} == set(three)
        assert all(info.is_current for info in infos)


def test_sensitive_values_are_masked_in_previews(run: Run, instance: dg.DagsterInstance, three: list[str]) -> None:
    """B: SSN and date of birth are never in metadata."""
    run("stage_upload", three[:1])
    shown = [metadata(instance, asset, three[0]) for asset in STAGED]
    text = str([values.get("preview") for values in shown])
    assert "***-**-****" in text
    assert "219-09-9999" not in text
    assert "1984" not in text
    assert all("dagster/column_schema" in values for values in shown)


def test_the_column_schema_is_that_of_pandera(run: Run, instance: dg.DagsterInstance, three: list[str]) -> None:
    """Types, blanks and checks are those that validation uses, not what a frame happens to hold."""
    run("stage_upload", three)
    schemas = {asset: metadata(instance, asset, three[0])["dagster/column_schema"] for asset in STAGED}
    columns = {asset: {column.name: column for column in schema.columns} for asset, schema in schemas.items()}
    assert {column.type for name, column in columns["raw_upload"].items() if "_number" not in name} == {"String"}
    born = columns["normalized_frame"]["date_of_birth"].constraints
    assert (born.nullable, born.other) == (True, ["date-format", "date-future", "date-before-1900"])
    assert columns["normalized_frame"]["row_number"].constraints.unique
    assert schemas["normalized_frame"].constraints.other[0].startswith("needs-one-of: an account number, or")
    assert list(columns["validated_rows"]) == list(REJECTIONS.columns)
    assert "dagster/column_schema" in metadata(instance, "raw_upload", three[2])


def test_previews_can_be_turned_off(
    run: Run, instance: dg.DagsterInstance, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACT_PIPELINE_PREVIEWS", "false")
    run("stage_upload", three[:1])
    assert "preview" not in metadata(instance, "raw_upload", three[0])
    assert "dagster/column_schema" in metadata(instance, "raw_upload", three[0])


def test_what_applies_automatically_is_applied_once(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, three: list[str]
) -> None:
    run("stage_upload", three)
    first = run("apply_upload", three)
    contacts = pipeline.store.contacts()
    second = run("apply_upload", three)
    assert first.success
    assert second.success
    assert [pipeline.show(key).state for key in three] == ["applied", "blocked", "refused"]
    assert pipeline.store.contacts() == contacts
    assert len(contacts) == 1
    assert checks(first) == {
        ("apply_gates", three[0]): True,
        ("apply_gates", three[1]): False,
        ("apply_gates", three[2]): False,
    }
    assert checks(second) == checks(first)


def test_without_an_approval_nothing_is_applied_and_it_is_said(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, program_file: Callable[..., Path]
) -> None:
    """A9: nothing is imported before the approval."""
    key = pipeline.receive(program_file("p.xlsx", "a@example.com"), "program_contacts").upload_id
    run("stage_upload", [key])
    result = run("apply_upload", [key])
    assert result.success
    assert pipeline.show(key).state == "staged"
    assert "awaits approval" in metadata(instance, "applied_contacts", key)["ending"]
    assert pipeline.store.contacts() == []


def test_an_approval_names_who_and_which_changeset(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, program_file: Callable[..., Path]
) -> None:
    """X2: what is approved is what is applied."""
    key = pipeline.receive(program_file("p.xlsx", "a@example.com"), "program_contacts").upload_id
    run("stage_upload", [key])
    other = run("apply_upload", [key], approved_by="d.whitfield", changeset="0" * 64)
    assert other.success
    assert checks(other) == {("apply_gates", key): False}
    assert pipeline.show(key).state == "staged"
    run("apply_upload", [key], approved_by="d.whitfield", changeset=pipeline.show(key).changeset_sha256)
    upload = pipeline.show(key)
    assert (upload.state, upload.approved_by) == ("applied", "d.whitfield")
    assert metadata(instance, "applied_contacts", key)["imports"] == 1


def test_a_stale_changeset_is_a_failed_check_and_is_planned_anew_when_materialized_again(
    run: Run, pipeline: Pipeline, program_file: Callable[..., Path]
) -> None:
    """X2: or refuses when a contact has changed since."""
    first, second = (
        pipeline.receive(program_file(name, "a@example.com", other), "program_contacts").upload_id
        for name, other in (("p.xlsx", "b@example.com"), ("q.xlsx", "c@example.com"))
    )
    run("stage_upload", [first, second])
    run("apply_upload", [first], approved_by="x")
    stale = run("apply_upload", [second], approved_by="x")
    assert checks(stale) == {("apply_gates", second): False}
    assert pipeline.show(second).state == "stale"
    run("stage_upload", [second])
    run("apply_upload", [second], approved_by="x")
    assert pipeline.show(second).state == "applied"
    assert len(pipeline.store.contacts()) == 3


def test_staging_an_applied_upload_again_rewrites_nothing(run: Run, pipeline: Pipeline, three: list[str]) -> None:
    run("stage_upload", three[:1])
    run("apply_upload", three[:1])
    before, contacts = pipeline.show(three[0]).as_dict(rows=True, changes=True), pipeline.store.contacts()
    run("stage_upload", three[:1])
    assert pipeline.show(three[0]).as_dict(rows=True, changes=True) == before
    assert pipeline.store.contacts() == contacts


def test_held_leads_are_published_by_finalizing(
    run: Run, instance: dg.DagsterInstance, home: Path, pipeline: Pipeline, leads_file: Callable[..., Path]
) -> None:
    """E10: not available to others until finalized."""
    key = pipeline.receive(
        leads_file("l.csv", "a@example.com"), "dealer_leads", user=home.owner(), lead_type="SMS"
    ).upload_id
    run("stage_upload", [key])
    run("apply_upload", [key])
    assert len(pipeline.store.contacts()) == 1
    assert pipeline.store.contacts(published=True) == []
    result = run("finalize_upload", [key], approved_by=home.owner())
    assert result.success
    assert pipeline.show(key).state == "finalized"
    assert len(pipeline.store.contacts(published=True)) == 1


def test_an_upload_is_undone_and_the_undoing_too(
    run: Run, pipeline: Pipeline, outreach_file: Callable[..., Path]
) -> None:
    """X4: undo_upload takes back what was applied; launched again, it takes back the undoing."""
    key = pipeline.receive(outreach_file("o.csv", "a@example.com"), "outreach_contacts", group="G").upload_id
    run("stage_upload", [key])
    run("apply_upload", [key])
    assert len(pipeline.store.contacts()) == 1
    run("undo_upload", [key], approved_by="x")
    assert pipeline.show(key).state == "undone"
    assert pipeline.store.contacts() == []
    run("undo_upload", [key], approved_by="x")
    assert pipeline.show(key).state == "applied"
    assert len(pipeline.store.contacts()) == 1


def test_a_guard_on_deactivations_is_a_failed_check_until_it_is_confirmed(
    run: Run, pipeline: Pipeline, program_file: Callable[..., Path]
) -> None:
    """A8: a guard stops an upload that would deactivate more than a set share until that is confirmed."""
    first = pipeline.plan(program_file("p.xlsx", "a@example.com", "b@example.com"), "program_contacts")
    pipeline.apply(first.upload_id)
    key = pipeline.receive(
        program_file("q.xlsx", "a@example.com"), "program_contacts", deactivate_missing=True
    ).upload_id
    assert checks(run("stage_upload", [key]))["deactivation_guard", key] is False
    run("apply_upload", [key], approved_by="x")
    assert pipeline.show(key).state == "blocked"
    run("apply_upload", [key], approved_by="x", confirm_deactivations=True)
    assert pipeline.show(key).state == "applied"
    assert [contact["active"] for contact in pipeline.store.contacts()] == [True, False]


def test_a_fault_of_the_machine_fails_the_run(
    definitions: dg.Definitions, instance: dg.DagsterInstance, pipeline: Pipeline, three: list[str]
) -> None:
    for original in pipeline.settings.upload_path(three[0]).iterdir():
        original.unlink()
    instance.add_dynamic_partitions("uploads", three[:1])
    result = definitions.resolve_job_def("stage_upload").execute_in_process(
        instance=instance, partition_key=three[0], raise_on_error=False
    )
    assert not result.success
