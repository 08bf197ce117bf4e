"""Runs in processes that are forked from one that has loaded what they need."""

import atexit
import os
import subprocess
import sys
from pathlib import Path

from contact_pipeline.orchestration.code_server import LOADED, _Forks

WHAT_IS_LOADED = """
import importlib, os, sys
for module in {modules}:
    importlib.import_module(module)
print(len(os.listdir("/proc/self/task")), *sorted({unwanted} & sys.modules.keys()))
"""


def leave_behind(file: Path) -> None:
    """Writes the parent's process id when the process ends."""
    atexit.register(lambda: file.write_text(str(os.getppid())))


def test_what_is_loaded_before_a_fork_has_no_threads_and_does_not_know_the_home() -> None:
    unwanted = {"polars", "contact_pipeline.orchestration.definitions"}
    script = WHAT_IS_LOADED.format(modules=LOADED, unwanted=unwanted)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1"]


def test_a_forked_process_does_what_is_registered_for_its_end(tmp_path: Path) -> None:
    left, context = tmp_path / "left", _Forks()
    process = context.Process(target=leave_behind, args=(left,))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert int(left.read_text()) != os.getpid()  # forked by the process between them
