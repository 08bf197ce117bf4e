"""Every command works in a home, and on files, whose path is as odd as a file system allows; or refuses it in words.

`ODD_PATHS=all` tries all homes, and runs the whole demonstration in each.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.cli.app import run as run_command
from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings
from tests.thorough import spread
from tests.trust import record

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "data" / "samples"
DIRECTOR = "d.rivers"

HOMES = {
    "text": ' it\'s "odd" ; # %41 %% & $HOME `date` ! [red]bold <b> %(home)s {home} '
    "\N{GRINNING FACE} é e\u0301 日本 \u05d0\u05d1 \u202e",
    "patterns": "[1]*{ab}**[!x]",
    "user": "~",
    "address": "file:x",
    "controls": "new\nline\ttab\rreturn\x01\x7f",
    "long": "x" * 255,
    "dash": "-rf",
    "url": "sqlite:@localhost:1",
}
EVERY = os.environ.get("ODD_PATHS") == "all"
TRIED = HOMES if EVERY else {name: HOMES[name] for name in spread(("user", "text", "address", "patterns"), 2)}
REFUSED = {
    "comma": ("one,two", "a comma"),
    "question": ("what?", "a question mark"),
    "backslash": ("back\\slash", "a backslash"),
    "bytes": (os.fsdecode(b"caf\xe9"), "bytes that are no UTF-8"),
}
FILES = {**HOMES, **{name: odd for name, (odd, _) in REFUSED.items()}, "long": "x" * 250}


@pytest.fixture
def run(capsys, monkeypatch):
    """Runs a command that is done, for people where they would look, and gives its JSON document."""
    monkeypatch.delenv("CONTACT_PIPELINE_HOME", raising=False)

    def run_it(home, *words):
        capsys.readouterr()
        status = run_command(["--json", f"--home={home}", *(str(word) for word in words)])
        ended = capsys.readouterr()
        assert status == 0, (words, ended.out, ended.err)
        return json.loads(ended.out)

    return run_it


@pytest.mark.parametrize("odd", TRIED.values(), ids=TRIED)
def test_commands_work_in_a_home_with_an_odd_path(run, tmp_path, monkeypatch, odd):
    monkeypatch.chdir(tmp_path)
    go_through(run, odd)
    assert (tmp_path / odd / "contacts.duckdb").exists()
    assert list(tmp_path.iterdir()) == [tmp_path / odd]  # nothing went elsewhere
    record("odd-paths", tried=1, failed=0, where="home")


def test_commands_work_in_a_home_that_is_a_link(run, tmp_path):
    (tmp_path / "real [1]").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real [1]")
    go_through(run, tmp_path / "link")
    record("odd-paths", tried=1, failed=0, where="home")


def go_through(run, home):
    """Imports, looks, undoes and erases."""
    run(home, "users", "load", SAMPLES / "users.yaml")
    program = run(home, "import", SAMPLES / "program_contacts_1.xlsx", "-p", "program_contacts", "--yes")
    outreach = ("-p", "outreach_contacts", "--group", "Spring", "--user", DIRECTOR, "--yes")
    first = run(home, "import", SAMPLES / "outreach_contacts_1.csv", *outreach)
    second = run(home, "import", SAMPLES / "outreach_contacts_2.csv", *outreach)
    assert {upload["state"] for upload in (program, first, second)} == {"applied"}
    upload = second["upload_id"]
    assert Path(run(home, "rejected", upload)["file"]).exists()
    run(home, "in-review", upload)
    run(home, "show", upload, "--rows", "--changes")
    run(home, "undo", upload, "--plan")
    assert run(home, "undo", upload)["state"] == "undone"
    assert run(home, "redo", upload)["state"] == "applied"
    contact = next(each for each in run(home, "contacts", "list") if each["email"] and each["phone"])
    erased = run(home, "contacts", "erase", contact["contact_id"], "--yes")
    assert erased["rows"]
    assert not erased["left"]
    assert holding(Path(home), contact["email"].encode()) == []
    assert Pipeline(home).store.contact(contact["contact_id"])["erased"]
    run(home, "contacts", "history", contact["contact_id"])
    uploads, backup = run(home, "uploads"), Path(home) / "home.tar.gz"
    run(home, "backup", backup)
    restored = run(home, "restore", backup, "--replace")
    shutil.rmtree(restored["kept"])
    assert run(home, "uploads") == uploads
    assert run(home, "verify")["whole"]


def holding(home, value):
    """The files of a home that hold a value, in upper or lower case."""
    return [path for path in home.rglob("*") if path.is_file() and value.lower() in path.read_bytes().lower()]


@pytest.mark.parametrize(("odd", "mark"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("way", ["named", "working folder", "behind a link", "environment"])
def test_a_home_that_a_library_would_misread_is_refused_before_anything_is_written(
    tmp_path, monkeypatch, capsys, odd, mark, way
):
    folder = tmp_path / odd
    words = ["users", "load", str(SAMPLES / "users.yaml"), "--json"]
    if way == "named":
        words += ["--home", str(folder)]
    elif way == "environment":
        monkeypatch.setenv("CONTACT_PIPELINE_HOME", str(folder))
    else:
        folder.mkdir()
        if way == "working folder":
            monkeypatch.chdir(folder)
        else:
            (tmp_path / "link").symlink_to(folder)
            words += ["--home", str(tmp_path / "link")]
    before = sorted(tmp_path.rglob("*"))
    assert run_command(words) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["code"], error["message"].endswith(f"has {mark}.")) == ("home-path", True)
    assert sorted(tmp_path.rglob("*")) == before
    record("odd-paths", tried=1, failed=0, where="home")


@pytest.mark.parametrize(("odd", "mark"), REFUSED.values(), ids=REFUSED)
def test_python_refuses_such_a_home_too(tmp_path, odd, mark):
    with pytest.raises(Refusal, match=f"has {mark}"):
        Pipeline(tmp_path / odd)
    with pytest.raises(Refusal, match=f"has {mark}"):
        Pipeline(tmp_path / odd, settings=Settings(home=tmp_path / "home"))


@pytest.mark.parametrize("odd", [pytest.param(FILES[name], id=name) for name in spread([*FILES], 8)])
def test_files_with_odd_names_are_read_and_written(run, tmp_path, monkeypatch, odd):
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    csv, book = f"./{odd}.csv", f"./{odd}.xlsx"
    shutil.copyfile(SAMPLES / "outreach_contacts_2.csv", csv)
    shutil.copyfile(SAMPLES / "users.yaml", odd)
    run(home, "users", "load", f"./{odd}")
    assert run(home, "inspect", csv)["data_rows"]
    planned = run(
        home, "plan", csv, "-p", "outreach_contacts", "--group", "Spring", "--user", DIRECTOR, "--allow-rejected", 100
    )
    assert planned["state"] == "staged", planned
    run(home, "template", "program_contacts", "--example", "-o", book)
    assert run(home, "inspect", book)["data_rows"] == 1
    run(home, "rejected", planned["upload_id"], "-o", f"./{odd[:240]}.new.csv")
    record("odd-paths", tried=1, failed=0, where="file")


@pytest.mark.skipif(not EVERY, reason="a minute for every home")
@pytest.mark.parametrize("odd", HOMES.values(), ids=HOMES)
def test_the_whole_demonstration_runs_in_a_home_with_an_odd_path(tmp_path, odd):
    demo = [sys.executable, str(ROOT / "scripts" / "demo.py"), str(tmp_path / odd)]
    ended = subprocess.run(demo, capture_output=True, text=True, cwd=ROOT, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    record("odd-paths", tried=1, failed=0, where="demonstration")
