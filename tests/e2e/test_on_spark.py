"""`serve` on a home whose contacts are Delta tables, which a server of Sail writes, with Dagster's own processes."""

import subprocess
from pathlib import Path

import pytest
import yaml

from contact_pipeline.pipeline import Pipeline
from tests.e2e.test_killed import wait_until
from tests.e2e.test_serve import ending, start
from tests.engines.sail import ROOT, must_be_there
from tests.engines.sail_itself import PYTHON, free_port, sail_server

pytestmark = [pytest.mark.serve, pytest.mark.timeout(600)]

LEADS = "Name,Phone,Email\nJordan Avery,,jordan@example.com\nRobin Vale,,robin@example.com\n"


def test_a_dropped_file_waits_for_the_engine_and_is_applied_there(tmp_path: Path, monkeypatch) -> None:
    """While nobody listens at the engine's address it is received, and nothing is lost."""
    must_be_there()
    home, port = tmp_path / "home", free_port()
    home.mkdir()
    users = [{"login": home.owner(), "name": "Test", "roles": ["director"], "can_import": True}]
    (tmp_path / "users.yaml").write_text(yaml.safe_dump(users))
    pipeline = Pipeline(home=home)
    pipeline.store.load_users(tmp_path / "users.yaml")
    (tmp_path / "delta").mkdir()
    for name, value in (
        ("ENGINE", "spark"),
        ("SPARK_URL", f"sc://127.0.0.1:{port}"),
        ("LOCATION", str(tmp_path / "delta")),
        ("LOCK_WAIT_SECONDS", "3"),
    ):
        monkeypatch.setenv(f"CONTACT_PIPELINE_{name}", value)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    inbox = home / "inbox" / "dealer_leads"
    with ending(start(home, python=PYTHON), home):
        wait_until(inbox.is_dir, "there is an inbox")
        (inbox / "leads.csv.options.yaml").write_text("lead-type: SMS\n")
        (inbox / "leads.csv").write_text(LEADS)
        wait_until(lambda: [each.line.stage for each in pipeline.uploads()] == ["validated"], "it is validated")
        (upload,) = pipeline.uploads()
        assert upload.state == "received"
        with sail_server(port):
            wait_until(lambda: pipeline.show(upload.upload_id).state == "applied", "it is applied")
    assert [contact["email"] for contact in pipeline.store.contacts()] == ["jordan@example.com", "robin@example.com"]
    assert len([*(tmp_path / "delta").glob("contact-pipeline-*/contacts/_delta_log")]) == 1
    with sail_server(port):
        listed = subprocess.run(
            [PYTHON, "-m", "contact_pipeline", "--home", str(home), "undo", upload.upload_id, "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert pipeline.store.contacts() == []
