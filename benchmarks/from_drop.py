"""How long a file takes from the inbox to the contacts under `serve`, beside a job that does nothing.

    python -m benchmarks.from_drop [--times 5] [--rows 100] [--files 200]

A file is dropped and waited for, then an empty job's file, in turn; then many files are dropped at once.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.served import served
from contact_pipeline import Pipeline

PATIENCE = 900  # seconds
POLL = 0.2


def main(times: int, rows: int, files: int) -> None:
    """Measures in a home of its own."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        environment = {**os.environ, "CONTACT_PIPELINE_HOME": str(home), "CONTACT_PIPELINE_INBOX_SETTLE_SECONDS": "1"}
        with served("benchmarks.beside", environment):
            measure(home, times, rows, files)


def measure(home: Path, times: int, rows: int, files: int) -> None:
    """Drops files into a home that is served, and prints what took how many seconds."""
    inbox = home / "inbox" / "outreach_contacts"
    asked = home / "empty"
    asked.mkdir()
    pipeline = Pipeline(home)
    taken: list[tuple[float, float]] = []
    for number in range(times):
        drop = seconds(lambda n=number: put(inbox, f"drop-{n}", n, rows), lambda n=number: applied(pipeline) > n)
        empty = seconds(lambda n=number: (asked / str(n)).touch(), lambda n=number: not (asked / str(n)).exists())
        taken.append((drop, empty))
        print(f"one file {drop:5.1f} s   empty job {empty:5.1f} s", flush=True)
    drops, empties = (statistics.median(column) for column in zip(*taken, strict=True))
    print(f"median: one file of {rows} rows {drops:.1f} s, empty job {empties:.1f} s, {drops / empties:.1f} times")
    if files:
        both = seconds(
            lambda: [put(inbox, f"many-{n}", times + n, rows) for n in range(files)],
            lambda: applied(pipeline) == times + files,
        )
        print(f"{files} files of {rows} rows at once: {both:.1f} s")


def put(inbox: Path, name: str, number: int, rows: int) -> None:
    """Drops a file of people whom no other file has."""
    (inbox / f"{name}.csv.options.yaml").write_text("group: Spring\n")
    lines = [
        f"Rosa{row},Delgado{number},,,04/17/1984,AC-{number}-{row},rosa.{number}.{row}@example.com,02139"
        for row in range(rows)
    ]
    heading = "First name,Last name,Phone number,Social security number,Date of birth,Account number,Email,Zip code"
    unfinished = inbox / f"{name}.part"
    unfinished.write_text("\n".join([heading, *lines, ""]))
    unfinished.rename(inbox / f"{name}.csv")


def applied(pipeline: Pipeline) -> int:
    """How many uploads are applied."""
    return pipeline.store.count_lines(states=["applied"]) if pipeline.settings.contacts_path.exists() else 0


def seconds(begin: Callable[[], object], ended: Callable[[], bool]) -> float:
    """How long something takes from its beginning to its end."""
    started = time.monotonic()
    begin()
    while not ended():
        if time.monotonic() - started > PATIENCE:
            raise RuntimeError("it has not ended")
        time.sleep(POLL)
    return time.monotonic() - started


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.from_drop")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--files", type=int, default=200)
    options = parser.parse_args()
    main(options.times, options.rows, options.files)
