"""Runs commands of the command line in forks of a process that has loaded everything, with one call made to go wrong.

A request is a line of JSON on stdin: home, commands (lists of words), jobs (name, partition and configuration of a
Dagster run, its instance in the home), kind, at and room as `faults.c` has them, and limits (`setrlimit` name →
value). The answer is a line on stdout: status (negative: the signal that ended the fork), calls, and for each command
that ended its status, out and err.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import io
import json
import os
import resource
import signal
import sys
import traceback
from typing import Any

import contact_pipeline.erase
import contact_pipeline.pipeline.committing
import contact_pipeline.pipeline.stages
import contact_pipeline.reports.corrections
import contact_pipeline.reports.template
import contact_pipeline.upload.read
import contact_pipeline.validate.schema  # noqa: F401
from contact_pipeline.cli.app import run


def _fork(request: dict[str, Any]) -> dict[str, Any]:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _in_fork(request, write)
    os.close(write)
    with os.fdopen(read, "rb") as answers:
        lines = answers.read().splitlines()
    _, status = os.waitpid(child, 0)
    said = [json.loads(line) for line in lines]
    return {
        "status": os.waitstatus_to_exitcode(status),
        "calls": next((line["calls"] for line in said if "calls" in line), None),
        "ended": [line for line in said if "out" in line],
    }


def _in_fork(request: dict[str, Any], answers: int) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name, value in request.get("limits", {}).items():
        resource.setrlimit(getattr(resource, name), (value, value))
    os.environ |= request.get("environment", {})
    shim = ctypes.CDLL(None)
    shim.faults_calls.restype = ctypes.c_long
    shim.faults_arm(
        os.fsencode(request["home"]),
        request.get("kind", 0),
        ctypes.c_long(request.get("at", 0)),
        ctypes.c_long(request.get("room", 0)),
    )
    status = 0
    try:
        for words in request["commands"]:
            out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = run(words)
            said = [stream.buffer.getvalue().decode() for stream in (out, err) if not stream.flush()]
            ended = {"words": words, "status": status, "out": said[0], "err": said[1]}
            os.write(answers, json.dumps(ended).encode() + b"\n")
        for name, partition, config in request.get("jobs", ()):
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = _run_job(request["home"], name, partition, config)
            ended = {"words": [name], "status": status, "out": out.getvalue(), "err": err.getvalue()}
            os.write(answers, json.dumps(ended).encode() + b"\n")
        atexit._run_exitfuncs()
    except BaseException:  # noqa: BLE001 - said in the answer
        status = 99
        ended = {"words": [], "status": 99, "out": "", "err": traceback.format_exc()}
        os.write(answers, json.dumps(ended).encode() + b"\n")
    finally:
        shim.faults_arm(b"/nowhere", 0, 0, 0) if request.get("kind") else None
        os.write(answers, json.dumps({"calls": shim.faults_calls()}).encode() + b"\n")
        os._exit(status if isinstance(status, int) else 1)


def _run_job(home: str, name: str, partition: str, config: dict[str, Any]) -> int:
    """Runs a job on one upload as a run worker does; 0 if the run succeeded."""
    import dagster as dg

    from contact_pipeline.orchestration.definitions import build_definitions
    from contact_pipeline.orchestration.resources import PipelineResource

    definitions = build_definitions({"pipeline": PipelineResource(home=home)})
    with dg.DagsterInstance.from_config(f"{home}/dagster") as instance:
        instance.add_dynamic_partitions("uploads", [partition])
        job = definitions.resolve_job_def(name)
        done = job.execute_in_process(
            instance=instance,
            tags={"dagster/partition": partition},
            run_config=config,
            raise_on_error=False,
        )
    return int(not done.success)


def main() -> None:
    """Answers requests until stdin ends."""
    for line in sys.stdin:
        request = json.loads(line)
        if request.get("jobs"):
            import contact_pipeline.orchestration.definitions  # noqa: F401 - once, not in every fork
        print(json.dumps(_fork(request)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
