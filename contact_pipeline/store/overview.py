"""What the dashboard shows: a page of uploads, those that wait for somebody, and the results of profiles over time.

All of it comes from the ledger; no staging database is opened.
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
    """The results of a profile's uploads that were added in one week.

    Attributes:
        monday: first day of the week.
        uploads: number of uploads.
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
    """One page of selected uploads, and facts about all uploads.

    Attributes:
        lines: the page, newest first.
        found: how many uploads are selected.
        total: how many uploads exist.
        waiting: the oldest uploads that wait for somebody.
        waiting_count: how many uploads wait for somebody.
        profiles: names of the profiles of all uploads.
        weeks: by profile and time, as far back as `WEEKS`.
    """

    lines: Sequence[LedgerLine]
    found: int
    total: int
    waiting: Sequence[LedgerLine]
    waiting_count: int
    profiles: Sequence[str]
    weeks: Sequence[Week]


def read_overview(
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
    """Reads the overview from the ledger.

    Args:
        database: the contact database.
        profile: selects uploads, as do states, since and waiting; see `ledger.chosen`.
        states: only uploads in one of these states.
        since: only uploads added then or later, in UTC.
        waiting: only uploads that wait for somebody.
        limit: size of the page.
        offset: how many newer uploads are on earlier pages.
        most_waiting: how many waiting uploads are given.
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
