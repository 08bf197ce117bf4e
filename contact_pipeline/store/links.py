"""Contacts that are linked: the same person, several times."""

from __future__ import annotations

from contact_pipeline.engines import Tables


def linked_with(database: Tables, contact_id: int) -> list[int]:
    """The contact and every one that is linked to it, by however many links."""
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
