"""Whoever else works on the machine sees nothing of a home, at no moment, whatever mask the program is started with."""

import io
import os
import random
import re
import shutil
import sys
import time

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.cli.app import run
from contact_pipeline.owner_only import mend, owner_only
from tests.home.conftest import OUTREACH, SSN, open_to_others
from tests.thorough import examples
from tests.trust import record

ADD = [
    "contacts",
    "add",
    "--profile",
    "outreach_contacts",
    "--option",
    "group=S",
    "--field",
    "email=a@example.com",
    "--yes",
]
KILLS = examples(2, 6, "FILE_KILLS")


@pytest.fixture
def mask():
    """The mask under which everybody may do everything."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def told(home, tmp_path, capsys, mask, monkeypatch):
    """Runs a command in this process and looks at every file of the home, and at what was written beside it."""
    monkeypatch.chdir(tmp_path)
    tried = []

    def tell(*words, answer=""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        capsys.readouterr()
        status = run([*(str(word) for word in words), "--home", str(home)])
        assert status == 0, (words, capsys.readouterr())
        assert open_to_others(home) == [], words
        tried.append(words)
        return capsys.readouterr().out

    yield tell
    record("modes-after-commands", tried=len(tried), failed=0, where="every command")


def test_every_command_leaves_files_for_their_owner_only(told, home, tmp_path, people):
    (tmp_path / "users.yaml").write_text("- {login: dora, name: Dora, roles: [director], can_import: true}\n")
    (tmp_path / "words.txt").write_text("Family medicine\n")
    (tmp_path / "more.csv").write_text(f"{OUTREACH}\n,,{SSN},,,AC-3,,\n")
    (tmp_path / "leads.csv").write_text("Name,Phone,Email\nJordan Avery,,jordan@example.com\n")

    def newest():
        return Pipeline(home=home).uploads(1)[0].upload_id

    told("users", "load", "users.yaml")
    told("inspect", people)
    told("vocabularies", "load", "specialties", "words.txt")
    told("profiles")
    told("template", "program_contacts", "-o", "template.xlsx")
    told("value", "phone", "202-555-0143")
    told("plan", people, "--profile", "outreach_contacts", "--group", "Spring")
    told("show", newest(), "--rows")
    told("apply", first := newest())
    told("rejected", first)
    told("rejected", first, "-o", "rejected.xlsx")
    told("import", "more.csv", "--profile", "outreach_contacts", "--group", "Spring", "--yes")
    told("in-review", newest())
    told("in-review", newest(), "-o", "in_review.csv")
    told("resolve", newest(), "--row", "2", "--to", "new")
    told("decisions")
    told("undo", newest())
    told("redo", newest())
    told("plan", "more.csv", "--profile", "outreach_contacts", "--group", "Autumn")
    told("cancel", newest())
    told("import", "leads.csv", "--profile", "dealer_leads", "--lead-type", "SMS", "--user", "dora", "--yes")
    told("finalize", newest(), "--user", "dora")
    told(
        *[
            "contacts",
            "add",
            "--profile",
            "outreach_contacts",
            "--option",
            "group=S",
            "--field",
            "email=a@example.com",
            "--yes",
        ]
    )
    told("contacts", "deactivate", 1)
    told("contacts", "erase", 1, "--yes")
    told("verify")
    told("backup", "home.tar.gz")
    told("restore", "home.tar.gz", "--replace")
    for words in ("uploads", "contacts list", "contacts history 2", "accounts list", "groups list", "users list"):
        told(*words.split())

    (put_aside,) = tmp_path.glob(f"{home.name}.before-restore-*")
    for name in ("rejected.xlsx", "in_review.csv", "template.xlsx", "home.tar.gz", put_aside.name):
        assert open_to_others(tmp_path / name) == []


@pytest.mark.skipif(not shutil.which("strace") and not os.environ.get("CI"), reason="needs strace")
@pytest.mark.parametrize(
    "words",
    [
        "import people.csv --profile outreach_contacts --group Spring --yes",
        " ".join(ADD),
        "restore home.tar.gz",
    ],
)
def test_no_file_is_ever_made_for_others(words, start, home, tmp_path, people):
    """Content is written only once the mode is right: the mask holds at every creation, not only at the end."""
    other, calls = Pipeline(home=tmp_path / "other"), tmp_path / "calls"
    other.apply(other.plan(people, "outreach_contacts", group="Spring").upload_id)
    other.backup(tmp_path / "home.tar.gz")
    trace = ["strace", "-f", "-o", calls, "-e", "trace=openat,open,creat,mkdir,mkdirat,umask"]
    traced = start(*trace, sys.executable, "-m", "contact_pipeline", *words.split())
    out, err = traced.communicate(timeout=200)
    assert traced.returncode == 0, err + out
    mask, made, wrong = 0, 0, []
    for call in calls.read_text().splitlines():
        if found := re.search(r"umask\((\d+)\)", call):
            mask = int(found.group(1), 8)
        elif f'"{home}' in call and (found := re.search(r"(?:O_CREAT\S*|mkdir\S+|mkdirat.*), (0\d+)\)\s+= \d", call)):
            made += 1
            wrong += [call] if int(found.group(1), 8) & ~mask & 0o077 else []
    assert made > 10
    record("modes-at-creation", tried=made, failed=len(wrong), where=words.split()[0])
    assert wrong == []


@pytest.mark.slow
def test_killed_at_any_moment_nothing_is_open_to_others(start, command, home, tmp_path, people):
    moments, failed = random.Random(7), 0
    words = ["import", people, "--profile", "outreach_contacts", "--group", "Spring", "--yes", "--force"]
    for _ in range(KILLS):
        process = start(sys.executable, "-m", "contact_pipeline", *words)
        time.sleep(moments.uniform(0.3, 1.6))
        process.kill()
        process.communicate()
        failed += bool(home.exists() and open_to_others(home)) + bool(list((tmp_path / "system").iterdir()))
    record("kill-and-look-at-modes", tried=KILLS, failed=failed, where="import")
    assert failed == 0
    command("uploads")


def test_a_library_leaves_the_mask_of_its_caller_alone(home, people, mask):
    pipeline = Pipeline(home=home)
    planned = pipeline.plan(people, "outreach_contacts", group="Spring")
    pipeline.apply(planned.upload_id)
    assert open_to_others(home) == []
    assert os.umask(0) == 0


def test_the_mask_is_given_back_by_the_last_of_several_blocks(mask):
    with owner_only():
        with owner_only():
            pass
        assert os.umask(0o077) == 0o077
    assert os.umask(0) == 0


def test_a_home_that_is_open_is_mended_and_that_is_said_once(told, home, people, capsys, caplog):
    told("plan", people, "--profile", "outreach_contacts", "--group", "Spring")
    for path in (home, *home.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o644)

    told("uploads")
    told("uploads")

    said = [entry.getMessage() for entry in caplog.records]
    assert len(said) == 1
    assert said[0].startswith(f"{home} and ")
    assert "could be used by others" in said[0]


def test_one_open_file_is_mended_by_what_writes(told, home, people, caplog):
    told("plan", people, "--profile", "outreach_contacts", "--group", "Spring")
    (original,) = home.glob("uploads/*/original.csv")
    original.chmod(0o640)

    told(*ADD)

    assert str(original) in caplog.text


def test_the_inbox_stays_as_its_owner_lets_others_use_it(home, caplog):
    """Others drop files there; what was refused is nobody else's."""
    refused = home / "inbox" / "outreach_contacts" / "refused"
    refused.mkdir(parents=True)
    home.chmod(0o711)
    (home / "inbox").chmod(0o711)
    (home / "inbox" / "outreach_contacts").chmod(0o1733)
    refused.chmod(0o755)

    mend(home, whole=True)

    modes = [path.stat().st_mode & 0o7777 for path in (home, home / "inbox", refused.parent, refused)]
    assert modes == [0o711, 0o711, 0o1733, 0o700]


def test_what_is_not_ours_is_left_alone(home, tmp_path):
    """A link leads out of the home, and a folder may hold other things than a home."""
    outside = tmp_path / "outside.txt"
    outside.touch(mode=0o644)
    outside.chmod(0o644)
    home.mkdir(mode=0o700)
    (home / "staging").mkdir(mode=0o700)
    (home / "staging" / "link").symlink_to(outside)
    (home / "notes.txt").touch()
    (home / "notes.txt").chmod(0o644)

    mend(home, whole=True)

    assert outside.stat().st_mode & 0o777 == 0o644
    assert (home / "notes.txt").stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_what_belongs_to_somebody_else_is_said_in_words(start, command, home, people, monkeypatch, caplog):
    command("uploads")
    os.chown(home / "contacts.duckdb", 12345, 12345)
    (home / "contacts.duckdb").chmod(0o644)
    monkeypatch.setattr("pathlib.Path.chmod", _not_permitted)

    mend(home, whole=True)

    assert f"{home / 'contacts.duckdb'} can be used by others" in caplog.text


def _not_permitted(*_):
    raise PermissionError(1, "Operation not permitted")
