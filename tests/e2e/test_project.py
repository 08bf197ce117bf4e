"""Our components in a Dagster project of somebody else: beside another location, and by `dg dev`."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from contact_pipeline import Pipeline
from tests.e2e.test_component import DEFINITIONS, PROJECT
from tests.homes import new_home

pytestmark = [pytest.mark.serve, pytest.mark.timeout(600)]

GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"
WORKSPACE = """
load_from:
  - python_module: {module_name: their_project.definitions, location_name: people}
  - python_file: {relative_path: shop.py, location_name: shop}
"""
SHOP = """
import dagster as dg


@dg.asset
def orders() -> None: ...


@dg.op
def clear_away() -> None: ...


defs = dg.Definitions(assets=[orders], jobs=[dg.GraphDefinition(name="expire", node_defs=[clear_away]).to_job()])
"""
PATIENCE = 240  # seconds


class Dagster:
    """A Dagster that answers at a port."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/graphql"

    def ask(self, query: str, **variables: Any) -> Any:
        """The answer to a query, without its outer name."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            (found,) = json.load(answer)["data"].values()
            return found

    def locations(self) -> dict[str, str]:
        """Each location, and what it is once it is loaded: a location, or an error with its message."""
        query = """{ workspaceOrError { ... on Workspace { locationEntries {
            name loadStatus locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
        entries = self.ask(query)["locationEntries"]
        return {
            entry["name"]: (entry["locationOrLoadError"] or {}).get("message", entry["loadStatus"]) for entry in entries
        }

    def launch(self, location: str, job: str, **config: Any) -> dict[str, Any]:
        """Launches a job; the run, or why there is none."""
        query = """mutation ($selector: JobOrPipelineSelector!, $config: RunConfigData) {
            launchRun(executionParams: {selector: $selector, runConfigData: $config}) {
                __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
        selector = {"repositoryLocationName": location, "repositoryName": "__repository__", "jobName": job}
        found: dict[str, Any] = self.ask(query, selector=selector, config=config)
        return found

    def ran(self, location: str, job: str, **config: Any) -> str:
        """Launches a job and waits until it has ended; its run."""
        run_id: str = self.launch(location, job, **config)["run"]["runId"]
        query = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
        wait(lambda: self.ask(query, id=run_id)["status"] in {"SUCCESS", "FAILURE", "CANCELED"})
        assert self.ask(query, id=run_id)["status"] == "SUCCESS"
        return run_id


def wait(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.5)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a feed and a home; its instance has the settings that the guide names."""
    (tmp_path / "users.yaml").write_text("- {login: crm, name: CRM, roles: [director], can_import: true}\n")
    Pipeline(new_home(tmp_path / "home")).store.load_users(tmp_path / "users.yaml")
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "leads.csv").write_text("Name,Phone,Email\nJordan Avery,,jordan@example.com\n")
    folder = tmp_path / "project"
    feed = {
        "source": f"{tmp_path}/drop/*.csv", "profile": "dealer_leads", "owner": "crm", "due": {"within": "26h"},
        "options": {"rule": "merge", "lead_type": "SMS"}, "schedule": {"cron": "0 6 * * *"},
    }  # fmt: skip
    texts = {
        "pyproject.toml": PROJECT,
        "their_project/__init__.py": "",
        "their_project/definitions.py": DEFINITIONS,
        "their_project/defs/__init__.py": "",
        "their_project/defs/contacts/defs.yaml": "type: contact_pipeline.ContactPipeline\n",
        "their_project/defs/crm_nightly/defs.yaml": yaml.safe_dump(
            {"type": "contact_pipeline.ContactFeed", "attributes": feed}
        ),
        "workspace.yaml": WORKSPACE,
        "shop.py": SHOP,
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (tmp_path / "dagster").mkdir()
    (settings,) = re.findall(r"```yaml dagster\.yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (tmp_path / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n" + settings)
    return folder


@contextmanager
def served(project: Path, *command: str) -> Iterator[Dagster]:
    """Serves a project; every process that the command starts has ended afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(project), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
        "DAGSTER_HOME": str(project.parent / "dagster"),
        "CONTACT_PIPELINE_HOME": str(project.parent / "home"),
        "CONTACT_PIPELINE_INBOX_SETTLE_SECONDS": "0",
    }
    log = project.parent / "log"
    with log.open("w") as said:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=project,
            env=environment,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    dagster = Dagster(port)

    def loaded() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return set(dagster.locations().values()) == {"LOADED"}
        except urllib.error.URLError:
            return False

    try:
        wait(loaded)
        yield dagster
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def test_our_components_beside_another_location(project: Path) -> None:
    """Both locations work, neither takes the other's runs, and no link leads to a page that is not there."""
    home = Pipeline(project.parent / "home")
    with served(project, "dagster", "dev", "-w", "workspace.yaml") as dagster:
        assert set(dagster.locations()) == {"people", "shop"}
        theirs = dagster.ran("shop", "expire")
        asked = {"config": {"approved_by": "crm"}}
        assert "choose a partition" in dagster.launch("people", "undo_upload", ops={"undo": asked})["message"]
        fetched = dagster.ran("people", "fetch_crm_nightly")
        (upload,) = home.uploads()
        assert upload.state == "applied"
        (feed,) = home.feeds()
        assert (feed.name, Path(feed.place).name) == ("crm_nightly", "crm_nightly")
        with dg.DagsterInstance.from_config(str(project.parent / "dagster")) as instance:
            made = instance.fetch_materializations(dg.AssetKey(["crm_nightly", "fetched_files"]), limit=1).records[0]
            assert upload.upload_id in made.asset_materialization.metadata["files"].value  # type: ignore[union-attr,operator]
            wait(lambda: upload.upload_id in instance.get_materialized_partitions(dg.AssetKey("applied_contacts")))
            logged = "\n".join(entry.to_json() for entry in instance.all_logs(fetched))
            shown = instance.fetch_materializations(dg.AssetKey("applied_contacts"), limit=1).records[0]
            assert "/pages/" not in logged
            assert shown.asset_materialization.metadata["page"] == dg.MetadataValue.text(  # type: ignore[union-attr]
                f"contact-pipeline review {upload.upload_id}"
            )
            again = dagster.ran("people", "fetch_crm_nightly")
            config = {"approved_by": "crm", "older_than_days": 0, "kinds": ["runs"]}
            dagster.ran("people", "expire", ops={"delete_expired": {"config": config}})
            left = {run.run_id for run in instance.get_runs()}
            assert {theirs, fetched, again} <= left, (
                "of the feed the newest that had a file, and the newest that had none"
            )
            assert instance.get_dynamic_partitions("uploads") == [upload.upload_id], "a held upload stays"


def test_our_components_by_dg_dev(project: Path) -> None:
    with served(project, "dg", "dev") as dagster:
        (location,) = dagster.locations()
        dagster.ran(location, "fetch_crm_nightly")
    (upload,) = Pipeline(project.parent / "home").uploads()
    assert (upload.state, upload.line.feed) == ("applied", "crm_nightly")
