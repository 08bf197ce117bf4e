"""Launching a run of an upload: what is missing is said before it starts, and whom a proxy has vouched for is kept."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon
from dagster_graphql.implementation.utils import UserFacingGraphQLError
from starlette.datastructures import Headers

from contact_pipeline.contracts.actors import identity
from contact_pipeline.orchestration import launching
from contact_pipeline.orchestration.approval import AUTOMATIC
from contact_pipeline.orchestration.launching import vouched
from contact_pipeline.orchestration.partitions import STAGES
from contact_pipeline.orchestration.serve import DEFINITIONS, SHIPPED
from contact_pipeline.pipeline import Pipeline
from contact_pipeline.settings import Settings

SECRET = "a-secret-of-the-proxy-and-the-server"
LAUNCHED = {"module": "contact_pipeline.orchestration.launching", "class": "UploadRunCoordinator"}


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    concurrency = yaml.safe_load(SHIPPED.read_text())["concurrency"]
    retries = {"enabled": True, "max_retries": 1}
    overrides = {"run_coordinator": LAUNCHED, "run_retries": retries, "concurrency": concurrency}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=overrides) as made:
        yield made


@pytest.fixture
def launch(
    instance: dg.DagsterInstance, definitions: dg.Definitions, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dg.DagsterRun]:
    """Launches a job as the webserver does, for whoever the proxy has vouched for; its run, and that it waits."""
    monkeypatch.setenv("CONTACT_PIPELINE_HOME", str(home))
    monkeypatch.setenv("CONTACT_PIPELINE_USER_HEADER", "X-Forwarded-User")
    monkeypatch.setenv("CONTACT_PIPELINE_PROXY_SECRET", SECRET)

    def launched(
        job: str,
        key: str | None,
        approved_by: str | dict[str, str],
        login: str = "",
        tags: dict[str, str] | None = None,
        home: str = "",
        chosen: Sequence[str] = (),
        **more: object,
    ) -> dg.DagsterRun:
        ops = {"apply_upload": "applied_contacts", "__ASSET_JOB": "applied_contacts", "expire": "delete_expired"}
        asked = {ops.get(job, job.removesuffix("_upload")): {"config": {"approved_by": approved_by, **more}}}
        config = {"ops": {} if job == "stage_upload" else asked, "resources": {"pipeline": {"config": {"home": home}}}}
        tags = {**({"dagster/partition": key} if key else {}), **(tags or {})}
        origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("contacts"), "contacts"), job)
        found = definitions.resolve_job_def(job)
        selected = frozenset(map(dg.AssetKey, chosen))
        if selected:
            found = found.get_subset(asset_selection=selected)
        code = JobPythonOrigin(
            job, RepositoryPythonOrigin(sys.executable, ModuleCodePointer(DEFINITIONS, "defs", None))
        )
        run = instance.create_run_for_job(
            found,
            asset_selection=selected or None,
            run_config=config,
            tags=tags,
            remote_job_origin=origin,
            job_code_origin=code,
        )
        sent = {"X-Forwarded-User": login, "X-Proxy-Secret": SECRET} if login else {}
        source = SimpleNamespace(headers=Headers(sent)) if login else None
        workspace: Any = SimpleNamespace(source=source)
        return instance.submit_run(run.run_id, workspace)

    return launched


@pytest.mark.parametrize(
    ("key", "approved_by", "login", "tags", "said"),
    [
        (None, "ana", "", {}, "choose a partition"),
        ("20260101-000000-abcdef", "ana", "", {}, "there is no upload 20260101-000000-abcdef"),
        ("planned", " ", "", {}, "give your login as approved_by"),
        ("planned", "ana", "ben", {}, "you are logged in as ben"),
        ("planned", {"env": "CONTACT_PIPELINE_PROXY_SECRET"}, "ben", {}, "not as {env: NAME}"),
        ("planned", "ana", "", {"dagster/backfill": "abc"}, "a backfill does not say who is logged in"),
        ("planned", "ana", "", {"dagster/root_run_id": "abc"}, "a run that repeats another does not say who"),
    ],
)
def test_what_is_missing_is_said_before_a_run_starts(
    launch: Callable[..., dg.DagsterRun],
    instance: dg.DagsterInstance,
    key: str | None,
    approved_by: str | dict[str, str],
    login: str,
    tags: dict[str, str],
    said: str,
) -> None:
    instance.add_dynamic_partitions("uploads", ["planned"])
    for job in ("apply_upload", "undo_upload", "__ASSET_JOB"):  # the last one is all assets
        with pytest.raises(UserFacingGraphQLError, match=said):
            launch(job, key, approved_by, login, tags)
    assert {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.FAILURE}
    assert not any(run.tags["dagster/will_retry"] == "true" for run in instance.get_runs())  # then nobody is logged in


def test_of_the_very_first_runs_that_commit_one_waits_for_the_other(
    launch: Callable[..., dg.DagsterRun], instance: dg.DagsterInstance
) -> None:
    """Side by side they would apply later files of a profile before earlier ones."""
    instance.add_dynamic_partitions("uploads", ["earlier", "later"])
    first = launch("apply_upload", "earlier", AUTOMATIC)
    launch("apply_upload", "later", AUTOMATIC)
    daemon = QueuedRunCoordinatorDaemon(interval_seconds=1)
    going = daemon._get_runs_to_dequeue(instance, instance.get_concurrency_config(), fixed_iteration_time=None)
    assert [run.run_id for run in going] == [first.run_id]


def test_of_runs_from_the_page_of_an_asset_two_stage_at_a_time(
    launch: Callable[..., dg.DagsterRun], instance: dg.DagsterInstance
) -> None:
    """Those that only apply go on, as do all that stage nothing."""
    keys = [f"planned-{number}" for number in range(3)]
    instance.add_dynamic_partitions("uploads", keys)
    staging = [launch("__ASSET_JOB", key, "ana", chosen=["matched_changeset"]) for key in keys]
    whole = launch("__ASSET_JOB", keys[0], "ana")
    applying = launch("__ASSET_JOB", keys[0], "ana", chosen=["applied_contacts"])
    daemon = QueuedRunCoordinatorDaemon(interval_seconds=1)
    going = daemon._get_runs_to_dequeue(instance, instance.get_concurrency_config(), fixed_iteration_time=None)
    assert [run.run_id for run in going] == [*(run.run_id for run in staging[:2]), applying.run_id]
    assert whole.tags[STAGES] == "yes"


def test_of_runs_that_somebody_launches_one_stages_a_long_file_at_a_time(
    launch: Callable[..., dg.DagsterRun],
    instance: dg.DagsterInstance,
    pipeline: Pipeline,
    leads_file: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the page of an asset, and by the job: nothing told that the file is long, and two held up all others."""
    monkeypatch.setattr(launching, "SHORT_BYTES", 100)
    options = {"rule": "merge", "lead_type": "SMS"}
    long, longer, short = (
        pipeline.receive(leads_file(f"{name}.csv", *emails), "dealer_leads", **options).upload_id
        for name, emails in (
            ("a", [f"{n}@example.com" for n in range(9)]),
            ("b", [f"{n}@example.com" for n in range(10)]),
            ("c", ["c@example.com"]),
        )
    )
    instance.add_dynamic_partitions("uploads", [long, longer, short])
    first = launch("stage_upload", long, "ana")
    launch("__ASSET_JOB", longer, "ana", chosen=["matched_changeset"])
    other = launch("stage_upload", short, "ana")
    applying = launch("apply_upload", longer, "ana")
    daemon = QueuedRunCoordinatorDaemon(interval_seconds=1)
    going = daemon._get_runs_to_dequeue(instance, instance.get_concurrency_config(), fixed_iteration_time=None)
    assert [run.run_id for run in going] == [first.run_id, other.run_id, applying.run_id]


