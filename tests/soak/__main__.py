"""Soaks a home, and prints what was done and what does not add up; status 1 where something does not.

python -m tests.soak [--uploads 500] [--kills 25] [--at-once 12] [--seed 1] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.soak import SETTINGS, Soak
from tests.trust import record


def main() -> int:
    """Does it, and says what was done and what does not add up."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Soak a home, and look at all promises.")
    parser.add_argument("--uploads", type=int, default=500)
    parser.add_argument("--kills", type=int, default=25, help="how often `serve` and all its processes are killed")
    parser.add_argument("--at-once", type=int, default=12, help="files that are dropped and not read yet, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="an empty one, which stays; unset: a temporary one")
    options = parser.parse_args()
    os.environ.update(SETTINGS)
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        soak, began = Soak(options.folder or Path(temporary), options.seed), time.monotonic()
        soak.live(options.uploads, options.kills, options.at_once)
        faults = list(soak.faults())
        kills = " and ".join(f"{soak.counts[name]} {name}" for name in ("kills of serve", "kills of commands"))
        record("soak", tried=options.uploads, failed=len(faults), where=kills)
        states = soak.pipeline.store.lines()
        for name, count in sorted(soak.counts.items()):
            print(f"{count:6,} {name}")
        for state in sorted({line.state for line in states}):
            print(f"{sum(line.state == state for line in states):6,} uploads are {state}")
        print(f"{len(faults):6,} faults in {time.monotonic() - began:,.0f} s")
        print("\n".join(faults))
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
