"""Copies what matching needs from the contact database. Only these steps lock it."""

from __future__ import annotations

from dataclasses import dataclass

from contact_pipeline.contracts.tables import SQL_TYPE
from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.match.keys import part_key
from contact_pipeline.match.part import Part
from contact_pipeline.store.groups import group_key
from contact_pipeline.terms import CONSENT


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of the contact database that was copied.

    Attributes:
        number: of the newest commit.
        stored: how many contacts (or accounts, where rows are accounts) the address book has.
        active: how many of its contacts are active.
    """

    number: int
    stored: int
    active: int


def make_in_group(database: Tables, address_book: str, group: str | None) -> None:
    """Makes in_group (contact_id): the contacts that are in the upload's group already."""
    wanted = f"{group_key('group_name')} = {group_key(literal(group))}" if group else "false"
    database.make(
        "in_group",
        f"""
        SELECT contact_id FROM book.memberships WHERE address_book = {literal(address_book)} AND {wanted}""",
    )


def make_known_accounts(database: Tables, part: Part, address_book: str) -> None:
    """Makes known_accounts (key_account_number): the numbers of the stored accounts, as they are compared."""
    database.make(
        "known_accounts",
        f"""
        SELECT {part_key(part, "account_number", "a", ["account_number"])} AS key_account_number
        FROM book.accounts AS a WHERE address_book = {literal(address_book)}""",
    )


def make_counted(database: Tables, address_book: str, entity: str) -> None:
    """Makes `counted`: one line with the newest commit, and how many contacts or accounts are stored."""
    book = literal(address_book)
    database.make(
        "counted",
        f"""
        SELECT (SELECT coalesce(max(commit_number), 0) FROM book.commits) AS number,
               (SELECT count(*) FROM book.{entity}s WHERE address_book = {book}) AS stored,
               (SELECT count(*) FROM book.contacts WHERE address_book = {book} AND active) AS active""",
    )


def counted(database: Tables) -> Snapshot:
    """The snapshot, as `make_counted` has counted."""
    ((number, stored, active),) = database.rows("SELECT number, stored, active FROM counted")
    return Snapshot(number, stored, active)


def copy_candidates(database: Tables, part: Part) -> None:
    """Makes <entity>_candidates: all entities that rows can match, their representatives, and choices of people."""
    chosen = f"UNION SELECT contact_id FROM resolutions WHERE entity = '{part.entity}' AND contact_id IS NOT NULL"
    linked = f"UNION SELECT candidate FROM {part.table('pairs')} WHERE candidate <> representative"
    there, kinds = database.columns(f"book.{part.entity}s"), part.stored | part.weighed
    known = {name: quoted(name) if name in there else f"NULL::{SQL_TYPE[kinds[name]]}" for name in part.looked_at}
    wished = ""
    if part.links:  # a new contact takes over, from its candidate, the wish of any contact of the person
        known[CONSENT] = f"CASE WHEN _wished IS NOT NULL THEN true ELSE {quoted(CONSENT)} END"
        wished = f"""
        LEFT JOIN (SELECT DISTINCT target AS _wished FROM {part.table("linked")} WHERE {quoted(CONSENT)})
        ON _wished = {part.id}"""
    fields = ", ".join(f"{value} AS {quoted(name)}" for name, value in known.items())
    if part.entity == "contact":  # NULL where its creation is not effective: reactivating it creates it
        fields += ", CASE WHEN created_commit IS NOT NULL THEN active END AS active"
    database.make(
        part.table("candidates"),
        f"""
        SELECT {part.id}, revision, {fields} FROM book.{part.entity}s{wished}
        WHERE {part.id} IN (SELECT representative FROM {part.table("pairs")} {linked} {chosen})""",
    )


def make_missing(database: Tables, part: Part, address_book: str) -> None:
    """Makes `missing`: active contacts that no row reaches. Linked contacts are one person: reaching one is enough.

    A contact that a wish reaches over several links is not missing either, or it would get two changes.
    """
    database.make(
        "missing",
        f"""
        SELECT contact_id, revision FROM book.contacts LEFT JOIN book.links USING (contact_id)
        WHERE address_book = {literal(address_book)} AND active
              AND coalesce(links.linked_to, contact_id) NOT IN (SELECT representative FROM {part.table("pairs")})
              AND contact_id NOT IN (SELECT contact_id FROM {part.table("linked")})""",
    )
