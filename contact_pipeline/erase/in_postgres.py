"""Cleans Dagster's records in PostgreSQL: searches all texts of all tables of their database, and rewrites the tables.

The server's log (WAL) and its backups keep the old texts until they are recycled; no client can change that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from contact_pipeline.store.dagster_records import connected

Without = Callable[[str], str]


def clean(address: str, wait_seconds: float, without: Without) -> None:
    """Replaces texts, and rewrites the tables so that none of their pages holds an old text.

    Args:
        address: of the database; all of its tables are Dagster's.
        wait_seconds: how long to wait for locks of others.
        without: returns a text without the person.

    Raises:
        StoreBusy, MachineFault, Refusal: as of `connected`.
    """
    with connected(address, wait_seconds) as connection:
        columns = _text_columns(connection)
        tables = [*dict.fromkeys(table for table, _, _ in columns)]
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")  # others read on
            for table, column, kind in columns:
                texts = _texts(connection, table, column)
                changed = [(new, row) for row, text in texts if (new := without(text)) != text]
                cursor.executemany(f"UPDATE {table} SET {column} = %s::{kind} WHERE ctid = %s::tid", changed)
        connection.commit()
        connection.autocommit = True  # VACUUM is no part of a transaction
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"VACUUM (FULL, ANALYZE) {table}")
            cursor.execute("VACUUM FULL pg_catalog.pg_statistic")  # samples of the values; passed over by other owners


def count(address: str, wait_seconds: float, without: Without) -> int:
    """The number of texts that hold the person: those that `clean` would change.

    Raises:
        StoreBusy, MachineFault, Refusal: as of `connected`.
    """
    with connected(address, wait_seconds) as connection:
        return sum(
            without(text) != text
            for table, column, _ in _text_columns(connection)
            for _, text in _texts(connection, table, column)
        )


def _text_columns(connection: Any) -> list[tuple[str, str, str]]:
    """The columns with texts: table and column, quoted for SQL, and the type."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT format('%I.%I', table_schema, table_name), format('%I', column_name), data_type
            FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
            WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'
                  AND data_type IN ('text', 'character varying', 'json', 'jsonb')
            ORDER BY table_name, ordinal_position""")
        return [(table, column, kind) for table, column, kind in cursor.fetchall()]


def _texts(connection: Any, table: str, column: str) -> Iterator[tuple[str, str]]:
    """The place of each text of a column, and the text; a piece at a time."""
    with connection.cursor(name="texts") as cursor:
        cursor.execute(f"SELECT ctid::text, {column}::text FROM {table} WHERE {column} IS NOT NULL")
        yield from cursor
