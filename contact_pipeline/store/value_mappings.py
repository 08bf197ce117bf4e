"""Remembered values: what a value in files of a profile means, as somebody corrected it once.

A mapping holds for uploads that are received after it was made and before it was forgotten. So planning an upload again
gives the same result at any time. If the clock is set back, the times are adjusted to keep the order of events.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from contact_pipeline.contracts.actors import identity
from contact_pipeline.engines import Database
from contact_pipeline.profiles.reference import Meaning
from contact_pipeline.store.ledger import now

WHY = "remembered value"  # beginning of the reason of a repair by a mapping


def meanings_for(database: Database, profile: str, at: datetime) -> dict[str, dict[str, Meaning]]:
    """Field → compared text → what it means, for an upload of the profile that was received at a time (UTC)."""
    meanings: dict[str, dict[str, Meaning]] = {}
    for field, key, after, by, since in database.rows(
        """SELECT field, before, after, made_by, made_at FROM value_mappings
           WHERE profile = $profile AND made_at < $at AND (forgotten_at IS NULL OR forgotten_at >= $at)
           ORDER BY number""",
        {"profile": profile, "at": at},
    ):
        why = f"{WHY}: {by} said so on {since:%Y-%m-%d}"
        meanings.setdefault(field, {})[key] = Meaning(after, why)
    return meanings


def receipt_time(database: Database, at: datetime) -> datetime:
    """The receipt time of an upload: after every change of mappings, even if the clock was set back."""
    newest: datetime | None = database.value("SELECT max(greatest(made_at, forgotten_at)) FROM value_mappings")
    return at if newest is None else max(at, newest + timedelta(microseconds=1))


def _change_time(database: Database) -> datetime:
    """The time of a change of mappings: not before the receipt of any upload, even if the clock was set back."""
    newest: datetime | None = database.value("SELECT max(added_at) FROM uploads")
    return now() if newest is None else max(now(), newest)


def remember(
    database: Database, profile: str, upload_id: str, meant: Mapping[str, tuple[str, str | None]], actor: str
) -> None:
    """Remembers what values mean in files of a profile, in place of earlier meanings; call it in a transaction.

    Args:
        database: the contact database.
        profile: the profile.
        upload_id: the upload in which they were corrected.
        meant: field → the text in compared form, and the text that is read in its place.
        actor: login of who corrected them.
    """
    at = _change_time(database)
    for field, (before, after) in meant.items():
        kept = database.value(
            """SELECT count(*) FROM value_mappings
               WHERE profile = ? AND field = ? AND before = ? AND after IS NOT DISTINCT FROM ?
                     AND forgotten_at IS NULL""",
            [profile, field, before, after],
        )
        if kept:
            continue
        database.run(
            """UPDATE value_mappings SET forgotten_by = ?, forgotten_as = ?, forgotten_at = ?
               WHERE profile = ? AND field = ? AND before = ? AND forgotten_at IS NULL""",
            [actor, identity(actor), at, profile, field, before],
        )
        database.run(
            """INSERT INTO value_mappings
                   (number, profile, field, before, after, upload_id, made_by, made_as, made_at)
               SELECT coalesce(max(number), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ? FROM value_mappings""",
            [profile, field, before, after, upload_id, actor, identity(actor), at],
        )


def forget(database: Database, number: int, actor: str) -> bool:
    """Withdraws a mapping for later uploads; returns whether it was in effect. Call it in a transaction."""
    return bool(
        database.rows(
            """UPDATE value_mappings SET forgotten_by = ?, forgotten_as = ?, forgotten_at = ?
               WHERE number = ? AND forgotten_at IS NULL RETURNING number""",
            [actor, identity(actor), _change_time(database), number],
        )
    )


def list_value_mappings(database: Database) -> list[dict[str, Any]]:
    """Every mapping, ordered by profile, field and value, including forgotten ones."""
    return database.records("""
        SELECT number, profile, field, before, after, made_by, made_as,
               strftime(made_at, '%Y-%m-%dT%H:%M:%SZ') AS made_at, upload_id, forgotten_by, forgotten_as,
               strftime(forgotten_at, '%Y-%m-%dT%H:%M:%SZ') AS forgotten_at
        FROM value_mappings ORDER BY profile, field, before, number""")
