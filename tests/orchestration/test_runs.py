"""One upload or many in a run: materializations, metadata and check results per partition."""

from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import xlsxwriter
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from contact_pipeline.contracts.frames import REJECTIONS
from contact_pipeline.errors import MachineFault, StoreBusy
from contact_pipeline.orchestration import steps
from contact_pipeline.orchestration.approval import AUTOMATIC
from contact_pipeline.orchestration.partitions import uploads
from contact_pipeline.orchestration.showing import not_shown
from contact_pipeline.pipeline import Pipeline, stages
from contact_pipeline.store import Upload
from tests.trust import record

OUTREACH = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code\n"
STAGED = ("raw_upload", "normalized_frame", "validated_rows", "matched_changeset")

Run = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def run(definitions: dg.Definitions, instance: dg.DagsterInstance) -> Run:
    """Runs a job over one key or over the range from the first to the last of several."""

    def ran(job: str, keys: Sequence[str], **config: Any) -> dg.ExecuteInProcessResult:
        instance.add_dynamic_partitions("uploads", list(keys))
        ends = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
        where = {"partition_key": keys[0]} if len(keys) == 1 else {"tags": ends}
        op = "applied_contacts" if job == "apply_upload" else job.removesuffix("_upload")
        return definitions.resolve_job_def(job).execute_in_process(
            instance=instance,
            run_config={"ops": {op: {"config": config}}} if config else None,
            raise_on_error=False,
            **where,
        )

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


def green(instance: dg.DagsterInstance, asset: str) -> set[str]:
    """The partitions that count as materialized, for the automation and in the browser, whose status is cached."""
    materialized = instance.get_materialized_partitions(dg.AssetKey(asset))
    status = get_and_update_asset_status_cache_value(instance, dg.AssetKey(asset), uploads)
    assert status is not None
    with partition_loading_context(dynamic_partitions_store=instance):
        cached = status.deserialize_materialized_partition_subsets(uploads)
    assert set(cached.get_partition_keys()) == materialized
    return materialized


def observed(instance: dg.DagsterInstance, asset: str, key: str) -> dict[str, Any]:
    """The metadata of the newest observation."""
    records = instance.fetch_observations(
        dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[key]), limit=1
    ).records
    observation = records[0].event_log_entry.asset_observation
    assert observation is not None
    return {name: value.value for name, value in observation.metadata.items()}


