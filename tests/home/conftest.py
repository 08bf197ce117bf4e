"""A home, commands on it in a process of their own, and what others could read of it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OUTREACH = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code"
SSN = "219-09-9998"


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def people(tmp_path):
    """A file of which one row is rejected."""
    file = tmp_path / "people.csv"
    rows = [f"Rosa,,{SSN},Delgado,,AC-1,rosa@example.com,02139", "Ian,,219-09-99,Moss,,AC-2,ian@example.com,"]
    file.write_text("\n".join([OUTREACH, *rows]) + "\n", encoding="utf-8")
    return file


@pytest.fixture
def start(home, tmp_path):
    """Starts a process on the home with umask 0, so that only the program itself keeps others out."""
    (tmp_path / "system").mkdir()
    inherited = {name: value for name, value in os.environ.items() if name != "COLUMNS"}  # as wide as when piped
    environment = inherited | {
        "TMPDIR": str(tmp_path / "system"),
        "CONTACT_PIPELINE_HOME": str(home),
        "PYTHONPATH": str(ROOT),
    }

    def start_it(*words, **options):
        return subprocess.Popen(
            [str(word) for word in words], cwd=tmp_path, env=environment, umask=0, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
        )  # fmt: skip

    return start_it


@pytest.fixture
def command(start):
    """Runs a command to its end; gives its output."""

    def run(*words, status=0):
        ended = start(sys.executable, "-m", "contact_pipeline", *words)
        out, err = ended.communicate(timeout=120)
        assert ended.returncode == status, err + out
        return out

    return run


def open_to_others(folder: Path) -> list[str]:
    """The files and folders that other users could read, change or pass through."""
    paths = [folder, *folder.rglob("*")]
    return [f"{path.lstat().st_mode:o} {path}" for path in paths if stat.S_IMODE(path.lstat().st_mode) & 0o077]
