"""The files of docs/deploy: what they call exists, what they set is a setting, and systemd takes the units."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from contact_pipeline.cli.app import run
from contact_pipeline.orchestration.serve import SHIPPED
from contact_pipeline.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
DEPLOY = DOCS / "deploy"
PROGRAM = "/opt/contact-pipeline/bin/contact-pipeline"


def test_the_settings_that_an_instance_of_ones_own_needs_are_those_of_serve() -> None:
    (given,) = re.findall(r"```yaml dagster\.yaml\n(.*?)```", (DOCS / "guide.md").read_text(), re.DOTALL)
    written = yaml.safe_load(SHIPPED.read_text())
    for name, settings in yaml.safe_load(given).items():
        assert settings == {key: written[name][key] for key in settings}, name


def test_every_command_is_one_of_the_program_with_these_options(capsys: pytest.CaptureFixture[str]) -> None:
    units = "".join(path.read_text() for path in DEPLOY.glob("*.service"))
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    commands = [shlex.split(words) for words in re.findall(rf"{PROGRAM} ([^'\n]+)", units)]
    commands += [service["command"] for service in compose["services"].values() if "command" in service]
    assert len(commands) == 5
    for words in commands:
        assert run([*words, "--help"]) == 0, words
    assert len({service.get("command", ["x"])[0] for service in compose["services"].values()}) == 2
    capsys.readouterr()


def test_every_variable_is_a_setting() -> None:
    text = "".join(path.read_text() for path in DEPLOY.iterdir())
    named = {name.lower() for name in re.findall(r"CONTACT_PIPELINE_([A-Z_]+)", text)}
    assert named <= set(Settings.model_fields)
    assert {"dagster_postgres", "proxy_secret", "user_header", "address", "home"} <= named


def test_whoever_drops_files_can_pass_through_the_home() -> None:
    """systemd gives the folder this mode at each start, whatever it was given by hand."""
    for unit in DEPLOY.glob("*.service"):
        assert "StateDirectoryMode=0711\n" in unit.read_text(), unit.name


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        if os.environ.get("CI") == "true":
            pytest.fail("systemd-analyze is not installed")
        pytest.skip("systemd-analyze is not installed")
    program = tmp_path / "contact-pipeline"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = []
    for path in sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")]):
        units.append(tmp_path / path.name)
        units[-1].write_text(path.read_text().replace(PROGRAM, str(program)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    ours = [line for line in done.stderr.splitlines() if "contact-pipeline" in line]
    assert (done.returncode, ours) == (0, []), done.stderr
