"""Tests record their attacks here; docs/generate_trust.py makes docs/trust.md from the records.

Nothing is written unless TRUST_RECORD names a file. Each record is one line, so that parallel tests can share the file.
"""

import json
import os
from pathlib import Path


def record(attack: str, *, tried: int, failed: int, where: str = "") -> None:
    """Records that an attack was tried so many times and did harm so many times.

    Args:
        attack: an attack of docs/trust.yaml, such as `kill-at-writes`; several records of one attack add up.
        tried: how many kills, faults, sequences, inputs or bytes.
        failed: how many of them broke a promise; a test that records one fails, too.
        where: what was attacked, for the page: a command, a file, a system call.
    """
    file = os.environ.get("TRUST_RECORD")
    if file:
        line = json.dumps({"attack": attack, "tried": tried, "failed": failed, "where": where})
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(line + "\n")
