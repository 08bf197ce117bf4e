"""What DuckDB lists of its databases: tables, views, their columns, types and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contact_pipeline.engines.sql import literal

if TYPE_CHECKING:
    from contact_pipeline.engines.duckdb import Database


def has(database: Database, table: str) -> bool:
    """Whether there is a table or view of that name; that of an attached database has its prefix."""
    sql = f"""
        SELECT count(*) FROM (
            SELECT table_name FROM duckdb_tables() WHERE {_named("table_name", table)}
            UNION ALL SELECT view_name FROM duckdb_views() WHERE {_named("view_name", table)}
        )"""
    return bool(database.value(sql))


def has_table(database: Database, name: str) -> bool:
    """Whether there is a table of that name; a view is none."""
    where = "database_name = current_database() AND NOT temporary"
    return bool(database.value(f"SELECT count(*) FROM duckdb_tables() WHERE {where} AND table_name = ?", [name]))


def note(database: Database, view: str) -> str | None:
    """The note of a view."""
    found: str | None = database.value(f"SELECT comment FROM duckdb_views() WHERE {_named('view_name', view)}")
    return found


def tables(database: Database, *views: str) -> dict[str, dict[str, str]]:
    """The tables of the database and those of these views that it has: name → column → type, in order."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in database.rows(
        """
        WITH tables AS (SELECT database_name, table_name FROM duckdb_tables())
        SELECT table_name, column_name, data_type FROM duckdb_columns()
        WHERE database_name = current_database()
              AND ((database_name, table_name) IN (FROM tables) OR list_contains($1, table_name))
        ORDER BY table_name, column_index""",
        {"1": [*views]},
    ):
        found.setdefault(table, {})[column] = kind
    return found


def types(database: Database, table: str) -> dict[str, str]:
    """The columns of a table or view, in order, each with its DuckDB type."""
    return {name: kind for name, kind, *_ in database.rows(f"DESCRIBE {table}")}


def in_file(database: Database, table: str) -> str:
    """The name of a table by which it is found although a view of this connection has the same name."""
    return f"{database.value('SELECT current_database()')}.{table}"


def _named(column: str, table: str) -> str:
    """The condition by which DuckDB's own tables list a table or view."""
    database, _, name = table.rpartition(".")
    return f"database_name = {literal(database) if database else 'current_database()'} AND {column} = {literal(name)}"
