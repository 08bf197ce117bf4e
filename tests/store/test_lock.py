"""One process writes the contact database at a time: the others wait, and say so when it takes too long."""

import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from contact_pipeline.errors import Refusal, StoreBusy
from contact_pipeline.settings import Settings
from contact_pipeline.store import Store

HOLDS = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1])
print("holds", flush=True)
time.sleep(float(sys.argv[2]))
"""


@contextmanager
def held(path, seconds):
    """Another process that has the contact database open."""
    command = [sys.executable, "-c", HOLDS, str(path), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"holds\n"
        yield
        process.kill()


def test_a_database_that_another_process_holds_is_busy_after_the_wait(store, settings):
    """B6: the message says what is in use, for how long it was waited, and what to do."""
    store.lines()
    with held(settings.contacts_path, 30):
        start = time.monotonic()
        with pytest.raises(StoreBusy, match=r"contacts\.duckdb has been in use .* for 0\.3 s") as busy:
            store.lines()
        waited = time.monotonic() - start
    assert 0.3 <= waited < 5
    assert "CONTACT_PIPELINE_LOCK_WAIT_SECONDS" in str(busy.value)


def test_a_database_that_becomes_free_in_time_is_opened(store, settings):
    """B6: waiting is patient."""
    store.lines()
    patient = Store(settings.model_copy(update={"lock_wait_seconds": 20}))
    with held(settings.contacts_path, 0.5):
        assert patient.lines() == []


def test_nothing_stays_open_between_two_looks(store, settings):
    """B6: another process can write as soon as the store is not in use."""
    store.lines()
    with held(settings.contacts_path, 0):
        pass
    assert store.lines() == []


@pytest.mark.parametrize(("name", "mark"), [("one,two", "a comma"), ("what?", "a question mark")])
def test_a_home_whose_path_duckdb_misreads_is_refused_before_anything_is_written(tmp_path, name, mark):
    home = tmp_path / name

    with pytest.raises(Refusal, match=f"has {mark}") as refusal:
        Store(Settings(home=home)).lines()

    assert refusal.value.code == "home-path"
    assert not (home / "contacts.duckdb").exists()
