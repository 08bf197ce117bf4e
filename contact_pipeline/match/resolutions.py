"""What people decided about rows in review: this upload's own decisions, and those remembered from earlier ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from contact_pipeline.engines import Tables, literal
from contact_pipeline.match.defects import add_defects
from contact_pipeline.match.folding import is_ascii
from contact_pipeline.match.keys import VERSION, key_column
from contact_pipeline.match.part import Part

SKIPPED: Final = "skipped"


def keys_as_text(part: Part, alias: str) -> str:
    """The SQL expression of all keys of a row as one text, by which decisions are remembered.

    Keys with other than ASCII letters carry the version of the folding: an earlier one may have folded other names
    to them.
    """
    named = ", ".join(f"'{name}=' || {_as_text(part, name, alias)}" for name in sorted(part.key_fields))
    return f"concat_ws(chr(31), {named or 'NULL'})"


def _as_text(part: Part, name: str, alias: str) -> str:
    key = f"{alias}.{key_column(name)}"
    if name in part.keeps_case:
        return f"{key} || ' (case kept)'"
    return f"{key} || CASE WHEN {is_ascii(key)} THEN '' ELSE ' ({VERSION})' END"


def keys_of_rows(database: Tables, part: Part, rows: Collection[int]) -> dict[int, str]:
    """Row → its keys as one text, of these rows of a staging database."""
    wanted = ", ".join(str(row) for row in rows) or "NULL"
    keys = f"SELECT row_number, {keys_as_text(part, 'k')} FROM {part.table('keys')} AS k WHERE row_number IN ({wanted})"
    return dict(database.rows(keys))


def copy_resolutions(database: Tables, parts: Sequence[Part], upload_id: str, address_book: str) -> None:
    """Makes resolutions (entity, row_number, choice, contact_id, other_row, own), with the contact database as `book`.

    A decision made in this upload always holds. A decision from an earlier upload for the same keys holds where the row
    would be in review, as long as its contact exists and nobody withdrew it.
    """
    remembered = " UNION ALL ".join(
        f"""
        SELECT d.entity, k.row_number, 'contact' AS choice, arg_max(d.contact_id, d.decided_at) AS contact_id
        FROM {part.table("row_keys")} AS k JOIN book.decisions AS d ON d.keys = {keys_as_text(part, "k")}
        WHERE d.entity = '{part.entity}' AND d.address_book = {literal(address_book)} AND NOT d.withdrawn
              AND d.upload_id <> {literal(upload_id)} AND d.choice IN ('contact', 'new')
              AND d.contact_id IN (SELECT contact_id FROM book.contacts)
              AND d.upload_id NOT IN (SELECT upload_id FROM book.uploads WHERE state = 'undone')
        GROUP BY d.entity, k.row_number"""
        for part in parts
        if part.entity == "contact"
    )
    own = f"""
        SELECT entity, row_number, choice, contact_id, other_row, true AS own FROM book.decisions
        WHERE upload_id = {literal(upload_id)} AND NOT withdrawn
              AND (choice <> 'contact' OR contact_id IN (SELECT contact_id FROM book.contacts))"""
    database.stage(
        "resolutions",
        f"""
        WITH own AS ({own}),
        remembered AS ({remembered or "SELECT * FROM own WHERE false"})
        FROM own
        UNION ALL
        SELECT entity, row_number, choice, contact_id, NULL AS other_row, false AS own FROM remembered
        ANTI JOIN own USING (entity, row_number)""",
    )


def skip_rows(database: Tables, part: Part) -> None:
    """Rejects rows that a person chose to skip.

    When some rows of an applied upload are decided later, only these rows count: the others were rejected before.
    """
    skipped = f"""
        SELECT row_number FROM resolutions SEMI JOIN {part.table("row_keys")} USING (row_number)
        WHERE choice = 'skip' AND entity = '{part.entity}'"""
    add_defects(database, SKIPPED, skipped)
