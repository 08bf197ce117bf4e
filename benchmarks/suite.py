"""The benchmarks: which programs run on which files, and what they should reach."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.import_file import ARGUMENTS, ENVIRONMENT
from benchmarks.measure import Taken, measured

PYTHON: Final = sys.executable
PEERS: Final = Path(sys.prefix) / "peers" / "bin" / "python"  # `make bench` makes it
_SOURCES: Final = ("people.py", "make_contacts.py", "benchmark_contacts.yaml")
_START: Final = "import duckdb, polars"


@dataclass(frozen=True, slots=True)
class Target:
    """Something to reach: `value` is at most `limit`."""

    what: str
    value: float
    limit: float
    unit: str = "×"


@dataclass(frozen=True, slots=True)
class Program:
    """A program that is timed: how it is prepared, run and checked.

    Attributes:
        name: in the tables.
        prepare: makes afresh what it works on; not timed.
        command: what is timed.
        check: point → what differs from the answers; all zero is right.
        environment: variables besides those there are.
    """

    name: str
    prepare: Callable[[], None]
    command: Callable[[], Sequence[str]]
    check: Callable[[], dict[str, int]]
    environment: dict[str, str] = field(default_factory=dict)


class Bench:
    """One benchmark as it runs: its files, what its programs took, and what it should reach."""

    def __init__(self, data: Path, scale: float, runs: int | None) -> None:
        self.data, self.scale, self.runs = data, scale, runs
        self.taken: dict[str, list[Taken]] = {}
        self.wrong: dict[str, dict[str, int]] = {}
        self.targets: list[Target] = []
        self.left_out: list[str] = []
        self.work = data / "work"

    def contacts(self, rows: int, existing: int) -> Path:
        """The folder with a file of so many rows for so many contacts, made if it is not there."""
        rows, existing = (max(round(count * self.scale), min(count, 100)) for count in (rows, existing))
        folder, made = self.data / f"{rows}x{existing}", _version()
        if not (folder / "made").exists() or (folder / "made").read_text() != made:
            arguments = ["--rows", str(rows), "--existing", str(existing), "--out", str(folder)]
            print(f"making {folder.name} …", flush=True)
            subprocess.run(
                [PYTHON, "-m", "benchmarks.make_contacts", *arguments], check=True, stdout=subprocess.DEVNULL
            )
            (folder / "made").write_text(made)
        return folder

    def race(self, *programs: Program, runs: int = 3) -> None:
        """Runs the programs in turn, checking every run."""
        self.work.mkdir(parents=True, exist_ok=True)
        for _ in range(self.runs or runs):
            for program in programs:
                program.prepare()
                taken = measured(program.command(), self.work / "said.txt", program.environment)
                self.taken.setdefault(program.name, []).append(taken)
                wrong = {point: count for point, count in program.check().items() if count}
                if wrong:
                    self.wrong[program.name] = wrong
                print(f"  {program.name:34}{taken.wall:9.2f} s{taken.cpu:9.2f} s CPU{taken.memory:9,.0f} MB"
                      f"{'  WRONG ' + json.dumps(wrong) if wrong else ''}", flush=True)  # fmt: skip
        shutil.rmtree(self.work, ignore_errors=True)

    def wall(self, program: str) -> float:
        """The median of the seconds that a program took."""
        return statistics.median(taken.wall for taken in self.taken[program])

    def memory(self, program: str) -> float:
        """The most MB that a program took in any run."""
        return max(taken.memory for taken in self.taken[program])

    def ratio(self, program: str, other: str) -> float:
        """The median of the ratios run by run, which what else the machine does disturbs least."""
        pairs = zip(self.taken[program], self.taken[other], strict=True)
        return statistics.median(one.wall / two.wall for one, two in pairs)

    def aim(self, what: str, value: float, limit: float, unit: str = "×") -> None:
        """Something to reach."""
        self.targets.append(Target(what, value, limit, unit))


def _version() -> str:
    texts = (Path(__file__).with_name(name).read_bytes() for name in _SOURCES)
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def command_line(bench: Bench, data: Path, name: str = "contact_pipeline", **settings: str) -> Program:
    """`contact-pipeline import --yes` on a copy of the home, with settings as variables of the environment."""
    home = bench.work / "home"
    return Program(
        name,
        prepare=lambda: _copy(data / "home", home),
        command=lambda: cli("import", str(data / "incoming.csv"), *ARGUMENTS, "--home", str(home)),
        check=lambda: differences(data, home / "contacts.duckdb", staged(home)),
        environment={**ENVIRONMENT, **settings},
    )


def bound(bench: Bench, data: Path) -> Program:
    """The same job written by hand."""
    book = bench.work / "bound.duckdb"
    make = f"from pathlib import Path; from benchmarks.bound import base; base(Path({str(data)!r}))"
    if not (data / "bound.duckdb").exists():
        subprocess.run([PYTHON, "-c", make], check=True)
    return Program(
        "bound",
        prepare=lambda: _copy(data / "bound.duckdb", book),
        command=lambda: [PYTHON, "-m", "benchmarks.bound", str(data), str(book)],
        check=lambda: differences(data, book, book),
    )


def peer(bench: Bench, data: Path, module: str, *options: str) -> Program:
    """A peer, with the contacts loaded into its own database beforehand."""
    folder = bench.work / "peer"
    command = [str(PEERS), "-m", f"benchmarks.peers.{module}"]

    def prepare() -> None:
        _copy(None, folder)
        subprocess.run([*command, "prepare", str(data), str(folder)], check=True, stdout=subprocess.DEVNULL)

    def check() -> dict[str, int]:
        said = subprocess.run([*command, "check", str(data), str(folder)], check=True, capture_output=True, text=True)
        found: dict[str, int] = json.loads(said.stdout.splitlines()[-1])
        return found

    name = " ".join([module.replace("_", " "), *options])
    return Program(name, prepare, lambda: [*command, "import", str(data), str(folder), *options], check)


def cli(*arguments: str) -> list[str]:
    """The command line, as a process of its own."""
    return [PYTHON, "-m", "contact_pipeline", *arguments]


def staged(home: Path) -> Path:
    """The staging database of the only upload of a home."""
    (folder,) = (home / "staging").iterdir()
    return folder / "staging.duckdb"


def differences(*paths: Path) -> dict[str, int]:
    """What an import did otherwise than the answers say, found by a process of its own."""
    command = [PYTHON, "-m", "benchmarks.answers", *map(str, paths)]
    found: dict[str, int] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def _copy(source: Path | None, to: Path) -> None:
    shutil.rmtree(to, ignore_errors=True)
    to.unlink(missing_ok=True)
    to.with_name(to.name + ".wal").unlink(missing_ok=True)
    if source is None:
        to.mkdir(parents=True)
    elif source.is_dir():
        shutil.copytree(source, to)
    else:
        shutil.copyfile(source, to)


def _has(bench: Bench, what: str, *, installed: bool) -> bool:
    if not installed:
        bench.left_out.append(f"{what} not installed")
        print(f"  left out: {bench.left_out[-1]}", flush=True)
    return installed


def twenty_thousand(bench: Bench) -> None:
    """20k rows for 20k contacts, beside django-import-export."""
    data = bench.contacts(20_000, 20_000)
    programs = [command_line(bench, data), bound(bench, data)]
    if peers := _has(bench, "peers", installed=PEERS.exists()):
        programs += [peer(bench, data, "django_import_export"), peer(bench, data, "django_import_export", "--bulk")]
    bench.race(*programs)
    if peers:
        faster = bench.ratio("django import export", "contact_pipeline")
        bench.aim("20k rows: contact_pipeline beside django-import-export row by row", 1 / faster, 1 / 8)


def hundred_thousand(bench: Bench) -> None:
    """100k rows for 100k contacts, beside the peers that take whole tables."""
    data = bench.contacts(100_000, 100_000)
    programs = [command_line(bench, data), bound(bench, data)]
    targets = []
    if _has(bench, "peers", installed=PEERS.exists()):
        for module, limit in (("dlt_rows", 3), ("pandas_sqlalchemy", 4), ("sqlite_utils_upsert", None)):
            programs.append(peer(bench, data, module))
            targets += [(programs[-1].name, limit)] if limit else []
    bench.race(*programs)
    for name, limit in targets:
        bench.aim(f"100k rows: contact_pipeline beside {name}", bench.ratio("contact_pipeline", name), 1 / limit)


def million(bench: Bench) -> None:
    """1M rows for 1M contacts, beside the bound."""
    data = bench.contacts(1_000_000, 1_000_000)
    bench.race(command_line(bench, data), bound(bench, data))
    bench.aim("1M × 1M beside the bound", bench.ratio("contact_pipeline", "bound"), 1.5)
    bench.aim("1M × 1M, peak memory", bench.memory("contact_pipeline") / 1000, 2.2, "GB")


def ten_million(bench: Bench) -> None:
    """10M rows for 10M contacts, beside 1M for 1M; DuckDB may take 5 GB, so that it need not spill."""
    million, ten = bench.contacts(1_000_000, 1_000_000), bench.contacts(10_000_000, 10_000_000)
    more = {"CONTACT_PIPELINE_MEMORY_LIMIT": "5GB"}
    bench.race(command_line(bench, million, "1M × 1M", **more), command_line(bench, ten, "10M × 10M", **more), runs=1)
    bench.aim("10M × 10M beside 1M × 1M", bench.ratio("10M × 10M", "1M × 1M"), 12)
    bench.aim("10M × 10M, peak memory", bench.memory("10M × 10M") / 1000, 8, "GB")


def thirty_million(bench: Bench) -> None:
    """30M rows for 1M contacts: memory does not grow with the file."""
    data = bench.contacts(30_000_000, 1_000_000)
    bench.race(command_line(bench, data, "30M × 1M"), runs=1)
    bench.aim("30M × 1M, peak memory", bench.memory("30M × 1M") / 1000, 8, "GB")


def large_base(bench: Bench) -> None:
    """100k rows for 10M contacts, beside the same for 100k."""
    small, large = bench.contacts(100_000, 100_000), bench.contacts(100_000, 10_000_000)
    bench.race(command_line(bench, small, "100k × 100k"), command_line(bench, large, "100k × 10M"))
    bench.aim("100k × 10M beside 100k × 100k", bench.ratio("100k × 10M", "100k × 100k"), 2.5)


def hundred(bench: Bench) -> None:
    """100 rows, beside the start of Python with polars and duckdb."""
    data = bench.contacts(100, 1_000)
    start = Program("start of Python", lambda: None, lambda: [PYTHON, "-c", _START], dict)
    bench.race(command_line(bench, data), start, runs=5)
    bench.aim("100 rows, on top of the start", bench.wall("contact_pipeline") - bench.wall("start of Python"), 1.2, "s")


def undo(bench: Bench) -> None:
    """Applying an upload of 1M rows, and taking it back."""
    data = bench.contacts(1_000_000, 1_000_000)
    home = bench.work / "home"
    file, arguments = str(data / "incoming.csv"), [word for word in ARGUMENTS if word != "--yes"]

    def plan() -> None:
        _copy(data / "home", home)
        log = bench.work / "planned.txt"
        measured(cli("plan", file, *arguments, "--home", str(home)), log, ENVIRONMENT)

    def taken_back() -> dict[str, int]:
        command = [PYTHON, "-m", "benchmarks.answers", "--undone", str(data), str(home / "contacts.duckdb")]
        found: dict[str, int] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return found

    def upload() -> str:
        return staged(home).parent.name

    def applied() -> dict[str, int]:
        return differences(data, home / "contacts.duckdb", staged(home))

    bench.race(
        Program("apply", plan, lambda: cli("apply", upload(), "--home", str(home)), applied),
        Program("undo", lambda: None, lambda: cli("undo", upload(), "--home", str(home)), taken_back),
        runs=2,
    )
    bench.aim("undo of 1M rows beside its apply", bench.ratio("undo", "apply"), 1)


def two_of_three(bench: Bench) -> None:
    """1M rows for 1M contacts, matched by any two of name, telephone number and e-mail address; matching alone."""
    data = bench.contacts(1_000_000, 1_000_000)
    home = bench.work / "home"
    command = [PYTHON, "-m", "benchmarks.two_of_three"]

    def prepare() -> None:
        _copy(data / "home", home)
        subprocess.run([*command, "prepare", str(home), str(data / "incoming.csv")], check=True)

    def compare() -> dict[str, int]:
        said = subprocess.run([*command, "compare", str(home)], check=True, capture_output=True, text=True)
        found: dict[str, int] = json.loads(said.stdout)
        return found

    bench.race(
        Program("stage 4", prepare, lambda: [*command, "match", str(home)], dict),
        Program("the joins by hand", lambda: None, lambda: [*command, "by_hand", str(home)], compare),
        runs=2,
    )
    bench.aim("2 of 3, 1M × 1M: peak memory", bench.memory("stage 4") / 1000, 2.2, "GB")


def ledger(bench: Bench) -> None:
    """`show` and `uploads` where the ledger has 5,000 uploads."""
    data = bench.contacts(100, 1_000)
    home = bench.work / "home"

    def fill() -> None:
        if not home.exists():
            _copy(data / "home", home)
            command_line(bench, data).prepare()
            measured(
                cli("import", str(data / "incoming.csv"), *ARGUMENTS, "--home", str(home)), bench.work / "said.txt"
            )
            count = max(round(5_000 * bench.scale), 50)
            subprocess.run([PYTHON, "-m", "benchmarks.fill_ledger", str(home), str(count)], check=True)

    def listed() -> dict[str, int]:
        return {"nothing said": int((bench.work / "said.txt").stat().st_size == 0)}

    bench.race(
        Program("show", fill, lambda: cli("show", staged(home).parent.name, "--home", str(home)), listed),
        Program("uploads", fill, lambda: cli("uploads", "--home", str(home)), listed),
        runs=5,
    )
    for name in ("show", "uploads"):
        bench.aim(f"{name} with 5,000 uploads in the ledger", bench.wall(name), 0.5, "s")


def dagster(bench: Bench) -> None:
    """1M rows through Dagster's two jobs in one process, beside the command line."""
    data = bench.contacts(1_000_000, 1_000_000)
    if not _has(bench, "dagster", installed=importlib.util.find_spec("dagster") is not None):
        return
    home = bench.work / "home"
    through = Program(
        "through Dagster",
        prepare=lambda: _copy(data / "home", home),
        command=lambda: [PYTHON, "-m", "benchmarks.through_dagster", str(data / "incoming.csv"), str(home)],
        check=lambda: differences(data, home / "contacts.duckdb", staged(home)),
        environment=dict(ENVIRONMENT),
    )
    bench.race(command_line(bench, data), through, runs=2)
    bench.aim(
        "1M × 1M through Dagster beside the command line", bench.ratio("through Dagster", "contact_pipeline"), 1.25
    )


BENCHMARKS: Final[dict[str, Callable[[Bench], None]]] = {
    "100": hundred,
    "20k": twenty_thousand,
    "100k": hundred_thousand,
    "1m": million,
    "two_of_three": two_of_three,
    "undo": undo,
    "ledger": ledger,
    "dagster": dagster,
    "large_base": large_base,
    "10m": ten_million,
    "30m": thirty_million,
}