def test_a_run_stays_in_the_home_that_is_served(
    launch: Callable[..., dg.DagsterRun], instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """Who is verified here is nobody in another home of the machine."""
    instance.add_dynamic_partitions("uploads", ["planned"])
    for job in ("apply_upload", "undo_upload"):
        with pytest.raises(UserFacingGraphQLError, match="leave `resources` out of the config"):
            launch(job, "planned", "ben", "ben", home=str(tmp_path))
        assert (
            launch(job, "planned", "ben", "ben").status == dg.DagsterRunStatus.QUEUED
        )  # the default that Dagster fills in


def test_a_run_of_our_checks_alone_is_one_of_uploads() -> None:
    """The checks get the pipeline as well, and so the home that a config names."""

    def run_of(asset: str) -> dg.DagsterRun:
        judged = frozenset({dg.AssetCheckKey(dg.AssetKey(asset), "error_count")})
        return dg.DagsterRun("__ASSET_JOB", asset_check_selection=judged)

    assert launching._is_of_uploads(run_of("validated_rows"))
    assert not launching._is_of_uploads(run_of("theirs"))


def test_only_what_a_profile_applies_by_itself_needs_no_login(
    launch: Callable[..., dg.DagsterRun], instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions("uploads", ["planned"])
    assert launch("apply_upload", "planned", AUTOMATIC, "ben").status == dg.DagsterRunStatus.QUEUED
    for job in ("undo_upload", "cancel_upload"):
        with pytest.raises(UserFacingGraphQLError, match="give your login as approved_by"):
            launch(job, "planned", AUTOMATIC, "ben")


def test_who_deletes_is_named_and_proven_without_an_upload(
    launch: Callable[..., dg.DagsterRun], instance: dg.DagsterInstance, definitions: dg.Definitions
) -> None:
    for approved_by, said in ((" ", "give your login as approved_by"), ("ana", "you are logged in as ben")):
        with pytest.raises(UserFacingGraphQLError, match=said):
            launch("expire", None, approved_by, "ben")
    run = launch("expire", None, "ben", "ben")
    assert run.status == dg.DagsterRunStatus.QUEUED
    assert run.tags["contact_pipeline/login"] == "ben"
    assert vouched(run, "ben", Settings()) == "ben"
    assert identity(vouched(run, "ben", Settings())) == "verified"
    by_profile = launch("expire", None, "automatic by profile")
    assert by_profile.status == dg.DagsterRunStatus.QUEUED


def test_whom_the_proxy_vouched_for_stands_in_the_ledger_as_verified(
    launch: Callable[..., dg.DagsterRun],
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    pipeline: Pipeline,
    outreach_file: Callable[..., Path],
) -> None:
    """A tag that somebody gives to their run proves nothing, even where it is copied from another run.

    A run that repeats it with another config is not what the first one asked for.
    """
    user = outreach_file("one.csv", "one@example.com").owner()

    def planned(name: str) -> str:
        key = pipeline.plan(outreach_file(f"{name}.csv", f"{name}@example.com"), "outreach_contacts").upload_id
        instance.add_dynamic_partitions("uploads", [key])
        return key

    def carry_out(run: dg.DagsterRun) -> str | None:
        assert run.status == dg.DagsterRunStatus.QUEUED
        key = run.tags["dagster/partition"]
        job = definitions.resolve_job_def(run.job_name)
        again = {"dagster/root_run_id": run.run_id, **run.tags}  # as a run that is tried again
        job.execute_in_process(instance=instance, run_config=run.run_config, tags=again, partition_key=key)
        return pipeline.show(key).line.approved_as

    first = launch("apply_upload", planned("one"), user, login=user)
    assert first.tags["contact_pipeline/login"] == user
    assert carry_out(first) == "verified"
    copied = {name: value for name, value in first.tags.items() if name.startswith("contact_pipeline/")}
    copied["dagster/root_run_id"] = first.run_id
    with pytest.raises(UserFacingGraphQLError, match="a run that repeats another does not say who is logged in"):
        launch("apply_upload", planned("two"), user, tags=copied)
    key = first.tags["dagster/partition"]
    with pytest.raises(UserFacingGraphQLError, match="a run that repeats another does not say who is logged in"):
        launch("apply_upload", key, user, tags=copied, confirm_rejected=True)
    assert launch("apply_upload", key, user, tags=copied).status == dg.DagsterRunStatus.QUEUED
    assert carry_out(launch("apply_upload", planned("three"), user, tags={"contact_pipeline/login": user})) == "claimed"
