"""Keeps news in the transaction of the change of state; it is sent later.

A home without `notices.yaml` keeps no news, so that a new `notices.yaml` sends no notices of the past.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from contact_pipeline.contracts.ledger import LedgerLine
from contact_pipeline.contracts.news import FeedEvent, HomeEvent, UploadEvent, event_of
from contact_pipeline.engines import Database
from contact_pipeline.settings import NOTICES
from contact_pipeline.terms import OUTCOMES

_DAY: Final = timedelta(days=1)
COUNTS: Final = ("processed", *OUTCOMES, "deactivated")  # as they were at the time of the news


def keep_news(database: Database, line: LedgerLine) -> None:
    """Keeps an upload's new state as news, if it is an event; call it in the transaction of the change."""
    event = event_of(line)
    if event is not None and database.lies_beside(NOTICES):
        _keep_of_upload(database, line, event)


def keep_news_of_fault(database: Database, line: LedgerLine) -> None:
    """Keeps as news that the machine stops an upload: daily for each profile and code. Call it in a transaction."""
    if not database.lies_beside(NOTICES):
        return
    at = _now()
    recent = database.value(
        """
        SELECT count(*) FROM news JOIN uploads USING (upload_id)
        WHERE event = 'stopped' AND reason_code = ? AND profile = ? AND happened_at > ? AND happened_at <= ?""",
        [(line.reason or {}).get("code"), line.profile, at - _DAY, at],
    )
    if not recent:
        _keep_of_upload(database, line, "stopped")


def _keep_of_upload(database: Database, line: LedgerLine, event: UploadEvent) -> None:
    said = {
        "upload_id": line.upload_id,
        "event": event,
        "reason_code": str(line.reason["code"]) if line.reason else None,
    }
    _keep(database, said | {name: getattr(line, name) for name in COUNTS})


def keep_news_of_feed(
    database: Database,
    feed: str,
    event: FeedEvent,
    profile: str,
    owner: str | None,
    targets: Sequence[str] | None,
    reason_code: str | None,
) -> None:
    """Keeps an event of a feed as news; call it in the transaction that records the event.

    Args:
        database: the contact database.
        feed: name of the feed.
        event: the event.
        profile: of the feed.
        owner: login of who is responsible for the feed.
        targets: targets of the notices; None: those by the rules.
        reason_code: code of the reason.
    """
    if not database.lies_beside(NOTICES):
        return
    said = {
        "event": event,
        "reason_code": reason_code,
        "feed": feed,
        "feed_profile": profile,
        "feed_owner": owner,
        "targets": None if targets is None else [*targets],
    }
    _keep(database, said)


def keep_news_of_home(database: Database, event: HomeEvent, reason_code: str) -> None:
    """Keeps an event of the home as news; call it in a transaction.

    Args:
        database: the contact database.
        event: the event.
        reason_code: code of the reason.
    """
    if database.lies_beside(NOTICES):
        _keep(database, {"event": event, "reason_code": reason_code})


def is_recent(database: Database, event: HomeEvent) -> bool:
    """Whether that event of the home was kept as news in the last day; also true where no news is kept."""
    if not database.lies_beside(NOTICES):
        return True
    at = _now()  # news from later than that was kept when the clock was ahead
    sql = "SELECT count(*) FROM news WHERE event = ? AND happened_at > ? AND happened_at <= ?"
    return bool(database.value(sql, [event, at - _DAY, at]))


def _keep(database: Database, said: Mapping[str, object]) -> None:
    """Adds a line to `news`; columns that are not given are empty, or 0."""
    line = {"upload_id": "", "happened_at": _now(), **dict.fromkeys(COUNTS, 0), **said}
    marks = ", ".join("?" for _ in line)
    database.run(
        f"INSERT INTO news (number, {', '.join(line)}) SELECT coalesce(max(number), 0) + 1, {marks} FROM news",
        [*line.values()],
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def forget_waiting(database: Database) -> None:
    """Drops waiting news and notices in a restored home: they may have been sent after the backup was made."""
    database.run("UPDATE news SET taken = true")
    database.run("""
        UPDATE notices SET state = 'dropped', problem = 'The home was restored from a backup.'
        WHERE state IN ('waiting', 'sending')""")
