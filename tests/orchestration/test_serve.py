"""What `serve` prepares before it starts anything; tests/e2e starts it for real."""

import socket
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._utils.tags import TagConcurrencyLimitsCounter

from contact_pipeline.engines import open_database
from contact_pipeline.errors import Refusal
from contact_pipeline.notices.send import served_at
from contact_pipeline.orchestration import serve
from contact_pipeline.orchestration.listening import at_port
from contact_pipeline.orchestration.turns import BY_PROFILE
from contact_pipeline.settings import Settings
from tests.homes import new_home


@pytest.fixture
def instance_home(tmp_path: Path) -> Path:
    folder = tmp_path / "dagster"
    folder.mkdir()
    serve._prepare(Settings(home=tmp_path), folder)
    return folder


def test_the_inbox_gets_a_folder_for_every_profile(instance_home: Path) -> None:
    folders = {path.name for path in (instance_home.parent / "inbox").iterdir()}
    assert {"outreach_contacts", "program_contacts", "dealer_leads"} <= folders


def test_the_code_location_is_the_one_of_the_checkout(instance_home: Path) -> None:
    """So that `dagster dev` and `serve` name the same runs and sensors."""
    serve._write_workspace(instance_home, instance_home)
    (location,) = yaml.safe_load((instance_home / "workspace.yaml").read_text())["load_from"]
    shipped = yaml.safe_load(Path("workspace.yaml").read_text())["load_from"][0]["python_module"]
    command = serve._code_server(instance_home)
    assert location["grpc_server"]["location_name"] == shipped["location_name"]
    assert command[command.index("--module-name") + 1] == shipped["module_name"]
    assert command[command.index("--location-name") + 1] == shipped["location_name"]


def test_settings_that_were_changed_are_kept(instance_home: Path, tmp_path: Path) -> None:
    (instance_home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    serve._prepare(Settings(home=tmp_path), instance_home)
    assert (instance_home / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"


def test_dagster_takes_the_shipped_settings(instance_home: Path) -> None:
    with dg.DagsterInstance.from_config(str(instance_home)) as instance:
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_coordinator.dequeue_interval_seconds == 1
        pools = instance.get_concurrency_config().pool_config
        assert (pools.pool_granularity.value, pools.default_pool_limit) == ("run", 1)


def test_runs_that_a_dead_machine_left_are_ended(instance_home: Path) -> None:
    @dg.job
    def nothing() -> None: ...

    with dg.DagsterInstance.from_config(str(instance_home)) as instance:
        lost = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED)
        new = instance.create_run_for_job(nothing)
    serve._end_lost_runs(instance_home)
    with dg.DagsterInstance.from_config(str(instance_home)) as instance:
        statuses = [instance.get_run_by_id(run.run_id).status for run in (lost, new)]
    assert statuses == [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.NOT_STARTED]


def test_a_home_is_served_once(instance_home: Path) -> None:
    lock = instance_home / "serve.lock"
    with serve._only_one(lock, instance_home):
        with pytest.raises(Refusal) as refused, serve._only_one(lock, instance_home):
            pass
        assert refused.value.code == "served-already"
    with serve._only_one(lock, instance_home):
        pass


def test_a_port_that_is_taken_is_refused_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with pytest.raises(Refusal) as refused:
            at_port("127.0.0.1", server.getsockname()[1])
        assert refused.value.code == "port-taken"
    assert at_port("127.0.0.1", 0).url.rpartition(":")[2] > "0"


def test_the_address_is_known_while_its_server_runs(instance_home: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    serve._note_address(settings, "0.0.0.0", "http://0.0.0.0:3000")
    assert served_at(settings) is None  # no address to go to
    serve._note_address(settings, "127.0.0.1", "http://127.0.0.1:3000")
    assert served_at(settings) == "http://127.0.0.1:3000"
    assert served_at(Settings(home=tmp_path, address="https://contacts.example.com")) == "https://contacts.example.com"

    with subprocess.Popen(["true"]) as ended:
        pass
    settings.served_path.write_text(f"{ended.pid} http://127.0.0.1:3000")
    assert served_at(settings) is None


def test_a_server_to_look_at_makes_and_changes_no_home(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with pytest.raises(Refusal) as refused:
        serve.serve(settings, read_only=True)
    assert refused.value.code == "nothing-to-look-at"
    assert not settings.home.exists()

    new_home(settings.home)
    with open_database(settings.contacts_path, settings) as contacts:
        contacts.run("DELETE FROM migrations WHERE name = (SELECT max(name) FROM migrations)")
    before = settings.contacts_path.read_bytes()
    with pytest.raises(Refusal) as refused:
        serve.serve(settings, read_only=True)
    assert refused.value.code == "home-outdated"
    assert settings.contacts_path.read_bytes() == before


SIGNALLED = """
import os, signal, threading
from contact_pipeline.orchestration.serve import _stop_asked

def send():
    for _ in range(20_000):
        os.kill(os.getpid(), signal.SIGTERM)

with _stop_asked() as stop:
    sending = threading.Thread(target=send)
    sending.start()
    while sending.is_alive():
        stop.wait(0.0001)
    assert stop.wait(1)
"""


def test_signals_that_come_at_any_moment_end_the_wait() -> None:
    """One that came while the lock of an event was held waited for it forever, and `serve` could not be stopped."""
    subprocess.run([sys.executable, "-c", SIGNALLED], check=True, timeout=120)


def test_two_runs_stage_at_a_time_and_a_run_that_commits_waits_for_none_of_them(
    instance_home: Path, definitions: dg.Definitions
) -> None:
    with dg.DagsterInstance.from_config(str(instance_home)) as instance:
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None

        def run_of(name: str) -> dg.DagsterRun:
            job = definitions.resolve_job_def(name)
            config = {} if name == "stage_upload" else BY_PROFILE
            return instance.create_run_for_job(job, run_config=config, tags=job.run_tags)

        staging = [run_of("stage_upload"), run_of("import_upload")]
        counter = TagConcurrencyLimitsCounter(queue.tag_concurrency_limits, staging)
        blocked = {name: counter.is_blocked(run_of(name)) for name in ("stage_upload", "import_upload", "apply_upload")}
    assert blocked == {"stage_upload": True, "import_upload": True, "apply_upload": False}
    assert queue.max_concurrent_runs > len(staging) + 1
