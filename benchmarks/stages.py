"""Where the time of one import goes: stage by stage, SQL statement by statement, and by function.

    python -m benchmarks.stages DATA [--top 12] [--functions] [--undo]

Runs the command line in this process on a copy of the home in DATA. Wall is the clock, CPU the time of all threads of
the process; a statement's time is in its stage's too. With --functions every function is timed as well, which itself
costs a little.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import os
import pstats
import re
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

STAGES = ("receive", "read", "normalize", "validate", "match", "apply", "undo")


class Clock:
    """Adds up wall and CPU seconds under (stage, what)."""

    def __init__(self) -> None:
        self.stage = "other"
        self.spent: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0])

    @contextmanager
    def running(self, what: str, stage: str | None = None) -> Iterator[None]:
        """Times a block, as a stage of its own or as a part of the one that runs."""
        before = self.stage
        self.stage = stage or before
        key, wall, busy = (self.stage, what), time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            spent = self.spent[key]
            spent[0] += time.perf_counter() - wall
            spent[1] += time.process_time() - busy
            spent[2] += 1
            self.stage = before


def main() -> None:
    """Imports, and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--top", type=int, default=12, help="statements and functions to show of each stage")
    parser.add_argument("--functions", action="store_true")
    parser.add_argument("--undo", action="store_true", help="undo the upload afterwards")
    options = parser.parse_args()
    started = _since_start()
    clock = Clock()
    _watch(clock)
    imported = _since_start()
    from benchmarks.import_file import ARGUMENTS

    with tempfile.TemporaryDirectory(dir=options.data) as folder:
        home = Path(folder) / "home"
        shutil.copytree(options.data / "home", home)
        profiler = cProfile.Profile() if options.functions else None
        if profiler:
            profiler.enable()
        wall, busy = time.perf_counter(), time.process_time()
        _command("import", str(options.data / "incoming.csv"), *ARGUMENTS, "--home", str(home))
        if options.undo:
            _command("undo", next((home / "staging").iterdir()).name, "--home", str(home))
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
        if profiler:
            profiler.disable()
        size = sum(file.stat().st_size for file in home.rglob("*") if file.is_file()) / 1e6
    print(f"\nstart of Python {started:.2f} s, imports {imported - started:.2f} s; home afterwards {size:,.0f} MB")
    _print(clock, wall, busy, options.top)
    if profiler:
        _print_functions(profiler, options.top * 3)


def _command(*arguments: str) -> None:
    from contact_pipeline.cli import main as command

    sys.argv = ["contact-pipeline", *arguments]
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            command()
    except SystemExit as end:
        if end.code:
            raise SystemExit(said.getvalue()) from end


def _since_start() -> float:
    """Seconds since this process was started."""
    ticks = int(Path("/proc/self/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def _watch(clock: Clock) -> None:
    """Has every stage and every statement timed."""
    from contact_pipeline.engines import Database
    from contact_pipeline.pipeline import Pipeline, stages

    for stage in STAGES:  # `plan` runs the middle ones itself, not by the pipeline's calls
        place = stages if hasattr(stages, stage) else Pipeline
        setattr(place, stage, _timed(getattr(place, stage), clock, lambda *_: "", stage))
    for name in ("run", "rows", "records", "frame"):  # `value` and `store` go through these
        timed = _timed(getattr(Database, name), clock, lambda _, sql, *__: _title(sql))
        setattr(Database, name, timed)


def _timed(work: Callable[..., Any], clock: Clock, title: Callable[..., str], stage: str | None = None) -> Any:
    def run(*arguments: Any, **named: Any) -> Any:
        with clock.running(title(*arguments), stage):
            return work(*arguments, **named)

    return run


def _title(sql: str) -> str:
    """The beginning of a statement, which names what it makes."""
    return re.sub(r"\d{2,}", "…", re.sub(r"\s+", " ", sql).strip())[:100]


def _print(clock: Clock, wall: float, busy: float, top: int) -> None:
    print(f"\n{'stage':12}{'wall s':>9}{'CPU s':>9}{'of it SQL':>12}")
    stages = [stage for stage in STAGES if (stage, "") in clock.spent]
    for stage in stages:
        spent = clock.spent[stage, ""]
        sql = sum(value[0] for (where, what), value in clock.spent.items() if where == stage and what)
        print(f"{stage:12}{spent[0]:9.2f}{spent[1]:9.2f}{sql:12.2f}")
    rest = [total - sum(clock.spent[stage, ""][n] for stage in stages) for n, total in enumerate((wall, busy))]
    print(f"{'around them':12}{rest[0]:9.2f}{rest[1]:9.2f}\n{'together':12}{wall:9.2f}{busy:9.2f}")
    for stage in [*stages, "other"]:
        of_stage = [
            (what, spent)
            for (where, what), spent in clock.spent.items()
            if where == stage and what and spent[0] >= 0.01
        ]
        if of_stage:
            print(f"\n{stage}\n{'wall s':>8}{'CPU s':>8}{'times':>7}  statement")
        for what, (seconds, cpu, times) in sorted(of_stage, key=lambda item: -item[1][0])[:top]:
            print(f"{seconds:8.2f}{cpu:8.2f}{times:7.0f}  {what}")


def _print_functions(profiler: cProfile.Profile, top: int) -> None:
    rows = []
    for (file, line, name), (_, calls, own, total, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        if "contact_pipeline" in file:
            rows.append((total, own, calls, f"{file.split('contact_pipeline/')[-1]}:{line} {name}"))
    print(f"\n{'total s':>8}{'own s':>8}{'calls':>8}  function")
    for total, own, calls, where in sorted(rows, reverse=True)[:top]:
        print(f"{total:8.2f}{own:8.2f}{calls:8d}  {where}")


if __name__ == "__main__":
    main()
