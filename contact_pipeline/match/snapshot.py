"""Copies out of the contact database what matching needs, in one short look at it."""

from __future__ import annotations

from dataclasses import dataclass

from contact_pipeline.engines import Database, quoted
from contact_pipeline.engines import text as literal
from contact_pipeline.match.keys import key, key_columns, reaches, shares_a_key
from contact_pipeline.match.part import NAME_PARTS, Part
from contact_pipeline.match.resolutions import copy_resolutions
from contact_pipeline.store import Store
from contact_pipeline.store.schema import add_contact_fields


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state that was read: the newest commit, and how many contacts of the address book were active."""

    number: int
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
) -> Snapshot:
    """Makes the table of candidates of every part: those that share a key with a row, as they stand now.

    Args:
        database: the staging database.
        store: whose contact database is read.
        address_book: in which candidates are looked for.
        parts: whose keys are there already.
        upload_id: the upload, by which what was decided about its rows is found.
        missing: whether to list the active contacts that no row reaches (table `missing`).
        accounts: whether to list the numbers of the accounts that rows name (table `known_accounts`).
    """
    _add_custom_fields(store, parts)
    settings = store.settings
    with database.attached(settings.contacts_path, "book", wait_seconds=settings.lock_wait_seconds):
        copy_resolutions(database, parts, upload_id, address_book)
        for part in parts:
            copy_candidates(
                database, part, "book.", address_book, part.table("keys"), part.table("candidates"), chosen=True
            )
        if missing:
            _list_missing(database, parts[0], address_book)
        if accounts:
            database.run(
                f"""CREATE OR REPLACE TEMP TABLE known_accounts AS
                    SELECT {key("account_number", "a", ["account_number"])} AS key_account_number
                    FROM book.accounts AS a WHERE address_book = ?""",
                [address_book],
            )
        number: int = database.value("SELECT coalesce(max(commit_number), 0) FROM book.commits")
        active: int = database.value(
            "SELECT count(*) FROM book.contacts WHERE address_book = ? AND active", [address_book]
        )
    return Snapshot(number, active)


def copy_candidates(
    database: Database, part: Part, book: str, address_book: str, keys: str, into: str, *, chosen: bool = False
) -> None:
    """Copies those that share a key with the rows, and the contacts that represent them; linked ones are one person.

    Args:
        database: that has the keys, and the contact database's tables under the prefix `book`.
        part: whose entity is looked for.
        book: prefix of the contact database's tables, "" or "book.".
        address_book: in which candidates are looked for.
        keys: table of the rows' keys.
        into: name of the table to make.
        chosen: whether to copy those too that somebody chose for a row in review.
    """
    columns = list(part.stored)
    compared = [*columns, *NAME_PARTS] if part.entity == "contact" else columns
    fields = ", ".join(f"e.{quoted(name)}" for name in columns)
    table = f"{book}{part.entity}s"
    represented, join = f"e.{part.id}", ""
    if part.entity == "contact":
        represented, join = "coalesce(linked_to, contact_id)", f"LEFT JOIN {book}links USING (contact_id)"
    selected = f"""
        SELECT e.{part.id}, {represented} AS representative, e.revision, {fields}, {key_columns(part, "e", compared)}
        FROM {table} AS e {join} WHERE e.address_book = {literal(address_book)}"""
    database.run(f"""
        CREATE OR REPLACE TEMP TABLE {into} AS {selected} AND ({shares_a_key(part, keys, compared, "e")})""")
    if part.entity == "contact":
        picked = " OR e.contact_id IN (SELECT contact_id FROM resolutions)" if chosen else ""
        database.run(f"""
            INSERT INTO {into} {selected}
            AND (e.{part.id} IN (SELECT representative FROM {into}){picked})
            AND e.{part.id} NOT IN (SELECT {part.id} FROM {into})""")


def _list_missing(database: Database, part: Part, address_book: str) -> None:
    """Makes `missing`: the active contacts that no row reaches. Linked ones are one person: reaching one is enough."""
    reached = reaches(part, "present_keys", [*part.stored, *NAME_PARTS], "e")
    database.run(
        f"""CREATE OR REPLACE TEMP TABLE missing AS
            WITH people AS (
                SELECT contact_id, revision, active, coalesce(linked_to, contact_id) AS representative,
                       coalesce({reached}, false) AS reached
                FROM book.contacts AS e LEFT JOIN book.links USING (contact_id) WHERE address_book = ?
            )
            SELECT contact_id, revision FROM people
            WHERE active AND representative NOT IN (SELECT representative FROM people WHERE reached)""",
        [address_book],
    )


def _add_custom_fields(store: Store, parts: list[Part]) -> None:
    fields = {name: kind for part in parts if part.entity == "contact" for name, kind in part.stored.items()}
    with store.open(read_only=True) as contacts:
        known = dict(contacts.rows("SELECT name, kind FROM fields"))
        masked = {name for (name,) in contacts.rows("SELECT name FROM fields WHERE sensitive")}
    sensitive = frozenset(name for part in parts for name in part.sensitive if name in fields)
    if fields.items() - known.items() or sensitive - masked:
        with store.change() as contacts:
            add_contact_fields(contacts, fields, sensitive)
