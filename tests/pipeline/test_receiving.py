"""Files come in: the ledger's hash is that of the stored copy, and what ended processes left is put right."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.errors import Refusal
from contact_pipeline.pipeline import committing
from contact_pipeline.store import arrival, ledger
from contact_pipeline.store.source import Source, files_being_written, sha256_of
from tests.trust import record

HEADINGS = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code\n"


def write(path, *numbers):
    path.write_text(HEADINGS + "".join(f"Rosa,,,Delgado,,AC-{n},r{n}@example.com,02139\n" for n in numbers))
    return path


@pytest.fixture
def pipeline(tmp_path):
    return Pipeline(home=tmp_path / "home")


def test_a_file_that_changes_while_plan_reads_it_is_refused_and_leaves_nothing(pipeline, tmp_path, monkeypatch):
    path, real = write(tmp_path / "a.csv", 1), Source.is_as_opened

    def changed(source, sha256):
        with path.open("a") as file:
            file.write("more\n")
        return real(source, sha256)

    with monkeypatch.context() as patch:
        patch.setattr(Source, "is_as_opened", changed)
        with pytest.raises(Refusal, match="it changed while it was read") as refusal:
            pipeline.plan(path, "outreach_contacts")

    assert refusal.value.code == "file-changing"
    assert [each for each in (tmp_path / "home").rglob("*") if each.is_file() and each.suffix == ".csv"] == []
    assert pipeline.uploads() == []


def test_a_file_that_changes_after_it_was_received_is_planned_as_it_was_received(pipeline, tmp_path):
    path = write(tmp_path / "a.csv", 1)
    upload = pipeline.receive(path, "outreach_contacts")
    write(path, 1, 2)
    for step in (pipeline.read, pipeline.normalize, pipeline.validate, pipeline.match):
        upload = step(upload)

    assert upload.outcomes["created"] == 1
    assert sha256_of(pipeline.originals.path(upload.upload_id)) == upload.sha256


@pytest.mark.parametrize("inbox", [False, True])
def test_an_original_that_was_changed_is_not_read(pipeline, tmp_path, inbox):
    folder = tmp_path / "home" / "inbox" / "outreach_contacts"
    folder.mkdir(parents=True)
    upload = pipeline.receive(write(folder / "a.csv", 1), "outreach_contacts", move=inbox)
    write(pipeline.originals.path(upload.upload_id), 1, 2)

    upload = pipeline.read(upload)

    assert upload.state == "refused"
    assert upload.reason["code"] == "original-changed"
    assert upload.upload_id in upload.reason["message"]
    assert "is not the file that was received" in upload.reason["message"]
    assert "Drop the file again." in upload.reason["fix"]
    assert not upload.staging.exists()
    assert len(list((folder / "refused").glob("*.csv"))) == inbox
    record("original-changed", tried=1, failed=0)


def test_an_original_that_was_changed_is_not_read_by_going_on_after_a_cut(pipeline, tmp_path):
    upload = pipeline.receive(write(tmp_path / "a.csv", 1), "outreach_contacts")
    write(pipeline.originals.path(upload.upload_id), 1, 2)

    again = pipeline.plan_again(upload.upload_id)

    assert (again.state, again.reason["code"]) == ("refused", "original-changed")
    record("original-changed", tried=1, failed=0)


def age(folder):
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (1, 1))


def test_staged_data_without_an_upload_is_deleted_once_it_is_old(pipeline, tmp_path):
    pipeline.plan(write(tmp_path / "a.csv", 1), "outreach_contacts")
    orphan = pipeline.store.staging("20260101-000000-abcdef")
    orphan.make()
    (orphan.folder / "staging.duckdb").write_bytes(b"half")

    pipeline.tidy()
    assert orphan.folder.exists()
    age(orphan.folder)
    pipeline.tidy()

    assert not orphan.folder.exists()
    assert pipeline.uploads()[0].staging.exists()


def test_nothing_is_deleted_where_the_ledger_is_an_older_one(pipeline, tmp_path):
    pipeline.plan(write(tmp_path / "a.csv", 1), "outreach_contacts")
    older = pipeline.settings.contacts_path.read_bytes()
    upload = pipeline.plan(write(tmp_path / "b.csv", 2), "outreach_contacts")
    pipeline.settings.contacts_path.write_bytes(older)
    again = Pipeline(home=pipeline.settings.home)
    age(upload.staging.folder)
    age(pipeline.settings.upload_path(upload.upload_id))

    again.tidy()

    assert upload.staging.exists()
    assert again.originals.has(upload.upload_id)


KILLED = """
import os, sys
from contact_pipeline import Pipeline
from contact_pipeline.store.arrival import Arrival
from contact_pipeline.store.source import Source
if sys.argv[3] == "copied":
    real = Source.copy_to
    Source.copy_to = lambda *given, **named: (real(*given, **named), os.kill(os.getpid(), 9))
