"""Writes a staged changeset into the contact database; call it in one transaction, so that all of it counts or none.

The staged changes are seen under the prefix `staged`; nothing but the contact database is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

from contact_pipeline.engines import Database, quoted
from contact_pipeline.engines import text as literal
from contact_pipeline.store.changes import kept_fields, touches

# Above this share of changed rows, writing the table anew is faster than deleting and inserting (measured).
REWRITE_SHARE: Final = 0.1

_ENTITIES: Final = (("account", "accounts"), ("contact", "contacts"))


def write_changeset(
    database: Database,
    *,
    upload_id: str,
    address_book: str,
    sha256: str | None,
    actor: str | None,
    at: datetime,
    action: Literal["apply", "undo", "redo"] = "apply",
) -> int:
    """Applies every staged change, keeps them as history, and numbers the commit; the commit's number."""
    commit: int = database.value("SELECT coalesce(max(commit_number), 0) + 1 FROM commits")
    database.run(
        "INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
        [commit, at, upload_id, action, address_book, sha256, actor],
    )
    for entity, table in _ENTITIES:
        if database.has(f"{entity}_changes", "staged"):
            _write_entities(database, entity, table, upload_id, address_book, commit)
    if database.has("membership_changes", "staged"):
        _write_memberships(database, upload_id, address_book, at)
        _keep(database, "membership_changes", ["group_name", "contact_id"], upload_id, commit)
    if database.has("link_changes", "staged"):
        _write_pairs(database, "links", "link_changes", ["contact_id", "linked_to"])
        _keep(database, "link_changes", ["contact_id", "linked_to"], upload_id, commit)
    return commit


def commits_to_undo(database: Database, upload_id: str) -> list[int]:
    """The commits of an upload that count: what it applied or, where that is undone, the undoing."""
    rows = database.rows(
        "SELECT commit_number, action FROM commits WHERE upload_id = ? AND undone_by IS NULL AND action <> 'redo'",
        [upload_id],
    )
    applied = [number for number, action in rows if action == "apply"]
    return sorted(applied or [number for number, _ in rows])


def mark_undone(database: Database, commits: list[int], by: int) -> None:
    """Says that a commit has undone others; what an undone undoing had undone counts again."""
    numbers = ", ".join(str(number) for number in commits)
    database.run(f"UPDATE commits SET undone_by = NULL WHERE undone_by IN ({numbers})")
    database.run(f"UPDATE commits SET undone_by = {by} WHERE commit_number IN ({numbers})")


def _write_entities(
    database: Database, entity: str, table: str, upload_id: str, address_book: str, commit: int
) -> None:
    """Brings a table to what the staged changes say: few of them in place, many by writing the table anew."""
    staged, identity = f"staged.{entity}_changes", f"{entity}_id"
    fields = kept_fields(database, f"{entity}_changes", "staged")
    columns = [name for (name,) in database.rows(f"SELECT column_name FROM (DESCRIBE {table})")]
    picked = ", ".join(_picked(name, fields, commit, upload_id) for name in columns)
    first = {
        identity: identity,
        "address_book": literal(address_book),
        "revision": "1",
        "created_commit": f"{commit}::BIGINT",
        "last_commit": f"{commit}::BIGINT",
        "last_upload_id": literal(upload_id),
    } | {name: quoted(f"after_{name}") for name in fields}
    made = ", ".join(f"{first.get(name, 'NULL')} AS {quoted(name)}" for name in columns)
    created = f"SELECT {made} FROM {staged} WHERE action = 'create'"
    gone, total = database.rows(
        f"SELECT (SELECT count(*) FROM {staged} WHERE action <> 'create'), (SELECT count(*) FROM {table})"
    )[0]
    if gone > REWRITE_SHARE * total:
        # What is created first: behind the others, the checkpoint would move rows together, one thread for seconds.
        database.run(f"""
            CREATE TABLE rewritten AS
            WITH known AS (FROM {staged} WHERE action <> 'create')
            {created} UNION ALL
            SELECT {picked} FROM {table} AS e LEFT JOIN known AS s USING ({identity})
            WHERE s.action IS DISTINCT FROM 'remove'""")
        database.run(f"DROP TABLE {table}")
        database.run(f"ALTER TABLE rewritten RENAME TO {table}")
    else:
        database.run(f"""
            CREATE OR REPLACE TEMP TABLE delta AS
            SELECT {picked} FROM {table} AS e JOIN {staged} AS s USING ({identity}) WHERE s.action <> 'remove'""")
        database.run(f"""
            DELETE FROM {table} WHERE {identity} IN (SELECT {identity} FROM {staged} WHERE action <> 'create')""")
        database.run(f"INSERT INTO {table} BY NAME FROM delta ORDER BY {identity}")
        database.run(f"INSERT INTO {table} {created} ORDER BY {identity}")
        database.run("DROP TABLE delta")
    sides = [quoted(f"{side}_{name}") for name in fields for side in ("before", "after")]
    _keep(database, f"{entity}_changes", [identity, "base_revision", *sides], upload_id, commit)


def _picked(name: str, fields: list[str], commit: int, upload_id: str) -> str:
    column = quoted(name)
    if name in fields:
        after = quoted(f"after_{name}")
        return f"CASE WHEN {touches(name, 's')} THEN s.{after} ELSE e.{column} END AS {column}"
    special = {"revision": "e.revision + 1", "last_commit": f"{commit}::BIGINT", "last_upload_id": literal(upload_id)}
    if name not in special:
        return f"e.{column} AS {column}"
    return f"CASE WHEN s.action IS NULL THEN e.{column} ELSE {special[name]} END AS {column}"


def _keep(database: Database, table: str, columns: Iterable[str], upload_id: str, commit: int) -> None:
    database.run(f"""
        INSERT INTO {table} BY NAME
        SELECT {literal(upload_id)} AS upload_id, {commit} AS commit_number, row_number, action, {", ".join(columns)}
        FROM staged.{table}""")


def _write_memberships(database: Database, upload_id: str, address_book: str, at: datetime) -> None:
    database.run(
        """INSERT INTO groups
           SELECT DISTINCT ?, group_name, ?::TIMESTAMP, ? FROM staged.membership_changes AS s
           WHERE action = 'create' AND NOT EXISTS (
               FROM groups AS g WHERE g.address_book = ? AND g.group_name = s.group_name)""",
        [address_book, at, upload_id, address_book],
    )
    _write_pairs(database, "memberships", "membership_changes", ["group_name", "contact_id"], address_book)


def _write_pairs(
    database: Database, table: str, changes: str, columns: list[str], address_book: str | None = None
) -> None:
    names = ", ".join(columns)
    book = f"{literal(address_book)} AS address_book, " if address_book else ""
    database.run(f"INSERT INTO {table} BY NAME SELECT {book}{names} FROM staged.{changes} WHERE action = 'create'")
    database.run(f"""
        DELETE FROM {table} WHERE ({names}) IN (SELECT ({names}) FROM staged.{changes} WHERE action = 'remove')
        {f"AND address_book = {literal(address_book)}" if address_book else ""}""")
