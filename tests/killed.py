"""A process that does something to a home, and is killed before a chosen step of it."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]

_CODE = """
import os, signal, sys
from pathlib import Path
from contact_pipeline import Pipeline
from contact_pipeline.engines import Database
steps = 0
def counted(function):
    def step(*arguments, **options):
        global steps
        steps += 1
        if steps == {last}:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return step
pipeline = Pipeline(sys.argv[1])
pipeline.store.lines()  # migrated before anything counts
{counting}
{does}
print(steps)
"""


def run_killed(home: Path, last: int, does: str, calls: Sequence[str]) -> tuple[int, str]:
    """How the process ended, and how many steps there are where it was not killed, or what it said.

    Args:
        home: of the pipeline.
        last: the step before which it is killed; 0: it is not.
        does: what is done with `pipeline`, in Python.
        calls: what counts as a step, such as `Database.run`.
    """
    counting = "\n".join(f"{call} = counted({call})" for call in calls)
    code = _CODE.format(last=last, counting=counting, does=does)
    command = [sys.executable, "-W", "error", "-c", code, str(home)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return ended.returncode, ended.stdout or ended.stderr
