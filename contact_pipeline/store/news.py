"""Keeps news in the transaction of the change of state; it is sent later.

A home without `notices.yaml` keeps no news, so that a new `notices.yaml` sends no notices of the past.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from contact_pipeline.contracts.ledger import LedgerLine
from contact_pipeline.contracts.news import FeedEvent, event_of
from contact_pipeline.engines import Database
from contact_pipeline.settings import NOTICES
from contact_pipeline.terms import OUTCOMES

COUNTS: Final = ("processed", *OUTCOMES, "deactivated")  # as they were at the time of the news


def keep_news(database: Database, line: LedgerLine) -> None:
    """Keeps an upload's new state as news, if it is an event; call it in the transaction of the change."""
    event = event_of(line)
    if event is None or not database.lies_beside(NOTICES):
        return
    code = str(line.reason["code"]) if line.reason else None
    values = [line.upload_id, event, datetime.now(UTC).replace(tzinfo=None), code]
    counts = [getattr(line, name) for name in COUNTS]
    names = ", ".join(("upload_id", "event", "happened_at", "reason_code", *COUNTS))
    marks = ", ".join("?" for _ in (*values, *counts))
    database.run(
        f"INSERT INTO news (number, {names}) SELECT coalesce(max(number), 0) + 1, {marks} FROM news",
        [*values, *counts],
    )


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
    at = datetime.now(UTC).replace(tzinfo=None)
    values = ["", event, at, reason_code, feed, profile, owner, None if targets is None else [*targets]]
    counts = [0 for _ in COUNTS]
    names = ("upload_id", "event", "happened_at", "reason_code", "feed", "feed_profile", "feed_owner", "targets")
    marks = ", ".join("?" for _ in (*values, *counts))
    into = ", ".join((*names, *COUNTS))
    database.run(
        f"INSERT INTO news (number, {into}) SELECT coalesce(max(number), 0) + 1, {marks} FROM news", [*values, *counts]
    )


def forget_waiting(database: Database) -> None:
    """Drops waiting news and notices in a restored home: they may have been sent after the backup was made."""
    database.run("UPDATE news SET taken = true")
    database.run("""
        UPDATE notices SET state = 'dropped', problem = 'The home was restored from a backup.'
        WHERE state IN ('waiting', 'sending')""")
