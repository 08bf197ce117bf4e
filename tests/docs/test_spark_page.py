"""The commands of docs/spark.md, run in order as a reader would: a home is moved to a server of Sail, and back."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.engines.sail import ROOT, must_be_there
from tests.engines.sail_itself import free_port, sail_server

BIN = ROOT / ".venv" / "spark" / "bin"
SAMPLES = ROOT / "data" / "samples"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_home_moves_by_the_commands_of_the_page(tmp_path):
    must_be_there()
    serve, move = re.findall(r"```console\n(.*?)```", (ROOT / "docs" / "spark.md").read_text("utf-8"), re.DOTALL)
    port = str(free_port())
    (tmp_path / "contacts").mkdir()
    named = {"50051": port, "/srv/contacts": str(tmp_path / "contacts"), "$ ": ""}
    leads = "dealer_leads_1.csv -p dealer_leads --rule merge --lead-type SMS --user m.keane --yes"
    reminders = "outreach_contacts_2.csv -p outreach_contacts --group 'Autumn reminders' --user k.adeyemi --yes"
    more = [
        "contact-pipeline verify",
        f"contact-pipeline import {SAMPLES}/{reminders}",
        "contact-pipeline migrate-engine duckdb",
        "export CONTACT_PIPELINE_ENGINE=duckdb",
        "contact-pipeline verify",
        "contact-pipeline contacts list --json",
    ]
    ran(tmp_path, f"contact-pipeline users load {SAMPLES}/users.yaml\ncontact-pipeline import {SAMPLES}/{leads}")
    assert words(serve, named).split()[:3] == ["sail", "spark", "server"]
    with sail_server(port):
        listed = ran(tmp_path, "\n".join([words(move, named), *more]))
    assert listed.count('"contact_id"') == 234 + 262
    assert [*(tmp_path / "contacts").iterdir()] == []  # nothing is left at the location


def words(block, named):
    for old, new in named.items():
        block = block.replace(old, new)
    return block


def ran(folder, script):
    """What commands print; each of them has to succeed."""
    command = f'set -e\ncontact-pipeline() {{ python -m contact_pipeline "$@"; }}\n{script}'
    found = subprocess.run(
        ["bash", "-c", command], env=environment(folder), capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def environment(folder):
    own = {name: value for name, value in os.environ.items() if not name.startswith("CONTACT_PIPELINE_")}
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return own | {"PATH": path, "PYTHONPATH": str(ROOT), "CONTACT_PIPELINE_HOME": str(Path(folder) / "home")}
