"""News is kept in the same transaction as the change of state that it is: whoever sends it may come later.

A home without `notices.yaml` keeps none, so that nobody is told of the past once there is one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from contact_pipeline.contracts.ledger import LedgerLine
from contact_pipeline.contracts.news import event_of
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


def forget_waiting(database: Database) -> None:
    """Ends what waits to be sent in a home that is restored: after the backup was made it may have been sent."""
    database.run("UPDATE news SET taken = true")
    database.run("""
        UPDATE notices SET state = 'dropped', problem = 'The home was restored from a backup.'
        WHERE state IN ('waiting', 'sending')""")
