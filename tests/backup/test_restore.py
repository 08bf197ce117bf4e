"""Restoring: hostile and damaged archives are refused, a kill leaves either home whole, erasures are replayed."""

import gzip
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import time
import tracemalloc
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.cli.app import run as run_command
from contact_pipeline.errors import Refusal
from contact_pipeline.store import copies
from tests.erase.home import DIRECTOR, OUTREACH, PROGRAM, TRACES, found, write_book, write_csv
from tests.thorough import THOROUGH, examples
from tests.trust import record

EVERY = os.environ.get("RESTORES") == "all"


def refused(pipeline, file, **options):
    """The code with which a restore is refused."""
    with pytest.raises(Refusal) as refusal:
        pipeline.restore(file, **options)
    assert refusal.value.message.startswith(("Nothing", file.name)) or "Nothing was changed" in refusal.value.message
    return refusal.value.code


def tree(folder):
    """Every path below a folder, with the bytes of files."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def repacked(backup, path, change):
    """The backup with its members changed: `change` takes and gives (TarInfo, bytes) pairs."""
    with tarfile.open(backup) as archive:
        members = [(member, archive.extractfile(member).read()) for member in archive]
    with gzip.open(path, "wb", compresslevel=1) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        for member, content in change(members):
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def member(name, kind=tarfile.REGTYPE, link=""):
    """A member of a tar."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made, b""


HOSTILE = {
    "absolute": member("/tmp/planted"),
    "above": member("uploads/../../planted"),
    "above at once": member("../planted"),
    "dot": member("uploads/./x"),
    "empty part": member("uploads//x"),
    "elsewhere": member("dagster/dagster.yaml"),
    "inbox": member("inbox/dealer_leads/planted.csv"),
    "folder's name": member("profiles"),
    "link": member("profiles/link", tarfile.SYMTYPE, "/etc/passwd"),
    "link above": member("uploads/x", tarfile.SYMTYPE, "../.."),
    "hard link": member("profiles/hard", tarfile.LNKTYPE, "erasure.key"),
    "device": member("profiles/zero", tarfile.CHRTYPE),
    "block device": member("profiles/disk", tarfile.BLKTYPE),
    "pipe": member("profiles/pipe", tarfile.FIFOTYPE),
    "folder": member("profiles/folder", tarfile.DIRTYPE),
    "twice": member("contacts.duckdb"),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_an_archive_that_holds_something_else_is_refused(backup, tmp_path, hostile):
    file = repacked(backup, tmp_path / "hostile.tar.gz", lambda members: [*members[:2], hostile, *members[2:]])
    before = tree(tmp_path)
    assert refused(Pipeline(tmp_path / "home"), file) == "backup-foreign"
    assert tree(tmp_path) == before
    record("hostile-archives", tried=1, failed=0, where="restore")


def sealed(backup, path, files, **said):
    """A backup with other files, whose own list says that they are right."""

    def change(members):
        header, *rest, _ = members
        contents = {each.name: content for each, content in rest} | files
        listed = {
            name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()} | said.get(name, {})
            for name, content in contents.items()
        }
        manifest = json.dumps({"files": listed}).encode()
        made = [(member(name)[0], content) for name, content in contents.items()]
        return [header, *made, (member("manifest.json")[0], manifest)]

    return repacked(backup, path, change)


SEALED = {
    "a file in a file": {"profiles/x": b"", "profiles/x/y": b""},
    "a file in a file, the other way round": {"profiles/x/y": b"", "profiles/x": b""},
    "no database": {"contacts.duckdb": b"not a database" * 1_000},
    "an empty database": {"contacts.duckdb": b""},
    "a long name": {"profiles/" + "x" * 256: b""},
    "a long path": {"profiles/" + "x/" * 1_000 + "y": b""},
    "a null byte": {"profiles/x\0y": b""},
    "bytes that are no text": {"profiles/x\udcff": b""},
}


@pytest.mark.parametrize("files", SEALED.values(), ids=SEALED)
def test_an_archive_with_a_list_that_fits_is_not_believed(backup, tmp_path, files):
    file = sealed(backup, tmp_path / "sealed.tar.gz", files)
    before = tree(tmp_path)
    assert refused(Pipeline(tmp_path / "home"), file) in {"backup-damaged", "backup-foreign"}
    assert tree(tmp_path) == before
    record("hostile-archives", tried=1, failed=0, where="restore")


