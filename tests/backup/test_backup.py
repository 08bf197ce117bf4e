"""A backup holds the home as it was at one moment, whatever goes on meanwhile, and gives it back."""

import hashlib
import os
import stat
import subprocess
import sys
import tarfile
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.backup import make
from contact_pipeline.errors import Refusal, Usage
from contact_pipeline.store.archive import ArchiveWriter, Header, check_archive, read_header
from tests.erase.home import DIRECTOR, IAN, TRACES, found, write_csv
from tests.erase.home import OUTREACH as HEADINGS
from tests.thorough import examples
from tests.trust import record

OUTREACH = ",".join(HEADINGS)
SAMPLES = Path(__file__).parents[2] / "data" / "samples"


def described(pipeline):
    """All that there is to see in a home."""
    uploads = [upload.as_dict(rows=True, changes=True) for upload in pipeline.uploads()]
    return uploads, pipeline.store.contacts(), pipeline.store.contacts(published=True), pipeline.store.users()


def files_of(home, *folders):
    """File → SHA-256 of the files in folders of a home."""
    return {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted((home / folder).rglob("*"))
        if path.is_file()
    }


def test_what_is_restored_is_the_home_as_it_was(filled, backup, tmp_path):
    restored = Pipeline(tmp_path / "restored")
    restored.restore(backup)
    assert described(restored) == described(Pipeline(filled))
    folders = ("uploads", "staging", "profiles")
    assert files_of(tmp_path / "restored", *folders) == files_of(filled, *folders)
    assert restored.verify().findings == []
    waiting = next(upload for upload in restored.uploads() if upload.state == "staged")
    assert restored.apply(waiting.upload_id, user=DIRECTOR).state == "applied"


def test_a_restored_home_is_for_its_owner_only(backup, tmp_path):
    Pipeline(tmp_path / "restored").restore(backup)
    for path in [tmp_path / "restored", *(tmp_path / "restored").rglob("*")]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_a_backup_replaces_no_file_and_follows_no_link(pipeline, tmp_path):
    there, link = tmp_path / "there", tmp_path / "link"
    there.write_text("mine")
    link.symlink_to(there)
    for path, code in ((there, "file-exists"), (link, "not-a-file"), (tmp_path / "no" / "file", "folder-missing")):
        with pytest.raises(Usage) as refused:
            pipeline.backup(path)
        assert refused.value.code == code
    assert there.read_text() == "mine"
    pipeline.backup(there, overwrite=True)
    assert read_header(there) is not None


def test_a_home_without_contacts_is_not_backed_up(tmp_path):
    with pytest.raises(Refusal) as refused:
        Pipeline(tmp_path / "home").backup(tmp_path / "home.tar.gz")
    assert refused.value.code == "home-empty"
    assert list(tmp_path.iterdir()) == []


def test_staged_rows_of_finished_uploads_can_be_left_out(pipeline, tmp_path):
    pipeline.backup(tmp_path / "lean.tar.gz", staged=False)
    restored = Pipeline(tmp_path / "restored")
    restored.restore(tmp_path / "lean.tar.gz")
    for upload in restored.uploads():
        assert upload.staging.exists() == (upload.state == "staged")
    assert restored.store.contacts() == pipeline.store.contacts()


def test_a_file_that_vanishes_or_shrinks_meanwhile_is_left_out(tmp_path):
    """The database is copied first: what its ledger names is whole by then, and later files are made again."""
    whole, shrinks = tmp_path / "contacts.duckdb", tmp_path / "rows.parquet"
    whole.write_bytes(b"x" * 1_000)
    shrinks.write_bytes(b"x" * 3_000_000)
    (tmp_path / "link").symlink_to(whole)
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "archive").open("w+b") as file:
        with ArchiveWriter(file, Header("2026-01-01T00:00:00Z", "home", 1)) as archive:
            archive.add("contacts.duckdb", whole)
            for name in ("gone", "link", "pipe"):
                archive.add(f"uploads/1/{name}", tmp_path / name)
            with pytest.MonkeyPatch.context() as patched:
                status = shrinks.stat()
                patched.setattr(os, "fstat", lambda _: status)
                shrinks.write_bytes(b"x" * 10)
                archive.add("staging/1/rows.parquet", shrinks)
            archive.finish()
        _, files = check_archive(file, "archive", 10_000_000)
    assert list(files) == ["contacts.duckdb"]


IMPORTING = """
import itertools, pathlib, sys
from contact_pipeline import Pipeline
home, folder, name, heading = sys.argv[1:]
pipeline = Pipeline(home)
user = "k.adeyemi"
for number in itertools.count():
    file = pathlib.Path(folder) / f"{name}-{number}.csv"
    rows = [f"First{n},,,Last{n},,{name}-{number}-{n},{name}{number}-{n}@example.com," for n in range(200)]
    file.write_text("\\n".join([heading, *rows, ""]))
    planned = pipeline.plan(file, "outreach_contacts", group="Spring", user=user)
    if number % 3 == 1:  # some stay planned, some are planned anew, some are taken back
        continue
    applied = pipeline.apply(planned.upload_id, user=user, replan=True)
    if number % 3 == 2:
        pipeline.undo(applied.upload_id, user=user)
    print(number, flush=True)
"""


