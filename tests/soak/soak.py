"""A home that lives through a year in an hour: files of all profiles, decisions, and kills, in random order.

The real `serve` works on it, and all its processes are killed again and again; so are commands. In between somebody
applies, undoes, decides. A call may be refused. In the end everything has to add up.
"""

from __future__ import annotations

import csv
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import dagster as dg
import polars as pl
import xlsxwriter
import yaml

from contact_pipeline import Pipeline
from contact_pipeline.contracts.states import APPLIED, PLANNED
from contact_pipeline.errors import MachineFault, Refusal, StoreBusy
from contact_pipeline.orchestration.approval import AUTOMATIC
from contact_pipeline.orchestration.partitions import keys_of
from contact_pipeline.store import Upload
from contact_pipeline.store.originals import arriving_path
from tests.apply.effective import deviations
from tests.e2e.test_serve import processes_of, start

SAMPLES: Final = Path(__file__).parents[2] / "data" / "samples"
WHO: Final = "m.keane"  # may do all that there is to do in the sample files
QUIET: Final = 15  # seconds
PATIENCE: Final = 600  # seconds for what was dropped to be read
ROWS: Final = 30
SETTINGS: Final = {"CONTACT_PIPELINE_TRUST_INBOX_USER": "true", "CONTACT_PIPELINE_INBOX_SETTLE_SECONDS": "1"}


