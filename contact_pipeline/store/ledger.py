"""The ledger: one line per upload, from the moment it is received to the end, whatever becomes of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from contact_pipeline.contracts.states import State
from contact_pipeline.engines import Database
from contact_pipeline.masking import mask_within

_JSON = {"reason", "mapping", "ignored", "warnings", "resolved_profile", "options", "staged_files"}
_SAID_OF_FILES = {"file_name", "group_name", "sheet", "mapping", "ignored", "warnings", "options"}


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """An upload as the ledger knows it. `stage` is how far it came: received, read, normalized, validated, matched."""

    upload_id: str
    number: int
    profile: str
    address_book: str | None
    file_name: str
    file_size: int
    file_type: str | None
    sha256: str
    group_name: str | None
    state: State
    stage: str
    reason: dict[str, Any] | None
    repeats: str | None
    added_at: datetime
    finished_at: datetime | None
    user_login: str | None
    approved_by: str | None
    data_rows: int
    processed: int
    created: int
    updated: int
    unchanged: int
    linked: int
    duplicate: int
    rejected: int
    review: int
    blank: int
    duplicates_of_existing: int
    duplicates_within_file: int
    deactivated: int
    contacts_created: int
    repairs: int
    error_count: int
    changeset_sha256: str | None
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    mapping: dict[str, str] | None
    ignored: list[str] | None
    warnings: list[str] | None
    profile_json: str | None  # the resolved profile; large, and seldom asked for
    options: dict[str, Any] | None
    repeat_key: str | None
    snapshot: int | None
    commit_number: int | None
    held: bool
    finalized_at: datetime | None
    finalized_by: str | None
    inbox: bool
    staged_files: dict[str, str] | None  # file of the staging folder → SHA-256, as its changeset was frozen
    row_warning_count: int | None  # None: staged by a version that did not count them

    @property
    def resolved_profile(self) -> dict[str, Any] | None:
        """The profile as it held for the upload, None where there was none."""
        return None if self.profile_json is None else dict(json.loads(self.profile_json))


_NAMES = frozenset(field.name for field in fields(LedgerLine))


def now() -> datetime:
    """The time in UTC, as the tables hold it (without a zone)."""
    return datetime.now(UTC).replace(tzinfo=None)


def commit_time(database: Database, at: datetime) -> datetime:
    """The time of a new commit: never before that of an earlier one, even where the clock was set back."""
    newest: datetime | None = database.value("SELECT max(committed_at) FROM commits")
    return at if newest is None else max(at, newest)


def add_line(database: Database, **values: object) -> LedgerLine:
    """Writes an upload's first line, giving it the next number; call it in a transaction."""
    number = take_numbers(database, "upload", 1)
    row = _stored({"number": number, "row_warning_count": 0, **values})
    names, marks = ", ".join(row), ", ".join("?" for _ in row)
    sql = f"INSERT INTO uploads ({names}) VALUES ({marks}) RETURNING *"
    return _lines(database, sql, list(row.values()))[0]


def change_line(
    database: Database, upload_id: str, *, expected: Collection[State] | None = None, **values: object
) -> LedgerLine | None:
    """Changes fields of an upload's line, if it is in one of the expected states; the line, None if it was not."""
    row = _stored(values)
    sets = ", ".join(f"{name} = ?" for name in row)
    states = f" AND state IN ({', '.join('?' for _ in expected)})" if expected is not None else ""
    sql = f"UPDATE uploads SET {sets} WHERE upload_id = ?{states} RETURNING *"
    changed = _lines(database, sql, [*row.values(), upload_id, *(expected or ())])
    return changed[0] if changed else None


def find_lines(
    database: Database, where: str = "true", parameters: Sequence[object] = (), *, limit: int | None = None
) -> list[LedgerLine]:
    """The lines that meet a condition, newest first."""
    sql = f"FROM uploads WHERE {where} ORDER BY number DESC LIMIT {limit or 'ALL'}"
    return _lines(database, sql, parameters)


def take_numbers(database: Database, counter: str, count: int) -> int:
    """Reserves `count` numbers that nobody else gets; the first of them. Call it in a transaction."""
    first: int = database.value("SELECT next FROM counters WHERE name = ?", [counter])
    database.run("UPDATE counters SET next = next + ? WHERE name = ?", [count, counter])
    return first


def _stored(values: dict[str, Any]) -> dict[str, Any]:
    """The values as the table holds them; what looks sensitive in what was said of a file is masked, as reasons are."""
    shown = {name: mask_within(value) if name in _SAID_OF_FILES else value for name, value in values.items()}
    return {
        name: json.dumps(value, ensure_ascii=False) if name in _JSON and value is not None else value
        for name, value in shown.items()
    }


def _lines(database: Database, sql: str, parameters: Sequence[object]) -> list[LedgerLine]:
    return [_line(**record) for record in database.records(sql, parameters)]


def _line(resolved_profile: str | None, **record: Any) -> LedgerLine:
    known = {name: record[name] for name in _NAMES & record.keys()}  # a newer version's home may have more
    read = {name: json.loads(known[name]) for name in _JSON & known.keys() if known[name] is not None}
    return LedgerLine(profile_json=resolved_profile, **(known | read))
