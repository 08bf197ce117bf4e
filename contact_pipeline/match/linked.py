"""A wish not to be contacted reaches the whole person: every contact that is linked with the one that a row reaches."""

from __future__ import annotations

from contact_pipeline.engines import Database, quoted
from contact_pipeline.match.part import Part
from contact_pipeline.match.targets import make_writes
from contact_pipeline.terms import CONSENT

_WISH = quoted(CONSENT)


def copy_linked(database: Database, part: Part) -> None:
    """Makes <entity>_linked: the persons of whom rows can reach a contact. Empty where no wish can reach a further one.

    Columns: target (a contact that rows can reach), contact_id (a contact of the same person, by however many links;
    the target is one of them), revision, do_not_contact.

    Under `create` a new contact has the wish of any contact of its person: the candidate then has it, too.

    Args:
        database: the staging database with the part's pairs and candidates, the contact database attached as `book`.
        part: whose rows they are.
    """
    linked = part.table("linked")
    database.run(f"""
        CREATE OR REPLACE TEMP TABLE {linked}
        (target BIGINT, contact_id BIGINT, revision INTEGER, {_WISH} BOOLEAN)""")
    if part.entity != "contact" or not _is_needed(database, part):
        return
    # Under `create` the new contact will be linked with its target, which need not be linked with any other yet.
    alone = "" if part.links else "SEMI JOIN ends USING (contact_id)"
    database.run(f"""
        INSERT INTO {linked}
        WITH RECURSIVE ends AS MATERIALIZED (
            SELECT contact_id, linked_to AS other FROM book.links
            UNION ALL SELECT linked_to, contact_id FROM book.links
        ),
        targets AS (
            SELECT representative AS contact_id FROM {part.table("pairs")}
            UNION SELECT contact_id FROM resolutions WHERE entity = '{part.entity}' AND contact_id IS NOT NULL
        ),
        same(target, contact_id) AS (
            SELECT contact_id, contact_id FROM targets {alone}
            UNION SELECT target, other FROM same JOIN ends USING (contact_id)
        )
        SELECT same.target, c.contact_id, c.revision, c.{_WISH} FROM same JOIN book.contacts AS c USING (contact_id)""")
    if part.links:
        database.run(f"""
            UPDATE {part.table("candidates")} SET {_WISH} = true
            WHERE contact_id IN (SELECT target FROM {linked} WHERE {_WISH})""")


def _is_needed(database: Database, part: Part) -> bool:
    """Whether a row has a wish that can reach a further contact, or a contact has one that a new contact is to have."""
    has_links = _any(database, "FROM book.links")
    if not (has_links or part.links):
        return False
    if CONSENT in part.kinds and _any(database, f"FROM {part.table('rows')} WHERE {_WISH}"):
        return True
    ends = "SELECT contact_id FROM book.links UNION ALL SELECT linked_to FROM book.links"
    return part.links and has_links and _any(database, f"FROM book.contacts WHERE {_WISH} AND contact_id IN ({ends})")


def _any(database: Database, query: str) -> bool:
    return bool(database.rows(f"SELECT 1 {query} LIMIT 1"))


def spread_wishes(database: Database, part: Part) -> None:
    """Makes <entity>_wishes: the contacts that get a wish because the row `row_number` reaches one linked with them.

    A contact that rows write to as well gets it with that write, as a target has one change.
    """
    linked, wishes, writes = part.table("linked"), part.table("wishes"), part.table("writes")
    database.run(f"""
        CREATE OR REPLACE TEMP TABLE {wishes} AS
        SELECT NULL::UINTEGER AS row_number, contact_id, revision, {_WISH} FROM {linked} WHERE false""")
    if CONSENT not in part.kinds or not _any(database, f"FROM {linked}"):
        return
    database.run(f"""
        INSERT INTO {wishes}
        SELECT min(w.row_number), l.contact_id, any_value(l.revision), any_value(l.{_WISH})
        FROM {linked} AS l JOIN {writes} AS w ON l.target = w._target WHERE w.{_WISH} GROUP BY l.contact_id""")
    if part.matched != "ignore" and _add_to_consents(database, part):
        make_writes(database, part, part.table("rows"))
    written = "" if part.links else f"OR contact_id IN (SELECT _target FROM {writes} WHERE _target IS NOT NULL)"
    database.run(f"DELETE FROM {wishes} WHERE {_WISH} {written}")


def _add_to_consents(database: Database, part: Part) -> bool:
    """Adds the targets whose person has the wish of another row; whether there are any."""
    added: int = database.value(f"""
        INSERT INTO {part.table("consents")}
        SELECT DISTINCT first FROM {part.table("targets")}
        WHERE target IN (SELECT contact_id FROM {part.table("wishes")})
              AND first IS NOT NULL AND first NOT IN (FROM {part.table("consents")})""")
    return added > 0


def has_wishes(database: Database, part: Part) -> bool:
    """Whether a linked contact gets a wish."""
    return _any(database, f"FROM {part.table('wishes')}")
