"""The lines that `serve` prints: files that come into the inbox, and what becomes of them.

They come from the inbox and the ledger, whoever changes these. The ledger is read when its file has changed, once a
second at most, and only if nobody locks it at that moment.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from contact_pipeline.engines import Database, open_database
from contact_pipeline.orchestration.inbox import look_through, shown
from contact_pipeline.profiles import find_profiles
from contact_pipeline.settings import Settings
from contact_pipeline.terms import OUTCOMES
from contact_pipeline.visible import visible

_EVERY_SECONDS: Final = 1.0
_RUNS_EVERY_SECONDS: Final = 5.0
_LINES: Final = 2_000  # the newest uploads of the inbox; older ones are not reported
_NAMED: Final = 3  # up to so many files that arrive together are named; more are only counted

_UNDER_WAY: Final = "under way"


class Terminal:
    """Prints what is new since the last look."""

    def __init__(self, settings: Settings, dagster_home: Path, say: Callable[[str], None]) -> None:
        """Takes the uploads of now as known. Of these, only the ones under way are reported, when they end."""
        self._settings = settings.model_copy(update={"lock_wait_seconds": 0})
        self._dagster_home = dagster_home
        self._say = say
        self._states: dict[str, str] = {}  # upload_id → its state
        self._names: dict[str, str] = {}  # uploads under way: upload_id → place of the file
        self._failed: set[tuple[str, str]] = set()  # upload and run
        self._looks: list[Any] = []  # sizes and times of the contact database at the last look
        self._waiting: set[tuple[str, int]] = set()
        self._strays: set[str] = set()
        self._profiles: frozenset[str] = frozenset()
        self._started, self._next, self._next_runs = time.time(), 0.0, 0.0
        self._first = settings.contacts_path.exists()

    def look(self) -> None:
        """Prints what is new, once a second at most. A failed look is repeated by the next one."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _EVERY_SECONDS
        with suppress(Exception):  # a failed look must not end the server
            self._look_at_the_inbox()
        with suppress(Exception):
            self._look_at_the_ledger()
        if self._names and now >= self._next_runs:
            self._next_runs = now + _RUNS_EVERY_SECONDS
            with suppress(Exception):
                self._look_at_the_runs()

    def _look_at_the_inbox(self) -> None:
        found = look_through(self._settings.inbox, self._profiles)
        if any(why.startswith("is named as no profile") for why in found.strays.values()):
            self._profiles = frozenset(find_profiles(self._settings.profiles_path)[0])
            found = look_through(self._settings.inbox, self._profiles)
        waiting = {(drop.name, drop.inode) for drop in found.drops}
        came = sorted(name for name, _ in waiting - self._waiting)
        settle = f"taken once it has stood still for {self._settings.inbox_settle_seconds:g} s"
        for name in came if len(came) <= _NAMED else ():
            self._tell(name, f"is here; {settle}")
        if len(came) > _NAMED:
            self._tell(f"{len(came):,} files", f"are here; each is {settle}")
        for name, why in found.strays.items():
            if name not in self._strays:
                self._tell(name, f"is not taken: it {why}")
        self._waiting, self._strays = waiting, set(found.strays)

    def _look_at_the_ledger(self) -> None:
        path = self._settings.contacts_path
        looks = [_look(path), _look(path.with_name(f"{path.name}.wal"))]
        if looks == self._looks or looks[0] is None:
            return
        with open_database(path, self._settings, read_only=True) as contacts:
            lines = list(_newest(contacts))
            new = [line for line in lines if self._states.get(line["upload_id"]) != line["state"]]
            automatic = _automatic(contacts, [line["upload_id"] for line in new if line["state"] == "staged"])
        self._looks = looks
        for line in reversed(new):
            upload_id, name = line["upload_id"], f"{line['profile']}/{line['file_name']}"
            self._states[upload_id] = line["state"]
            outcome = _became(line, automatic=upload_id in automatic)
            if outcome == _UNDER_WAY:
                self._names[upload_id] = name
                continue
            self._names.pop(upload_id, None)
            if not self._first:
                self._tell(name, f"→ {outcome} (contact-pipeline show {upload_id})")
        self._first = False

    def _look_at_the_runs(self) -> None:
        """Prints failed runs: they leave the state of their uploads as it was, so the ledger does not show them."""
        import dagster as dg

        from contact_pipeline.orchestration.partitions import keys_of

        with dg.DagsterInstance.from_config(str(self._dagster_home)) as instance:
            failed = instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]), limit=20)
            keys = instance.get_dynamic_partitions("uploads") if failed else []
        for record in failed:
            run = record.dagster_run
            if record.create_timestamp.timestamp() < self._started:
                continue
            for upload_id in self._names.keys() & set(keys_of(run.tags, keys)):
                if (upload_id, run.run_id) not in self._failed:
                    self._failed.add((upload_id, run.run_id))
                    why = f"→ failed: run {run.run_id[:8]} of {run.job_name} ended with an error, which Dagster shows"
                    self._tell(self._names[upload_id], f"{why} (contact-pipeline show {upload_id})")

    def _tell(self, name: str, what: str) -> None:
        self._say(visible(f"{time.strftime('%H:%M:%S')} {_one_line(shown(name))} {_one_line(what)}"))


def _newest(contacts: Database) -> Iterator[dict[str, Any]]:
    counts = ", ".join(OUTCOMES)
    yield from contacts.records(f"""
        SELECT upload_id, profile, file_name, state, reason, repeats, deactivated, {counts}
        FROM uploads WHERE inbox ORDER BY number DESC LIMIT {_LINES}""")


def _automatic(contacts: Database, upload_ids: list[str]) -> set[str]:
    """Those of the uploads that apply by themselves."""
    sql = """
        SELECT upload_id FROM uploads
        WHERE upload_id IN (SELECT unnest(?)) AND resolved_profile ->> '$.apply' = 'automatic'"""
    return {upload_id for (upload_id,) in contacts.rows(sql, [upload_ids])} if upload_ids else set()


def _became(line: Mapping[str, Any], *, automatic: bool) -> str:
    """What became of an upload, in words."""
    match line["state"]:
        case "received":
            return _UNDER_WAY
        case "staged":
            return _UNDER_WAY if automatic else f"staged, waits for approval: {_counts(line)}"
        case "applied":
            return f"applied: {_counts(line)}"
        case "repeated":
            return f"repeated: the same file is applied already, as upload {line['repeats']}; nothing was changed"
        case state:
            why = json.loads(line["reason"])["message"] if line["reason"] else ""
            return f"{state}: {why}" if why else str(state)


def _counts(line: Mapping[str, Any]) -> str:
    shown = [f"{line[name]:,} {name}" for name in (*OUTCOMES, "deactivated") if line[name] and name != "blank"]
    return ", ".join(shown) or "no rows"


def _look(path: Path) -> list[int] | None:
    with suppress(OSError):
        found = path.stat()
        return [found.st_size, found.st_mtime_ns]
    return None


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())
