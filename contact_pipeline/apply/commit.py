"""Writes a staged changeset into the contact database; call it in one transaction, so that all of it counts or none.

The staged changes are seen under the prefix `staged`; nothing but the contact database is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

from contact_pipeline.apply.effect import Turn
from contact_pipeline.contracts.actors import identity
from contact_pipeline.engines import KeptTables, literal, quoted
from contact_pipeline.store.changes import kept_fields, touches
from contact_pipeline.store.effective import EFFECTIVE, effective_accounts, effective_groups
from contact_pipeline.store.groups import known_group
from contact_pipeline.store.ledger import commit_time
from contact_pipeline.store.schema import add_staged_fields

Action = Literal["apply", "undo", "redo"]

_ENTITIES: Final = (("account", "accounts"), ("contact", "contacts"))


def write_changeset(
    database: KeptTables,
    *,
    upload_id: str,
    address_book: str,
    sha256: str | None,
    actor: str | None,
    at: datetime,
    action: Action = "apply",
) -> int:
    """Applies every staged change and keeps the changes as history. Returns the number of the commit."""
    commit: int = database.value("SELECT coalesce(max(commit_number), 0) + 1 FROM commits")
    at = commit_time(database, at)
    database.append(
        "commits",
        f"""
        SELECT {commit} AS commit_number, {_moment(at)} AS committed_at, {literal(upload_id)} AS upload_id,
               {literal(action)} AS action, {literal(address_book)} AS address_book,
               {literal(sha256)} AS changeset_sha256, {literal(actor)} AS actor,
               {literal(None if actor is None else identity(actor))} AS actor_as""",
    )
    add_staged_fields(database)
    for entity, table in _ENTITIES:
        if database.has(f"staged.{entity}_changes"):
            _write_entities(database, entity, table, upload_id, address_book, commit, action)
    if action == "apply" and _names_accounts(database):
        _bring_back_named(database, address_book, commit)
    if database.has("staged.membership_changes"):
        staged = "staged.membership_changes"  # an undo or redo takes the groups' names from the history
        if action == "apply":
            staged = _name_groups(database, address_book)
            _make_groups(database, upload_id, address_book, at)
        _write_pairs(database, "memberships", staged, ["group_name", "contact_id"], address_book)
        _keep(database, "membership_changes", ["group_name", "contact_id"], upload_id, commit, staged)
    if database.has("staged.link_changes"):
        _write_pairs(database, "links", "staged.link_changes", ["contact_id", "linked_to"])
        _keep(database, "link_changes", ["contact_id", "linked_to"], upload_id, commit)
    return commit


def mark_effect(database: KeptTables, upload_id: str, turn: Turn, by: int) -> None:
    """Takes an upload's commits out of effect, or brings them back, by the commit `by`; makes the groups anew."""
    undone_by = str(by) if turn == "undo" else "NULL"
    database.update("commits", {"undone_by": undone_by}, f"upload_id = {literal(upload_id)} AND action = 'apply'")
    database.make("effective_groups", effective_groups(EFFECTIVE.format("")))
    database.delete("groups", "true")
    database.append("groups", "FROM effective_groups")


def _moment(at: datetime) -> str:
    return f"{literal(at.isoformat(sep=' '))}::TIMESTAMP"


def _write_entities(
    database: KeptTables, entity: str, table: str, upload_id: str, address_book: str, commit: int, action: Action
) -> None:
    """Applies the staged changes to a table, and keeps them as history."""
    staged, identity = f"staged.{entity}_changes", f"{entity}_id"
    fields = kept_fields(database, staged)
    known = _bookkeeping(entity, upload_id, commit, action)
    after = {name: f"s.{quoted(f'after_{name}')}" for name in fields}
    first = {
        **known,
        identity: f"s.{identity}",
        "address_book": literal(address_book),
        # Not 1 again for what comes back: an older plan could take it for unchanged.
        "revision": "1" if action == "apply" else str(commit),
    }
    if action == "apply":
        first["created_commit"] = f"{commit}::BIGINT"
    stays = {
        name: f"CASE WHEN {touches(name, 's')} THEN {value} ELSE e.{quoted(name)} END" for name, value in after.items()
    }
    database.merge(
        table,
        staged,
        identity,
        created="s.action = 'create'",
        removed="s.action = 'remove'",
        updated=known | stays,
        inserted=first | after,
    )
    sides = [quoted(f"{side}_{name}") for name in fields for side in ("before", "after")]
    _keep(database, f"{entity}_changes", [identity, "base_revision", *sides], upload_id, commit)


