"""News is kept in the same transaction as the change of state that it is: whoever sends it may come later.

A home without `notices.yaml` keeps none, so that nobody is told of the past once there is one.
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

COUNTS: Final = ("processed", *OUTCOMES, "deactivated")  # as they were at the moment


def keep_news(database: Database, line: LedgerLine) -> None:
    """Keeps what an upload's new state is to people, if it is anything; call it in the transaction of the change."""
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
    """Keeps what befell a feed; call it in the transaction that writes it down.

    Args:
        database: the contact database.
        feed: its name.
        event: what it was.
        profile: of the feed.
        owner: login of who answers for it.
        targets: who is told; None: whom the rules say.
        reason_code: code of why.
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
    """Ends what waits to be sent in a home that is restored: after the backup was made it may have been sent."""
    database.run("UPDATE news SET taken = true")
    database.run("""
        UPDATE notices SET state = 'dropped', problem = 'The home was restored from a backup.'
        WHERE state IN ('waiting', 'sending')""")