class Soak:
    """One home, what is done to it, and how often."""

    def __init__(self, folder: Path, seed: int) -> None:
        """Fills a new home with the users and words of the samples.

        Args:
            folder: an empty one.
            seed: of all that is chosen; what the processes do at the same time is not repeated by it.
        """
        self.home, self.made = folder / "home", folder / "files"
        self.made.mkdir(parents=True)
        self.random = random.Random(seed)
        self.pipeline = Pipeline(self.home)
        self.pipeline.store.load_users(SAMPLES / "users.yaml")
        self.pipeline.store.load_vocabulary("specialties", SAMPLES / "specialties.txt")
        self.samples = [file for file in sorted(SAMPLES.glob("*_[0-9].*")) if file.suffix in {".csv", ".xlsx"}]
        self.dropped: Counter[str] = Counter()  # SHA-256 → files in the inbox
        self.counts: Counter[str] = Counter()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread

    def live(self, uploads: int, kills: int, at_once: int) -> None:
        """Drops that many files, no more than `at_once` that are not read yet, and kills everything so often."""
        deadly = set(self.random.sample(range(uploads), min(kills, uploads)))
        self.serve()
        try:
            for number in range(uploads):
                self._wait_until(lambda: self._waiting() < at_once, "files are read")
                self._drop(number)
                for _ in range(self.random.randint(1, 3)):
                    self._ask()
                if self.random.random() < 0.1:
                    self._kill_a_command(number)
                if number in deadly:
                    time.sleep(self.random.uniform(0, 8))
                    self.kill()
                    self.serve()
            self._come_to_rest()
        finally:
            self.stop()

    def serve(self) -> None:
        """Serves the home; what the terminal says is read, for else the server would wait for that."""
        self._process = process = start(self.home)
        self._reader = threading.Thread(target=lambda: list(process.stderr or ()), daemon=True)
        self._reader.start()
        self._wait_until((self.home / "inbox" / "dealer_leads").is_dir, "there is an inbox")

    def kill(self) -> None:
        """Kills the server and all that it has started; none of them gets to do anything more."""
        assert self._process is not None
        for pid in [self._process.pid, *processes_of(self.home)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._ended()
        self.counts["kills of serve"] += 1

    def stop(self) -> None:
        """Ends the server as its user would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(60)
        finally:
            for pid in processes_of(self.home):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._ended()

    def _ended(self) -> None:
        """Waits for the end of the server and of what it says."""
        assert self._process is not None
        self._process.wait(60)
        self._reader.join(60)
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _drop(self, number: int) -> None:
        file, profile, options = self._write(number)
        folder = self.home / "inbox" / profile
        (folder / f"{file.name}.options.yaml").write_text(yaml.safe_dump(options), encoding="utf-8")
        self.dropped[hashlib.sha256(file.read_bytes()).hexdigest()] += 1
        file.rename(folder / f"{file.name}.part").rename(folder / file.name)
        self.counts["files dropped"] += 1

    def _write(self, number: int) -> tuple[Path, str, dict[str, Any]]:
        """Some rows of a sample, with a few cells of others among them: its file, profile and options."""
        sample = self.random.choice(self.samples)
        heading, *rows = rows_of(sample)
        chosen = [list(self.random.choice(rows)) for _ in range(self.random.randint(1, ROWS))]
        for row in chosen:
            if self.random.random() < 0.2:
                place = self.random.randrange(len(row))
                row[place] = self.random.choice(rows)[place]
        file = self.made / f"{sample.stem}-{number}{sample.suffix}"
        write(file, [heading, *chosen])
        options = yaml.safe_load(sample.with_name(f"{sample.name}.options.yaml").read_text(encoding="utf-8"))
        options.pop("delimiter", None)
        return file, sample.stem.rsplit("_", 1)[0], options | {"user": options["user"]}

    def _ask(self) -> None:
        """Does one thing that somebody could ask for to one upload of those that it could be asked for."""
        opened = self.pipeline
        does: dict[str, tuple[set[str], Callable[[Upload], object]]] = {
            "apply": ({*PLANNED}, lambda each: opened.apply(each.upload_id, user=WHO, replan=True)),
            "plan again": ({"stale", "blocked"}, lambda each: opened.plan_again(each.upload_id, user=WHO)),
            "undo": ({*APPLIED}, lambda each: opened.undo(each.upload_id, user=WHO)),
            "redo": ({"undone"}, lambda each: opened.redo(each.upload_id, user=WHO)),
            "finalize": ({"applied"}, lambda each: opened.finalize(each.upload_id, user=WHO)),
            "cancel": ({*PLANNED, "received"}, lambda each: opened.cancel(each.upload_id, user=WHO)),
            "decide": ({*PLANNED, *APPLIED}, self._decide),
        }
        what = self.random.choices([*does], weights=[8, 3, 3, 3, 3, 1, 3])[0]
        states, call = does[what]
        found = opened.uploads(states=sorted(states))
        if found:
            self._granted(what, lambda: call(self.random.choice(found)))

    def _decide(self, upload: Upload) -> object:
        rows = upload.outcome_rows
        waiting = rows.filter(pl.col("outcome") == "review")["row_number"].to_list() if "outcome" in rows else []
        choices = {row: self.random.choice(["new", "skip"]) for row in waiting[:3]}
        return self.pipeline.resolve_many(upload.upload_id, choices, user=WHO) if choices else None

    def _granted(self, what: str, call: Callable[[], object]) -> None:
        try:
            call()
        except (Refusal, StoreBusy, MachineFault) as error:  # it went on meanwhile, or something else is needed first
            self.counts[f"{what}: {getattr(error, 'code', 'busy')}"] += 1
        else:
            self.counts[what] += 1

    def _kill_a_command(self, number: int) -> None:
        """Has a command of the command line killed somewhere on its way."""
        file, profile, options = self._write(10_000 + number)
        applied = self.pipeline.uploads(states=sorted(APPLIED), limit=20)
        words = ["plan", str(file), "--profile", profile, "--user", options.pop("user")]
        words += [word for name, value in options.items() for word in as_words(name, value)]
        if applied and self.random.random() < 0.5:
            words = ["undo", self.random.choice(applied).upload_id, "--user", WHO]
        command = [sys.executable, "-m", "contact_pipeline", "--home", str(self.home), *words]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(self.random.uniform(0.5, 4))
            if process.poll() is None:
                process.kill()
                self.counts["kills of commands"] += 1

    def _waiting(self) -> int:
        files = sum(1 for each in (self.home / "inbox").glob("*/*.*") if each.suffix in {".csv", ".xlsx"})
        return files + self.pipeline.store.count_lines(states=["received"])

    def _come_to_rest(self) -> None:
        """Waits until all is read, as far as it goes by itself; what a killed command left is planned by WHO."""

        def is_read() -> bool:
            for line in self.pipeline.store.lines(states=["received"]):
                if not line.inbox:
                    again = partial(self.pipeline.plan_again, line.upload_id, user=WHO)
                    self._granted("plan again what was cut off", again)
            return self._waiting() == 0

        self._wait_until(is_read, "everything is read")
        instance = self._instance()
        under_way = dg.RunsFilter(statuses=[*_UNDER_WAY])
        quiet_since = [time.monotonic()]

        def is_quiet() -> bool:  # for longer than the sensors take to ask for a run
            if instance.get_runs_count(under_way):
                quiet_since[0] = time.monotonic()
            return time.monotonic() - quiet_since[0] > QUIET

        self._wait_until(is_quiet, "no run is under way")
        ids = {line.upload_id for line in self.pipeline.store.lines()}
        self._wait_until(lambda: ids <= set(instance.get_dynamic_partitions("uploads")), "each upload is a partition")

    def _instance(self) -> dg.DagsterInstance:
        return dg.DagsterInstance.from_config(str(self.home / "dagster"))

    def _wait_until(self, true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not true():
            if self._process is not None and self._process.poll() is not None:
                raise AssertionError(f"serve ended with status {self._process.returncode} before {what}")
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {PATIENCE} s until {what}. {self._where_it_stands()}")
            time.sleep(0.2)

    def _where_it_stands(self) -> str:
        """What is not read, the runs that are under way or failed, and how often each call was made."""
        left = [
            f"{line.upload_id} of {'the inbox' if line.inbox else 'a command'}: {line.stage}"
            for line in self.pipeline.store.lines(states=["received"])
        ]
        unfinished = dg.RunsFilter(statuses=[*_UNDER_WAY, dg.DagsterRunStatus.FAILURE])
        runs = [f"{run.job_name} {run.status.value} {run.tags}" for run in self._instance().get_runs(unfinished)]
        return f"Received: {left}. Runs: {runs}. Calls: {dict(self.counts)}"

    def faults(self) -> Iterator[str]:
        """What does not add up, once the server has ended."""
        opened = self.pipeline
        opened.tidy()
        lines = opened.store.lines()
        arrived = Counter(line.sha256 for line in lines if line.inbox)
        yield from (f"dropped {number} times, in the ledger {arrived[sha256]} times: {sha256}"
                    for sha256, number in self.dropped.items() if arrived[sha256] != number)  # fmt: skip
        yield from (f"verify: {finding}" for finding in opened.verify().findings)
        with opened.store.open(read_only=True) as contacts:
            yield from (f"the tables are not what the history makes: {each}" for each in deviations(contacts))
        for upload in opened.uploads(states=sorted({*PLANNED, *APPLIED, "undone"})):
            counted = dict(upload.outcome_rows.group_by("outcome").len().iter_rows())
            if counted != {name: count for name, count in upload.outcomes.items() if count}:
                yield f"upload {upload.upload_id}: its rows are {counted}, its ledger line says {upload.outcomes}"
            if sum(upload.outcomes.values()) != upload.line.data_rows:
                yield f"upload {upload.upload_id}: {upload.line.data_rows} rows, of which {upload.outcomes}"
        left = [path for path in arriving_path(opened.settings).glob("*") if path.is_dir()]
        left += self.home.rglob("*.new")
        yield from (f"left behind: {path.relative_to(self.home)}" for path in left)
        yield from self._faults_of_dagster()
        yield from self._faults_of_order()
        yield from self._what_others_could_read()

    def _faults_of_dagster(self) -> Iterator[str]:
        instance = self._instance()
        storage = instance.event_log_storage
        for pool in storage.get_concurrency_keys():
            info = storage.get_concurrency_info(pool)
            if info.claimed_slots or info.pending_steps:
                yield f"pool {pool}: {info.claimed_slots} {info.pending_steps}"
        for run in instance.get_runs(dg.RunsFilter(statuses=[*_UNDER_WAY])):
            yield f"run {run.run_id} of {run.job_name} is {run.status.value}, and nobody works on it"

    def _faults_of_order(self) -> Iterator[str]:
        """What applies by itself is applied, profile by profile in the order of the ledger.

        What somebody has planned again or decided is theirs to apply; what two runs failed with may come later.
        """
        instance, failed = self._instance(), Counter[str]()
        ordered = instance.get_dynamic_partitions("uploads")
        for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])):
            failed.update(keys_of(run.tags, ordered))
        theirs = {decision["upload_id"] for decision in self.pipeline.decisions()}
        newest: dict[str | None, int] = {}
        for upload in self.pipeline.uploads(oldest_first=True):
            line, key = upload.line, upload.upload_id
            if not line.inbox or upload.apply_mode != "automatic" or line.replanned_by or key in theirs:
                continue
            if upload.state == "staged" and failed[key] < 2:
                yield f"upload {key} applies by itself, and is not applied"
            if line.commit_number and str(upload.approved_by).endswith(AUTOMATIC) and failed[key] < 2:
                if line.commit_number < newest.get(upload.profile, 0):
                    yield f"upload {key} of {upload.profile} was applied before one that came earlier"
                newest[upload.profile] = max(line.commit_number, newest.get(upload.profile, 0))

    def _what_others_could_read(self) -> Iterator[str]:
        """Files outside the inbox that are not their owner's alone, and numbers of people in what Dagster keeps."""
        cells = {cell for sample in self.samples for row in rows_of(sample) for cell in row}
        numbers = sorted(cell.encode() for cell in cells if re.fullmatch(r"\d{3}-\d{2}-\d{4}", cell))
        assert numbers
        sensitive = re.compile(b"|".join(map(re.escape, numbers)))
        for path in self.home.rglob("*"):
            name = path.relative_to(self.home)
            if name.parts[0] == "inbox" or not path.is_file():
                continue
            if path.stat().st_mode & 0o077:
                yield f"others may read {name}"
            if name.parts[0] == "dagster" and sensitive.search(path.read_bytes()):
                yield f"a social security number stands in {name}"


_UNDER_WAY: Final = (
    dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING,
)  # fmt: skip


def rows_of(file: Path) -> list[list[str]]:
    """The cells of a sample file, as text, its headings first."""
    if file.suffix == ".csv":
        text = file.read_text(encoding="utf-8-sig")
        return [
            row for row in csv.reader(text.splitlines(), delimiter=";" if ";" in text.split("\n")[0] else ",") if row
        ]
    frame = pl.read_excel(file, engine="calamine", infer_schema_length=0)
    return [frame.columns, *([cell or "" for cell in row] for row in frame.iter_rows())]


def write(file: Path, rows: list[list[str]]) -> None:
    """Writes a file of the kind that its name says."""
    if file.suffix == ".csv":
        with file.open("w", newline="", encoding="utf-8") as opened:
            csv.writer(opened).writerows(rows)
        return
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                sheet.write_string(number, place, cell)


def as_words(name: str, value: object) -> list[str]:
    """An option of an upload as the command line has it."""
    word = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [word] if value else []
    return [word, str(value)]
