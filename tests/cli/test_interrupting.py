"""Ctrl-C: wherever it comes, the command ends with one line, and the upload leaves nothing but its ledger line."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

HEADINGS = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code"


@pytest.fixture
def big_file(tmp_path):
    file = tmp_path / "people.csv"
    lines = (f"Rosa,,,Delgado,,AC-{n},rosa{n}@example.com,02139\n" for n in range(150_000))
    with file.open("w", encoding="utf-8") as opened:
        opened.write(HEADINGS + "\n")
        opened.writelines(lines)
    return file


@pytest.mark.slow
@pytest.mark.parametrize(
    "reached", ["uploads/*/original.csv", "staging/*/raw-*.parquet", "staging/*/normalized-*.parquet"]
)
def test_an_interrupted_plan_is_cancelled(reached, big_file, home, run):
    """B5: cancelled at any time before it is complete, an upload leaves nothing behind but its ledger line."""
    words = ["plan", big_file, "--profile", "outreach_contacts", "--group", "Spring", "--json", "--home", home]
    command = [sys.executable, "-m", "contact_pipeline", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as planning:
        deadline = time.monotonic() + 60
        while not list(home.glob(reached)) and time.monotonic() < deadline and planning.poll() is None:
            time.sleep(0.005)
        planning.send_signal(signal.SIGINT)
        out, err = planning.communicate(timeout=60)
    assert planning.returncode == 1
    assert '"interrupted"' in out
    assert "Traceback" not in err
    (line,) = run("uploads", "--json").document
    assert (line["state"], line["changeset_sha256"]) == ("cancelled", None)
    assert not list(home.glob("staging/*/*"))
    assert not list(home.glob("uploads/*/*"))


def test_ctrl_c_between_receiving_and_staging_cancels_as_well(run, tmp_path, home, monkeypatch):
    """B5: there is no moment at which Ctrl-C leaves an upload received, with nobody at work on it."""

    def interrupt(*_arguments, **_options):
        raise KeyboardInterrupt

    file = tmp_path / "people.csv"
    file.write_text(f"{HEADINGS}\nRosa,,,Delgado,,AC-1,rosa@example.com,\n", encoding="utf-8")
    monkeypatch.setattr("contact_pipeline.pipeline.planning.plan", interrupt)
    ended = run("plan", file, "--profile", "outreach_contacts", "--group", "Spring", "--json")
    (line,) = run("uploads", "--json").document
    assert (ended.status, line["state"]) == (1, "cancelled")
    assert ended.document["error"]["message"].count(line["upload_id"]) == 1
    assert not list(home.glob("uploads/*/*"))


def test_ctrl_c_at_the_question_cancels(run, tmp_path, home, monkeypatch):
    """B5, C1: giving up at the last question imports nothing."""

    def interrupt(*_arguments, **_options):
        raise KeyboardInterrupt

    file = tmp_path / "people.csv"
    file.write_text(f"{HEADINGS}\nRosa,,,Delgado,,AC-1,rosa@example.com,\n", encoding="utf-8")
    monkeypatch.setattr("typer.confirm", interrupt)
    ended = run("import", file, "--profile", "outreach_contacts", "--group", "Spring", "--json")
    assert (ended.status, ended.document["state"]) == (1, "cancelled")
    assert not list(home.glob("staging/*/*"))


def test_a_reader_that_has_enough_is_no_error(home):
    """`… | head` closes the pipe."""
    command = f"{sys.executable} -m contact_pipeline profiles --json --home {home} | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[\n", "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_all_letters_shows_the_others_as_escapes(run, outreach, home, encoding):
    """The command had done its work, and then called this a defect of the program."""
    file = outreach("Łukasz,,,Delgado,,AC-1,lukasz@example.com,02139")
    run("import", file, "--profile", "outreach_contacts", "--group", "Spring", "--yes")

    def listed(*options):
        command = [sys.executable, "-m", "contact_pipeline", "contacts", "list", *options, "--home", str(home)]
        environment = os.environ | {"PYTHONIOENCODING": encoding}
        return subprocess.run(command, capture_output=True, encoding=encoding, check=True, env=environment).stdout

    assert r"\u0141ukasz" in listed()
    assert [contact["first_name"] for contact in json.loads(listed("--json"))] == ["Łukasz"]


@pytest.mark.parametrize(
    ("command", "ending", "status"),
    [
        ("profiles", ">&-", 0),  # closed streams
        ("undo 20200101-000000-000000", "<&-", 1),
        ("profiles show nothing", "2>&-", 1),
        ("profiles --json", ">/dev/full", 1),
    ],
)
def test_streams_that_are_closed_or_full_are_no_defect(home, command, ending, status):
    line = f"{sys.executable} -m contact_pipeline {command} --home {home} {ending}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (status, False), done.stderr
