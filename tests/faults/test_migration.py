"""A home of the first schema whose migration is killed: the next command migrates it, and nothing is lost."""

import json
import tarfile
from pathlib import Path

import pytest

from tests.faults.home import copy_home
from tests.faults.sweep import KINDS
from tests.thorough import examples, spread
from tests.trust import record

LOOKS = [["uploads", "--json"], ["contacts", "list", "--json"], ["groups", "list", "--json"]]
PLACES = examples(3, 8)


def old_home(folder):
    """A home of the first schema, in a folder."""
    with tarfile.open(Path(__file__).parents[1] / "store" / "home_of_first_schema.tgz") as packed:
        packed.extractall(old := folder / "old", filter="data")
    return old


def undisturbed(ground, old, folder):
    """What the looks show of it, and the calls that its migration makes."""
    log = folder / "calls.txt"
    first = copy_home(old, folder / "undisturbed")
    done = ground.worker.ask(first, *LOOKS, environment={"FAULTS_LOG": str(log)})["ended"]
    assert [ended["status"] for ended in done] == [0] * len(LOOKS), done
    return [json.loads(ended["out"]) for ended in done], log.read_text().splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["kill", "tear", "full"])
def test_a_migration_that_was_cut_off_is_done_by_the_next_command(kind, ground, tmp_path):
    old = old_home(tmp_path)
    expected, calls = undisturbed(ground, old, tmp_path)
    wrong, tried = [], range(1, len(calls) + 1, max(len(calls) // PLACES, 1))
    assert len(tried) >= PLACES
    for call in tried:
        home = copy_home(old, tmp_path / "home")
        ground.worker.ask(home, *LOOKS, kind=KINDS[kind], at=call)
        again = ground.worker.ask(home, *LOOKS)["ended"]
        if [json.loads(ended["out"]) for ended in again] != expected:
            wrong.append((calls[call - 1], [ended["err"] for ended in again]))
    record("kill-in-migration", tried=len(tried), failed=len(wrong), where=kind)
    assert not wrong


@pytest.mark.slow
def test_a_block_that_is_torn_while_the_log_is_taken_in_is_survived(ground, tmp_path):
    old = old_home(tmp_path)
    expected, calls = undisturbed(ground, old, tmp_path)
    blocks = [number for number, call in enumerate(calls, 1) if call.endswith("pwrite contacts.duckdb 262144")]
    assert blocks
    for call in spread(blocks, 2):
        home = copy_home(old, tmp_path / "home")
        ground.worker.ask(home, *LOOKS, kind=KINDS["tear"], at=call)
        again = ground.worker.ask(home, *LOOKS)["ended"]
        assert [json.loads(ended["out"]) for ended in again] == expected
