"""Copies of the contact database: before a migration, before large applies, and what erasing does with them."""

import signal
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import duckdb
import pytest

from contact_pipeline import Pipeline
from contact_pipeline.engines import copy_database, open_database
from contact_pipeline.errors import StoreBusy
from contact_pipeline.settings import Settings
from contact_pipeline.store.copies import find_copies, keep_copy, newest_copy

OLD_HOME = Path(__file__).with_name("home_of_first_schema.tgz")
SAMPLE = Path(__file__).parents[2] / "data" / "samples" / "program_contacts_1.xlsx"


@pytest.fixture
def old_home(tmp_path):
    with tarfile.open(OLD_HOME) as kept:
        kept.extractall(tmp_path / "home", filter="data")
    return tmp_path / "home"


@pytest.fixture
def imported(tmp_path):
    """A home with one upload applied, of which large applies are those of a row or more."""
    settings = Settings(home=tmp_path / "home", copy_before_rows=1, lock_wait_seconds=0.3)
    pipeline = Pipeline(settings=settings)
    upload = pipeline.plan(SAMPLE, "program_contacts")
    return pipeline, pipeline.apply(upload.upload_id)


def rows(path, sql):
    """Rows of a database that nobody has open."""
    with duckdb.connect(str(path), read_only=True) as database:
        return database.sql(sql).fetchall()


def test_before_a_migration_a_copy_is_kept_of_the_contact_database_as_it_was(old_home):
    before = (old_home / "contacts.duckdb").read_bytes()
    Pipeline(old_home).uploads()
    (copy,) = find_copies(Settings(home=old_home))
    assert copy.name.startswith("contacts-before-changes-without-a-list-of-fields-")
    assert copy.read_bytes() == before
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700


def test_a_copy_put_back_is_the_home_as_it_was(old_home):
    contacts = Pipeline(old_home).store.contacts()
    settings = Settings(home=old_home)
    newest_copy(settings).rename(settings.contacts_path)
    assert Pipeline(old_home).store.contacts() == contacts


def test_a_new_home_and_a_new_field_of_a_profile_make_no_copy(tmp_path):
    pipeline = Pipeline(tmp_path / "home")
    upload = pipeline.plan(SAMPLE, "program_contacts")  # brings job_title and company
    assert pipeline.apply(upload.upload_id).state == "applied"
    assert newest_copy(pipeline.settings) is None


def test_before_a_large_apply_and_its_undoing_a_copy_is_kept(imported):
    pipeline, upload = imported
    pipeline.undo(upload.upload_id)
    undoing, applying = find_copies(pipeline.settings)
    assert f"before-applying-{upload.upload_id}" in applying.name
    assert "before-undoing" in undoing.name
    assert rows(applying, "SELECT count(*) FROM contacts") == [(0,)]
    assert rows(undoing, "SELECT count(*) FROM contacts") == [(upload.outcomes["created"],)]


def test_a_small_apply_makes_no_copy(tmp_path):
    pipeline = Pipeline(settings=Settings(home=tmp_path / "home", copy_before_rows=1_000))
    pipeline.apply(pipeline.plan(SAMPLE, "program_contacts").upload_id)
    assert newest_copy(pipeline.settings) is None


def test_as_many_copies_are_kept_as_the_setting_says(imported):
    settings = imported[0].settings.model_copy(update={"copies_kept": 2})
    made = [keep_copy(settings, f"before trial {number}") for number in range(3)]
    assert find_copies(settings) == made[:0:-1]


def test_a_copy_holds_what_a_killed_process_left_in_the_log(tmp_path):
    path, copy = tmp_path / "some.duckdb", tmp_path / "copy.duckdb"
    killed = f"""
import duckdb, os
database = duckdb.connect({str(path)!r})
database.execute("CREATE TABLE one AS SELECT 1 AS number")
database.execute("CHECKPOINT")
database.execute("INSERT INTO one VALUES (2)")
os.kill(os.getpid(), {int(signal.SIGKILL)})"""
    subprocess.run([sys.executable, "-c", killed], check=False)
    assert path.with_name("some.duckdb.wal").stat().st_size
    copy_database(path, copy, Settings(home=tmp_path))
    assert rows(copy, "SELECT list(number ORDER BY number) FROM one") == [([1, 2],)]
    made = sorted(file.name for file in tmp_path.glob("*.duckdb*"))
    assert made == ["copy.duckdb", "some.duckdb", "some.duckdb.wal"]


def test_a_copy_waits_for_a_writer_and_leaves_nothing_when_it_gives_up(imported):
    pipeline, _ = imported
    before = find_copies(pipeline.settings)
    hold = f"""
import duckdb, sys
database = duckdb.connect({str(pipeline.settings.contacts_path)!r})
print("held", flush=True)
sys.stdin.read()"""
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline() == b"held\n"
        with pytest.raises(StoreBusy):
            keep_copy(pipeline.settings, "before trial")
        writer.stdin.close()
    assert find_copies(pipeline.settings) == before
    assert sorted(pipeline.settings.backups_path.iterdir()) == sorted(before)


def test_nobody_can_write_while_the_copy_is_made(imported, monkeypatch):
    """A handle that is closed would end the lock: another process then writes into a file that is being copied."""
    pipeline, _ = imported
    attempt = f"import duckdb; duckdb.connect({str(pipeline.settings.contacts_path)!r})"
    ended = []

    def replaced(new, copy):
        ended.append(subprocess.run([sys.executable, "-c", attempt], stderr=subprocess.DEVNULL, check=False).returncode)
        return new.rename(copy)

    monkeypatch.setattr(Path, "replace", replaced)
    keep_copy(pipeline.settings, "before trial")
    assert ended == [1]


def test_erasing_deletes_the_copies_that_hold_the_person_and_keeps_one_of_the_new_file(imported):
    pipeline, _ = imported
    keep_copy(pipeline.settings, "before trial")
    (pipeline.settings.backups_path / "contacts-cut-off-1-2-3.duckdb.new").write_bytes(b"half")
    contact = pipeline.store.contacts()[0]
    erased = pipeline.erase(contact["contact_id"])
    (copy,) = pipeline.settings.backups_path.iterdir()
    assert copy.name.startswith("contacts-after-erasing-")
    assert len([name for name in erased.deleted if name.startswith("backups/contacts-")]) == 3
    assert rows(copy, f"SELECT count(*) FROM contacts WHERE email = '{contact['email']}'") == [(0,)]
    with open_database(pipeline.settings.contacts_path, pipeline.settings, read_only=True) as database:
        assert database.value("SELECT count(*) FROM erasures WHERE finished_at IS NOT NULL") == 1
