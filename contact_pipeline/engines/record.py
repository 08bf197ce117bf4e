"""What the home's database has of kept tables that are Delta tables: their versions, and views of their files.

Whoever opens the home reads the tables through these views: no reader needs to know where they lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contact_pipeline.engines.duckdb import Database
from contact_pipeline.engines.sql import literal, quoted
from contact_pipeline.errors import MachineFault

if TYPE_CHECKING:
    from deltalake import DeltaTable

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


def folders(database: Database) -> set[str]:
    """The folders in which the Delta tables of a home lie."""
    return {str(Path(path).parent) for path, _ in recorded(database).values()}


def show_version(home: Database, name: str, table: DeltaTable, types: Mapping[str, str]) -> None:
    """Lets whoever opens the home's database see the files of one version of a Delta table, under the table's name.

    Args:
        home: the contact database, open for writing.
        name: of the table.
        table: at that version.
        types: its columns, each with its type in DuckDB; a file may lack some of them.
    """
    folder = Path(table.table_uri.removeprefix("file://"))
    paths = ", ".join(literal(path) for path in (folder / Path(file).name for file in table.file_uris()))
    columns = ", ".join(f"CAST({quoted(column)} AS {kind}) AS {quoted(column)}" for column, kind in types.items())
    rows = f"SELECT {', '.join(f'NULL::{kind} AS {quoted(column)}' for column, kind in types.items())} WHERE false"
    if paths:
        rows += f" UNION ALL BY NAME FROM read_parquet([{paths}], union_by_name => true)"
    home.run(f"CREATE OR REPLACE VIEW {quoted(name)} AS SELECT {columns} FROM ({rows})")


def missing_version(path: str, version: int) -> MachineFault:
    """The fault of a Delta table whose recorded version is not there."""
    return MachineFault(
        "delta-missing",
        f"Version {version} of the Delta table at {path} cannot be read.",
        "Reach its folder again by that path, or restore a backup: `contact-pipeline restore BACKUP --replace`.",
    )


def conflict(path: str, version: int) -> MachineFault:
    """The fault of a Delta table that somebody else writes, too."""
    return MachineFault(
        "delta-conflict",
        f"Another program has written the Delta table at {path}: it has versions after {version}.",
        "Only this home may write there. Look what was written. `contact-pipeline migrate-engine duckdb`, and then "
        "spark, goes on with what the home has recorded, and leaves the rest behind.",
    )


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
