"""Links between contacts that are the same person; some of these contacts are merged into another."""

from __future__ import annotations

from contact_pipeline.engines import Tables
from contact_pipeline.store.effective import EFFECTIVE


def linked_with(database: Tables, contact_id: int) -> list[int]:
    """The contact and every contact linked with it, directly or through others."""
    rows = database.rows(
        f"""WITH RECURSIVE same(contact_id) AS (
               SELECT {contact_id}::BIGINT
               UNION
               SELECT CASE WHEN links.contact_id = same.contact_id THEN linked_to ELSE links.contact_id END
               FROM same JOIN links ON same.contact_id IN (links.contact_id, linked_to)
           )
           SELECT contact_id FROM same ORDER BY contact_id"""
    )
    return [found for (found,) in rows]


def merged(view: str = "", book: str = "") -> str:
    """The query for contacts that are merged into another: contact_id, merged_into.

    A merged contact was deactivated and linked by one commit, without a row of a file. Since then it may have been
    linked with another contact, into which the first one was merged.

    Args:
        view: prefix of contacts and links, such as `published_`.
        book: prefix of the contact database's tables, such as `book.`.
    """
    return f"""
        SELECT contact_id, min(linked_to) AS merged_into FROM {book}{view}links
        WHERE contact_id IN (SELECT contact_id FROM {book}{view}contacts WHERE NOT active) AND contact_id IN (
            SELECT k.contact_id FROM {book}link_changes AS k
            JOIN {book}contact_changes AS h ON h.contact_id = k.contact_id AND h.commit_number = k.commit_number
            WHERE k.action = 'create' AND k.row_number IS NULL AND NOT h.after_active
                  AND k.commit_number IN ({EFFECTIVE.format(book)}))
        GROUP BY contact_id"""
