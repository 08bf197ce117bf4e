"""Files that are needed for a moment lie in the home, and are gone after the next start, however a process ended."""

import random
import sys
import time

import pytest

from contact_pipeline.temporary import temporary_folder
from tests.home.conftest import SSN
from tests.thorough import examples
from tests.trust import record

KILLS = examples(2, 6, "FILE_KILLS")
ADD = [*["contacts", "add", "--profile", "outreach_contacts", "--option", "group=S", "--yes", "--field"], f"ssn={SSN}"]

KILLED_AS_IT_ARRIVES = """
import os, signal, sys
from contact_pipeline.cli import main
from contact_pipeline.pipeline import Pipeline
Pipeline.receive = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
main(sys.argv[1:])
"""


def holding(folder):
    """The files that hold the number, but those that may: contacts, staged rows and originals."""
    files = [path for path in folder.rglob("*") if path.is_file() and SSN.encode() in path.read_bytes()]
    return [path for path in files if not {"staging", "uploads", "contacts.duckdb"} & set(path.parts)]


def test_a_contact_typed_in_lies_in_the_home_and_is_gone_after_the_next_start(start, command, home, tmp_path):
    killed = start(sys.executable, "-c", KILLED_AS_IT_ARRIVES, *ADD)
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    (left,) = holding(tmp_path)
    assert left.is_relative_to(home / "temporary")

    command("uploads")

    assert list(home.glob("temporary/*")) == []
    assert holding(tmp_path) == []


@pytest.mark.slow
def test_killed_at_any_moment_no_value_lies_about(start, command, home, tmp_path):
    moments, failed = random.Random(11), 0
    command("uploads")
    for _ in range(KILLS):
        process = start(sys.executable, "-m", "contact_pipeline", *ADD)
        time.sleep(moments.uniform(0.3, 1.4))
        process.kill()
        process.communicate()
        command("uploads")
        left = [*(tmp_path / "system").iterdir(), *(home / "temporary").iterdir(), *holding(tmp_path)]
        failed += bool(left)
    record("kill-and-search-temporary-files", tried=KILLS, failed=failed, where="contacts add")
    assert failed == 0


def test_the_folder_of_a_process_that_lives_is_left_alone(start, command, home):
    living = start(
        sys.executable, "-c",
        "import sys; from pathlib import Path; from contact_pipeline.temporary import temporary_folder;"
        "print(temporary_folder(Path(sys.argv[1])), flush=True); sys.stdin.read()",
        home, stdin=-1,
    )  # fmt: skip
    folder = living.stdout.readline().strip()

    command("uploads")
    assert [str(path) for path in (home / "temporary").iterdir()] == [folder]

    living.communicate("")
    assert list(home.glob("temporary/*")) == []


def test_a_folder_that_somebody_deleted_is_made_again(home):
    first = temporary_folder(home)
    assert temporary_folder(home) == first
    first.rmdir()
    assert temporary_folder(home).is_dir()


def test_looking_at_a_file_makes_no_home(command, people, home):
    assert "rosa@example.com" in command("inspect", people)
    assert not home.exists()


def test_what_earlier_versions_spilled_is_removed(command, home):
    command("uploads")
    (home / "spilled").mkdir()
    (home / "spilled" / "duckdb_temp_storage_DEFAULT-0.tmp").write_text(SSN)
    command("uploads")
    assert not (home / "spilled").exists()
