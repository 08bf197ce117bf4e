"""Completion by a real bash, and drawing without colours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ADA = "Ada,,,Berg,,AC-1,ada@example.com,"
ASK = """
eval "$(contact-pipeline --show-completion bash)"
COMP_WORDS=({words}) COMP_CWORD={place}
_contact_pipeline_completion contact-pipeline
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def bash(tmp_path):
    program = tmp_path / "bin" / "contact-pipeline"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m contact_pipeline "$@"\n')
    program.chmod(0o755)

    def asked(words, home):
        path = f"{program.parent}:{os.environ['PATH']}"
        known = {"PATH": path, "PYTHONPATH": str(ROOT), "CONTACT_PIPELINE_HOME": str(home)}
        said = subprocess.run(
            ["bash", "-c", ASK.format(words=" ".join(words), place=len(words) - 1)],
            env=os.environ | known, capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        assert said.stderr == ""
        return said.stdout.split()

    return asked


@pytest.mark.slow
def test_bash_completes_uploads_profiles_and_commands(bash, plan_outreach, home):
    upload_id = plan_outreach(lines=(ADA,))["upload_id"]
    assert upload_id in bash(["contact-pipeline", "show", "2"], home)
    assert bash(["contact-pipeline", "plan", "x.csv", "--profile", "dealer"], home) == ["dealer_leads"]
    assert "value-mappings" in bash(["contact-pipeline", "value"], home)


@pytest.mark.slow
def test_completion_makes_no_home(bash, tmp_path):
    assert bash(["contact-pipeline", "show", "2"], tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("words", [("--no-color", "uploads"), ("uploads", "--no-color")])
def test_no_color_draws_without_colours(run, plan_outreach, monkeypatch, words):
    planned = plan_outreach(lines=(ADA,))
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("uploads").out
    assert "\x1b[3" not in run(*words).out
    assert planned["file_name"] in run(*words).out
