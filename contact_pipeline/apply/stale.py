"""Whether a frozen changeset still holds: no later commit changed a target, or would change a decision."""

from __future__ import annotations

from collections.abc import Sequence

from contact_pipeline.apply.decided_otherwise import differing_rows, rows_compared_otherwise
from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.match import Part
from contact_pipeline.settings import Settings
from contact_pipeline.store.erasures import ERASED
from contact_pipeline.terms import CONSENT


def stale_rows(
    database: Tables, parts: Sequence[Part] | None, settings: Settings, address_book: str, snapshot: int
) -> list[int | None]:
    """Rows that make a changeset stale; None stands for a change that belongs to no row.

    Args:
        database: the contact database, with the staging database attached as `staged`.
        parts: of the upload's rows; None: the changeset was made by hand.
        settings: of the home.
        address_book: of the upload.
        snapshot: number of the newest commit that the changeset has seen.
    """
    if moved := moved_rows(database):
        return moved
    if parts is None:
        return [None] if members_gone(database) or merged_have_changed(database, snapshot) else []
    stale: list[int | None] = [row for part in parts for row in rows_compared_otherwise(database, part)]
    if stale or not changed_since(database, address_book, snapshot):
        return stale
    stale += [row for part in parts for row in differing_rows(database, part, settings, address_book, snapshot)]
    return stale or [*rows_with_new_links(database, snapshot)]


def moved_rows(database: Tables, limit: int = 20) -> list[int | None]:
    """Rows whose target was changed or removed since the snapshot (None for a contact that belongs to no row).

    Also rows whose new id is taken already: the contact table has no index that would refuse it.
    """
    rows: list[int | None] = []
    for entity, table in (("account", "accounts"), ("contact", "contacts")):
        if database.has(f"staged.{entity}_changes"):
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


def rows_with_new_links(database: Tables, snapshot: int, limit: int = 20) -> list[int]:
    """Rows whose wish not to be contacted would miss a contact that was linked since.

    Also rows of a new contact whose linked contact has got such a wish since.
    """
    wish = quoted(CONSENT)
    if not (
        database.has("staged.contact_changes") and f"after_{CONSENT}" in database.columns("staged.contact_changes")
    ):
        return []
    after = quoted(f"after_{CONSENT}")
    links = f"SELECT contact_id, linked_to FROM link_changes WHERE action = 'create' AND commit_number > {snapshot}"
    carried = f"""
        UNION
        SELECT s.row_number FROM staged.link_changes AS l JOIN staged.contact_changes AS s USING (contact_id)
        JOIN contacts AS c ON c.contact_id = l.linked_to
        WHERE s.action = 'create' AND s.{after} IS NOT TRUE AND c.{wish}"""
    rows = database.rows(f"""
        WITH links AS ({links}),
        ends AS (SELECT contact_id, linked_to FROM links UNION ALL SELECT linked_to, contact_id FROM links)
        SELECT s.row_number FROM staged.contact_changes AS s JOIN ends USING (contact_id)
        JOIN contacts AS c ON c.contact_id = ends.linked_to
        WHERE s.{after} AND c.{wish} IS NOT TRUE
              AND c.contact_id NOT IN (SELECT contact_id FROM staged.contact_changes WHERE {after})
        {carried if database.has("staged.link_changes") else ""}
        ORDER BY row_number LIMIT {limit}""")
    return [row for (row,) in rows]


def members_gone(database: Tables) -> bool:
    """Whether a contact that a changeset made by hand puts into a group, or takes out of it, is gone or erased."""
    if not database.has("staged.membership_changes"):
        return False
    return bool(
        database.value(f"""
            SELECT count(*) FROM staged.membership_changes
            WHERE contact_id NOT IN (SELECT contact_id FROM contacts) OR contact_id IN ({ERASED.format("")})""")
    )


def merged_have_changed(database: Tables, snapshot: int) -> bool:
    """Whether anything was committed since the snapshot to a contact that a merge links: itself, a group, a link.

    Some of these contacts have no change of their own whose revision would show it.
    """
    if not database.has("staged.link_changes"):
        return False
    ends = "SELECT contact_id FROM staged.link_changes UNION SELECT linked_to FROM staged.link_changes"
    touched = " UNION ALL ".join(
        f"SELECT {column} AS contact_id FROM {table} WHERE commit_number > {snapshot}"
        for table, column in (
            ("membership_changes", "contact_id"),
            ("link_changes", "contact_id"),
            ("link_changes", "linked_to"),
        )
    )
    return bool(
        database.value(f"""
            SELECT count(*) FROM ({ends})
            WHERE contact_id NOT IN (SELECT contact_id FROM contacts WHERE last_commit <= {snapshot})
                  OR contact_id IN ({ERASED.format("")}) OR contact_id IN ({touched})""")
    )


def changed_since(database: Tables, address_book: str, snapshot: int) -> bool:
    """Whether anything was committed to the address book since the snapshot."""
    return bool(
        database.value(
            f"""SELECT count(*) FROM commits
                WHERE address_book = {literal(address_book)} AND commit_number > {snapshot} AND action <> 'finalize'"""
        )
    )
