"""Whether a frozen changeset still holds: no target moved, and no decision would differ by what was committed since."""

from __future__ import annotations

from contact_pipeline.engines import Database
from contact_pipeline.engines import text as literal
from contact_pipeline.store.erasures import ERASED


def moved_rows(database: Database, limit: int = 20) -> list[int | None]:
    """Rows whose target was changed or removed since the snapshot (None for a contact that no row names).

    Also refuses ids that are taken already: the contact table has no index that would.
    """
    rows: list[int | None] = []
    for entity, table in (("account", "accounts"), ("contact", "contacts")):
        if database.has(f"{entity}_changes", "staged"):
            rows += [
                row
                for (row,) in database.rows(f"""
                    SELECT s.row_number FROM staged.{entity}_changes AS s LEFT JOIN {table} AS e USING ({entity}_id)
                    WHERE CASE WHEN s.action = 'create' THEN e.{entity}_id IS NOT NULL
                               ELSE e.revision IS DISTINCT FROM s.base_revision END
                    ORDER BY s.row_number LIMIT {limit}""")
            ]
    return rows


def members_gone(database: Database) -> bool:
    """Whether a contact that a changeset made by hand puts into a group, or takes out of it, is gone or erased."""
    if not database.has("membership_changes", "staged"):
        return False
    return bool(
        database.value(f"""
            SELECT count(*) FROM staged.membership_changes
            WHERE contact_id NOT IN (SELECT contact_id FROM contacts) OR contact_id IN ({ERASED.format("")})""")
    )


def changed_since(database: Database, address_book: str, snapshot: int) -> bool:
    """Whether anything was committed to the address book since the snapshot."""
    return bool(
        database.value(
            f"""SELECT count(*) FROM commits
                WHERE address_book = {literal(address_book)} AND commit_number > {snapshot} AND action <> 'finalize'"""
        )
    )
