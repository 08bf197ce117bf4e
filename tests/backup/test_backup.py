"""A backup holds the home as it was at one moment, whatever goes on meanwhile, and gives it back."""

import hashlib
import os
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.errors import Refusal, Usage
from contact_pipeline.store.archive import ArchiveWriter, Header, check_archive, read_header
from tests.erase.home import DIRECTOR
from tests.erase.home import OUTREACH as HEADINGS
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


def test_nothing_is_written_over_and_no_link_is_followed(pipeline, tmp_path):
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
        archive = ArchiveWriter(file, Header("2026-01-01T00:00:00Z", "home", 1))
        archive.add("contacts.duckdb", whole)
        for name in ("gone", "link", "pipe"):
            archive.add(f"uploads/1/{name}", tmp_path / name)
        with pytest.MonkeyPatch.context() as patched:
            status = shrinks.stat()
            patched.setattr(os, "fstat", lambda _: status)
            shrinks.write_bytes(b"x" * 10)
            archive.add("staging/1/rows.parquet", shrinks)
        archive.finish()
        _, files = check_archive(file, "archive")
    assert list(files) == ["contacts.duckdb"]


def test_backups_are_whole_while_other_processes_import(tmp_path):
    """Each backup holds those uploads whole that its ledger has."""
    home = tmp_path / "home"
    Pipeline(home).store.load_users(SAMPLES / "users.yaml")
    importing = f"""
import pathlib, sys
from contact_pipeline import Pipeline
pipeline = Pipeline({str(home)!r})
for number in range(100):
    file = pathlib.Path({str(tmp_path)!r}) / f"{{number}}.csv"
    lines = [f"First{{n}},,,Last{{n}},,AC-{{number}}-{{n}},p{{number}}-{{n}}@example.com," for n in range(200)]
    file.write_text({OUTREACH!r} + "\\n" + "\\n".join(lines) + "\\n")
    planned = pipeline.plan(file, "outreach_contacts", group="Spring", user="k.adeyemi")
    pipeline.apply(planned.upload_id, user="k.adeyemi")
    print(number, flush=True)"""
    with subprocess.Popen([sys.executable, "-c", importing], stdout=subprocess.PIPE) as busy:
        try:
            assert busy.stdout.readline() == b"0\n"
            for number in range(rounds := int(os.environ.get("BACKUP_ROUNDS", "3"))):
                assert busy.stdout.readline()
                made = Pipeline(home).backup(tmp_path / f"{number}.tar.gz")
                restored = Pipeline(tmp_path / f"restored {number}")
                restored.restore(tmp_path / f"{number}.tar.gz")
                assert restored.verify().findings == []
                assert len(restored.uploads()) == made.uploads
                assert not made.left_out
                for upload in restored.uploads():
                    if upload.state == "applied":
                        assert len(upload.as_dict(rows=True)["rows"]) == 200
                    elif upload.state in {"received", "staged"}:
                        restored.plan_again(upload.upload_id)
                        assert restored.apply(upload.upload_id, user="k.adeyemi").state == "applied"
        finally:
            busy.kill()
    record("backups-while-importing", tried=rounds, failed=0, where="backup")


def test_the_archive_is_a_tar_that_other_programs_read(backup):
    with tarfile.open(backup) as archive:
        names = archive.getnames()
    assert (names[0], names[-1]) == ("backup.json", "manifest.json")
    assert "contacts.duckdb" in names
    assert "erasure.key" in names