else:
    Arrival.complete = lambda *given: os.kill(os.getpid(), 9)
Pipeline(home=sys.argv[1]).plan(sys.argv[2], "outreach_contacts")
"""


@pytest.mark.parametrize("moment", ["copied", "received"])
def test_a_plan_that_is_killed_while_the_file_arrives_leaves_nothing_or_an_upload_that_goes_on(
    pipeline, tmp_path, monkeypatch, moment
):
    path = write(tmp_path / "a.csv", 1)
    arriving = pipeline.settings.home / "uploads" / ".arriving"
    ended = subprocess.run([sys.executable, "-c", KILLED, pipeline.settings.home, path, moment], check=False)
    assert ended.returncode == -9
    assert len(list(arriving.iterdir())) == 1

    pipeline.tidy()
    if moment == "copied":
        assert len(list(arriving.iterdir())) == 1  # its process may live
        monkeypatch.setattr(arrival, "ORPHANED_AFTER", -1)
        pipeline.tidy()
        assert pipeline.uploads() == []
    else:
        (upload,) = pipeline.uploads()
        assert pipeline.plan_again(upload.upload_id).state == "staged"

    assert list(arriving.iterdir()) == []
    assert path.exists()


def test_what_is_arriving_in_a_process_that_lives_is_left_alone(pipeline, tmp_path, monkeypatch):
    monkeypatch.setattr(arrival, "ORPHANED_AFTER", -1)
    with arrival.Arrival(pipeline.settings, "20260101-000000-abcdef") as arriving:
        arriving.fetch(Source(write(tmp_path / "a.csv", 1)))
        pipeline.tidy()
        assert pipeline.originals.has("20260101-000000-abcdef")
    pipeline.tidy()
    assert not pipeline.originals.has("20260101-000000-abcdef")


def test_commit_times_never_go_backwards(pipeline, tmp_path, monkeypatch):
    """Neither does the history: as of any time, it holds the commits up to that time."""
    first = pipeline.plan(write(tmp_path / "a.csv", 1), "outreach_contacts")
    pipeline.apply(first.upload_id)
    real = ledger.now

    def set_back():
        return real() - timedelta(days=1)

    for module in (committing, ledger):
        monkeypatch.setattr(module, "now", set_back)
    second = pipeline.plan(write(tmp_path / "b.csv", 2), "outreach_contacts")
    pipeline.apply(second.upload_id)
    pipeline.undo(first.upload_id)
    pipeline.erase(2)

    with pipeline.store.open(read_only=True) as database:
        times = [at for (at,) in database.rows("SELECT committed_at FROM commits ORDER BY commit_number")]
    assert len(times) == 4
    assert times == sorted(times)


def test_every_file_that_is_open_for_writing_is_found(tmp_path):
    read, written, appended = (write(tmp_path / name, 1) for name in ("read.csv", "written.csv", "appended.csv"))
    code = "import sys; files = [open(sys.argv[1]), open(sys.argv[2], 'r+'), open(sys.argv[3], 'a')]; print(); input()"
    command = [sys.executable, "-c", code, read, written, appended]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        found = {inode for _, inode in files_being_written()}
        process.communicate(b"\n")

    assert {path.stat().st_ino in found for path in (written, appended)} == {True}
    assert read.stat().st_ino not in found
