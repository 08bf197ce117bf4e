"""Copies out of the contact database what matching needs, in one short look at it."""

from __future__ import annotations

from dataclasses import dataclass

from contact_pipeline.engines import Database, quoted
from contact_pipeline.match.decide import find_pairs
from contact_pipeline.match.erased import copy_fingerprints
from contact_pipeline.match.keys import part_key
from contact_pipeline.match.linked import copy_linked
from contact_pipeline.match.part import Part
from contact_pipeline.match.resolutions import copy_resolutions
from contact_pipeline.store import Store
from contact_pipeline.store.groups import group_key
from contact_pipeline.store.schema import SQL_TYPE, check_contact_fields, keep_contact_fields


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state that was read: the newest commit, and of the address book's contacts or accounts how many there are.

    Attributes:
        number: of the newest commit.
        there: how many contacts or accounts, whichever a row is, the address book has.
        active: how many of its contacts are active.
    """

    number: int
    there: int
    active: int


def take_snapshot(
    database: Database,
    store: Store,
    address_book: str,
    parts: list[Part],
    *,
    upload_id: str,
    missing: bool,
    accounts: bool,
    group: str | None = None,
) -> Snapshot:
    """Makes the table of candidates of every part: those that share a key with a row, as they stand now.

    Args:
        database: the staging database.
        store: whose contact database is read.
        address_book: in which candidates are looked for.
        parts: whose keys are there already.
        upload_id: the upload, by which what was decided about its rows is found.
        missing: whether to list the active contacts that no row reaches (table `missing`).
        accounts: whether to list the numbers of the accounts there are (table `known_accounts`).
        group: of which to list the contacts that are in it (table `in_group`).
    """
    contact_parts = [part for part in parts if part.entity == "contact"]
    written = {name: kind for part in contact_parts for name, kind in part.stored.items()}
    weighed = {name: kind for part in contact_parts for name, kind in part.weighed.items()}
    keep_contact_fields(database, written, {name for part in parts for name in part.sensitive})
    settings = store.settings
    with database.attached(settings.contacts_path, "book", wait_seconds=settings.lock_wait_seconds):
        check_contact_fields(database, written | weighed, "book.")
        copy_resolutions(database, parts, upload_id, address_book)
        copy_fingerprints(database, "book.")
        for part in parts:
            find_pairs(database, part, part.table("row_keys"), "book.", address_book, part.table("pairs"))
            _copy_candidates(database, part)
            copy_linked(database, part)
        if missing:
            _list_missing(database, parts[0], address_book)
        database.run(
            f"""CREATE OR REPLACE TEMP TABLE in_group AS SELECT contact_id FROM book.memberships
                WHERE address_book = ? AND {group_key("group_name")} = {group_key("?")}""",
            [address_book, group],
        )
        if accounts:
            database.run(
                f"""CREATE OR REPLACE TEMP TABLE known_accounts AS
                    SELECT {part_key(parts[0], "account_number", "a", ["account_number"])} AS key_account_number
                    FROM book.accounts AS a WHERE address_book = ?""",
                [address_book],
            )
        number: int = database.value("SELECT coalesce(max(commit_number), 0) FROM book.commits")
        active: int = database.value(
            "SELECT count(*) FROM book.contacts WHERE address_book = ? AND active", [address_book]
        )
        there: int = database.value(
            f"SELECT count(*) FROM book.{parts[0].entity}s WHERE address_book = ?", [address_book]
        )
    return Snapshot(number, there, active)


def _copy_candidates(database: Database, part: Part) -> None:
    """Copies those whom a row can match, who represents them, and whom somebody chose for a row in review."""
    chosen = f"UNION SELECT contact_id FROM resolutions WHERE entity = '{part.entity}' AND contact_id IS NOT NULL"
    linked = f"UNION SELECT candidate FROM {part.table('pairs')} WHERE candidate <> representative"
    there, kinds = database.columns(f"book.{part.entity}s"), part.stored | part.weighed
    fields = ", ".join(
        quoted(name) if name in there else f"NULL::{SQL_TYPE[kinds[name]]} AS {quoted(name)}" for name in part.looked_at
    )
    if part.entity == "contact":  # one that is there for others alone is made by reactivating it
        fields += ", CASE WHEN created_commit IS NOT NULL THEN active END AS active"
    database.run(f"""
        CREATE OR REPLACE TEMP TABLE {part.table("candidates")} AS
        SELECT {part.id}, revision, {fields} FROM book.{part.entity}s
        WHERE {part.id} IN (SELECT representative FROM {part.table("pairs")} {linked} {chosen})""")


def _list_missing(database: Database, part: Part, address_book: str) -> None:
    """Makes `missing`: the active contacts that no row reaches. Linked ones are one person: reaching one is enough.

    One that a wish can reach by several links is no exception; it would get a second change.
    """
    database.run(
        f"""CREATE OR REPLACE TEMP TABLE missing AS
            SELECT contact_id, revision FROM book.contacts LEFT JOIN book.links USING (contact_id)
            WHERE address_book = ? AND active AND coalesce(links.linked_to, contact_id) NOT IN (
                SELECT representative FROM {part.table("pairs")})
                  AND contact_id NOT IN (SELECT contact_id FROM {part.table("linked")})""",
        [address_book],
    )
