"""Runs Python code on a home in a process that is killed before a chosen step."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]

_SCRIPT = """
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
{wrapped}
{code}
print(steps)
"""


def run_killed(home: Path, last: int, code: str, calls: Sequence[str]) -> tuple[int, str]:
    """Runs the code; gives the exit status, and the number of steps if the process ended well, else its errors.

    Args:
        home: of the pipeline.
        last: the step before which the process is killed; 0: never.
        code: Python code that uses `pipeline`.
        calls: the functions whose calls are counted as steps, such as `Database.run`.
    """
    wrapped = "\n".join(f"{call} = counted({call})" for call in calls)
    script = _SCRIPT.format(last=last, wrapped=wrapped, code=code)
    command = [sys.executable, "-W", "error", "-c", script, str(home)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return process.returncode, process.stdout or process.stderr