@pytest.mark.parametrize("facts", [{"size": -1}, {"size": "1"}, {"sha256": None}, {"more": 1}])
def test_a_list_that_says_otherwise_of_a_file_is_refused(backup, tmp_path, facts):
    file = sealed(backup, tmp_path / "sealed.tar.gz", {}, **{"contacts.duckdb": facts})
    assert refused(Pipeline(tmp_path / "home"), file) == "backup-damaged"
    assert list(tmp_path.iterdir()) == [file]
    record("hostile-archives", tried=1, failed=0, where="restore")


def test_a_list_of_erasures_in_the_archive_with_something_else_in_it_does_no_harm(backup, tmp_path):
    lines = [b"[" * 10_000, b'{"home": 1}', b"\xff", b'{"started_at": 3}', b"null"]
    pipeline = Pipeline(tmp_path / "home")
    pipeline.restore(sealed(backup, tmp_path / "sealed.tar.gz", {"erasures.jsonl": b"\n".join(lines)}))
    assert pipeline.verify().findings == []
    pipeline.erase(1, user=DIRECTOR)
    assert found(tmp_path / "home", TRACES) == set()


def test_an_archive_takes_no_more_room_than_there_is(backup, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000))
    assert refused(Pipeline(tmp_path / "home"), backup) == "no-room"
    assert list(tmp_path.iterdir()) == []


def headers(name, size, kind):
    """A tar whose first member is a header and whose second claims to be large, of zeros, and is cut off."""
    head = tarfile.TarInfo("backup.json")
    said = b'{"format": "contact_pipeline backup", "version": 1, "made_at": "", "home": "", "next_contact": 1}'
    head.size = len(said)
    large = tarfile.TarInfo(name)
    large.size, large.type = size, kind
    block = head.tobuf(tarfile.GNU_FORMAT) + said.ljust(512, b"\0")
    return block + large.tobuf(tarfile.GNU_FORMAT)


LARGE = {
    "sparse": (tarfile.GNUTYPE_SPARSE, 1 << 50),
    "long name": (tarfile.GNUTYPE_LONGNAME, 200_000_000),
    "long link": (tarfile.GNUTYPE_LONGLINK, 200_000_000),
    "attributes": (tarfile.XHDTYPE, 200_000_000),
    "attributes of all": (tarfile.XGLTYPE, 200_000_000),
    "ordinary": (tarfile.REGTYPE, 1 << 60),
    "negative": (tarfile.REGTYPE, -512),
    "negative attributes": (tarfile.XHDTYPE, -512),
}


