"""Freezes a changeset: the SHA-256 over its ordered changes, the same for the same input on every path and engine."""

from __future__ import annotations

import hashlib

import polars as pl

from contact_pipeline.engines import Database, quoted

_BLOCK = 200_000


def hash_changeset(database: Database) -> str:
    """The changeset's hash: upload, times, actor and assigned ids are left out; a creation is named by its row.

    Each table of changes in turn, in blocks of its first, second, … 200,000 rows; of each block every column in turn,
    as the lengths of its texts in characters (a dash for a null), separated by commas, and then the texts.
    """
    digest = hashlib.sha256()
    for entity in ("account", "contact"):
        if database.has(f"{entity}_changes"):
            _feed(digest, database, f"{entity}_changes", _entity_columns(database, entity))
    for table, other in (("membership_changes", "group_name"), ("link_changes", "linked_to::VARCHAR")):
        if database.has(table):
            _feed(digest, database, table, {"action": "action", "row_number": "row_number::VARCHAR", "other": other})
    return digest.hexdigest()


def _feed(digest: hashlib._Hash, database: Database, table: str, columns: dict[str, str]) -> None:
    selected = ", ".join(f"{expression} AS {quoted(name)}" for name, expression in columns.items())
    rows: int = database.value(f"SELECT count(*) FROM {table}")
    for start in range(0, rows, _BLOCK):
        block = database.frame(
            f"SELECT {selected} FROM {table} WHERE rowid >= {start} AND rowid < {start + _BLOCK} ORDER BY rowid"
        )
        for column in block:
            if column.null_count() < block.height:  # a field that the changes leave is not there, whoever else has it
                lengths = column.str.len_chars().cast(pl.String).fill_null("-").str.join(",")
                digest.update(f"{table} {start} {column.name} {lengths[0]} {column.str.join('')[0]}".encode())


def _entity_columns(database: Database, entity: str) -> dict[str, str]:
    """The columns that count, each as text, in the order of their names."""
    kinds = dict(database.rows(f"SELECT column_name, column_type FROM (DESCRIBE {entity}_changes)"))
    sides = sorted(name for name in kinds if name.startswith(("before_", "after_")))
    target = f"CASE WHEN action = 'create' THEN 'row ' || row_number ELSE 'id ' || {entity}_id END"
    return {"action": "action", "target": target} | {name: _as_text(name, kinds[name]) for name in sides}


def _as_text(column: str, kind: str) -> str:
    if kind == "VARCHAR":
        return quoted(column)
    return f"array_to_string({quoted(column)}, chr(31))" if kind == "VARCHAR[]" else f"{quoted(column)}::VARCHAR"
