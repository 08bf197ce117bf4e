"""Homes whose contacts are Delta tables, which Sail writes: the same as on DuckDB, and whole or not at all."""

import os
import subprocess
from itertools import groupby
from operator import itemgetter

import pytest

from tests.engines.sail import ROOT, must_be_there, run_on_sail
from tests.engines.sail_itself import PYTHON
from tests.thorough import THOROUGH
from tests.trust import record

# Contacts in a group that are linked with others, and contacts that are held; a thorough run adds accounts, contacts
# of theirs, and a workbook that is matched against what is there. ENGINE_FILES names others.
FEW = ("outreach_contacts_2", "dealer_leads_1")
MORE = ("portfolio_accounts_1", "portfolio_contacts_1", "program_contacts_1", "program_contacts_2_corrected", *FEW)
FILES = tuple(os.environ.get("ENGINE_FILES", "").split()) or (MORE if THOROUGH else FEW)
EVERY = int(os.environ.get("ENGINE_KILLS", "4" if THOROUGH else "8"))  # of which moments a writer is killed at
LIFE = {
    "planned", "apply", "finalize", "undo", "redo", "inverse by undo", "inverse by redo", "deactivate", "into a group",
    "out of it", "typed in", "erase", "export", "verified",
}  # fmt: skip

by_step = itemgetter("step")


@pytest.fixture(scope="module")
def lives(tmp_path_factory):
    return run_on_sail("on_delta.py", "lives", tmp_path_factory.mktemp("lives"), *FILES)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    return run_on_sail("on_delta.py", "killed", tmp_path_factory.mktemp("killed"), EVERY)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    return run_on_sail("on_delta.py", "others", tmp_path_factory.mktemp("others"))


def steps(said, *names):
    return [each for each in said if each["step"] in names]


def test_every_step_is_the_same_on_both_engines(lives):
    """What is staged, the hash, every row that readers of the home see, what calls answer, and exports."""
    for step, said in groupby(sorted(lives, key=by_step), by_step):
        every = [each["differing"] for each in said]
        record("same-on-sail", tried=len(every), failed=sum(map(bool, every)), where=step)
    assert [each for each in lives if each["differing"]] == []
    assert {each["step"] for each in lives} >= LIFE
    assert lives[-1]["findings"] == []


def test_whoever_is_erased_is_in_no_file(lives):
    """Neither in a Delta table, an old version, the log, nor in a copy."""
    (looked,) = steps(lives, "looked for the erased")
    assert looked["before"] > 3
    assert looked["left"] == []


def test_a_backup_holds_the_contacts_itself(lives):
    """It is restored as a home on DuckDB, which needs nothing of the old location."""
    assert [each["on_delta"] for each in steps(lives, "restored, before erasing", "restored, after erasing")] == [
        False,
        False,
    ]


def test_a_home_moves_both_ways(lives):
    back, again = steps(lives, "migrated to duckdb", "migrated to spark")
    assert back["left"] == []
    assert {"contacts", "contact_changes", "home"} <= set(again["left"])


def test_a_killed_commit_is_taken_back_by_the_next_writer(killed):
    """Killed again while it is taken back, it is taken back by the one after that."""
    every = [each["differing"] for each in steps(killed, "killed", "tidied")]
    record("killed-on-delta", tried=len(every), failed=sum(map(bool, every)))
    assert steps(killed, "killed")
    assert [each for each in killed if each["differing"]] == []
    (written,) = steps(killed, "written")
    assert (written["state"], written["same"]) == ("applied", False)


def test_tidying_that_is_killed_changes_no_row(killed):
    codes = [each["code"] for each in steps(killed, "tidied")]
    assert codes[0] == 9
    assert codes[-1] == 0
    assert [each["findings"] for each in steps(killed, "verified", "undone")] == [[], []]


def test_a_move_that_is_killed_leaves_the_home_as_it_was(killed):
    """What it had written at the location is deleted later."""
    there, back = steps(killed, "moving to duckdb"), steps(killed, "moving to spark")
    assert {there[0]["code"], back[0]["code"]} == {9}
    (left,) = steps(killed, "tables are left once")
    assert left["folders"] == 1


def test_an_erasing_that_is_killed_is_completed_by_the_next(killed):
    assert steps(killed, "erasing was killed")
    (looked,) = steps(killed, "looked for the erased")
    assert looked["left"] == []


def test_no_update_of_several_writers_is_lost(others):
    several, *_ = others
    assert (several["codes"], several["commits"], several["inactive"]) == ([0, 0, 0], 10, 9)


def test_an_interrupted_commit_is_taken_back_at_once(others):
    (interrupted,) = steps(others, "interrupted")
    assert interrupted["differing"] == {}


def test_what_another_program_wrote_is_recognized_and_stays(others):
    found = [each for each in others if each["step"].startswith("another program")]
    assert [each["code"] for each in found] == ["delta-conflict", "delta-conflict"]
    assert [each["differing"] for each in found] == [{}, {}]


def test_an_engine_that_cannot_be_used_is_refused_in_words(tmp_path):
    said = run_on_sail("on_delta.py", "refused", tmp_path)
    (copied,) = steps(said, "a copy has contacts of its own")
    assert copied["findings"] == []
    told = {each["step"]: each["told"] for each in said if "told" in each}
    assert {step: each["code"] for step, each in told.items()} == {
        "no scheme": "engine-url",
        "no port": "engine-url",
        "nobody there": "engine-unreachable",
        "no address": "engine-settings",
        "no location": "engine-settings",
        "a relative location": "engine-settings",
        "a location that is not there": "engine-settings",
        "signs that are misread": "engine-settings",
        "contacts lie there": "engine-differs",
        "they do already": "engine-same",
        "too old": "engine-version",
        "a copy writes": "location-of-another",
        "it dies": "engine-failed",
        "the tables are gone": "missing",
    }
    waiting = [
        each for step, each in told.items() if step in {"no scheme", "nobody there", "no address", "too old", "it dies"}
    ]
    assert all("goes on with it" in each["message"] for each in waiting)
    assert "SECRET" not in str(told)


@pytest.mark.skipif(not THOROUGH, reason="more than a minute: THOROUGH=1")
@pytest.mark.timeout(600)
def test_the_demo_gives_what_the_list_of_the_samples_says():
    must_be_there()
    demo = subprocess.run(
        [PYTHON, ROOT / "scripts" / "demo_on_sail.py"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert demo.returncode == 0, demo.stdout[-3000:] + demo.stderr[-3000:]
