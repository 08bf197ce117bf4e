"""Decisions of people about rows in review: those of this upload, and those remembered from earlier uploads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from contact_pipeline.engines import Tables, literal
from contact_pipeline.match.defects import add_defects
from contact_pipeline.match.folding import is_ascii
from contact_pipeline.match.keys import VERSION, key_column
from contact_pipeline.match.part import Part
from contact_pipeline.store.links import merged

SKIPPED: Final = "skipped"
SKIPPED_BEFORE: Final = "skipped-before"


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


# Tables of the contact database with the decisions of people, and with later merges of contacts.
READ: Final = ("decisions", "uploads", "contacts", "links", "link_changes", "contact_changes", "commits")


def copy_resolutions(database: Tables, parts: Sequence[Part], upload_id: str, address_book: str) -> None:
    """Makes resolutions (entity, row_number, choice, contact_id, other_row, own, decided_in), with `book` attached.

    A decision made in this upload always holds. The newest decision from earlier uploads for the same keys holds where
    the row would be in review, as long as its contact exists and nobody withdrew it. A contact that was merged
    stands for its survivor, as `contacts show` says.
    """
    there = "d.contact_id IN (SELECT contact_id FROM book.contacts)"
    remembered = " UNION ALL ".join(
        f"""
        SELECT entity, row_number, CASE WHEN choice = 'skip' THEN choice ELSE 'contact' END AS choice,
               CASE WHEN choice <> 'skip' THEN contact_id END AS contact_id,
               'row ' || decided_row::VARCHAR || ' of upload ' || upload_id AS decided_in
        FROM (
            SELECT d.entity, k.row_number, d.choice, d.contact_id, d.upload_id, d.row_number AS decided_row,
                   row_number() OVER (
                       PARTITION BY k.row_number ORDER BY d.decided_at DESC, d.upload_id DESC, d.row_number DESC
                   ) AS age
            FROM {part.table("row_keys")} AS k JOIN book.decisions AS d ON d.keys = {keys_as_text(part, "k")}
            WHERE d.entity = '{part.entity}' AND d.address_book = {literal(address_book)} AND NOT d.withdrawn
                  AND d.upload_id <> {literal(upload_id)}
                  AND (d.choice = 'skip' {f"OR {there}" if people else ""})
                  AND d.upload_id NOT IN (SELECT upload_id FROM book.uploads WHERE state = 'undone')
        ) AS d WHERE age = 1"""
        for part in parts
        for people in [part.entity == "contact"]
    )
    own = f"""
        SELECT entity, row_number, choice, CASE WHEN choice <> 'row' THEN contact_id END AS contact_id, other_row,
               true AS own, NULL::VARCHAR AS decided_in
        FROM book.decisions
        WHERE upload_id = {literal(upload_id)} AND NOT withdrawn
              AND (choice <> 'contact' OR contact_id IN (SELECT contact_id FROM book.contacts))"""
    database.stage(
        "resolutions",
        f"""
        WITH own AS ({own}),
        remembered AS ({remembered}),
        merged AS ({merged(book="book.")}),
        chosen AS (
            SELECT entity, row_number, choice, contact_id, other_row, own, decided_in FROM own
            UNION ALL
            SELECT entity, row_number, choice, contact_id, NULL AS other_row, false AS own, decided_in FROM remembered
            ANTI JOIN own USING (entity, row_number)
        )
        SELECT entity, row_number, choice, coalesce(merged_into, chosen.contact_id) AS contact_id, other_row, own,
               decided_in
        FROM chosen LEFT JOIN merged ON merged.contact_id = chosen.contact_id AND entity = 'contact'""",
    )


def skip_rows(database: Tables, part: Part) -> None:
    """Rejects rows that a person chose to skip in this upload.

    When some rows of an applied upload are decided later, only these rows count: the others were rejected before.
    """
    skipped = f"""
        SELECT row_number FROM resolutions SEMI JOIN {part.table("row_keys")} USING (row_number)
        WHERE choice = 'skip' AND own AND entity = '{part.entity}'"""
    add_defects(database, SKIPPED, skipped)


def skip_rows_again(database: Tables, part: Part) -> None:
    """Rejects rows that would be in review, and that a person skipped in an earlier upload."""
    skipped = f"""
        SELECT row_number, decided_in FROM resolutions JOIN {part.table("targets")} USING (row_number)
        WHERE decision = 'review' AND choice = 'skip' AND NOT own AND entity = '{part.entity}'"""
    add_defects(database, SKIPPED_BEFORE, skipped, placeholders={"expected": "decided_in"})
