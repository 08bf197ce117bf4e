"""Files that are damaged or gone: what happened, what is true and what to do, and nothing else stops working."""

import json

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.errors import MachineFault
from tests.faults.sweep import copy_home
from tests.trust import record


@pytest.fixture
def home(ground, tmp_path):
    """A copy of the filled home."""
    return copy_home(ground.folder / "home", tmp_path / "home")


def said(ground, home, *words):
    """What a command ends with: status, and its error as JSON gives it."""
    (ended,) = ground.worker.ask(home, [*words, "--json"])["ended"]
    assert "Traceback" not in ended["err"]
    return ended["status"], json.loads(ended["out"])


def cut_off(path):
    path.write_bytes(path.read_bytes()[:1000])


def overwritten(path):
    path.write_bytes(b"\xff" * path.stat().st_size)


def emptied(path):
    path.write_bytes(b"")


DAMAGES = (cut_off, overwritten, emptied)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_contact_database_is_named_with_what_to_do(damage, ground, home):
    damage(home / "contacts.duckdb")
    status, document = said(ground, home, "uploads")
    record("damaged-files", tried=1, failed=int(status != 1), where="contacts.duckdb")
    assert (status, document["error"]["code"]) == (1, "contacts-damaged")
    assert "backup" in document["error"]["fix"]


def test_the_newest_copy_is_named_where_there_is_one(home):
    copy = home / "backups" / "contacts-before-a-change-20260101-000000-000000.duckdb"
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes((home / "contacts.duckdb").read_bytes())
    emptied(home / "contacts.duckdb")
    with pytest.raises(MachineFault, match=copy.name):
        Pipeline(home).uploads()


@pytest.mark.parametrize("words", [("uploads",), ("contacts", "list"), ("users", "list")])
def test_a_home_that_lost_its_contact_database_says_so_and_gets_no_new_one(words, ground, home):
    (home / "contacts.duckdb").unlink()
    status, document = said(ground, home, *words)
    assert (status, document["error"]["code"]) == (1, "contacts-missing")
    assert not (home / "contacts.duckdb").exists()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_staging_database_stops_neither_the_list_nor_another_erasure(damage, ground, home):
    damage(home / "staging" / ground.made["planned"] / "staging.duckdb")
    done = ground.worker.ask(
        home,
        ["uploads", "--json"],
        ["show", ground.made["planned"]],
        ["apply", ground.made["other"]],
        ["contacts", "erase", "2", "--yes"],
        ["show", ground.made["planned"], "--json"],
    )["ended"]
    record("damaged-files", tried=1, failed=sum(ended["status"] != 0 for ended in done[:4]), where="staging.duckdb")
    assert [ended["status"] for ended in done[:4]] == [0] * 4, [ended["err"] for ended in done]
    assert json.loads(done[4]["out"])["reason"]["code"] == "staging-damaged"


def test_an_upload_whose_staged_files_are_gone_is_not_applied(ground, home):
    for path in (home / "staging" / ground.made["planned"]).iterdir():
        path.unlink()
    status, document = said(ground, home, "apply", ground.made["planned"])
    assert (status, document["error"]["code"]) == (1, "staged-changed")
    assert "replan" in document["error"]["fix"]


def test_too_little_memory_is_told_in_words(ground, home):
    (ended,) = ground.worker.ask(
        home,
        ["apply", ground.made["planned"], "--json"],
        environment={"CONTACT_PIPELINE_MEMORY_LIMIT": "1MB"},
    )["ended"]
    assert ended["status"] == 1
    assert json.loads(ended["out"])["error"]["code"] == "memory"
