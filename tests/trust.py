"""What attacks were tried: tests record it here, and docs/trust.md is made of it (docs/generate_trust.py).

Nothing is written unless TRUST_RECORD names a file; one line a record, so that tests running at once can share it.
"""

import json
import os
from pathlib import Path


def record(attack: str, *, tried: int, failed: int, where: str = "") -> None:
    """Records that an attack was tried so many times and did harm so many times.

    Args:
        attack: one of the attacks of docs/trust.yaml, such as `kill-at-writes`; several records of one add up.
        tried: how many kills, faults, sequences, inputs or bytes.
        failed: how many of them broke a promise; a test that records one fails, too.
        where: what of it, for the page: a command, a file, a system call.
    """
    file = os.environ.get("TRUST_RECORD")
    if file:
        line = json.dumps({"attack": attack, "tried": tried, "failed": failed, "where": where})
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(line + "\n")