@pytest.mark.parametrize(("kind", "size"), LARGE.values(), ids=LARGE)
def test_a_small_archive_takes_little_memory(backup, tmp_path, kind, size):
    """What a member claims to be is not read at once, and nothing is read for ever."""
    file = tmp_path / "bomb.tar.gz"
    with gzip.open(file, "wb", compresslevel=1) as packed:
        packed.write(headers("profiles/x", size, kind))
        for _ in range(200):
            packed.write(bytes(1_000_000))
    tracemalloc.start()
    try:
        code = refused(Pipeline(tmp_path / "home"), file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert code in {"backup-damaged", "backup-foreign"}
    assert peak < 20_000_000
    assert list(tmp_path.iterdir()) == [file]
    record("hostile-archives", tried=1, failed=0, where="restore")


FOREIGN = {
    "nothing": b"",
    "text": b"First name,Last name\n",
    "zip": b"PK\x03\x04" + bytes(100),
    "packed text": gzip.compress(b"First name,Last name\n"),
    "packed zeros": gzip.compress(bytes(100_000)),
    "deep text": gzip.compress(headers("profiles/x", 0, tarfile.REGTYPE)[:512] + b"[" * 99),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_another_file_is_no_backup(tmp_path, content, capsys):
    file = tmp_path / "file.tar.gz"
    file.write_bytes(content)
    assert run_command(["restore", str(file), "--home", str(tmp_path / "home")]) == 1
    said = capsys.readouterr().err
    assert "file.tar.gz is no backup" in " ".join(said.split())
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == [file]
    record("hostile-archives", tried=1, failed=0, where="restore")


def test_a_header_that_is_nested_without_end_is_refused(backup, tmp_path):
    file = repacked(backup, tmp_path / "deep.tar.gz", lambda members: [(members[0][0], b"[" * 500_000), *members[1:]])
    assert refused(Pipeline(tmp_path / "home"), file) == "backup-damaged"


def test_a_home_that_is_there_stays_as_it_was_when_an_archive_is_refused(pipeline, backup, tmp_path):
    hostile = sealed(backup, tmp_path / "sealed.tar.gz", SEALED["no database"])
    cut_off = tmp_path / "cut_off.tar.gz"
    cut_off.write_bytes(backup.read_bytes()[:-100])
    pipeline.uploads()
    before = tree(tmp_path)
    for file in (hostile, cut_off):
        assert refused(pipeline, file, replace=True) == "backup-damaged"
        assert tree(tmp_path) == before


ALTERED = {
    "another content": lambda members: [
        (each, content + b"x" * (each.name == "contacts.duckdb")) for each, content in members
    ],
    "a file less": lambda members: [each for each in members if each[0].name != "erasure.key"],
    "no list": lambda members: members[:-1],
    "no contact database": lambda members: [
        (each, json.dumps({"files": {}}).encode() if each.name == "manifest.json" else content)
        for each, content in members
        if each.name != "contacts.duckdb"
    ],
    "no header": lambda members: members[1:],
    "empty": lambda _: [],
    "list first": lambda members: [members[0], members[-1], *members[1:-1]],
    "broken header": lambda members: [(members[0][0], b"{"), *members[1:]],
    "another header": lambda members: [(members[0][0], b'{"format": "x", "version": 1}'), *members[1:]],
    "broken list": lambda members: [*members[:-1], (members[-1][0], b'{"files": [1]}')],
}


@pytest.mark.parametrize("change", ALTERED.values(), ids=ALTERED)
def test_an_archive_that_is_not_as_it_was_made_is_refused(backup, tmp_path, change):
    file = repacked(backup, tmp_path / "altered.tar.gz", change)
    before = tree(tmp_path)
    assert refused(Pipeline(tmp_path / "home"), file) in {"backup-damaged", "backup-foreign"}
    assert tree(tmp_path) == before
    record("hostile-archives", tried=1, failed=0, where="restore")


def test_an_archive_of_a_newer_version_is_refused(backup, tmp_path):
    def newer(members):
        said = json.loads(members[0][1]) | {"version": 2}
        return [(members[0][0], json.dumps(said).encode()), *members[1:]]

    file = repacked(backup, tmp_path / "newer.tar.gz", newer)
    with pytest.raises(Refusal, match="newer version"):
        Pipeline(tmp_path / "home").restore(file)


def unpacked(file):
    """What a compressed file holds; None where it is damaged."""
    try:
        return gzip.decompress(file.read_bytes())
    except (OSError, EOFError, zlib.error):
        return None


@pytest.mark.timeout(1_200)
def test_an_archive_that_was_cut_off_or_has_changed_bytes_is_refused(backup, tmp_path):
    whole, chosen = backup.read_bytes(), random.Random(1)
    file, tried = tmp_path / "damaged.tar.gz", 2_000 if EVERY else 30
    for number in range(tried):
        place = chosen.randrange(10, len(whole))
        cut = whole[:place]
        file.write_bytes(cut if number % 2 else cut + bytes([whole[place] ^ 1 << number % 8]) + whole[place + 1 :])
        if not number % 2 and unpacked(file) == unpacked(backup):  # zeros are packed in several ways
            continue
        assert refused(Pipeline(tmp_path / "home"), file) in {"backup-damaged", "backup-foreign"}
        assert list(tmp_path.iterdir()) == [file]
    record("damaged-archives", tried=tried, failed=0, where="restore")


def test_a_home_that_is_there_is_put_aside_when_asked(pipeline, backup, tmp_path):
    assert refused(pipeline, backup) == "home-exists"
    pipeline.set_active(2, active=False, user=DIRECTOR)
    before = tree(tmp_path / "home")
    restored = pipeline.restore(backup, replace=True)
    assert restored.kept.startswith(str(tmp_path / "home.before-restore-"))
    kept = tree(tmp_path / Path(restored.kept).name)
    assert {name: kept[name] for name in before} == before
    assert pipeline.store.contact(2)["active"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", Path(restored.kept).name]


def test_an_empty_folder_and_a_link_to_a_home_are_restored_into(backup, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    restored = Pipeline(tmp_path / "link").restore(backup)
    assert restored.home == str(tmp_path / "empty")
    assert (tmp_path / "link").is_symlink()
    assert Pipeline(tmp_path / "link").store.contacts()


def test_a_home_that_is_served_or_used_is_not_replaced(pipeline, backup):
    home = pipeline.settings.home
    (home / "dagster").mkdir(exist_ok=True)
    lock = home / "dagster" / "serve.lock"
    hold = f"""
import fcntl, sys
file = open({str(lock)!r}, "a+")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()"""
    work = f"""
import sys
from contact_pipeline import Pipeline
Pipeline({str(home)!r}).uploads()
print("held", flush=True)
sys.stdin.read()"""
    for other in (hold, work):
        with subprocess.Popen([sys.executable, "-c", other], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"held\n"
            assert refused(pipeline, backup, replace=True) == "home-in-use"
            process.stdin.close()
    pipeline.restore(backup, replace=True)


def test_the_backup_of_another_home_does_not_replace_this_one(tmp_path, backup):
    other = Pipeline(tmp_path / "home")
    other.uploads()
    assert refused(other, backup, replace=True) == "home-differs"


def test_a_damaged_contact_database_is_replaced(pipeline, backup, tmp_path):
    pipeline.erase(1, user=DIRECTOR)
    pipeline.settings.contacts_path.write_bytes(b"not a database" * 1_000)
    restored = pipeline.restore(backup, replace=True)
    assert restored.erased == [1]
    assert "cannot be read" in restored.warnings[0]
    assert found(tmp_path / "home", TRACES) == set()


def test_whoever_was_erased_since_is_erased_again(pipeline, backup, tmp_path):
    pipeline.erase(1, user=DIRECTOR)
    restored = pipeline.restore(backup, replace=True)
    assert restored.erased == [1]
    home = tmp_path / "home"
    assert found(home, TRACES) == set()
    assert pipeline.store.contact(1)["erased"]
    assert pipeline.verify().findings == []
    bytes_searched = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    record("erasures-replayed", tried=bytes_searched, failed=0, where="restore --replace")


def test_where_the_home_is_lost_the_list_of_erasures_does_it(pipeline, backup, tmp_path):
    pipeline.erase(1, user=DIRECTOR)
    erasures = shutil.copy(pipeline.settings.erasures_path, tmp_path / "kept.jsonl")
    elsewhere = Pipeline(tmp_path / "elsewhere")
    assert elsewhere.restore(backup, erasures=erasures).erased == [1]
    assert found(tmp_path / "elsewhere", TRACES) == set()
    without = Pipeline(tmp_path / "without")
    assert "--erasures" in without.restore(backup).warnings[0]
    assert found(tmp_path / "without", TRACES)
    assert without.restore(backup, replace=True, erasures=erasures).erased == [1]
    assert found(tmp_path / "without", TRACES) == set()
    bytes_searched = sum(path.stat().st_size for path in elsewhere.settings.home.rglob("*") if path.is_file())
    record("erasures-replayed", tried=bytes_searched, failed=0, where="restore --erasures")


def test_the_list_of_erasures_says_nothing_of_the_person(pipeline):
    pipeline.erase(1, user=DIRECTOR)
    text = pipeline.settings.erasures_path.read_text().lower()
    assert not [trace for trace in TRACES if trace.lower() in text]
    assert len(text.splitlines()) == 1
    pipeline.erase(2, user=DIRECTOR)
    assert len(pipeline.settings.erasures_path.read_text().splitlines()) > 1


def test_the_list_of_another_home_is_refused(backup, tmp_path, small_erased):
    with pytest.raises(Refusal, match="not the list of erasures of the home of the backup"):
        Pipeline(tmp_path / "elsewhere").restore(backup, erasures=small_erased)
    assert not (tmp_path / "elsewhere").exists()


@pytest.fixture
def small_erased(tmp_path):
    """The list of erasures of another home."""
    pipeline = Pipeline(tmp_path / "other")
    file = write_book(tmp_path / "one.xlsx", PROGRAM, ("zoe@example.com", "Zoe", "Zorn", "", "", ""))
    pipeline.apply(pipeline.plan(file, "program_contacts").upload_id)
    pipeline.erase(1)
    return pipeline.settings.erasures_path


def test_somebody_who_came_and_was_erased_since_is_recognized_and_the_number_not_given_again(
    pipeline, backup, tmp_path
):
    ada = ("Ada", "(202) 555-0111", "", "Finch", "", "AC-314159", "ada.finch@example.com", "")
    file = write_csv(tmp_path / "ada.csv", OUTREACH, ada)
    planned = pipeline.plan(file, "outreach_contacts", group="Spring", user=DIRECTOR)
    pipeline.apply(planned.upload_id, user=DIRECTOR)
    number = max(contact["contact_id"] for contact in pipeline.store.contacts())
    pipeline.erase(number, user=DIRECTOR)
    assert pipeline.restore(backup, replace=True).erased == []
    again = pipeline.plan(file, "outreach_contacts", group="Spring", user=DIRECTOR)
    assert again.outcomes["review"] == 1
    ida = ("Ida", "(202) 555-0112", "", "Gray", "", "AC-271828", "ida.gray@example.com", "")
    planned = pipeline.plan(
        write_csv(tmp_path / "ida.csv", OUTREACH, ida), "outreach_contacts", group="Spring", user=DIRECTOR
    )
    pipeline.apply(planned.upload_id, user=DIRECTOR)
    assert max(contact["contact_id"] for contact in pipeline.store.contacts()) == number + 1


def test_an_upload_that_was_being_staged_and_holds_the_person_is_cancelled(filled, tmp_path):
    shutil.copytree(filled, tmp_path / "home")
    pipeline = Pipeline(tmp_path / "home")
    she = ("Quintessa", "(202) 555-0187", "219-09-9990", "Quennevais", "", "AC-778899", "quintessa.q@example.com", "")
    cut_off = pipeline.receive(
        write_csv(tmp_path / "late.csv", OUTREACH, she), "outreach_contacts", user=DIRECTOR, group="Late"
    )
    pipeline.backup(tmp_path / "home.tar.gz")
    pipeline.cancel(cut_off.upload_id, user=DIRECTOR)
    pipeline.erase(1, user=DIRECTOR)
    (tmp_path / "late.csv").unlink()
    restored = pipeline.restore(tmp_path / "home.tar.gz", replace=True)
    assert (restored.erased, restored.cancelled) == ([1], [cut_off.upload_id])
    assert found(tmp_path / "home", TRACES) == set()


def test_erasing_names_the_backups_in_the_home_that_hold_the_person(pipeline, capsys):
    pipeline.settings.backups_path.mkdir(exist_ok=True)
    pipeline.backup(pipeline.settings.backups_path / "monday.tar.gz")
    (pipeline.settings.backups_path / "notes.txt").write_text("ask quintessa.q@example.com")
    pipeline.backup(pipeline.settings.home / "elsewhere.tgz")
    left = pipeline.erase(1, user=DIRECTOR).left
    assert sorted(left) == ["backups/monday.tar.gz", "backups/notes.txt", "elsewhere.tgz"]
    pipeline.backup(pipeline.settings.backups_path / "tuesday.tar.gz")
    assert "backups/monday.tar.gz" in pipeline.erase(2, user=DIRECTOR).left


def test_erasing_names_the_homes_that_were_put_aside_and_hold_the_person(pipeline, backup):
    first = pipeline.restore(backup, replace=True).kept
    assert pipeline.erase(2, user=DIRECTOR).left == [first]
    second = pipeline.restore(backup, replace=True).kept
    assert second != first
    erased = pipeline.erase(1, user=DIRECTOR)
    assert erased.left == sorted([first, second])
    shutil.rmtree(first)
    third = pipeline.restore(backup, replace=True)
    assert third.erased == [1, 2]
    assert pipeline.erase(3, user=DIRECTOR).left == sorted([second, third.kept])


@pytest.mark.parametrize("swapped", [True, False], ids=["exchanged", "renamed"])
def test_homes_put_aside_in_one_second_lie_beside_each_other(pipeline, backup, tmp_path, monkeypatch, swapped):
    """Also where the system cannot exchange two folders in one call."""
    monkeypatch.setattr(copies, "now", lambda: datetime(2026, 1, 31, 12, tzinfo=UTC))
    if not swapped:
        monkeypatch.setattr(sys.modules["contact_pipeline.backup.exchange"], "_swapped", lambda *_: False)
    kept = [Path(pipeline.restore(backup, replace=True).kept).name for _ in range(3)]
    assert kept == [f"home.before-restore-20260131-120000{ending}" for ending in ("", "-2", "-3")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["home", *kept])
    assert pipeline.verify().findings == []


ODD = ("a [b]", "per%20cent", "it's", "ünï", "$(true)", " space ", "x" * 250)
TRIED = ODD if THOROUGH else ("".join(ODD[:-1]), ODD[-1])


@pytest.mark.parametrize("name", TRIED)
def test_backups_and_homes_may_have_odd_names(pipeline, tmp_path, name):
    folder = tmp_path / "odd" / name
    folder.mkdir(parents=True)
    file = folder / name
    pipeline.backup(file)
    for replace in (False, True):
        restored = Pipeline(folder / f"{name[:-2]}-h").restore(file, replace=replace)
        assert Pipeline(restored.home).verify().findings == []
    assert {path.name for path in folder.iterdir()} == {name, Path(restored.home).name, Path(restored.kept).name}


LIMITED = """
import resource, sys
from contact_pipeline.cli.app import run
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(run(sys.argv[2:]))
"""


@pytest.mark.parametrize("room", ["50000", "1000000"])
def test_a_full_disk_leaves_nothing_behind(filled, backup, tmp_path, room):
    """Files may not grow beyond so many bytes, as on a disk that is full."""
    home = shutil.copytree(filled, tmp_path / "home", ignore=shutil.ignore_patterns("temporary"))
    (home / "temporary").mkdir(mode=0o700)
    before = tree(tmp_path)
    for command in (
        ["backup", tmp_path / "file.tar.gz", "--home", home],
        ["restore", backup, "--home", tmp_path / "new"],
        ["restore", backup, "--home", home, "--replace"],
    ):
        ended = subprocess.run(
            [sys.executable, "-c", LIMITED, room, *command], capture_output=True, text=True, check=False
        )
        assert ended.returncode == 1
        assert ended.stderr.startswith("✗ A file may not grow any further")
        assert tree(tmp_path) == before


KILLED = """
import os, signal, sys, threading, time
from contact_pipeline import Pipeline
pipeline = Pipeline(sys.argv[1])
print("ready", flush=True)
def kill():
    time.sleep(float(sys.argv[3]))
    os.kill(os.getpid(), signal.SIGKILL)
threading.Thread(target=kill, daemon=True).start()
pipeline.restore(sys.argv[2], replace=True)
print("done", flush=True)
"""


@pytest.mark.timeout(1_200)
def test_killed_at_any_instant_the_home_is_the_old_one_or_the_new_one(pipeline, backup, tmp_path):
    pipeline.set_active(2, active=False, user=DIRECTOR)
    pipeline.erase(1, user=DIRECTOR)
    home, tried = tmp_path / "home", 60 if EVERY else examples(1, 2)
    saved = shutil.copytree(home, tmp_path / "saved")
    takes = 1_000.0
    chosen = random.Random(2)
    for number in range(tried + 1):
        for path in tmp_path.glob("home*"):
            shutil.rmtree(path)
        shutil.copytree(saved, home, ignore=shutil.ignore_patterns("temporary"))
        after = chosen.uniform(0, takes) if number else takes
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, home, backup, str(after)], stdout=subprocess.PIPE, text=True
        ) as restoring:
            assert restoring.stdout.readline() == "ready\n"
            started = time.monotonic()
            done = restoring.stdout.readline() == "done\n"
        if not number:
            takes = time.monotonic() - started
            assert done
        assert Pipeline(home).verify().findings == []
        assert found(home, TRACES) == set()
        if done:
            assert Pipeline(home).store.contact(2)["active"]  # as in the backup
        Pipeline(home).restore(backup, replace=True)
        assert Pipeline(home).store.contact(2)["active"]
        assert not list(tmp_path.glob("*.restoring"))
    record("restore-killed", tried=tried, failed=0, where="restore")


def test_the_command_line_backs_up_and_restores(pipeline, backup, tmp_path, capsys):
    home, file = str(tmp_path / "home"), str(tmp_path / "home.tar.gz")
    assert run_command(["backup", file, "--home", home, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["uploads"] == len(pipeline.uploads())
    assert run_command(["restore", file, "--home", home]) == 1
    assert "--replace" in capsys.readouterr().err
    assert run_command(["restore", file, "--home", home, "--replace"]) == 0
    assert "What was there lies in" in capsys.readouterr().out
