"""Runs the benchmarks, checks every run against the answers, and writes RESULTS.md and RESULTS.json.

    python -m benchmarks [NAME …] [--runs 3] [--scale 1.0] [--data data/bench] [--out benchmarks]

Every program is a whole process on a fresh copy of the same contacts, the programs in turn, so that what else the
machine does hits all of them alike. Without names every benchmark runs; what is not run keeps its earlier figures.
--scale makes all files smaller: 0.01 of a million rows is ten thousand.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.results import Results
from benchmarks.suite import BENCHMARKS, Bench


def main() -> None:
    """Runs what is asked for, and says how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(BENCHMARKS)}")
    parser.add_argument("--runs", type=int, help="of every program; unset: as each benchmark says")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--data", type=Path, default=Path("data/bench"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks"))
    given = parser.parse_args()
    unknown = set(given.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    results = Results(given.out)
    for name in given.names or BENCHMARKS:
        bench = Bench(given.data.resolve(), given.scale, given.runs)
        BENCHMARKS[name](bench)
        results.keep(name, bench)
        print(results.text(name))
    if wrong := results.wrong():
        raise SystemExit(f"Some runs did not do what the answers say: {json.dumps(wrong)}")


if __name__ == "__main__":
    main()