@pytest.mark.timeout(1_200)
def test_backups_are_whole_while_other_processes_import(tmp_path):
    """Each has all or none of every upload's changes, and a home of it has nothing wrong."""
    home = tmp_path / "home"
    Pipeline(home).store.load_users(SAMPLES / "users.yaml")
    rounds = examples(2, 3, "BACKUP_ROUNDS")
    with ExitStack() as running:
        importing = [
            running.enter_context(_killed_in_the_end([sys.executable, "-c", IMPORTING, home, tmp_path, name, OUTREACH]))
            for name in ("one", "other")
        ]
        for process in importing:
            assert process.stdout.readline() == b"0\n"
        sizes = []
        for number in range(rounds):
            made = Pipeline(home).backup(tmp_path / f"{number}.tar.gz")
            assert all(process.poll() is None for process in importing)
            restored = Pipeline(tmp_path / f"restored {number}")
            restored.restore(tmp_path / f"{number}.tar.gz")
            assert restored.verify().findings == []
            uploads = restored.uploads()
            assert len(uploads) == made.uploads
            of = Counter(contact["last_upload_id"] for contact in restored.store.contacts())
            assert of == {upload.upload_id: 200 for upload in uploads if upload.state == "applied"}
            assert {each.upload_id for each in uploads if each.state == "received"} == {*made.left_out}
            sizes.append(len(uploads))
            assert importing[number % 2].stdout.readline()
        assert sizes[0] < sizes[-1], "the others have imported meanwhile"
    for upload in uploads:
        if upload.state in {"received", "staged", "stale"}:
            restored.plan_again(upload.upload_id)
            assert restored.apply(upload.upload_id, user="k.adeyemi", replan=True).state == "applied"
    assert restored.verify().findings == []
    record("backups-while-importing", tried=rounds, failed=0, where="backup")


def staged_of(pipeline):
    """The upload that waits to be applied."""
    return next(upload.upload_id for upload in pipeline.uploads() if upload.state == "staged")


def plan_anew(pipeline):
    """Freezes another changeset of the upload that is staged."""
    staged = staged_of(pipeline)
    ian = write_csv(pipeline.settings.home.with_name("ian.csv"), HEADINGS, IAN)
    planned = pipeline.plan(ian, "outreach_contacts", group="Spring", user=DIRECTOR)
    assert pipeline.apply(planned.upload_id, user=DIRECTOR).state == "applied"
    assert pipeline.apply(staged, user=DIRECTOR).state == "stale"
    pipeline.plan_again(staged)


MEANWHILE = {
    "applied": (lambda pipeline: pipeline.apply(staged_of(pipeline), user=DIRECTOR), "staged"),
    "cancelled": (lambda pipeline: pipeline.cancel(staged_of(pipeline), user=DIRECTOR), "cancelled"),
    "planned anew": (plan_anew, "received"),
    "staged rows changed": (
        lambda pipeline: pipeline.store.staging(staged_of(pipeline)).path.write_bytes(b"something else"), "received"
    ),
    "undone": (
        lambda pipeline: pipeline.undo(
            next(each.upload_id for each in pipeline.uploads() if each.state == "applied"), user=DIRECTOR
        ),
        "staged",
    ),
    "expired": (
        lambda pipeline: [
            pipeline.store.staging(each.upload_id).remove() for each in pipeline.uploads() if each.state == "applied"
        ],
        "staged",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("act", "becomes"), MEANWHILE.values(), ids=MEANWHILE)
def test_what_others_do_while_the_files_are_copied_does_no_harm(pipeline, tmp_path, monkeypatch, act, becomes):
    """The contact database is as it was at one moment; an upload whose files have gone on since is staged again."""
    before, staged = pipeline.store.contacts(), staged_of(pipeline)
    look_into = make._look_into

    def busy(*args):
        act(pipeline)
        return look_into(*args)

    monkeypatch.setattr(make, "_look_into", busy)
    made = pipeline.backup(tmp_path / "home.tar.gz")
    restored = Pipeline(tmp_path / "restored")
    restored.restore(tmp_path / "home.tar.gz")
    assert restored.verify().findings == []
    assert restored.store.contacts() == before
    assert restored.show(staged).state == becomes
    assert (staged in made.left_out) == (becomes != "staged")
    if becomes != "cancelled":
        restored.plan_again(staged)
        assert restored.apply(staged, user=DIRECTOR).state == "applied"
    record("backups-while-importing", tried=1, failed=0, where="between the database and the files")


def test_who_is_erased_while_a_backup_is_made_is_not_back(pipeline, tmp_path, monkeypatch):
    look_into = make._look_into

    def busy(*args):
        pipeline.erase(1, user=DIRECTOR)
        return look_into(*args)

    monkeypatch.setattr(make, "_look_into", busy)
    pipeline.backup(tmp_path / "home.tar.gz")
    restored = Pipeline(tmp_path / "restored")
    assert restored.restore(tmp_path / "home.tar.gz").erased == [1]
    assert found(tmp_path / "restored", TRACES) == set()
    assert restored.verify().findings == []


def test_an_erasure_that_was_cut_off_is_completed_in_what_is_restored(pipeline, tmp_path, monkeypatch):
    """The backup itself says that it was begun."""
    with monkeypatch.context() as patched:
        patched.setattr(sys.modules["contact_pipeline.erase.erase"], "find_kept", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            pipeline.erase(1, user=DIRECTOR)
    pipeline.backup(tmp_path / "home.tar.gz")
    restored = Pipeline(tmp_path / "restored")
    assert restored.restore(tmp_path / "home.tar.gz").erased == [1]
    assert found(tmp_path / "restored", TRACES) == set()
    assert restored.verify().findings == []


def _interrupt(*_):
    raise KeyboardInterrupt


@contextmanager
def _killed_in_the_end(command):
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_archive_is_a_tar_that_other_programs_read(backup):
    with tarfile.open(backup) as archive:
        names = archive.getnames()
    assert (names[0], names[-1]) == ("backup.json", "manifest.json")
    assert "contacts.duckdb" in names
    assert "erasure.key" in names
