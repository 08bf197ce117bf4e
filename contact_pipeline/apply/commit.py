"""Writes a staged changeset into the contact database; call it in one transaction, so that all of it counts or none.

The staged changes are seen under the prefix `staged`; nothing but the contact database is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

from contact_pipeline.apply.effect import Turn
from contact_pipeline.engines import Database, literal, quoted
from contact_pipeline.store.changes import kept_fields, touches
from contact_pipeline.store.effective import EFFECTIVE, effective_accounts, effective_groups
from contact_pipeline.store.groups import known_group
from contact_pipeline.store.ledger import commit_time
from contact_pipeline.store.schema import add_staged_fields

# Above this share of changed rows, writing the table anew is faster than deleting and inserting (measured).
REWRITE_SHARE: Final = 0.1

Action = Literal["apply", "undo", "redo"]

_ENTITIES: Final = (("account", "accounts"), ("contact", "contacts"))


def write_changeset(
    database: Database,
    *,
    upload_id: str,
    address_book: str,
    sha256: str | None,
    actor: str | None,
    at: datetime,
    action: Action = "apply",
) -> int:
    """Applies every staged change, keeps them as history, and numbers the commit; the commit's number."""
    commit: int = database.value("SELECT coalesce(max(commit_number), 0) + 1 FROM commits")
    at = commit_time(database, at)
    database.run(
        "INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
        [commit, at, upload_id, action, address_book, sha256, actor],
    )
    add_staged_fields(database)
    for entity, table in _ENTITIES:
        if database.has(f"{entity}_changes", "staged"):
            _write_entities(database, entity, table, upload_id, address_book, commit, action)
    if action == "apply" and _names_accounts(database):
        _bring_back_named(database, address_book, commit)
    if database.has("membership_changes", "staged"):
        staged = "staged.membership_changes"  # what an undo or redo names is named as the history has it
        if action == "apply":
            staged = _name_groups(database, address_book)
            _make_groups(database, upload_id, address_book, at)
        _write_pairs(database, "memberships", staged, ["group_name", "contact_id"], address_book)
        _keep(database, "membership_changes", ["group_name", "contact_id"], upload_id, commit, staged)
    if database.has("link_changes", "staged"):
        _write_pairs(database, "links", "staged.link_changes", ["contact_id", "linked_to"])
        _keep(database, "link_changes", ["contact_id", "linked_to"], upload_id, commit)
    return commit


def mark_effect(database: Database, upload_id: str, turn: Turn, by: int) -> None:
    """Says that an upload's commits count no more, or again, by the commit of that number; groups follow."""
    database.run(
        "UPDATE commits SET undone_by = ? WHERE upload_id = ? AND action = 'apply'",
        [by if turn == "undo" else None, upload_id],
    )
    database.run(f"CREATE OR REPLACE TEMP TABLE effective_groups AS {effective_groups(EFFECTIVE.format(''))}")
    database.run("DELETE FROM groups")
    database.run("INSERT INTO groups BY NAME FROM effective_groups")


def _write_entities(
    database: Database, entity: str, table: str, upload_id: str, address_book: str, commit: int, action: Action
) -> None:
    """Brings a table to what the staged changes say: few of them in place, many by writing the table anew."""
    staged, identity = f"staged.{entity}_changes", f"{entity}_id"
    fields = kept_fields(database, f"{entity}_changes", "staged")
    columns = [name for (name,) in database.rows(f"SELECT column_name FROM (DESCRIBE {table})")]
    known = _known(entity, upload_id, commit, action)
    picked = ", ".join(_picked(name, fields, known) for name in columns)
    first = {
        **known,
        identity: identity,
        "address_book": literal(address_book),
        # Of what comes back nobody may hold an earlier revision for the same.
        "revision": "1" if action == "apply" else str(commit),
    } | {name: quoted(f"after_{name}") for name in fields}
    if action == "apply":
        first["created_commit"] = f"{commit}::BIGINT"
    made = ", ".join(f"{first.get(name, 'NULL')} AS {quoted(name)}" for name in columns)
    created = f"SELECT {made} FROM {staged} AS s WHERE action = 'create'"
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


