"""Carries a wish not to be contacted to all contacts of the person."""

from __future__ import annotations

from typing import Final

from contact_pipeline.engines import Tables, quoted
from contact_pipeline.match.part import Part
from contact_pipeline.terms import CONSENT

_WISH = quoted(CONSENT)


def copy_linked(database: Tables, part: Part) -> None:
    """Makes <entity>_linked: all contacts of each person that rows can reach. Empty where no wish can spread.

    Columns: target (a contact that rows can reach), contact_id (a contact of the same person, by however many links;
    the target is one of them), revision, do_not_contact.

    Args:
        database: the staging database with the part's pairs, the contact database attached as `book`.
        part: whose rows they are.
    """
    needed = part.entity == "contact" and _is_needed(database, part)
    database.make(part.table("linked"), f""" {_same_person(part) if needed else _NOBODY}""")


_NOBODY: Final = f"""
        SELECT NULL::BIGINT AS target, NULL::BIGINT AS contact_id, NULL::INTEGER AS revision, NULL::BOOLEAN AS {_WISH}
        WHERE false"""


def _same_person(part: Part) -> str:
    # Under `create` the new contact will be linked with its target, which need not be linked with any other yet.
    alone = "" if part.links else "SEMI JOIN ends USING (contact_id)"
    return f"""
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
        SELECT same.target, c.contact_id, c.revision, c.{_WISH} FROM same JOIN book.contacts AS c USING (contact_id)"""


def _is_needed(database: Tables, part: Part) -> bool:
    """Whether a wish of a row can spread to another contact, or one of a contact to a new contact."""
    has_links = _any(database, "FROM book.links")
    if not (has_links or part.links):
        return False
    if CONSENT in part.kinds and _any(database, f"FROM {part.table('rows')} WHERE {_WISH}"):
        return True
    ends = "SELECT contact_id FROM book.links UNION ALL SELECT linked_to FROM book.links"
    return part.links and has_links and _any(database, f"FROM book.contacts WHERE {_WISH} AND contact_id IN ({ends})")


def _any(database: Tables, query: str) -> bool:
    return bool(database.rows(f"SELECT 1 {query} LIMIT 1"))


def spread_wishes(database: Tables, part: Part) -> None:
    """Makes <entity>_wishes and <entity>_writes: a wish spreads to every contact of the person.

    <entity>_wishes: contacts that get the wish in a change of their own, with the row that carries it. A contact that
    other rows write to gets the wish in that write instead, as a target has one change.
    """
    gathered, wishes, writes = part.table("gathered"), part.table("wishes"), part.table("writes")
    if CONSENT not in part.kinds or not _any(database, f"FROM {part.table('linked')}"):
        database.make(
            wishes,
            f"""
            SELECT NULL::UINTEGER AS row_number, contact_id, revision, {_WISH} FROM {part.table("linked")}
            WHERE false""",
        )
        database.view(writes, f"FROM {gathered}")
        return
    reached = f"""
        SELECT min(w.row_number) AS row_number, l.contact_id, any_value(l.revision) AS revision,
               any_value(l.{_WISH}) AS {_WISH}
        FROM {part.table("linked")} AS l JOIN {gathered} AS w ON l.target = w._target
        WHERE w.{_WISH} GROUP BY l.contact_id"""
    written = "" if part.links else f"OR contact_id IN (SELECT _target FROM {gathered} WHERE _target IS NOT NULL)"
    database.make(
        wishes,
        f"""
        FROM ({reached}) WHERE NOT coalesce({_WISH} {written}, false)""",
    )
    if part.matched == "ignore":
        database.view(writes, f"FROM {gathered}")
        return
    database.make(
        part.table("wishing"),
        f"""
        SELECT DISTINCT first AS _wishing FROM {part.table("targets")}
        WHERE target IN (SELECT contact_id FROM ({reached})) AND first IS NOT NULL""",
    )
    wished = {_WISH: f"{_WISH} OR _wishing IS NOT NULL AS {_WISH}"}
    columns = ", ".join(wished.get(name, name) for name in map(quoted, database.columns(gathered)))
    database.view(
        writes, f"SELECT {columns} FROM {gathered} LEFT JOIN {part.table('wishing')} ON row_number = _wishing"
    )


def has_wishes(database: Tables, part: Part) -> bool:
    """Whether a linked contact gets a wish."""
    return _any(database, f"FROM {part.table('wishes')}")
