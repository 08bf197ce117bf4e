"""Runs in processes that are forked from one that has loaded what they need."""

import atexit
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dagster._grpc.server import DagsterApiServer
from dagster._grpc.types import StartRunResult
from dagster_shared.serdes import deserialize_value

import contact_pipeline
from contact_pipeline.orchestration.code_server import LOADED, CodeServer, _Forks, find_files

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


def test_once_the_program_was_replaced_no_run_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forked process would load the rest of it from the new files."""
    module = tmp_path / "contact_pipeline" / "__init__.py"
    module.parent.mkdir()
    module.write_text("")
    monkeypatch.setattr(contact_pipeline, "__file__", str(module))
    monkeypatch.setattr(DagsterApiServer, "StartRun", lambda *_: "started")
    server = CodeServer.__new__(CodeServer)
    server._loaded_from = find_files()
    (module.parent / "__pycache__").mkdir()
    (module.parent / "__pycache__" / "__init__.cpython-311.pyc").write_text("")  # what Python compiles changes nothing
    assert server.StartRun(None, None) == "started"

    new = tmp_path / "new"
    new.write_text("# another version")
    new.replace(module)
    result = deserialize_value(server.StartRun(None, None).serialized_start_run_result, StartRunResult)
    assert not result.success
    assert "Stop `serve` and start it again." in str(result.message)
