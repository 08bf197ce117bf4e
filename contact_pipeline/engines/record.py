"""What the home's database has of kept tables that are Delta tables: their versions, and views of their files.

Whoever opens the home reads the tables through these views: no reader needs to know where they lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from contact_pipeline.engines.duckdb import Database
from contact_pipeline.engines.sql import literal, quoted
from contact_pipeline.errors import MachineFault

RECORD: Final = "delta_tables"  # name, path, version that counts, and whether a commit is being written


def on_delta(database: Database, alias: str | None = None) -> bool:
    """Whether the contacts of a contact database lie in Delta tables.

    Args:
        database: that is open.
        alias: of one that is attached; unset: the open one.
    """
    return database.has(RECORD if alias is None else f"{alias}.{RECORD}")


def recorded(database: Database) -> dict[str, tuple[str, int]]:
    """Delta table → its path, and the version that counts; none where the contacts lie in the home's database."""
    if not on_delta(database):
        return {}
    return {name: (path, version) for name, path, version in database.rows(f"SELECT name, path, version FROM {RECORD}")}


def show_files(home: Database, name: str, files: Iterable[str], types: Mapping[str, str]) -> None:
    """Lets whoever opens the home's database see Parquet files as a table.

    Args:
        home: the contact database, open for writing.
        name: of the table.
        files: their paths.
        types: its columns, each with its type; a file may lack some of them.
    """
    columns = ", ".join(f"CAST({quoted(column)} AS {kind}) AS {quoted(column)}" for column, kind in types.items())
    rows = f"SELECT {', '.join(f'NULL::{kind} AS {quoted(column)}' for column, kind in types.items())} WHERE false"
    if paths := ", ".join(map(literal, files)):
        rows += f" UNION ALL BY NAME FROM read_parquet([{paths}], union_by_name => true)"
    home.run(f"CREATE OR REPLACE VIEW {quoted(name)} AS SELECT {columns} FROM ({rows})")


def take_in_all(database: Database) -> None:
    """Makes tables of the views of files, so that the database needs no files beside it. Call it in a transaction.

    Raises:
        MachineFault: a table differs from its files (code `move-differs`).
    """
    for name in recorded(database):
        database.run(f"ALTER VIEW {quoted(name)} RENAME TO moved")
        database.run(f"CREATE TABLE {quoted(name)} AS FROM moved")
        must_be_equal(database, name, "moved", name)
        database.run("DROP VIEW moved")
    database.run(f"DROP TABLE IF EXISTS {RECORD}")


def must_be_equal(database: Database, name: str, one: str, other: str) -> None:
    """Tests that two tables have the same columns and rows.

    Raises:
        MachineFault: they differ (code `move-differs`).
    """
    same = database.types(one) == database.types(other)
    if not same or database.value(f"SELECT count(*) FROM ({_only(one, other)} UNION ALL {_only(other, one)})"):
        raise MachineFault("move-differs", f"What was written of {name} reads differently.", "Nothing was changed.")


def _only(one: str, other: str) -> str:
    return f"(FROM {quoted(one)} EXCEPT ALL FROM {quoted(other)})"
