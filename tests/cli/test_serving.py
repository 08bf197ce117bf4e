"""`serve` without what it needs: one message, and what to do. What it does is tested end to end elsewhere."""

import importlib.util
import socket

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
