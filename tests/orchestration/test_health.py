"""What `/health` and `/metrics` of the server answer to machines; tests/e2e asks the real one."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from contact_pipeline.engines import open_database
from contact_pipeline.orchestration import health, metrics
from contact_pipeline.orchestration.webserver import Webserver
from contact_pipeline.pipeline import Pipeline
from contact_pipeline.settings import Settings
from tests.web.client import Answer, Client

Figures = dict[tuple[str, ...], float]


@dataclass
class Watched:
    """A server, what it knows of Dagster, and somebody who watches it."""

    instance: dg.DagsterInstance
    entry: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(code_location=object()))
    read_only: bool = False

    def create_request_context(self) -> Any:
        return SimpleNamespace(get_code_location_entries=lambda: {"contact_pipeline": self.entry})

    def beat(self, ago: float = 0) -> None:
        for name in self.instance.get_required_daemon_types():
            self.instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - ago, name, "", []))

    def get(self, address: str, **headers: str) -> Answer:
        server = Webserver(self)
        return Client(Starlette(routes=server.build_routes(), middleware=server.build_middleware())).get(
            address, **headers
        )

    def checks(self) -> dict[str, bool]:
        answer = self.get("/health", host="probe.example")
        found = {name: check["ok"] for name, check in answer.json["checks"].items()}
        assert answer.status == (200 if all(found.values()) else 503)
        return found

    def figures(self) -> Figures:
        families = text_string_to_metric_families(self.get("/metrics").text)
        return {
            (s.name.removeprefix("contact_pipeline_"), *s.labels.values()): s.value for f in families for s in f.samples
        }


@pytest.fixture
def watched(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Watched]:
    monkeypatch.setenv("CONTACT_PIPELINE_HOME", str(home))
    monkeypatch.setenv("CONTACT_PIPELINE_LOCK_WAIT_SECONDS", "0")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield Watched(instance)


def test_health_says_in_words_what_is_not_well(
    watched: Watched, home: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = {"contacts": True, "code_location": True, "daemon": True}
    assert watched.checks() == good | {"daemon": False}
    watched.beat(ago=600)
    assert watched.checks() == good | {"daemon": False}
    watched.beat(ago=-600)  # the clock was ahead: whether it still beats nobody knows
    assert watched.checks() == good | {"daemon": False}
    assert "start `serve` anew" in watched.get("/health").text
    watched.beat()
    assert watched.checks() == good

    watched.entry = SimpleNamespace(code_location=None, load_error="secret")
    assert watched.checks() == good | {"code_location": False}
    watched.entry = SimpleNamespace(code_location=object())

    with open_database(pipeline.settings.contacts_path, pipeline.settings):
        assert watched.checks() == good  # a commit is no fault
        monkeypatch.setattr(health, "_WRITTEN_FOR", 0)
        assert watched.checks() == good | {"contacts": False}
    (home / "contacts.duckdb").write_bytes(b"no database" * 1000)
    answer = watched.get("/health")
    assert (answer.status, answer.json["status"]) == (503, "failing")
    assert "cannot be read (contacts-damaged)" in answer.text
    assert str(home) not in answer.text


def test_a_server_to_look_at_has_no_daemon_and_makes_no_contact_database(watched: Watched, home: Path) -> None:
    watched.read_only = True
    assert watched.checks() == {"contacts": True, "code_location": True}
    (home / "contacts.duckdb").unlink()
    assert watched.checks() == {"contacts": False, "code_location": True}
    assert ("health", "contacts") in watched.figures()
    assert not (home / "contacts.duckdb").exists()


def test_metrics_count_uploads_rows_feeds_and_room(
    watched: Watched, home: Path, pipeline: Pipeline, outreach_file: Callable[..., Path]
) -> None:
    (home / "notices.yaml").write_text("targets: {}\nrules: []\n")
    (home / "feeds").mkdir()
    (home / "feeds" / "nightly.yaml").write_text("sorce: out/*.csv\n")
    pipeline.plan(
        outreach_file("people.csv", "a@example.com", "b@example.com", ""), "outreach_contacts", group="Spring"
    )
    found = watched.figures()
    of = ("outreach_contacts", "staged")
    assert found["uploads", *of] == found["uploads_waiting", *of] == 1
    assert 0 <= found["uploads_waiting_oldest_seconds", *of] < 300
    assert found["rows", "created", *of] == found["rows", "duplicate", *of] == found["rows", "rejected", *of] == 1
    assert found["row_errors", *of] == 1
    assert found["duplicate_rows", "file", *of] == 1
    assert found["notices_unsent", "waiting"] == 1
    assert (found["feed_broken", "nightly"], found["feed_overdue", "nightly"]) == (1, 0)
    assert found["health", "contacts"] == 1
    assert found["home_bytes",] > (home / "contacts.duckdb").stat().st_size / 2
    assert found["disk_free_bytes",] > 0

    text = watched.get("/metrics").text
    assert "example.com" not in text
    assert "Delgado" not in text
    assert watched.get("/metrics", host="evil.example").status == 421
    with open_database(pipeline.settings.contacts_path, pipeline.settings):
        while_written = watched.figures()
    assert ("uploads", *of) not in while_written
    assert while_written["disk_free_bytes",] > 0


def test_whoever_waits_for_figures_takes_those_that_were_found_meanwhile(
    watched: Watched, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at a home that is being written takes seconds: one after the other, they would keep all threads."""
    clock, looks = SimpleNamespace(now=0.0), []

    def checks() -> dict[str, health.Check]:
        looks.append(clock.now)
        clock.now += 6
        return {"contacts": health.Check(False, "")}

    monkeypatch.setattr(metrics, "time", SimpleNamespace(monotonic=lambda: clock.now))
    asked = metrics.Metrics(Settings(home=home), watched.instance, checks)
    assert asked.text("") == asked.text("")
    assert len(looks) == 1