def _bookkeeping(entity: str, upload_id: str, commit: int, action: Action) -> dict[str, str]:
    """Column → value of a changed row `e` besides its fields, by its staged change `s` and the commit."""
    written = {"revision": "e.revision + 1", "last_commit": f"{commit}::BIGINT"}
    if action != "apply":
        return written | {"created_commit": "s.created_commit", "last_upload_id": "s.last_upload_id"}
    if entity == "contact":
        written["created_commit"] = (
            f"CASE WHEN s.after_active AND s.before_active IS NULL THEN {commit} ELSE e.created_commit END"
        )
    return written | {"last_upload_id": literal(upload_id)}


def _names_accounts(database: KeptTables) -> bool:
    staged = "staged.contact_changes"
    return (
        database.has(staged)
        and "account_number" in kept_fields(database, staged)
        and bool(database.rows("SELECT account_id FROM account_changes ANTI JOIN accounts USING (account_id) LIMIT 1"))
    )


def _bring_back_named(database: KeptTables, address_book: str, commit: int) -> None:
    """Brings back accounts whose creation is undone, where staged contacts name their numbers: see `effective`."""
    gone = f"""
        SELECT account_id FROM account_changes JOIN commits AS c USING (commit_number)
        WHERE c.action = 'apply' AND address_book = {literal(address_book)}
              AND after_account_number IN (SELECT after_account_number FROM staged.contact_changes)
              AND account_id NOT IN (SELECT account_id FROM accounts)"""
    database.append(
        "accounts",
        f"""
        SELECT *, {commit} AS revision, {commit} AS last_commit
        FROM ({effective_accounts(EFFECTIVE.format(""), among=gone)})""",
    )


def _keep(
    database: KeptTables, table: str, columns: Iterable[str], upload_id: str, commit: int, staged: str | None = None
) -> None:
    database.append(
        table,
        f"""
        SELECT {literal(upload_id)} AS upload_id, {commit} AS commit_number, row_number, action, {", ".join(columns)}
        FROM {staged or f"staged.{table}"}""",
    )


def _name_groups(database: KeptTables, address_book: str) -> str:
    """Makes named_changes: the staged memberships, with groups spelled as they are stored. Returns its name."""
    names = database.rows("SELECT DISTINCT group_name FROM staged.membership_changes")
    known = {name: known_group(database, address_book, name) for (name,) in names}
    cases = " ".join(f"WHEN {literal(name)} THEN {literal(called)}" for name, called in known.items())
    named = f"CASE group_name {cases} END" if cases else "group_name"
    database.make(
        "named_changes",
        f"SELECT row_number, action, {named} AS group_name, contact_id FROM staged.membership_changes",
    )
    return "named_changes"


def _make_groups(database: KeptTables, upload_id: str, address_book: str, at: datetime) -> None:
    existing = f"SELECT group_name FROM groups WHERE address_book = {literal(address_book)}"
    database.append(
        "groups",
        f"""
        SELECT DISTINCT {literal(address_book)} AS address_book, group_name, {_moment(at)} AS created_at,
               {literal(upload_id)} AS upload_id
        FROM named_changes WHERE action = 'create' AND group_name NOT IN ({existing})""",
    )


def _write_pairs(
    database: KeptTables, table: str, changes: str, columns: list[str], address_book: str | None = None
) -> None:
    names = ", ".join(columns)
    book = f"{literal(address_book)} AS address_book, " if address_book else ""
    in_book = f"address_book = {literal(address_book)}" if address_book else "true"
    database.append(
        table,
        f"""
        SELECT {book}{names} FROM {changes} ANTI JOIN (SELECT {names} FROM {table} WHERE {in_book}) USING ({names})
        WHERE action = 'create'""",
    )
    gone = f"SELECT {names} FROM {changes} WHERE action = 'remove'"
    database.delete(table, f"({names}) IN ({gone}) AND {in_book}")
