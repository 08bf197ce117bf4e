"""Feeds in a Dagster project of somebody else, made and checked by the real `dg`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from contact_pipeline import Pipeline
from tests.homes import new_home

PROJECT = """
[project]
name = "their-project"
version = "0.1.0"

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "their_project"

[tool.dg.cli]
suppress_warnings = ["project_and_activated_venv_mismatch"]

[tool.dg.cli.telemetry]
enabled = false
"""
DEFINITIONS = """
from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
"""


@pytest.fixture
def dg(tmp_path, monkeypatch):
    """Runs `dg` in a project of its own; what it prints."""
    project = tmp_path / "project"
    (project / "their_project" / "defs").mkdir(parents=True)
    (project / "pyproject.toml").write_text(PROJECT)
    for module, text in {"__init__": "", "defs/__init__": "", "definitions": DEFINITIONS}.items():
        (project / "their_project" / f"{module}.py").write_text(text)
    monkeypatch.chdir(project)
    (tmp_path / "dagster").mkdir()
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(project), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
        "DAGSTER_HOME": str(tmp_path / "dagster"),
        "CONTACT_PIPELINE_HOME": str(tmp_path / "home"),
        "CONTACT_PIPELINE_INBOX_SETTLE_SECONDS": "0",
        "DROPPED": str(tmp_path / "drop"),
        "COLUMNS": "200",
    }

    def run(*words, status=0):
        done = subprocess.run(["dg", *words], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.mark.slow
def test_an_engineer_declares_a_feed_in_a_project_of_their_own(dg, tmp_path):
    (tmp_path / "users.yaml").write_text("- {login: crm, name: CRM, roles: [director], can_import: true}\n")
    pipeline = Pipeline(new_home(tmp_path / "home"))
    pipeline.store.load_users(tmp_path / "users.yaml")
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "leads.csv").write_text("Name,Phone,Email\nJordan Avery,,jordan@example.com\n")

    assert "contact_pipeline.ContactFeed" in dg("list", "components")
    dg("scaffold", "defs", "contact_pipeline.ContactPipeline", "contacts")
    dg("scaffold", "defs", "contact_pipeline.ContactFeed", "crm_nightly")
    file = Path("their_project/defs/crm_nightly/defs.yaml")
    written = yaml.safe_load(file.read_text())
    written["attributes"] |= {
        "source": "{{ env.DROPPED }}/*.csv", "owner": "crm", "options": {"lead_type": "SMS"}, "due": {"within": "26h"}
    }  # fmt: skip
    file.write_text(yaml.safe_dump(written | {"attributes": written["attributes"] | {"every": "1 hour"}}))
    assert "attributes.every" in dg("check", "yaml", status=1)
    file.write_text(yaml.safe_dump(written))
    dg("check", "yaml")
    listed = dg("list", "defs", "--json")
    for name in ("crm_nightly/fetched_files", "applied_contacts", "fetch_crm_nightly_schedule", "apply_upload"):
        assert re.search(rf'"{name}"', listed), name

    dg("launch", "--job", "fetch_crm_nightly")
    (upload,) = pipeline.uploads()
    assert (upload.state, upload.line.feed, upload.user) == ("applied", "crm_nightly", "crm")
