"""Freezes a changeset: the SHA-256 over its ordered changes, the same for the same input on every path and engine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from contact_pipeline.engines import Database, quoted
from contact_pipeline.engines import text as literal
from contact_pipeline.store.changes import touches

_SLICE = 200_000


def hash_changeset(database: Database) -> str:
    """The changeset's hash: upload, times, actor and assigned ids are left out; a creation is named by its row."""
    digest = hashlib.sha256()
    for table, id_column in (("account_changes", "account_id"), ("contact_changes", "contact_id")):
        if database.has(table):
            _feed(digest, database, table, _entity_line(database, table, id_column))
    for table, other in (("membership_changes", "group_name"), ("link_changes", "linked_to::VARCHAR")):
        if database.has(table):
            _feed(digest, database, table, _pieces([literal(table), "action", "row_number::VARCHAR", other]))
    return digest.hexdigest()


def _feed(digest: hashlib._Hash, database: Database, table: str, line: str) -> None:
    rows: int = database.value(f"SELECT count(*) FROM {table}")
    for start in range(0, rows, _SLICE):
        frame = database.frame(
            f"SELECT {line} AS line FROM {table} WHERE rowid >= {start} AND rowid < {start + _SLICE} ORDER BY rowid"
        )
        digest.update("".join(frame["line"]).encode())


def _entity_line(database: Database, table: str, id_column: str) -> str:
    names = [name for (name,) in database.rows(f"SELECT column_name FROM (DESCRIBE {table})")]
    lists = {
        name for (name,) in database.rows(f"SELECT column_name FROM (DESCRIBE {table}) WHERE column_type = 'VARCHAR[]'")
    }
    target = f"CASE WHEN action = 'create' THEN 'row ' || row_number ELSE 'id ' || {id_column} END"
    fields = []
    for name in sorted(name.removeprefix("after_") for name in names if name.startswith("after_")):
        values = [_as_text(f"{side}_{name}", f"{side}_{name}" in lists) for side in ("before", "after")]
        fields.append(f"CASE WHEN {touches(name)} THEN {_pieces([literal(name), *values])} ELSE '' END")
    return " || ".join([_pieces([literal(table), "action", target]), *fields])


def _as_text(column: str, is_list: bool) -> str:
    name = quoted(column)
    return f"array_to_string({name}, chr(31))" if is_list else f"{name}::VARCHAR"


def _pieces(expressions: Iterable[str]) -> str:
    """Each text preceded by its length, so that no two sequences of texts look alike; a null is a dash."""
    return " || ".join(f"coalesce(length({e}) || ':' || {e}, '-')" for e in expressions)
