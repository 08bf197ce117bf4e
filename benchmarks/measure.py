"""Runs a program and says what it took: seconds, the processors' seconds and the most memory, children included."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Taken:
    """What one run of a program took: seconds, seconds of all processors, and MB at its peak."""

    wall: float
    cpu: float
    memory: float


def measured(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Taken:
    """Runs a program to its end, its output in a file.

    Memory is that of the program or of the largest of its children, whichever is more; the kernel counts this process
    in, which is why it imports little.

    Raises:
        RuntimeError: the program failed; the message ends with the end of what it said.
    """
    with log.open("wb") as said:
        start = time.perf_counter()
        program = subprocess.Popen(command, stdout=said, stderr=said, env={**os.environ, **(environment or {})})
        try:
            _, status, used = os.wait4(program.pid, 0)
        except BaseException:
            program.kill()
            program.wait()
            raise
        wall = time.perf_counter() - start
        program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        end = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(command)} ended with {program.returncode}:\n{end}")
    return Taken(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
