"""At a terminal long work shows its stage, the rows done and the time left, on one line; elsewhere nothing is shown."""

import os
import subprocess
import sys
import termios

import pytest

SCRIPT = """
import sys
from contact_pipeline.cli import console
from contact_pipeline.watched import tell
with console.without_progress(sys.argv[1:] == ["--json"]), console.busy("a rather long name of a file.csv"):
    tell("normalizing", 0, 3_000_000)
    tell("normalizing", 250_000, 3_000_000)
with console.without_progress(sys.argv[1:] == ["--json"]), console.busy("Applying"):
    tell("applying", step="writing the changes")
"""


@pytest.fixture
def seen():
    """What the script leaves on a terminal of 80 columns, its escapes included."""

    def run(*arguments):
        master, slave = os.openpty()
        termios.tcsetwinsize(slave, (24, 80))
        environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR"}}
        shown = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *arguments], stderr=slave, env=environment | {"TERM": "xterm"}
        )
        os.close(slave)
        said = b""
        try:
            while piece := os.read(master, 4096):
                said += piece
        except OSError:  # the other end is closed
            pass
        os.close(master)
        assert shown.wait(30) == 0, said
        return said.decode()

    return run


def test_a_stage_shows_its_rows_and_the_time_left(seen):
    said = seen()
    assert "normalizing: 250,000 of 3,000,000 rows" in said
    assert "a rather long nam… " in said
    assert "0:01 left" in said
    assert said.count("\n") == 2  # at the end of each, taken back: all that went before was drawn on one line
    assert "writing the changes" in said
    assert "applying:" not in said


def test_no_progress_is_shown_to_a_program(seen):
    assert seen("--json") == ""
    piped = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True)
    assert piped.stdout + piped.stderr == b""
