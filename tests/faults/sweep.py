"""Kills, interrupts and starves every command at every one of its writes, and checks the home afterwards.

    python -m tests.faults.sweep --command apply --kind kill --calls all

A command runs in a copy of one filled home; a call of it is made to go wrong (`faults.c`); then everything is tried
that must still work: the uploads and contacts are listed, another upload is applied, other people and the person
are erased, and the same command, done again, ends where it would have ended.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.erase.home import TRACES, found
from tests.faults.home import COMMANDS, NEW_HOMES, copy_home, leftovers, make_home, state_of, unreconciled, words

ROOT = Path(__file__).parents[2]
KINDS: Final = {
    "none": 0,
    "kill": 1,
    "tear": 2,
    "interrupt": 3,
    "full": 4,
    "broken": 5,
    "forbidden": 6,
    "room": 7,
    "read-only": 8,
}
_DEAD: Final = {"kill": -9, "tear": -9}
_ENVIRONMENT: Final = {
    "CONTACT_PIPELINE_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "CONTACT_PIPELINE_LOCK_WAIT_SECONDS": "5",
    "COLUMNS": "200",
}


def build_shim(folder: Path) -> Path:
    """Compiles `faults.c`.

    Raises:
        FileNotFoundError: there is no C compiler.
    """
    library = folder / "faults.so"
    source = Path(__file__).with_name("faults.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl", "-lpthread"], check=True)
    return library


class Worker:
    """A process that runs commands in forks of itself, under the shim."""

    def __init__(self, shim: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker"],
            cwd=ROOT,
            env={**os.environ, **_ENVIRONMENT, "LD_PRELOAD": str(shim)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, home: Path, *commands: list[str], **request: Any) -> dict[str, Any]:
        """Runs commands on a home in one fork."""
        every = [[*command, "--home", str(home)] for command in commands]
        self._process.stdin.write(json.dumps({"home": str(home), "commands": every, **request}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@dataclass
class Bench:
    """A filled home, the uploads in it, and the worker."""

    folder: Path
    made: dict[str, str]
    worker: Worker

    def words(self, command: str) -> list[str]:
        """A command as it is typed here."""
        return words(command, self.folder, self.made)

    def fresh(self, name: str, command: str) -> Path:
        """A copy of the filled home; no copy for a command that makes a home."""
        home = self.folder / name
        if command in NEW_HOMES:
            shutil.rmtree(home, ignore_errors=True)
            return home
        return copy_home(self.folder / "home", home)


@contextmanager
def bench() -> Iterator[Bench]:
    """Everything that a sweep needs, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name)
        shim = build_shim(folder)
        os.environ.setdefault("CONTACT_PIPELINE_THREADS", "1")
        made = make_home(folder)
        worker = Worker(shim)
        try:
            yield Bench(folder, made, worker)
        finally:
            worker.close()


