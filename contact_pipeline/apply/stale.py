"""Whether a frozen changeset still holds: no target moved, and no decision would differ by what was committed since."""

from __future__ import annotations

from contact_pipeline.engines import Database, literal, quoted
from contact_pipeline.store.erasures import ERASED
from contact_pipeline.terms import CONSENT


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
                    SELECT DISTINCT s.row_number
                    FROM staged.{entity}_changes AS s LEFT JOIN {table} AS e USING ({entity}_id)
                    WHERE CASE WHEN s.action = 'create' THEN e.{entity}_id IS NOT NULL
                               ELSE e.revision IS DISTINCT FROM s.base_revision END
                    ORDER BY s.row_number LIMIT {limit}""")
            ]
    return rows


def rows_with_new_links(database: Database, snapshot: int, limit: int = 20) -> list[int]:
    """Rows whose wish not to be contacted would miss a contact: one linked since with a contact that gets the wish.

    Also those of a new contact that is linked with one which has got such a wish since.
    """
    wish = quoted(CONSENT)
    if not (
        database.has("contact_changes", "staged") and f"after_{CONSENT}" in database.columns("staged.contact_changes")
    ):
        return []
    after = quoted(f"after_{CONSENT}")
    links = "SELECT contact_id, linked_to FROM link_changes WHERE action = 'create' AND commit_number > ?"
    carried = f"""
        UNION
        SELECT s.row_number FROM staged.link_changes AS l JOIN staged.contact_changes AS s USING (contact_id)
        JOIN contacts AS c ON c.contact_id = l.linked_to
        WHERE s.action = 'create' AND s.{after} IS NOT TRUE AND c.{wish}"""
    rows = database.rows(
        f"""
        WITH links AS ({links}),
        ends AS (FROM links UNION ALL SELECT linked_to, contact_id FROM links)
        SELECT s.row_number FROM staged.contact_changes AS s JOIN ends USING (contact_id)
        JOIN contacts AS c ON c.contact_id = ends.linked_to
        WHERE s.{after} AND c.{wish} IS NOT TRUE
              AND c.contact_id NOT IN (SELECT contact_id FROM staged.contact_changes WHERE {after})
        {carried if database.has("link_changes", "staged") else ""}
        ORDER BY row_number LIMIT {limit}""",
        [snapshot],
    )
    return [row for (row,) in rows]


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
