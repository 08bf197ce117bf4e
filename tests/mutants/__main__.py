"""Makes each fault of faults.yaml in a copy of the tree, runs the tests of its room, and names those that none saw.

    python -m tests.mutants                 all of them
    python -m tests.mutants match apply     those of some rooms, or by name

A fault that the tests see is killed; one that they do not see is a survivor. A survivor with a reason in faults.yaml
is known; any other one, and a reason beside a fault that is seen, ends the run with status 1.
"""

from __future__ import annotations

import argparse
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.mutants.faults import ROOT, Fault, load

_TIMEOUT: Final = 900  # seconds for the tests of one fault
_FAILED: Final = 1  # pytest: some test failed; anything else above it is no answer


def main(arguments: list[str] | None = None) -> int:
    """Tries the chosen faults, and prints the result of each."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Try deliberate faults.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="rooms or faults; none: all")
    parser.add_argument("--jobs", type=int, default=1, help="how many at once, each in a copy of its own")
    options = parser.parse_args(arguments)
    faults = [f for f in load() if not options.names or {f.room, f.name} & {*options.names}]
    if not faults:
        parser.error(f"there is no room and no fault called {' or '.join(options.names)}")
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies: queue.Queue[Copy] = queue.Queue()
        for number in range(options.jobs):
            copies.put(Copy(Path(folder) / str(number)))
        lock, unexpected = threading.Lock(), []

        def one(fault: Fault) -> None:
            copy = copies.get()
            try:
                started = time.monotonic()
                seen, said = copy.attempt(fault)
            finally:
                copies.put(copy)
            with lock:
                if seen is None or seen is bool(fault.survives):
                    unexpected.append(fault)
                print(f"{_word(fault, seen):9} {fault.room}/{fault.name} ({time.monotonic() - started:.0f} s)  {said}",
                      flush=True)  # fmt: skip

        with ThreadPoolExecutor(options.jobs) as pool:
            list(pool.map(one, faults))
    reasoned = sum(bool(fault.survives) for fault in faults)
    print(f"{len(faults)} faults, {reasoned} with a reason to survive, {len(unexpected)} not as expected")
    for fault in unexpected:
        print(f"  {fault.room}/{fault.name}: {fault.file}")
    return 1 if unexpected else 0


def _word(fault: Fault, seen: bool | None) -> str:
    if seen is None:
        return "BROKEN"
    if seen:
        return "SEEN" if fault.survives else "killed"
    return "known" if fault.survives else "SURVIVED"


class Copy:
    """A copy of the working tree, without the files that git ignores."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT, capture_output=True, check=True,
        )  # fmt: skip
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        self._written = time.time()

    def attempt(self, fault: Fault) -> tuple[bool | None, str]:
        """Whether a test fails with the fault (None: the tests could not be run), and which test, or why not."""
        path = self._folder / fault.file
        good = path.read_text(encoding="utf-8")
        self._write(path, fault.applied_to(good))
        try:
            return self._run(fault)
        finally:
            self._write(path, good)

    def _write(self, path: Path, text: str) -> None:
        """Writes a module with a new time: Python compiles again only if the size or the time in seconds differs."""
        path.write_text(text, encoding="utf-8")
        self._written += 2
        os.utime(path, (self._written, self._written))

    def _run(self, fault: Fault) -> tuple[bool | None, str]:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist",
                   *(f"--deselect={each}" for each in fault.without), *fault.tests]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(self._folder), "CASES": "1000000"}
        environment.pop("TRUST_RECORD", None)
        try:
            ran = subprocess.run(
                command, cwd=self._folder, env=environment, capture_output=True, text=True, check=False,
                timeout=_TIMEOUT, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None, f"no end within {_TIMEOUT} s, which a busy machine can be the reason of"
        failed = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        said = failed[0] if failed else (ran.stdout + ran.stderr).strip().splitlines()[-1:]
        text = said if isinstance(said, str) else " ".join(said)
        if ran.returncode == 0:
            return False, text[:150]
        # Python ends with the status of a failed test where it cannot start pytest at all.
        return (True if ran.returncode == _FAILED and failed else None), text[:150]


if __name__ == "__main__":
    sys.exit(main())
