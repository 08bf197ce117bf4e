"""The sensor that tells people what runs did, and what could not be sent before."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from contact_pipeline.orchestration.resources import PipelineResource
from contact_pipeline.pipeline import Pipeline
from tests.notices.servers import hook_server, port_of

RULES = "targets: {desk: {env: DESK}}\nnotices: [{to: [desk], on: [staged, refused]}]\n"


@pytest.fixture
def hook(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with hook_server() as server:
        monkeypatch.setenv("DESK", f"json://127.0.0.1:{port_of(server)}/secret-path")
        yield server


@pytest.fixture
def tick(definitions: dg.Definitions, instance: dg.DagsterInstance, resource: PipelineResource) -> Callable[[], str]:
    def once() -> str:
        with dg.build_sensor_context(
            instance=instance, resources={"pipeline": resource}, definitions=definitions
        ) as context:
            result = definitions.resolve_sensor_def("notices")(context)
        assert isinstance(result, dg.SkipReason)
        return str(result.skip_message)

    return once


def test_the_sensor_sends_the_notice_of_a_run_once(
    hook: Any, home: Path, tick: Callable[[], str], pipeline: Pipeline, outreach_file: Callable[..., Path]
) -> None:
    """C5: while `serve` runs, whoever wants to know is told without a command."""
    (home / "notices.yaml").write_text(RULES)
    pipeline.plan(outreach_file("people.csv", "rosa@example.com"), "outreach_contacts", group="Spring")

    assert tick() == "1 sent, 0 waiting."
    assert tick() == "0 sent, 0 waiting."
    assert [post["title"] for post in hook.posts] == ["people.csv: staged and waits for approval"]


def test_the_sensor_tries_an_unsent_notice_again(
    hook: Any, home: Path, tick: Callable[[], str], pipeline: Pipeline, outreach_file: Callable[..., Path]
) -> None:
    (home / "notices.yaml").write_text(RULES)
    hook.answers = 503
    pipeline.plan(outreach_file("people.csv", "rosa@example.com"), "outreach_contacts", group="Spring")
    assert tick() == "0 sent, 1 waiting."
    hook.answers = 200
    assert tick() == "0 sent, 1 waiting."  # not due yet
    with pipeline.store.change() as contacts:
        contacts.run("UPDATE notices SET due_at = '2000-01-01'")
    assert tick() == "1 sent, 0 waiting."


def test_a_home_without_the_file_or_with_a_broken_one_fails_no_tick(
    hook: Any, home: Path, tick: Callable[[], str]
) -> None:
    assert tick() == "There is no notices.yaml."
    (home / "notices.yaml").write_text("targets: 1\n")
    assert tick().startswith("No notice was sent: notices.yaml, line 1")
