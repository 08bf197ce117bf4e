"""Keeps what the benchmarks found, as JSON, and writes it for people, as Markdown."""

from __future__ import annotations

import json
import os
import platform
import statistics
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from benchmarks.suite import BENCHMARKS, Bench

_PACKAGES: Final = (
    "polars", "duckdb", "pandera", "phonenumbers", "dagster", "dlt", "django", "django-import-export", "pandas",
    "sqlalchemy", "sqlite-utils",
)  # fmt: skip


class Results:
    """The figures of every benchmark that has run, each with the machine and the versions of its run."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._json, self._markdown = folder / "RESULTS.json", folder / "RESULTS.md"
        self._found: dict[str, Any] = json.loads(self._json.read_text()) if self._json.exists() else {}

    def keep(self, name: str, bench: Bench) -> None:
        """Takes in a benchmark's figures, in the place of earlier ones, and writes both files."""
        self._found[name] = {
            "at": datetime.now(UTC).strftime("%Y-%m-%d"),
            "machine": _machine(),
            "versions": _versions(),
            "scale": bench.scale,
            "programs": {
                program: [{k: round(v, 3) for k, v in asdict(run).items()} for run in runs]
                for program, runs in bench.taken.items()
            },
            "targets": [asdict(target) for target in bench.targets],
            "left_out": bench.left_out,
            "wrong": bench.wrong,
        }
        self._json.write_text(json.dumps(self._found, indent=1) + "\n")
        parts = [_HEAD, self._targets(), *(self.text(name) for name in BENCHMARKS if name in self._found)]
        self._markdown.write_text("\n".join(parts))

    def wrong(self) -> dict[str, dict[str, dict[str, int]]]:
        """Benchmark → program → what differs from the answers."""
        return {name: found["wrong"] for name, found in self._found.items() if found["wrong"]}

    def text(self, name: str) -> str:
        """A benchmark's table."""
        found = self._found[name]
        lines = [f"## {name}\n", f"{BENCHMARKS[name].__doc__}{_scaled(found)}\n"]
        if found["programs"]:
            first = next(iter(found["programs"].values()))
            lines += [
                "| program | seconds | CPU seconds | seconds beside first | CPU beside first | peak MB | runs |",
                "|---|---:|---:|---:|---:|---:|---:|",
                *(_line(program, runs, first) for program, runs in found["programs"].items()),
            ]
        lines += [f"\nLeft out: {reason}." for reason in found["left_out"]]
        lines += [f"\n**WRONG**: {program}: {wrong}" for program, wrong in found["wrong"].items()]
        versions = ", ".join(f"{package} {number}" for package, number in found["versions"].items())
        return "\n".join([*lines, f"\n{found['at']}; {found['machine']}; {versions}.\n"])

    def _targets(self) -> str:
        lines = ["| target | at most | measured | |", "|---|---:|---:|---|"]
        for found in self._found.values():
            for target in found["targets"]:
                reached = "reached" if target["value"] <= target["limit"] else "**not reached**"
                what = target["what"] + _scaled(found)
                lines.append(f"| {what} | {_number(target, 'limit')} | {_number(target, 'value')} | {reached} |")
        missing = [name for name in BENCHMARKS if name not in self._found]
        if missing:
            lines.append(f"\nNot run: {', '.join(missing)}.")
        return "\n".join([*lines, ""])


_HEAD: Final = """# Results

Medians of whole processes, start-up included, on fresh copies of the same contacts; every run was compared with the
answers that the generator wrote. What is measured and how is in docs/benchmarks.md. `make bench` writes this file.
"""


def _line(program: str, runs: list[dict[str, float]], first: list[dict[str, float]]) -> str:
    def median(of: str) -> float:
        return statistics.median(run[of] for run in runs)

    def beside(of: str) -> str:
        ratios = [run[of] / other[of] for run, other in zip(runs, first, strict=True)]
        return f"{statistics.median(ratios):.2f}"

    cells = [f"{median('wall'):,.2f}", f"{median('cpu'):,.2f}", beside("wall"), beside("cpu")]
    return f"| {program} | {' | '.join(cells)} | {max(run['memory'] for run in runs):,.0f} | {len(runs)} |"


def _number(target: dict[str, Any], of: str) -> str:
    unit = target["unit"]
    return f"{target[of]:.3g}{unit if unit == '×' else ' ' + unit}"


def _scaled(found: dict[str, Any]) -> str:
    return "" if found["scale"] == 1 else f" (files scaled by {found['scale']:g})"


def _machine() -> str:
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    busy = os.getloadavg()[0]
    return f"{os.cpu_count()} cores ({model}), {pages / 2**30:.0f} GB, load {busy:.1f} at the end"


def _versions() -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
