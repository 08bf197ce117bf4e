"""What the dashboard shows of all uploads: a page of them, what waits for somebody, and how profiles fare over time.

All of it comes from the ledger, by one look: no staging database is opened.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contact_pipeline.contracts.ledger import LedgerLine
from contact_pipeline.contracts.states import State
from contact_pipeline.engines import Database
from contact_pipeline.store.ledger import chosen, find_lines

WEEKS: Final = 26


@dataclass(frozen=True, slots=True)
class Week:
    """What came of the uploads of a profile that were added in a week.

    Attributes:
        monday: its first day.
        uploads: how many there were.
        rows: rows with data.
        errors: defects that are no warnings.
    """

    profile: str
    monday: datetime
    uploads: int
    rows: int
    errors: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Uploads that were asked for, and what is true of all of them.

    Attributes:
        lines: one page of those that were asked for, newest first.
        found: how many were asked for.
        total: how many there are.
        waiting: the oldest of those that wait for somebody.
        waiting_count: how many do.
        profiles: the names of all their profiles.
        weeks: by profile and time, as far back as `WEEKS`.
    """

    lines: Sequence[LedgerLine]
    found: int
    total: int
    waiting: Sequence[LedgerLine]
    waiting_count: int
    profiles: Sequence[str]
    weeks: Sequence[Week]


def look_over(
    database: Database,
    *,
    profile: str | None = None,
    states: Collection[State] = (),
    since: datetime | None = None,
    waiting: bool = False,
    limit: int = 50,
    offset: int = 0,
    most_waiting: int = 10,
) -> Overview:
    """Looks over all uploads.

    Args:
        database: the contact database.
        profile: of the uploads that are asked for, and so the others; see `ledger.chosen`.
        states: which they are in.
        since: when they were added, or later, in UTC.
        waiting: whether they wait for somebody.
        limit: how many of them are given.
        offset: how many newer ones are passed over.
        most_waiting: how many of those that wait are given.
    """
    where, parameters = chosen(profile, states, since, waiting=waiting)
    waits, nothing = chosen(waiting=True)
    return Overview(
        lines=find_lines(database, where, parameters, limit=limit, offset=offset),
        found=database.value(f"SELECT count(*) FROM uploads WHERE {where}", parameters),
        total=database.value("SELECT count(*) FROM uploads"),
        waiting=find_lines(database, waits, nothing, limit=most_waiting, oldest_first=True),
        waiting_count=database.value(f"SELECT count(*) FROM uploads WHERE {waits}", nothing),
        profiles=[name for (name,) in database.rows("SELECT DISTINCT profile FROM uploads ORDER BY profile")],
        weeks=[Week(*row) for row in database.rows(_WEEKS)],
    )


_WEEKS: Final = f"""
    SELECT profile, date_trunc('week', added_at)::TIMESTAMP AS monday, count(*) AS uploads,
           sum(processed)::BIGINT AS rows, sum(error_count)::BIGINT AS errors
    FROM uploads
    WHERE added_at >= (SELECT date_trunc('week', max(added_at)) FROM uploads) - INTERVAL '{WEEKS - 1} weeks'
          AND processed > 0
    GROUP BY profile, monday ORDER BY profile, monday"""
