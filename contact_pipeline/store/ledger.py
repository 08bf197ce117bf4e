"""The ledger: one line per upload, which is written when the upload is received and never deleted."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from contact_pipeline.contracts.ledger import COLUMNS, READ_AS_VALUES, LedgerLine
from contact_pipeline.contracts.states import PLANNED, RECEIVED, State
from contact_pipeline.engines import Database, Tables
from contact_pipeline.masking import mask_within
from contact_pipeline.store.news import keep_news

# Masked when they are written; a reason is masked where it is made.
_MASKED: Final = {column.name for column in COLUMNS if column.personal} - {"reason"}
_JSON: Final = {column.name for column in COLUMNS if column.type == "JSON"}
_MOST: Final = 2**63 - 1  # the highest LIMIT
_NAMES: Final = {column.name for column in COLUMNS}

NO_FIRST_APPROVAL: Final[dict[str, None]] = dict.fromkeys(
    ("first_approved_by", "first_approved_as", "first_approved_at", "first_approved_sha256")
)


def now() -> datetime:
    """The time in UTC, as the tables hold it (without a zone)."""
    return datetime.now(UTC).replace(tzinfo=None)


def commit_time(database: Tables, at: datetime) -> datetime:
    """The time of a new commit: never before that of an earlier one, even where the clock was set back."""
    newest: datetime | None = database.value("SELECT max(committed_at) FROM commits")
    return at if newest is None else max(at, newest)


def add_line(database: Database, **values: object) -> LedgerLine:
    """Writes a new upload's line with the next number; call it in a transaction."""
    number = take_numbers(database, "upload", 1)
    row = _stored({"number": number, "row_warning_count": 0, **values})
    names, marks = ", ".join(row), ", ".join("?" for _ in row)
    sql = f"INSERT INTO uploads ({names}) VALUES ({marks}) RETURNING *"
    line = _lines(database, sql, list(row.values()))[0]
    keep_news(database, line)
    return line


def change_line(
    database: Database, upload_id: str, *, expected: Collection[State] | None = None, **values: object
) -> LedgerLine | None:
    """Changes fields of an upload's line, if it is in one of the expected states; returns the line, or None.

    Call it in a transaction: a new state is also kept as news. A first approval is of one plan, so a new plan ends it.
    """
    if values.get("state") in RECEIVED | PLANNED:
        values = NO_FIRST_APPROVAL | values
    row = _stored(values)
    before = database.value("SELECT state FROM uploads WHERE upload_id = ?", [upload_id]) if "state" in values else None
    sets = ", ".join(f"{name} = ?" for name in row)
    states = f" AND state IN ({', '.join('?' for _ in expected)})" if expected is not None else ""
    sql = f"UPDATE uploads SET {sets} WHERE upload_id = ?{states} RETURNING *"
    changed = _lines(database, sql, [*row.values(), upload_id, *(expected or ())])
    if not changed:
        return None
    if "state" in values and changed[0].state != before:
        keep_news(database, changed[0])
    return changed[0]


class Glance(NamedTuple):
    """The few values of an upload that tell whether it has changed; cheap to read for many uploads, again and again.

    Attributes:
        upload_id: the upload.
        state: its state.
        changeset_sha256: hash of its changeset.
        review: how many rows wait for a decision.
        first_approved_by: who has approved it, as the first of two; None: nobody.
        runs_expired: whether Dagster's records of it have expired.
        feed: the feed that fetched it; None: none did.
    """

    upload_id: str
    state: State
    changeset_sha256: str | None
    review: int
    first_approved_by: str | None
    runs_expired: bool
    feed: str | None


_GLANCES: Final = """
    SELECT upload_id, state, changeset_sha256, review,
           CASE WHEN first_approved_sha256 = changeset_sha256 THEN first_approved_by END,
           coalesce(contains(expired::VARCHAR, '"runs"'), false), feed
    FROM uploads WHERE state <> 'received' ORDER BY number"""


def glances(database: Tables) -> list[Glance]:
    """A glance at every upload that is more than received, the oldest first."""
    return [Glance(*row) for row in database.rows(_GLANCES)]


def find_lines(
    database: Database,
    where: str = "true",
    parameters: Sequence[object] = (),
    *,
    limit: int | None = None,
    offset: int = 0,
    oldest_first: bool = False,
) -> list[LedgerLine]:
    """The lines that meet a condition, by default newest first, without the first `offset` of them."""
    order, most = "ASC" if oldest_first else "DESC", min(limit, _MOST) if limit else "ALL"
    sql = f"FROM uploads WHERE {where} ORDER BY number {order} LIMIT {most} OFFSET {offset}"
    return _lines(database, sql, parameters)


# Uploads that wait for somebody: to approve, send another file, decide rows or finalize.
WAITS: Final = """(state IN ('staged', 'blocked', 'stale') OR (state = 'applied' AND held)
    OR (review > 0 AND state IN ('applied', 'finalized')))"""


def chosen(
    profile: str | None = None,
    states: Collection[State] = (),
    since: datetime | None = None,
    *,
    feed: str | None = None,
    waiting: bool = False,
    upload_ids: Collection[str] = (),
) -> tuple[str, list[object]]:
    """The SQL condition that selects ledger lines, with its parameters; unset: no limit.

    Args:
        profile: only uploads of this profile.
        states: only uploads in one of these states.
        since: only uploads added then or later, in UTC.
        feed: only uploads that this feed fetched.
        waiting: only uploads that wait for somebody.
        upload_ids: only these uploads.
    """
    conditions = {
        "profile = ?": profile,
        "list_contains(?, state)": [*states],
        "added_at >= ?": since,
        "feed = ?": feed,
        "list_contains(?, upload_id)": [*upload_ids],
    }
    asked: dict[str, object] = {condition: value for condition, value in conditions.items() if value}
    return " AND ".join([*asked, *([WAITS] if waiting else [])]) or "true", [*asked.values()]


def take_numbers(database: Database, counter: str, count: int) -> int:
    """Reserves `count` numbers for the caller; returns the first of them. Call it in a transaction."""
    first: int = database.value("SELECT next FROM counters WHERE name = ?", [counter])
    database.run("UPDATE counters SET next = next + ? WHERE name = ?", [count, counter])
    return first


def _stored(values: dict[str, Any]) -> dict[str, Any]:
    """The values as the table holds them; personal columns are masked."""
    shown = {name: mask_within(value) if name in _MASKED else value for name, value in values.items()}
    return {
        name: json.dumps(value, ensure_ascii=False) if name in _JSON and value is not None else value
        for name, value in shown.items()
    }


def _lines(database: Database, sql: str, parameters: Sequence[object]) -> list[LedgerLine]:
    return [_line(record) for record in database.records(sql, parameters)]


def _line(record: dict[str, Any]) -> LedgerLine:
    known = {name: record[name] for name in _NAMES & record.keys()}  # the home of a newer version may have more
    read = {name: json.loads(known[name]) for name in READ_AS_VALUES & known.keys() if known[name] is not None}
    return LedgerLine(**(known | read))