def _known(entity: str, upload_id: str, commit: int, action: Action) -> dict[str, str]:
    """What a table knows of a changed row `e` beside its fields, as the staged change `s` and the commit make it."""
    written = {"revision": "e.revision + 1", "last_commit": f"{commit}::BIGINT"}
    if action != "apply":
        return written | {"created_commit": "s.created_commit", "last_upload_id": "s.last_upload_id"}
    if entity == "contact":
        written["created_commit"] = (
            f"CASE WHEN s.after_active AND s.before_active IS NULL THEN {commit} ELSE e.created_commit END"
        )
    return written | {"last_upload_id": literal(upload_id)}


def _picked(name: str, fields: list[str], known: dict[str, str]) -> str:
    column = quoted(name)
    if name in fields:
        after = quoted(f"after_{name}")
        return f"CASE WHEN {touches(name, 's')} THEN s.{after} ELSE e.{column} END AS {column}"
    if name not in known:
        return f"e.{column} AS {column}"
    return f"CASE WHEN s.action IS NULL THEN e.{column} ELSE {known[name]} END AS {column}"


def _names_accounts(database: Database) -> bool:
    return (
        database.has("contact_changes", "staged")
        and "account_number" in kept_fields(database, "contact_changes", "staged")
        and bool(database.rows("SELECT account_id FROM account_changes ANTI JOIN accounts USING (account_id) LIMIT 1"))
    )


def _bring_back_named(database: Database, address_book: str, commit: int) -> None:
    """Brings back the accounts whose making is undone and whose numbers the staged contacts name: see `effective`."""
    gone = f"""
        SELECT account_id FROM account_changes JOIN commits AS c USING (commit_number)
        WHERE c.action = 'apply' AND address_book = {literal(address_book)}
              AND after_account_number IN (SELECT after_account_number FROM staged.contact_changes)
              AND account_id NOT IN (SELECT account_id FROM accounts)"""
    database.run(f"""
        INSERT INTO accounts BY NAME
        SELECT *, {commit} AS revision, {commit} AS last_commit
        FROM ({effective_accounts(EFFECTIVE.format(""), among=gone)})""")


def _keep(
    database: Database, table: str, columns: Iterable[str], upload_id: str, commit: int, staged: str | None = None
) -> None:
    database.run(f"""
        INSERT INTO {table} BY NAME
        SELECT {literal(upload_id)} AS upload_id, {commit} AS commit_number, row_number, action, {", ".join(columns)}
        FROM {staged or f"staged.{table}"}""")


def _name_groups(database: Database, address_book: str) -> str:
    """Makes named_changes: the staged memberships, their groups called as others have called them; its name."""
    names = database.rows("SELECT DISTINCT group_name FROM staged.membership_changes")
    known = {name: known_group(database, address_book, name) for (name,) in names}
    cases = " ".join(f"WHEN {literal(name)} THEN {literal(called)}" for name, called in known.items())
    named = f"CASE group_name {cases} END" if cases else "group_name"
    database.run(f"""
        CREATE OR REPLACE TEMP TABLE named_changes AS
        SELECT * REPLACE ({named} AS group_name) FROM staged.membership_changes""")
    return "named_changes"


def _make_groups(database: Database, upload_id: str, address_book: str, at: datetime) -> None:
    database.run(
        """INSERT INTO groups
           SELECT DISTINCT ?, group_name, ?::TIMESTAMP, ? FROM named_changes AS s
           WHERE action = 'create' AND NOT EXISTS (
               FROM groups AS g WHERE g.address_book = ? AND g.group_name = s.group_name)""",
        [address_book, at, upload_id, address_book],
    )


def _write_pairs(
    database: Database, table: str, changes: str, columns: list[str], address_book: str | None = None
) -> None:
    names = ", ".join(columns)
    book = f"{literal(address_book)} AS address_book, " if address_book else ""
    there = f"WHERE address_book = {literal(address_book)}" if address_book else ""
    database.run(f"""
        INSERT INTO {table} BY NAME SELECT {book}{names}
        FROM (FROM {changes} WHERE action = 'create') ANTI JOIN (FROM {table} {there}) USING ({names})""")
    database.run(f"""
        DELETE FROM {table} WHERE ({names}) IN (SELECT ({names}) FROM {changes} WHERE action = 'remove')
        {f"AND address_book = {literal(address_book)}" if address_book else ""}""")
