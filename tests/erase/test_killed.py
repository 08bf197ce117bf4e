"""Erasing in a process that is killed: whatever the moment, erasing again completes it and leaves nothing."""

import shutil
from pathlib import Path

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.engines import Database
from contact_pipeline.errors import Refusal, StoreBusy
from contact_pipeline.store.erasures import make_secret
from tests.erase.home import BOB, DIRECTOR, OUTREACH, SHE, TRACES, found, write_csv
from tests.killed import run_killed
from tests.thorough import spread


def child(home: Path, last: int) -> tuple[int, str]:
    """Runs the erasure, killed at a step; how it ended, and how many steps there are where it was not killed."""
    return run_killed(home, last, "pipeline.erase(1)", ["Database.run", "Path.replace", "Path.unlink"])


@pytest.fixture(scope="session")
def undisturbed(filled, tmp_path_factory):
    """A copy of this home in which nothing disturbed the erasure, and how many steps that took."""
    pipeline = Pipeline(tmp_path_factory.mktemp("counted") / "home")
    shutil.copytree(filled, pipeline.settings.home)
    make_secret(pipeline.settings)
    status, said = child(pipeline.settings.home, 0)
    assert status == 0, said
    return pipeline, int(said)


@pytest.fixture
def steps(pipeline, undisturbed):
    """How many steps an erasure of this home takes; its fingerprints are comparable with those of `undisturbed`."""
    other, steps = undisturbed
    shutil.copy(other.settings.erasure_key_path, pipeline.settings.erasure_key_path)
    return steps


def fingerprints(pipeline, contact_id=1):
    with pipeline.store.open(read_only=True) as database:
        return database.rows(
            "SELECT state, field, fingerprint FROM fingerprints WHERE contact_id = ? ORDER BY ALL", [contact_id]
        )


@pytest.mark.slow
@pytest.mark.parametrize("share", spread([0.1, 0.35, 0.6, 0.85, 0.98, 1], 1))
def test_killed_at_any_step_it_is_completed_by_erasing_again(pipeline, undisturbed, steps, share, tmp_path):
    home = pipeline.settings.home
    status, said = child(home, int(share * steps))
    assert status == -9, said
    assert found(home, TRACES)  # it was not done yet

    pipeline.erase(1)

    assert found(home, TRACES) == set()
    assert not list(home.rglob("*.rewritten"))
    with pytest.raises(Refusal, match="erased already"):
        pipeline.erase(1)
    assert len(pipeline.store.contacts()) == 3
    assert fingerprints(pipeline) == fingerprints(undisturbed[0]) != []
    assert_recognized(pipeline, tmp_path)


def assert_recognized(pipeline, folder):
    """Her row in a later file makes no contact."""
    later = write_csv(folder / "later.csv", OUTREACH, SHE)
    planned = pipeline.plan(later, "outreach_contacts", group="Spring", user=DIRECTOR, force=True)
    assert (planned.outcomes["created"], planned.outcome_rows["reason"][0]) == (0, "is contact 1, who was erased")


@pytest.mark.parametrize("completed_by", [1, 2])
def test_fingerprints_stay_where_the_database_could_not_be_written_anew(small, tmp_path, monkeypatch, completed_by):
    """The history is empty by then: nothing could work them out again, and she would come back with the next file."""

    def busy(*_):
        raise StoreBusy("The contact database is in use.")

    first = small.plan(
        write_csv(tmp_path / "first.csv", OUTREACH, SHE, BOB), "outreach_contacts", group="Spring", user=DIRECTOR
    )
    small.apply(first.upload_id, user=DIRECTOR)
    monkeypatch.setattr("contact_pipeline.erase.book.finish", busy)
    with pytest.raises(StoreBusy):
        small.erase(1)
    monkeypatch.undo()
    before = fingerprints(small)

    small.erase(completed_by)

    assert fingerprints(small) == before != []
    assert bool(fingerprints(small, 2)) == (completed_by == 2)
    said = small.show(first.upload_id).warnings
    assert len({*said}) == len(said)
    assert_recognized(small, tmp_path)


def test_while_it_is_not_whole_the_record_says_so_and_another_erasure_completes_it(pipeline, steps):
    home = pipeline.settings.home
    assert child(home, int(0.5 * steps))[0] == -9
    with pipeline.store.open(read_only=True) as database:
        assert database.rows("SELECT contact_id, finished_at FROM erasures") == [(1, None)]
    assert pipeline.store.contact(1)["erased"]

    assert pipeline.erase(2).contact_ids == [1, 2]

    assert found(home, TRACES) == set()
    with pipeline.store.open(read_only=True) as database:
        assert database.value("SELECT count(*) FROM erasures WHERE finished_at IS NULL") == 0


def test_changes_that_a_killed_undo_left_behind_go_too(small, tmp_path, monkeypatch):
    """They were written, and the view of them was not."""
    see_files = Database.see_files

    def killed(database, view):
        if view == "contact_changes":
            raise KeyboardInterrupt
        see_files(database, view)

    first = write_csv(tmp_path / "first.csv", OUTREACH, SHE, BOB)
    upload = small.plan(first, "outreach_contacts", group="Spring", user=DIRECTOR)
    small.apply(upload.upload_id, user=DIRECTOR)
    monkeypatch.setattr(Database, "see_files", killed)
    with pytest.raises(KeyboardInterrupt):
        small.plan_undo(upload.upload_id)
    assert any("/undo/contact_changes-" in file for file, _ in found(small.settings.home, TRACES))

    small.erase(1)

    assert found(small.settings.home, TRACES) == set()
