"""Write docs/trust.md: which promises were attacked how often, and how often they broke.

    python docs/generate_trust.py --run            run every attack, keep the numbers, write the page
    python docs/generate_trust.py --run NAME …     run some
    python docs/generate_trust.py --from FILE      keep the numbers that a run with TRUST_RECORD=FILE recorded
    python docs/generate_trust.py                  write the page from the numbers that are kept
    python docs/generate_trust.py --check          write nothing; fail when the page, or an attack's numbers, are stale

The attacks stand in docs/trust.yaml, each with the command that runs it; what the tests record while it runs
(tests/trust.py) is kept in docs/trust.json.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
RECORDED = re.compile(r"""record\(\s*["']([a-z-]+)["']""")
HEAD = """\
# Trust

What is promised, how it was attacked, and how often a promise broke. Each attack is a test that can be run again; the
numbers are those of the run whose day is named. Everything that these attacks found was mended; the tests stay.

This page is generated: edit [trust.yaml](trust.yaml) or the tests, then run `python docs/generate_trust.py --run`.
What is promised, to whom and within which limits is said in [SECURITY.md](../SECURITY.md).
"""


def main(arguments: list[str] | None = None) -> int:
    """Run attacks, write the page or check it; the paths can be named, so that this script can be tested."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--run", nargs="*", metavar="NAME", help="run these attacks; none named: all")
    parser.add_argument("--from", type=Path, dest="records", metavar="FILE", help="what a run of the tests recorded")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page is stale")
    parser.add_argument(
        "--docs", type=Path, default=ROOT / "docs", help="folder of trust.yaml, trust.json and trust.md"
    )
    parser.add_argument("--tests", type=Path, default=ROOT / "tests", help="folder of the tests")
    options = parser.parse_args(arguments)
    attacks: dict[str, dict[str, Any]] = yaml.safe_load((options.docs / "trust.yaml").read_text(encoding="utf-8"))
    kept = options.docs / "trust.json"
    results: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    problems = []
    if options.run is not None:
        for name in options.run or attacks:
            ended, lines = run(attacks[name]["command"], name)
            results[name] = added_up(name, lines)
            problems += [f"{name}: the command ended with status {ended}"] if ended else []
    if options.records is not None:
        lines = options.records.read_text(encoding="utf-8").splitlines()
        results |= {name: found for name in attacks if (found := added_up(name, lines))["records"]}
    if options.run is not None or options.records is not None:
        kept.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    problems += [*missing(attacks, results, options.tests)]
    page, at = render(attacks, results), options.docs / "trust.md"
    if options.check:
        if not at.exists() or at.read_text(encoding="utf-8") != page:
            problems.append(f"{at} is stale: run `make format`")
    else:
        at.write_text(page, encoding="utf-8")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def run(command: str, name: str) -> tuple[int, list[str]]:
    """Runs the command of an attack; its exit status, and the records that it left."""
    with tempfile.TemporaryDirectory() as folder:
        records = Path(folder) / "records"
        bin_folder = Path(sys.executable).parent
        environment = {
            **os.environ,
            "TRUST_RECORD": str(records),
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        }
        print(f"{name}: {command}", flush=True)
        ended = subprocess.run(command, shell=True, cwd=ROOT, env=environment, check=False).returncode  # noqa: S602
        return ended, records.read_text(encoding="utf-8").splitlines() if records.exists() else []


def added_up(name: str, lines: list[str]) -> dict[str, Any]:
    """The records of an attack, added up for every place, with today's day."""
    added: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for line in map(json.loads, lines):
        if line["attack"] == name:
            added[line["where"]][0] += line["tried"]
            added[line["where"]][1] += line["failed"]
    records = [{"where": where, "tried": tried, "failed": failed} for where, (tried, failed) in sorted(added.items())]
    return {"day": f"{datetime.now(UTC):%Y-%m-%d}", "records": records}


def missing(attacks: dict[str, Any], results: dict[str, Any], tests: Path) -> list[str]:
    """What does not fit together: attacks without numbers, tests that record an attack that is not listed."""
    recorded = {name for path in tests.rglob("*.py") for name in RECORDED.findall(path.read_text(encoding="utf-8"))}
    problems = [f"docs/trust.yaml has no attack {name}, which a test records" for name in sorted(recorded - {*attacks})]
    problems += [f"No test records the attack {name} of docs/trust.yaml" for name in sorted({*attacks} - recorded)]
    for name in attacks:
        records = results.get(name, {}).get("records", [])
        if not records:
            problems.append(f"There are no numbers of {name}: run `python docs/generate_trust.py --run {name}`")
        if any(record["failed"] for record in records):
            problems.append(f"{name} broke a promise")
    return problems


def render(attacks: dict[str, dict[str, Any]], results: dict[str, Any]) -> str:
    """Set the page: a table of all attacks, and below it each attack with its places and its command."""
    rows, parts = [], []
    for name, attack in attacks.items():
        result = results.get(name, {"day": "never", "records": []})
        tried, failed = (sum(record[count] for record in result["records"]) for count in ("tried", "failed"))
        rows.append(f"| [{name}](#{name}) | {attack['promise']} | {tried:,} {attack['unit']} | {failed:,} |")
        places = [f"| {r['where'] or 'all'} | {r['tried']:,} | {r['failed']:,} |" for r in result["records"]]
        said = [f"## {name}", attack["attack"].strip(), f"Run on {result['day']} with `{attack['command']}`."]
        parts += ["\n\n".join(said), "", f"| where | {attack['unit']} | promise broken |", "|---|---|---|", *places, ""]
    table = ["| attack | promise | tried | broken |", "|---|---|---|---|", *rows, ""]
    return "\n".join([HEAD, *table, *parts])


if __name__ == "__main__":
    sys.exit(main())
