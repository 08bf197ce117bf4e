"""Runs of Dagster that are killed at one of their writes, their own and Dagster's: launched again, they end as ever."""

import shutil

import pytest
from dagster import DagsterInstance

from contact_pipeline.orchestration.serve import SHIPPED
from contact_pipeline.pipeline import Pipeline
from tests.faults.home import copy_home, state_of
from tests.faults.sweep import KINDS
from tests.thorough import examples, spread
from tests.trust import record

APPROVAL = {"ops": {"applied_contacts": {"config": {"approved_by": "d.rivers"}}}}
PLACES = examples(1, 3)


@pytest.fixture(scope="module")
def served(ground):
    """A home that Dagster has seen, with an upload that was only received."""
    home = copy_home(ground.folder / "home", ground.folder / "served")
    (home / "dagster").mkdir()
    shutil.copyfile(SHIPPED, home / "dagster" / "dagster.yaml")
    with DagsterInstance.from_config(str(home / "dagster")) as instance:
        instance.add_dynamic_partitions("uploads", [])
    received = Pipeline(home).receive(ground.folder / "new.csv", "outreach_contacts", group="Summer", user="d.rivers")
    ground.made["received"] = received.upload_id
    return home


@pytest.mark.slow
@pytest.mark.parametrize(
    ("job", "upload", "config"), [("stage_upload", "received", {}), ("apply_upload", "planned", APPROVAL)]
)
def test_a_run_that_is_killed_ends_as_ever_when_it_is_launched_again(job, upload, config, ground, served, tmp_path):
    asked = {"jobs": [[job, ground.made[upload], config]]}
    log = tmp_path / "calls.txt"
    undisturbed = copy_home(served, tmp_path / "undisturbed")
    (ended,) = ground.worker.ask(undisturbed, **asked, environment={"FAULTS_LOG": str(log)})["ended"]
    assert ended["status"] == 0, ended
    calls = log.read_text().splitlines()
    ours = [number for number, line in enumerate(calls, 1) if " dagster/" not in line]
    expected = state_of(undisturbed, list(ground.made.values()))
    among_dagsters = spread([len(calls) // 3, len(calls) * 2 // 3], 1)
    wrong, tried = [], [*ours[len(ours) // (2 * PLACES) :: len(ours) // PLACES], *among_dagsters]
    for call in tried:
        home = copy_home(served, tmp_path / "home")
        killed = ground.worker.ask(home, **asked, kind=KINDS["kill"], at=call)
        again = ground.worker.ask(home, **asked)
        (looked,) = ground.worker.ask(home, ["verify"])["ended"]
        if (
            killed["status"] != -9
            or [ended["status"] for ended in again["ended"]] != [0]
            or looked["status"]
            or state_of(home, list(ground.made.values())) != expected
        ):
            wrong.append((calls[call - 1], killed["status"], again, looked["out"]))
    record("kill-in-runs", tried=len(tried), failed=len(wrong), where=job)
    assert not wrong
