"""Matching on DuckDB, on Sail or on a server of Apache Spark: seconds, processor time and memory of stage 4.

    python -m benchmarks.engines DATA ENGINE [PID]

DATA is a folder of make_contacts; a file is read, normalized and validated in a copy of its home before the clock runs.
ENGINE is `duckdb`, `sail` or the address of a server, whose process PID is counted as well. It runs in the environment
of the extra `spark`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.make_contacts import PROFILE
from contact_pipeline import Pipeline
from contact_pipeline.engines import Tables
from contact_pipeline.engines.spark import SparkTables, open_session
from contact_pipeline.match import match
from contact_pipeline.pipeline.states import resolved
from contact_pipeline.store import Staging, Store

STAGED = ("normalized_rows", "noted_cells", "rejections", "blank_rows")


def main(data: Path, engine: str, server: int | None = None) -> dict[str, object]:
    """What matching took."""
    with tempfile.TemporaryDirectory(dir=data) as folder:
        home = Path(folder) / "home"
        shutil.copytree(data / "home", home)
        pipeline = Pipeline(home=home)
        upload_id = pipeline.receive(data / "incoming.csv", PROFILE.stem).upload_id
        for stage in (pipeline.read, pipeline.normalize, pipeline.validate):
            stage(upload_id)
        line, staging = pipeline.store.line(upload_id), pipeline.store.staging(upload_id)
        facts, (profile, options) = staging.normalized_facts(), resolved(line)
        processes = [os.getpid(), *([server] if server else [])]
        wall, busy = time.perf_counter(), _busy(processes)
        with _tables(engine, pipeline.store, staging, Path(folder)) as tables:
            started, started_busy = time.perf_counter(), _busy(processes)
            found = match(
                tables,
                pipeline.store,
                profile,
                options,
                upload_id=upload_id,
                columns=facts.columns_normalized,
                headings=facts.headings_by_field(profile),
            )
            ended, ended_busy = time.perf_counter(), _busy(processes)
    return {
        "engine": engine,
        "session_seconds": round(started - wall, 2),
        "session_processor_seconds": round(started_busy - busy, 2),
        "match_seconds": round(ended - started, 2),
        "match_processor_seconds": round(ended_busy - started_busy, 2),
        "peak_mb": {process: _peak(process) for process in processes},
        "sha256": found.sha256,
    }


@contextmanager
def _tables(engine: str, store: Store, staging: Staging, folder: Path) -> Iterator[Tables]:
    """The upload's tables on an engine."""
    if engine == "duckdb":
        with staging.open() as staged:
            yield staged
        return
    if engine == "sail":
        from pysail.spark import SparkConnectServer

        server = SparkConnectServer(port=0)
        server.start(background=True)
        engine = f"sc://127.0.0.1:{server.listening_address[1]}"
    session = open_session(engine, 30)
    tables = SparkTables(session, folder, store.settings)
    with staging.open(read_only=True) as staged:
        for name in STAGED:
            tables.see(name, staged.frame(f"FROM {name}"))
    yield tables
    session.stop()


def _busy(processes: list[int]) -> float:
    """Processor seconds of processes so far."""
    fields = (Path(f"/proc/{each}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split() for each in processes)
    return sum(int(field[11]) + int(field[12]) for field in fields) / os.sysconf("SC_CLK_TCK")


def _peak(process: int) -> int:
    """The most memory that a process had, in MB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) // 1000


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:]))), flush=True)
    os._exit(0)  # Sail's server does not end by itself