def failure(result: dg.ExecuteInProcessResult) -> str:
    """What a failed run says of itself."""
    (event,) = [event for event in result.all_events if event.is_step_failure]
    assert event.step_failure_data.user_failure_data is not None, "a failure in words, not an exception"
    return event.step_failure_data.user_failure_data.description or ""


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
    assert "state" not in shown, "it would stay there when the upload is applied"
    assert shown["changeset_sha256"] == upload.changeset_sha256
    assert shown["outcomes"] == upload.outcomes
    assert (shown["error_rate"], shown["duplicate_rate"]) == (0.3333, 0.3333)
    assert shown["came_by"] == "command line or Python"
    assert shown["rejected_rows"] == f"{shown['page']}#rejected"
    assert "rejected_rows" not in metadata(instance, "validated_rows", three[0]), "nothing is decided there yet"
    assert checks(result) == {
        ("file_accepted", three[0]): True,
        ("error_count", three[0]): False,
        ("duplicate_count", three[0]): False,
        ("reconciliation", three[0]): True,
        ("encoding_guard", three[0]): True,
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
        assert green(instance, asset) == {good, blocked}
        assert "heading" in observed(instance, asset, refused)["ending"].lower()
    found = checks(result)
    assert [found["file_accepted", key] for key in three] == [True, True, False]
    assert {name for name, key in found if key == refused} == {"file_accepted"}
    assert [found["error_count", key] for key in (good, blocked)] == [False, False]
    assert [found["reconciliation", key] for key in (good, blocked)] == [True, True]
    severity = {
        (check.check_name, check.partition): check.severity.value for check in result.get_asset_check_evaluations()
    }
    assert severity["error_count", good] == "WARN"
    assert severity["error_count", blocked] == "ERROR"
    assert severity["file_accepted", refused] == "ERROR"


def test_a_check_result_counts_for_the_materialization_that_it_judged(
    run: Run, instance: dg.DagsterInstance, three: list[str]
) -> None:
    """What the private name in checking.py is needed for: without it every partition would show as not checked."""
    run("stage_upload", three)
    run("stage_upload", three)
    for asset, name in (("raw_upload", "file_accepted"), ("matched_changeset", "reconciliation")):
        infos = instance.event_log_storage.get_asset_check_partition_info([dg.AssetCheckKey(dg.AssetKey(asset), name)])
        assert {info.partition_key for info in infos} >= set(three[:2])
        assert all(info.is_current for info in infos)


def test_an_analyst_reads_what_became_of_a_file(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, program_file: Callable[..., Path], tmp_path: Path
) -> None:
    """How it was read, its columns, outcomes and errors by type, and its changes before → after, a line each."""
    pipeline.apply(pipeline.plan(program_file("old.xlsx", "a@example.com"), "program_contacts").upload_id)
    with xlsxwriter.Workbook(tmp_path / "new.xlsx") as workbook:
        sheet = workbook.add_worksheet("People")
        sheet.write_row(0, 0, ("Email", "First Name", "Last Name", "Phone", "Company", "Job Title"))
        sheet.write_row(1, 0, ("a@example.com", "Dana", "Whitfield-Ray"))
        sheet.write_row(2, 0, ("cy@gmial.com", "Cy", "Dee", "", "Dee | Sons"))
    key = pipeline.receive(tmp_path / "new.xlsx", "program_contacts", blank="overwrite").upload_id
    instance.add_dynamic_partitions("uploads", [key])
    run("stage_upload", [key])
    raw, normalized, validated, matched = (metadata(instance, asset, key) for asset in STAGED)

    assert (raw["sheet"], "encoding" in raw) == ("People", False)
    assert "| Last Name | last_name |" in normalized["columns"]
    made_of = normalized["dagster/column_lineage"].deps_by_column
    assert made_of["last_name"] == [dg.TableColumnDep("raw_upload", "Last Name")]
    assert all(shown["seconds"] > 0 for shown in (raw, normalized, validated, matched))
    assert validated["by_type"].splitlines()[2:] == ["| warning | email-domain-typo | 1 |"]
    assert matched["by_type"].splitlines()[2:4] == ["| outcome | created | 1 |", "| outcome | updated | 1 |"]
    of_contact = [row for row in matched["preview"] if row["target"].startswith("contact ")]
    assert [(row["row_number"], row["action"], row["fields"]) for row in of_contact] == [
        (2, "update", "last_name: Whitfield → Whitfield-Ray"),
        (3, "create", "email: cy@gmial.com; first_name: Cy; last_name: Dee; company: Dee | Sons; active: true"),
    ]


def test_sensitive_values_are_masked_in_previews(run: Run, instance: dg.DagsterInstance, three: list[str]) -> None:
    """B: SSN and date of birth are never in metadata."""
    run("stage_upload", three[:1])
    shown = [metadata(instance, asset, three[0]) for asset in STAGED]
    text = str([values.get("preview") for values in shown])
    assert "***-**-****" in text
    assert "219-09-9990" not in text
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
    assert columns["validated_rows"]["line_number"].description == "the physical line on which the row begins"
    assert columns["matched_changeset"]["contact_id"].description == "the contact"


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
    first = run("apply_upload", three, approved_by=AUTOMATIC)
    contacts = pipeline.store.contacts()
    second = run("apply_upload", three, approved_by=AUTOMATIC)
    assert f"Upload {three[1]}" in failure(first), "its profile asks for an approval"
    assert f"Upload {three[2]}" not in failure(second)
    assert green(instance, "applied_contacts") == {three[0]}
    assert [pipeline.show(key).state for key in three] == ["applied", "blocked", "refused"]
    assert pipeline.store.contacts() == contacts
    assert len(contacts) == 1
    assert checks(first) == {
        ("apply_gates", three[0]): True,
        ("apply_gates", three[1]): False,
        ("apply_gates", three[2]): False,
    }
    assert checks(second) == checks(first)


def test_an_approval_names_who_and_which_changeset(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, program_file: Callable[..., Path]
) -> None:
    """X2: what is approved is what is applied."""
    key = pipeline.receive(program_file("p.xlsx", "a@example.com"), "program_contacts").upload_id
    run("stage_upload", [key])
    other = run("apply_upload", [key], approved_by="d.whitfield", changeset="0" * 64)
    assert not other.success
    assert green(instance, "applied_contacts") == set()
    assert "not 0000" in failure(other)
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
    run("apply_upload", three[:1], approved_by=AUTOMATIC)
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
    run("apply_upload", [key], approved_by=AUTOMATIC)
    assert len(pipeline.store.contacts()) == 1
    assert pipeline.store.contacts(published=True) == []
    result = run("finalize_upload", [key], approved_by=home.owner())
    assert result.success
    assert pipeline.show(key).state == "finalized"
    assert len(pipeline.store.contacts(published=True)) == 1


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


def test_a_fault_with_one_upload_keeps_no_other_of_its_run_from_being_staged(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, outreach_file: Callable[..., Path]
) -> None:
    files = [outreach_file(f"{name}.csv", f"{name}@example.com") for name in "ab"]
    keys = [pipeline.receive(file, "outreach_contacts", group="G").upload_id for file in files]
    for original in pipeline.settings.upload_path(keys[0]).iterdir():
        original.unlink()
    result = run("stage_upload", keys)
    assert failure(result).startswith(
        f"The original of the upload is gone; cancel it and send the file again. Upload {keys[0]}"
    )
    assert [pipeline.show(key).state for key in keys] == ["received", "staged"]
    assert green(instance, "matched_changeset") == {keys[1]}


@pytest.mark.parametrize("stage", ["read", "validate", "match"])
def test_a_defect_of_the_program_with_one_upload_keeps_no_other_of_its_run_from_being_staged(
    run: Run,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    outreach_file: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
) -> None:
    """It fails, and says so; the log of the run has the traceback, in which values are masked."""
    files = [outreach_file(f"{name}.csv", f"{name}@example.com") for name in "abc"]
    keys = [pipeline.receive(file, "outreach_contacts", group="G").upload_id for file in files]
    really = getattr(stages, stage)

    def defective(store: Any, line: Any) -> Any:
        if line.upload_id == keys[1]:
            raise IndexError("no item for 219-09-9990")
        return really(store, line)

    monkeypatch.setattr(stages, stage, defective)
    result = run("stage_upload", keys)
    said = (
        f"Upload {keys[1]}: a defect of the program (IndexError)"
        if stage == "match"
        else f"Upload {keys[1]} has failed"
    )
    assert failure(result).startswith(said)
    assert [pipeline.show(key).state for key in keys] == ["staged", "failed", "staged"]
    assert "a defect of the program" in str(pipeline.show(keys[1]).reason)
    assert green(instance, "matched_changeset") == {keys[0], keys[2]}
    logged = "\n".join(entry.user_message for entry in instance.all_logs(result.run_id))
    assert logged.count("Traceback (most recent call last)") == 1
    assert "in defective" in logged
    assert "9990" not in logged


def test_a_defect_while_one_upload_is_applied_keeps_no_other_of_its_run_from_being_applied(
    run: Run, pipeline: Pipeline, outreach_file: Callable[..., Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [outreach_file(f"{name}.csv", f"{name}@example.com") for name in "ab"]
    keys = [pipeline.plan(file, "outreach_contacts", group="G").upload_id for file in files]
    for job, method in (("apply_upload", "apply"), ("undo_upload", "undo")):
        really = getattr(Pipeline, method)

        def defective(self: Pipeline, key: str, *, of: Any = really, **given: Any) -> Any:
            if key == keys[0]:
                raise IndexError("pop from an empty list")
            return of(self, key, **given)

        with monkeypatch.context() as patched:
            patched.setattr(Pipeline, method, defective)
            config = {"plan_only": False} if job == "undo_upload" else {}
            said = failure(run(job, keys, approved_by=home.owner(), **config))
        assert said.startswith(f"Upload {keys[0]}: a defect of the program (IndexError)")
        assert [pipeline.show(key).state for key in keys] == ["staged", "undone" if config else "applied"]


def test_an_upload_that_cannot_be_judged_keeps_no_other_from_being_judged(
    run: Run,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    outreach_file: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = [outreach_file(f"{name}.csv", f"{name}@example.com") for name in "abc"]
    keys = [pipeline.receive(file, "outreach_contacts", group="G").upload_id for file in files]
    count = Upload.count_changes

    def damaged(upload: Upload, *actions: str) -> int:
        if upload.upload_id == keys[0]:
            raise MachineFault("damaged", "What is staged has changed.", "Plan it again.")
        return count(upload, *actions)

    monkeypatch.setattr(Upload, "count_changes", damaged)
    result = run("stage_upload", keys)
    assert not result.success
    assert "What is staged has changed." in str([event.event_specific_data for event in result.all_events])
    logged = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    judged = [entry.get_dagster_event().asset_check_evaluation_data for entry in logged]
    assert {result.partition for result in judged if result.check_name == "change_guard"} == {*keys[1:]}


@pytest.fixture
def program_upload(pipeline: Pipeline, program_file: Callable[..., Path]) -> Callable[..., str]:
    """Stages a program file, which waits for approval; gives its id."""

    def staged(name: str, *emails: str) -> str:
        return pipeline.plan(program_file(name, *emails), "program_contacts").upload_id

    return staged


def gates(instance: dg.DagsterInstance, key: str) -> tuple[bool, str, str]:
    """The newest result of apply_gates for an upload: whether it passed, how grave it is, and what it says."""
    records = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(dg.AssetKey("applied_contacts"), "apply_gates"), limit=20
    )
    evaluations = [record.event.dagster_event.asset_check_evaluation_data for record in records if record.event]
    found = next(evaluation for evaluation in evaluations if evaluation.partition == key)
    return found.passed, found.severity.value, found.description


@pytest.mark.parametrize("config", [{}, {"approved_by": ""}, {"approved_by": " "}, {"approved_by": AUTOMATIC}])
def test_without_an_approval_nothing_is_applied_and_nothing_is_green(
    run: Run,
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    program_upload: Callable[..., str],
    config: dict[str, str],
) -> None:
    """A9: nothing is imported before the approval."""
    key = program_upload("p.xlsx", "a@example.com")
    if config:
        result = run("apply_upload", [key], **config)
        assert not result.success
        assert "approv" in failure(result)
    else:
        with pytest.raises(dg.DagsterInvalidConfigError, match="approved_by"):
            run("apply_upload", [key])
    assert pipeline.show(key).state == "staged"
    assert pipeline.store.contacts() == []
    assert instance.get_materialized_partitions(dg.AssetKey("applied_contacts")) == set()
    record("green-though-nothing-happened", tried=1, failed=0, where="apply_upload without an approval")


def test_materializing_the_asset_itself_needs_an_approval_too(
    definitions: dg.Definitions, instance: dg.DagsterInstance, resource: Any, program_upload: Callable[..., str]
) -> None:
    key = program_upload("p.xlsx", "a@example.com")
    instance.add_dynamic_partitions("uploads", [key])
    job = definitions.resolve_implicit_global_asset_job_def()
    with pytest.raises(dg.DagsterInvalidConfigError, match="approved_by"):
        job.execute_in_process(instance=instance, partition_key=key)


def test_of_a_range_those_that_can_be_applied_are_and_the_run_names_the_others(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, three: list[str]
) -> None:
    run("stage_upload", three)
    result = run("apply_upload", three, approved_by="d.whitfield")
    good, blocked, refused = three
    assert not result.success
    assert blocked in failure(result)
    assert refused in failure(result)
    assert good not in failure(result)
    assert green(instance, "applied_contacts") == {good}
    assert pipeline.show(good).approved_by == "d.whitfield"
    assert gates(instance, good)[0] is True
    assert gates(instance, blocked)[:2] == (False, "ERROR")
    again = run("apply_upload", three, approved_by="d.whitfield")
    assert failure(again) == failure(result)
    assert green(instance, "applied_contacts") == {good}


def test_an_automatic_run_says_so_and_who_sent_the_file(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, outreach_file: Callable[..., Path]
) -> None:
    upload = pipeline.plan(outreach_file("o.csv", "a@example.com"), "outreach_contacts", user="m.keane", group="G")
    run("apply_upload", [upload.upload_id], approved_by=AUTOMATIC)
    assert pipeline.show(upload.upload_id).approved_by == "m.keane, automatic by profile"
    assert pipeline.store.history(1)[0]["by"] == "m.keane, automatic by profile"
    assert "m.keane, automatic by profile" in metadata(instance, "applied_contacts", upload.upload_id)["ending"]


def test_an_upload_cancelled_before_its_automatic_run_is_no_failed_run_but_not_green(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, outreach_file: Callable[..., Path]
) -> None:
    upload = pipeline.plan(outreach_file("o.csv", "a@example.com"), "outreach_contacts", group="G")
    pipeline.cancel(upload.upload_id)
    assert run("apply_upload", [upload.upload_id], approved_by=AUTOMATIC).success
    assert instance.get_materialized_partitions(dg.AssetKey("applied_contacts")) == set()
    assert gates(instance, upload.upload_id)[:2] == (False, "WARN")


def test_an_upload_cancelled_while_it_is_staged_goes_no_further(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, three: list[str]
) -> None:
    pipeline.read(three[0])
    pipeline.cancel(three[0])
    assert run("stage_upload", three[:1]).success
    assert green(instance, "raw_upload") == set(three[:1])
    assert instance.get_materialized_partitions(dg.AssetKey("normalized_frame")) == set()


def test_a_repeated_upload_is_no_more_than_received(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, outreach_file: Callable[..., Path]
) -> None:
    file = outreach_file("o.csv", "a@example.com")
    pipeline.apply(pipeline.plan(file, "outreach_contacts", group="G").upload_id)
    key = pipeline.receive(file, "outreach_contacts", group="G").upload_id
    result = run("stage_upload", [key])
    assert result.success
    assert {asset for asset in STAGED if instance.get_materialized_partitions(dg.AssetKey(asset))} == {"raw_upload"}
    assert "repeats" in observed(instance, "matched_changeset", key)["ending"]
    assert checks(result) == {("file_accepted", key): True}


def test_undo_shows_its_plan_first_and_an_undone_upload_is_not_green_until_it_is_redone(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, program_upload: Callable[..., str]
) -> None:
    """X4: undo_upload takes back what was applied, redo_upload brings it back."""
    first, other = program_upload("p.xlsx", "a@example.com"), program_upload("q.xlsx", "b@example.com")
    for key in (first, other):
        run("apply_upload", [key], approved_by="x")

    planned = run("undo_upload", [first], approved_by="d.whitfield")
    seen = observed(instance, "applied_contacts", first)
    assert planned.success
    assert pipeline.show(first).state == "applied"
    assert green(instance, "applied_contacts") == {first, other}
    assert "plan_only: false" in seen["ending"]
    assert seen["would_write"]["remove contact"] == 1
    assert gates(instance, first)[0] is True

    assert run("undo_upload", [first], approved_by="d.whitfield", plan_only=False).success
    assert pipeline.show(first).state == "undone"
    assert green(instance, "applied_contacts") == {other}
    passed, severity, said = gates(instance, first)
    assert (passed, severity) == (False, "WARN")
    assert said.startswith("Undone by d.whitfield at 20")
    assert pipeline.store.history(1)[-1]["by"] == "d.whitfield"

    assert run("undo_upload", [first], approved_by="x", plan_only=False).success
    assert "nothing was changed now" in observed(instance, "applied_contacts", first)["ending"]
    assert green(instance, "applied_contacts") == {other}

    assert run("redo_upload", [first], approved_by="x").success
    assert pipeline.show(first).state == "undone"
    assert run("redo_upload", [first], approved_by="x", plan_only=False).success
    assert pipeline.show(first).state == "applied"
    assert green(instance, "applied_contacts") == {first, other}
    assert gates(instance, first)[0] is True


def test_the_plan_of_an_undo_masks_what_is_sensitive(run: Run, instance: dg.DagsterInstance, three: list[str]) -> None:
    """B: SSN and date of birth are never in metadata."""
    run("stage_upload", three[:1])
    run("apply_upload", three[:1], approved_by="x")
    run("undo_upload", three[:1], approved_by="x")
    records = instance.fetch_observations(dg.AssetKey("applied_contacts"), limit=1).records
    shown = str(records[0].event_log_entry.asset_observation)
    assert "***-**-****" in shown
    assert "219-09-9990" not in shown
    assert "1984" not in shown


def test_what_is_left_of_the_newest_materialization_is_what_the_asset_shows(
    run: Run, instance: dg.DagsterInstance, program_upload: Callable[..., str]
) -> None:
    keys = [program_upload("p.xlsx", "a@example.com"), program_upload("q.xlsx", "b@example.com")]
    for key in keys:
        run("apply_upload", [key], approved_by="x")
    for left, undone in ((keys[0], keys[1]), (None, keys[0])):
        run("undo_upload", [undone], approved_by="x", plan_only=False)
        newest = instance.get_latest_materialization_event(dg.AssetKey("applied_contacts"))
        assert (newest and newest.asset_materialization and newest.asset_materialization.partition) == left


@pytest.mark.parametrize("job", ["finalize_upload", "undo_upload", "redo_upload", "replan_upload"])
def test_a_refused_request_fails_its_run_with_one_sentence(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, program_upload: Callable[..., str], job: str
) -> None:
    """A9: nothing that did not happen is green."""
    key = program_upload("p.xlsx", "a@example.com")
    result = run(job, [key], approved_by="d.whitfield")
    assert not result.success
    assert f"upload {key}: Upload {key} is staged; it cannot be" in failure(result)
    assert pipeline.show(key).state == "staged"
    assert "cannot be" in observed(instance, "applied_contacts", key)["ending"]
    record("green-though-nothing-happened", tried=1, failed=0, where=f"{job} of an upload in another state")


def test_a_finalize_that_is_not_needed_is_refused_and_the_upload_stays_green(
    run: Run, instance: dg.DagsterInstance, program_upload: Callable[..., str]
) -> None:
    key = program_upload("p.xlsx", "a@example.com")
    run("apply_upload", [key], approved_by="x")
    result = run("finalize_upload", [key], approved_by="x")
    assert "is not held back" in failure(result)
    assert green(instance, "applied_contacts") == {key}
    assert gates(instance, key)[0] is True


def test_an_upload_is_cancelled(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, program_upload: Callable[..., str]
) -> None:
    key = program_upload("p.xlsx", "a@example.com")
    assert run("cancel_upload", [key], approved_by="d.whitfield").success
    assert pipeline.show(key).state == "cancelled"
    assert "Cancelled by d.whitfield" in gates(instance, key)[2]


def test_rows_in_review_are_decided_and_the_changeset_is_shown_anew(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, tmp_path: Path
) -> None:
    """A row that contradicts itself is decided by somebody, before or after the upload is applied."""
    keys = []
    for account in ("A-1", "A-2", "A-3"):
        file = tmp_path / f"{account}.csv"
        file.write_text(OUTREACH + f"Rosa,,219-09-9998,Delgado,,{account},,\n")
        keys.append(pipeline.plan(file, "outreach_contacts", group="G").upload_id)
        run("apply_upload", keys[:1], approved_by="x")
    decided, late = keys[1:]
    before = pipeline.show(decided).changeset_sha256
    answer = [{"row_number": 2, "to": "new"}]
    result = run("resolve_upload", [decided], approved_by="d.whitfield", decisions=answer)
    shown = metadata(instance, "matched_changeset", decided)["changeset_sha256"]
    assert result.success
    assert shown == pipeline.show(decided).changeset_sha256 != before
    assert ("reconciliation", decided) in checks(result)
    assert instance.get_materialized_partitions(dg.AssetKey("applied_contacts")) == {keys[0]}
    assert pipeline.decisions()[0]["decided_by"] == "d.whitfield"

    run("apply_upload", [late], approved_by="x")
    assert run("resolve_upload", [late], approved_by="x", decisions=answer).success
    assert metadata(instance, "applied_contacts", late)["imports"] == 1
    refused = run("resolve_upload", [late], approved_by="x", decisions=[{"row_number": 9, "to": "new"}])
    assert not refused.success
    assert "9" in failure(refused)


def test_a_stale_upload_is_planned_again(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, program_upload: Callable[..., str]
) -> None:
    """X2: a changeset that is stale is planned anew, with another hash."""
    first = program_upload("p.xlsx", "a@example.com", "b@example.com")
    second = program_upload("q.xlsx", "a@example.com", "c@example.com")
    run("apply_upload", [first], approved_by="x")
    assert not run("apply_upload", [second], approved_by="x").success
    assert gates(instance, second)[:2] == (False, "ERROR")
    assert run("replan_upload", [second], approved_by="x").success
    planned = pipeline.show(second)
    assert (planned.state, planned.replanned_by, planned.replanned_as) == ("staged", "x", "claimed")
    shown = metadata(instance, "matched_changeset", second)
    assert shown["changeset_sha256"] == pipeline.show(second).changeset_sha256


@pytest.mark.parametrize("job", ["stage_upload", "apply_upload", "finalize_upload", "undo_upload", "cancel_upload"])
def test_a_job_launched_without_a_partition_says_what_to_do(
    definitions: dg.Definitions, instance: dg.DagsterInstance, job: str
) -> None:
    op = "applied_contacts" if job == "apply_upload" else job.removesuffix("_upload")
    config = {"ops": {op: {"config": {"approved_by": "x"}}}} if op != "stage" else {}
    result = definitions.resolve_job_def(job).execute_in_process(
        instance=instance, run_config=config, raise_on_error=False
    )
    assert not result.success
    assert "choose a partition" in failure(result)


@pytest.mark.parametrize("job", ["stage_upload", "apply_upload", "cancel_upload"])
def test_an_upload_that_the_ledger_does_not_know_fails_its_run_with_one_sentence(
    run: Run, instance: dg.DagsterInstance, job: str
) -> None:
    result = run(job, ["20260101-000000-abcdef"], **({} if job == "stage_upload" else {"approved_by": "x"}))
    assert "There is no upload '20260101-000000-abcdef'" in failure(result)
    for asset in (*STAGED, "applied_contacts"):
        assert instance.get_materialized_partitions(dg.AssetKey(asset)) == set()


def test_warnings_of_rows_are_shown_by_code_from_where_they_are_known(
    run: Run, pipeline: Pipeline, instance: dg.DagsterInstance, outreach_file: Callable[..., Path]
) -> None:
    file = outreach_file("typos.csv", "bo@gmial.com", "cy@gmial.com", "di@example.com")
    key = pipeline.receive(file, "outreach_contacts", group="Spring").upload_id
    instance.add_dynamic_partitions("uploads", [key])
    run("stage_upload", [key])
    assert metadata(instance, "validated_rows", key)["row_warnings"] == {"email-domain-typo": 2}
    assert metadata(instance, "matched_changeset", key)["row_warnings"] == {"email-domain-typo": 2}
    assert "row_warnings" not in metadata(instance, "raw_upload", key)


def test_few_numbers_of_an_upload_are_plotted(run: Run, instance: dg.DagsterInstance, three: list[str]) -> None:
    """One chart per kind of number: Dagster draws one for every number that it finds in metadata."""
    staged = run("stage_upload", three[:1])
    applied = run("apply_upload", three[:1], approved_by="x")
    of_assets = {
        name
        for asset in (*STAGED, "applied_contacts")
        for name, value in metadata(instance, asset, three[0]).items()
        if isinstance(value, int | float)
    }
    evaluations = [*staged.get_asset_check_evaluations(), *applied.get_asset_check_evaluations()]
    of_checks = [
        [name for name, value in evaluation.metadata.items() if isinstance(value.value, int | float)]
        for evaluation in evaluations
    ]
    assert of_assets == {"rows", "errors", "duplicates", "imports", "error_rate", "duplicate_rate", "seconds"}
    assert max(map(len, of_checks)) == 1


def test_the_first_of_two_approvals_is_a_run_that_applies_nothing(
    run: Run, instance: dg.DagsterInstance, pipeline: Pipeline, home: Path, program_file: Callable[..., Path]
) -> None:
    """X2: with a profile that asks for two, in Dagster as everywhere; the list of what waits says who has approved."""
    shipped = files("contact_pipeline.profiles").joinpath("program_contacts.yaml").read_text()
    (home / "profiles").mkdir(exist_ok=True)
    (home / "profiles" / "two.yaml").write_text(
        shipped.replace("name: program_contacts", "name: two") + "approvals: 2\n"
    )
    key = pipeline.plan(program_file("p.xlsx", "a@example.com"), "two", user="s.ender").upload_id
    sender = run("apply_upload", [key], approved_by="s.ender")
    assert "s.ender sent upload" in failure(sender)
    assert not run("apply_upload", [key], approved_by=AUTOMATIC).success
    first = run("apply_upload", [key], approved_by="ann")
    assert first.success
    assert checks(first) == {("apply_gates", key): False}
    assert "approved by ann at" in observed(instance, "applied_contacts", key)["ending"]
    assert green(instance, "applied_contacts") == set()
    assert "ann has approved" in failure(run("apply_upload", [key], approved_by="ann"))
    assert not run("apply_upload", [key], approved_by=AUTOMATIC).success
    assert not_shown(instance, pipeline, pipeline.store.glances()) == []
    pipeline.withdraw_approval(key, user="ann")
    assert not_shown(instance, pipeline, pipeline.store.glances()) == [key], "what is done elsewhere is shown, too"
    assert "Nothing was done" in failure(run("withdraw_upload", [key], approved_by="ann"))
    assert run("apply_upload", [key], approved_by="ben").success
    assert not run("withdraw_upload", [key], approved_by="ann").success, "it is the approval of somebody else"
    assert run("withdraw_upload", [key], approved_by="ben").success
    assert "awaits approval by two people" in observed(instance, "applied_contacts", key)["ending"]
    for who in ("ann", "ben"):
        assert run("apply_upload", [key], approved_by=who).success
    assert green(instance, "applied_contacts") == {key}
    assert "ann and ben" in metadata(instance, "applied_contacts", key)["ending"]


def test_a_step_that_finds_the_contact_database_locked_is_done_again(
    run: Run, pipeline: Pipeline, outreach_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it did before stays done."""
    monkeypatch.setattr(steps, "BUSY_SECONDS", 0)
    files = [outreach_file(f"{name}@example.com.csv", f"{name}@example.com") for name in ("a", "b")]
    first, second = (pipeline.receive(file, "outreach_contacts", group="G").upload_id for file in files)
    tried: list[str] = []

    def busy_at_first(step: Callable[..., Any]) -> Callable[..., Any]:
        def done(self: Pipeline, upload_id: str, *arguments: Any, **options: Any) -> Any:
            tried.append(f"{step.__name__} {upload_id}")
            if tried.count(tried[-1]) == 1 and upload_id == second:
                raise StoreBusy("contacts.duckdb has been in use by another process.")
            return step(self, upload_id, *arguments, **options)

        return done

    for name in ("normalize", "apply", "undo"):
        monkeypatch.setattr(Pipeline, name, busy_at_first(getattr(Pipeline, name)))
    assert run("stage_upload", [first, second]).success
    assert tried == [f"normalize {first}", f"normalize {second}"] * 2
    assert run("apply_upload", [second], approved_by="x").success
    assert run("undo_upload", [second], approved_by="x", plan_only=False).success
    assert [pipeline.show(key).state for key in (first, second)] == ["staged", "undone"]
    assert tried[4:] == [f"apply {second}"] * 2 + [f"undo {second}"] * 2
