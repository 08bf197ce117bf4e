"""`serve` without what it needs: one message, and what to do. What it does is tested end to end elsewhere."""

import importlib.util
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def without_dagster(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "contact_pipeline.cli.serving.find_spec", lambda name: None if name.startswith("dagster") else found(name)
    )


def test_without_dagster_serve_says_what_to_install(run, without_dagster, home):
    ended = run("serve", "--json")
    assert (ended.status, ended.document["error"]["code"]) == (1, "dagster-missing")
    assert "contact-pipeline[dagster]" in ended.document["error"]["fix"]
    assert not home.exists()


def test_a_port_that_is_taken_is_refused(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("serve", "--port", taken.getsockname()[1], "--json")
    assert (ended.status, ended.document["error"]["code"]) == (1, "port-taken")


@pytest.mark.parametrize("port", ["-1", "70000", "http"])
def test_a_port_that_cannot_be_is_a_mistake_in_the_command(port, run):
    assert run("serve", f"--port={port}").status == 2


def served_by_make(folder, **environment):
    """The words that `make serve` gives to contact-pipeline in a checkout that holds nothing else."""
    shutil.copy(Path(__file__).parents[2] / "Makefile", folder)
    command = folder / "bin" / "contact-pipeline"
    command.parent.mkdir(exist_ok=True)
    command.write_text('#!/bin/sh\necho "$@"\n')
    command.chmod(0o755)
    of_make = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")  # set where `make test` runs this
    clean = {name: value for name, value in os.environ.items() if name not in ("CONTACT_PIPELINE_HOME", *of_make)}
    done = subprocess.run(
        ["make", "--old-file=.venv/installed", "serve", "BIN=bin"],
        cwd=folder, env=clean | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_make_serve_opens_what_make_demo_leaves_until_there_is_a_home_of_ones_own(tmp_path):
    assert served_by_make(tmp_path) == "serve"
    (tmp_path / "data" / "demo").mkdir(parents=True)
    (tmp_path / "data" / "demo" / "contacts.duckdb").touch()
    assert served_by_make(tmp_path) == "--home data/demo serve"
    assert served_by_make(tmp_path, CONTACT_PIPELINE_HOME="elsewhere") == "serve"
    (tmp_path / "data" / "contacts.duckdb").touch()
    assert served_by_make(tmp_path) == "serve"
