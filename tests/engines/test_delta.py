"""Stage 5 on Delta tables, which Sail writes: the same rows as on DuckDB, and commits that are whole or not at all."""

import pytest

from tests.engines.sail import run_on_sail
from tests.thorough import THOROUGH

# Contacts in a group that are linked with others, and contacts that are held. A thorough run takes all files.
FEW = () if THOROUGH else ("outreach_contacts_2", "dealer_leads_1")


@pytest.fixture(scope="module")
def same(tmp_path_factory):
    return run_on_sail("on_delta.py", "same", tmp_path_factory.mktemp("same"), *FEW)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    return run_on_sail("on_delta.py", "killed", tmp_path_factory.mktemp("killed"), 1 if THOROUGH else 5)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    return run_on_sail("on_delta.py", "others", tmp_path_factory.mktemp("others"))


def test_a_server_that_is_of_no_use_is_refused_in_words(tmp_path):
    told = run_on_sail("on_delta.py", "refused", tmp_path)
    assert [each["step"] for each in told] == ["engine-url", "engine-url", "engine-unreachable", "engine-version"]
    assert told[2]["words"].startswith("No engine has answered at 127.0.0.1 for 0.5 s.")
    assert not any("SECRET" in each["words"] for each in told)


def test_every_step_leaves_the_same_rows(same):
    """Of contacts, accounts, groups, memberships, links, their changes, commits and what is published."""
    assert [each for each in same if each["differing"]] == []
    assert {"applied", "stale", "finalized", "undo", "redo"} <= {each["step"] for each in same}


def test_a_killed_commit_is_taken_back_by_the_next_writer(killed):
    """Killed again while it is taken back, it is taken back by the one after that."""
    *moments, written = killed
    assert moments[0]["step"] == "killed"
    assert (written["differing"], written["same"]) == ({}, False)


def test_no_update_of_several_writers_is_lost(others):
    several, *_ = others
    assert (several["codes"], several["revision"]) == ([0, 0, 0], 10)
    assert several["numbers"] == [*range(1, 11)]
    assert several["commits"] == [*range(11)]  # every version can be read, and so taken back to


def test_an_interrupted_commit_is_taken_back_at_once(others):
    _, interrupted, *_ = others
    assert interrupted["revisions"] == [10, 11]


def test_what_another_program_wrote_is_recognized_and_stays(others):
    *_, meanwhile, before = others
    assert (meanwhile["code"], before["code"]) == ("delta-conflict", "delta-conflict")
    assert [meanwhile["same"], before["same"]] == [True, True]
