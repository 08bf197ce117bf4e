"""Applying from files, in a process that is killed: the upload is wholly applied or not at all, and can be finished."""

import subprocess
import sys
from pathlib import Path

import pytest

from contact_pipeline.pipeline import Pipeline, committing
from tests.homes import new_home

ROOT = Path(__file__).parents[2]
HEADINGS = (
    "First name", "Phone number", "Social security number", "Last name", "Date of birth", "Account number", "Email",
    "Zip code",
)  # fmt: skip

KILLED_BEFORE_THE_END = """
import os, signal, sys
from contact_pipeline.pipeline import Pipeline, committing
committing.change_line = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
Pipeline(sys.argv[1]).apply(sys.argv[2])
"""

SAYS_WHEN_IT_COMMITS = """
import sys
from contact_pipeline.engines import Database
from contact_pipeline.pipeline import Pipeline
run = Database.run
def said(self, sql, *parameters):
    if sql == "COMMIT":
        print("commits", flush=True)
    run(self, sql, *parameters)
Database.run = said
Pipeline(sys.argv[1]).apply(sys.argv[2])
"""


@pytest.fixture
def pipeline(tmp_path):
    return Pipeline(new_home(tmp_path / "home"))


def dropped(folder: Path, rows: int, name: str = "people.csv") -> Path:
    lines = [f"Ann,,,Bee {n},,AC-{n},ann{n}@example.com,02139" for n in range(rows)]
    file = folder / name
    file.write_text("\n".join([",".join(HEADINGS), *lines]) + "\n", encoding="utf-8")
    return file


def child(program: str, pipeline: Pipeline, upload_id: str) -> subprocess.Popen:
    command = [sys.executable, "-c", program, str(pipeline.settings.home), upload_id]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def test_killed_before_the_commit_nothing_is_applied_and_applying_again_does_it(pipeline, tmp_path):
    """X2: the contacts are as before, the upload is still staged."""
    upload = pipeline.plan(dropped(tmp_path, 200), "outreach_contacts", group="Spring")

    with child(KILLED_BEFORE_THE_END, pipeline, upload.upload_id) as process:
        assert process.wait() == -9

    assert pipeline.show(upload.upload_id).state == "staged"
    assert pipeline.store.contacts() == []
    assert pipeline.store.groups() == []
    assert pipeline.apply(upload.upload_id).state == "applied"
    assert len(pipeline.store.contacts()) == 200


def test_killed_in_the_commit_the_upload_is_applied_wholly_or_not_at_all(pipeline, tmp_path):
    """X2: whichever it is, ledger and contacts agree, and applying again leaves everything there once."""
    upload = pipeline.plan(dropped(tmp_path, 5000), "outreach_contacts", group="Spring")

    with child(SAYS_WHEN_IT_COMMITS, pipeline, upload.upload_id) as process:
        assert process.stdout.readline() == b"commits\n"
        process.kill()

    contacts = {"staged": 0, "applied": 5000}[pipeline.show(upload.upload_id).state]
    assert len(pipeline.store.contacts()) == contacts
    assert pipeline.apply(upload.upload_id).state == "applied"
    assert len(pipeline.store.contacts()) == 5000
    assert pipeline.store.groups() == [{"address_book": "outreach", "group": "Spring", "contacts": 5000}]


def test_applying_twice_changes_nothing(pipeline, tmp_path):
    """X2: the second time says that it is applied, and nothing moves."""
    upload = pipeline.plan(dropped(tmp_path, 3), "outreach_contacts", group="Spring")
    pipeline.apply(upload.upload_id)
    before = pipeline.store.contacts()
    assert pipeline.apply(upload.upload_id).state == "applied"
    assert pipeline.store.contacts() == before


def test_a_stale_upload_names_its_rows_and_can_be_planned_again(pipeline, tmp_path):
    """X2: another upload has meanwhile created the same people; the new plan has another hash and finds them."""
    slow = pipeline.plan(dropped(tmp_path, 3, "slow.csv"), "outreach_contacts", group="Spring")
    fast = pipeline.plan(dropped(tmp_path, 2, "fast.csv"), "outreach_contacts", group="Autumn")
    pipeline.apply(fast.upload_id)

    stale = pipeline.apply(slow.upload_id)
    assert (stale.state, stale.reason["rows"]) == ("stale", [2, 3])
    assert len(pipeline.store.contacts()) == 2

    again = pipeline.plan_again(slow.upload_id)
    assert again.changeset_sha256 != slow.changeset_sha256
    assert (again.outcomes["duplicate"], again.outcomes["created"]) == (2, 1)
    assert pipeline.apply(slow.upload_id).state == "applied"
    assert len(pipeline.store.contacts()) == 3


def test_an_automatic_upload_that_is_stale_plans_itself_again(pipeline, tmp_path):
    """X2: once, without anybody being asked."""
    slow = pipeline.plan(dropped(tmp_path, 3, "slow.csv"), "outreach_contacts", group="Spring")
    fast = pipeline.plan(dropped(tmp_path, 2, "fast.csv"), "outreach_contacts", group="Autumn")
    assert pipeline.apply_automatic(fast.upload_id).state == "applied"
    assert pipeline.apply_automatic(slow.upload_id).state == "applied"
    assert len(pipeline.store.contacts()) == 3


def test_an_automatic_upload_plans_itself_again_only_once(pipeline, tmp_path, monkeypatch):
    """X2: overtaken a second time it stays stale, and nothing of it is applied."""
    overtaken = pipeline.plan(dropped(tmp_path, 3, "slow.csv"), "outreach_contacts", group="Spring")
    others = [pipeline.plan(dropped(tmp_path, rows, f"{rows}.csv"), "outreach_contacts", group="G") for rows in (1, 2)]
    commit, committed = committing.commit, []

    def after_another(store, line, actor):
        if line.upload_id == overtaken.upload_id:
            committed.append(line.changeset_sha256)
            other = others.pop(0).upload_id
            pipeline.plan_again(other)
            pipeline.apply(other)
            if pipeline.show(other).state == "stale":
                pipeline.plan_again(other)
                pipeline.apply(other)
        return commit(store, line, actor)

    monkeypatch.setattr(committing, "commit", after_another)

    assert pipeline.apply_automatic(overtaken.upload_id).state == "stale"
    assert len(set(committed)) == 2
    assert len(pipeline.store.contacts()) == 2