@dataclass
class Sweep:
    """One command, and the state in which it ends undisturbed."""

    bench: Bench
    command: str
    quick: bool = False  # erase the person alone, not somebody else before

    def __post_init__(self) -> None:
        home = self.bench.fresh("undisturbed", self.command)
        log = self.bench.folder / "calls.txt"
        done = self.bench.worker.ask(home, self._words, environment={"FAULTS_LOG": str(log)})
        (ended,) = done["ended"]
        assert ended["status"] == 0, ended
        self.calls = [line.split(" ")[1:] for line in log.read_text().splitlines()]
        self.expected = state_of(home, list(self.bench.made.values()))

    @property
    def _words(self) -> list[str]:
        return self.bench.words(self.command)

    def at(self, kind: str, call: int, room: int = 0) -> list[str]:
        """Lets one call fail; gives what was wrong afterwards."""
        home = self.bench.fresh("home-under-test", self.command)
        done = self.bench.worker.ask(home, self._words, kind=KINDS[kind], at=call, room=room)
        problems = list(self._unlike(kind, done, home))
        copied = copy_home(home, self.bench.folder / "home-to-erase")
        return [*problems, *self._holds(home), *self._goes_on(home), *self._erases(copied)]

    def _unlike(self, kind: str, done: dict[str, Any], home: Path) -> Iterator[str]:
        """Whether the command ended otherwise than it should, in words."""
        if kind in _DEAD:
            if done["status"] != _DEAD[kind]:
                yield f"ended with {done['status']}, not killed"
            return
        for ended in done["ended"]:
            output = ended["out"] + ended["err"]
            if "Traceback" in output or "defect" in output or "panicked" in output or ended["status"] not in {0, 1}:
                yield f"said {output.strip()[-300:]!r}, status {ended['status']}"
            if ended["status"]:
                yield from self._untrue(home, output)

    def _untrue(self, home: Path, output: str) -> Iterator[str]:
        """Whether the command reported a wrong state of an upload, in words."""
        if not home.exists():
            return
        (listed,) = self.bench.worker.ask(home, ["uploads", "--json"])["ended"]
        for upload in json.loads(listed["out"]):
            reported = re.search(rf"Upload {upload['upload_id']} is (not planned|\w+)", output)
            if reported and reported.group(1).replace("not planned", "received") != upload["state"]:
                yield f"said {reported.group(0)!r}, but it is {upload['state']}"

    def _holds(self, home: Path) -> Iterator[str]:
        """Whether the uploads and contacts cannot be listed, in words."""
        if self.command in NEW_HOMES:
            return
        looks = [["uploads"], ["uploads", "--json"], ["contacts", "list"], ["groups", "list"]]
        looks += [["show", upload_id] for upload_id in self.bench.made.values()]
        yield from self._failed(home, *looks)

    def _goes_on(self, home: Path) -> Iterator[str]:
        """Whether the repeated command ends otherwise than undisturbed, or leaves files behind, in words."""
        # A folder in .arriving is given up only when it is ten minutes old.
        for arriving in (home / "uploads" / ".arriving").glob("*"):
            for path in (*arriving.iterdir(), arriving):
                os.utime(path, (0, 0))
        again = self.bench.worker.ask(home, self._words)
        outputs = [ended["out"] + ended["err"] for ended in again["ended"]]
        if any("Traceback" in words or "defect" in words for words in outputs) or not outputs:
            yield f"again: {outputs}"
        now = state_of(home, list(self.bench.made.values()))
        for name, wanted in self.expected.items():
            if now[name] != wanted:
                yield f"again, {name} differ: {now[name]} instead of {wanted}; it said {outputs}"
        yield from (f"left behind: {name}" for name in leftovers(home))
        yield from unreconciled(home)

    def _erases(self, home: Path) -> Iterator[str]:
        """Whether another upload cannot be applied, or a person cannot be erased, in words."""
        if self.command in NEW_HOMES:
            plan = ["import", str(self.bench.folder / "new.csv"), "--profile", "outreach_contacts"]
            yield from self._failed(home, [*plan, "--group", "Late", "--yes"], ["contacts", "erase", "1", "--yes"])
            return
        made = self.bench.made
        later = ["import", str(self.bench.folder / "later.csv"), "--profile", "outreach_contacts", "--group", "Late"]
        yield from self._failed(home, ["apply", made["other"]], [*later, "--yes"], ["undo", made["before"]])
        being_staged = [
            ["cancel", upload["upload_id"]]
            for upload in json.loads(self.bench.worker.ask(home, ["uploads", "--json"])["ended"][0]["out"])
            if upload["state"] == "received"
        ]
        erase = [["contacts", "erase", number, "--yes"] for number in ("1" if self.quick else "21")]
        yield from self._failed(home, *being_staged, *erase, allowed=("erased already",))
        yield from (f"left behind after erasing: {path.name}" for path in home.rglob("*.blocks*"))
        left = sorted({name for name, _ in found(home, TRACES)})
        if left:
            yield f"the person is still in {left}"

    def _failed(self, home: Path, *commands: list[str], allowed: tuple[str, ...] = ()) -> Iterator[str]:
        done = self.bench.worker.ask(home, *commands)
        if len(done["ended"]) != len(commands):
            yield f"{commands[len(done['ended'])]} ended with {done['status']}"
        for ended in done["ended"]:
            output = ended["out"] + ended["err"]
            if ended["status"] != 0 and not any(words in output for words in allowed):
                yield f"{' '.join(ended['words'][:3])} failed: {output.strip()[-400:]}"


def chosen(sweep: Sweep, kind: str, calls: str) -> list[int]:
    """The calls to disturb: `all`, numbers with commas, or `every:N`."""
    numbers = [
        number
        for number, (name, _, size) in enumerate(sweep.calls, 1)
        if kind != "tear" or ("write" in name and int(size) > 1)
    ]
    if calls == "all":
        return numbers
    if calls.startswith("every:"):
        return numbers[:: int(calls.removeprefix("every:"))]
    return [int(number) for number in calls.split(",")]


def main() -> int:
    """Runs the sweep, and prints what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", choices=[*COMMANDS, "all"], action="append", required=True)
    parser.add_argument("--kind", choices=[*KINDS][1:7], default="kill")
    parser.add_argument("--calls", default="all", help="all, every:N, or numbers with commas")
    given = parser.parse_args()
    tried = failed = 0
    with bench() as made:
        for command in COMMANDS if "all" in given.command else given.command:
            sweep = Sweep(made, command)
            wanted = chosen(sweep, given.kind, given.calls)
            print(f"== {command}: {len(sweep.calls)} calls, {len(wanted)} tried", flush=True)  # noqa: T201
            for call in wanted:
                problems = sweep.at(given.kind, call)
                tried, failed = tried + 1, failed + bool(problems)
                for problem in problems:
                    print(f"{command} {call} {' '.join(sweep.calls[call - 1])}: {problem[:1500]}", flush=True)  # noqa: T201
    print(f"{tried} tried, {failed} failed")  # noqa: T201
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
