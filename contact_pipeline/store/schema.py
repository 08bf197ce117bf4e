"""The schema of the contact database, and the recorded migrations that bring an older one up to date."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Final

from contact_pipeline.contracts.kept import GROWING, KEPT
from contact_pipeline.contracts.tables import SQL_TYPE, Column, Table
from contact_pipeline.engines import DATA_FAULTS, Database, KeptTables, Tables, literal, on_delta, quoted
from contact_pipeline.errors import MachineFault, Refusal
from contact_pipeline.store.changes import touches
from contact_pipeline.store.effective import (
    EFFECTIVE,
    HELD,
    PAIRS,
    VISIBLE,
    effective_accounts,
    effective_contacts,
    effective_groups,
    effective_pairs,
    naming,
)
from contact_pipeline.store.erasures import ERASED
from contact_pipeline.terms import CANONICAL, CONTACT_FIELDS, FieldKind

_RARE: Final = [name for name, field in CANONICAL.items() if field.rare]


def _make(database: Database, names: Collection[str]) -> None:
    for table in KEPT:
        if table.name in names:
            database.run(f"CREATE TABLE {quoted(table.name)} ({', '.join(map(_declared, table.columns))})")


def _declared(column: Column) -> str:
    return f"{_nullable(column)}{' NOT NULL' if column.required else ''}"


def _nullable(column: Column) -> str:
    return f"{quoted(column.name)} {column.type}{f' DEFAULT {column.default}' if column.default else ''}"


def _make_newest(database: Database) -> None:
    """Makes all kept tables in their newest form, except the table of migrations."""
    _make(database, {table.name for table in KEPT if table.lies == "database"} - {"migrations"})
    database.run("INSERT INTO counters VALUES ('upload', 1), ('contact', 1), ('account', 1)")
    for name, field in CANONICAL.items():
        if not field.rare:
            database.run("INSERT INTO fields VALUES (?, ?, ?)", [name, field.kind, field.sensitive])
    _publish(database)


def _publish(database: KeptTables) -> None:
    """Makes the views of published contacts, memberships and links: all effective changes that are not held.

    Contacts that no held upload names, and erased ones, are taken from the tables as they are.
    """
    fields = [name for (name,) in database.rows("SELECT name FROM fields")]
    names, computed = (", ".join(f"{of}{quoted(name)}" for name in ("active", *fields)) for of in ("", "e."))
    held = f"""
        SELECT contact_id FROM (SELECT contact_id, commit_number FROM contact_changes UNION ALL {naming()})
        WHERE commit_number IN ({HELD}) AND contact_id NOT IN ({ERASED.format("")})"""
    database.stage_view(
        "published_contacts",
        f"""
        SELECT contact_id, address_book, revision, last_upload_id, {names}
        FROM contacts WHERE contact_id NOT IN ({held})
        UNION ALL
        SELECT contact_id, e.address_book, revision, e.last_upload_id, {computed}
        FROM contacts JOIN ({effective_contacts(fields, VISIBLE, among=held)}) AS e USING (contact_id)""",
    )
    for table in PAIRS:
        columns = ", ".join(database.columns(table))
        database.stage_view(
            f"published_{table}",
            f"""
            SELECT {columns} FROM {table} WHERE contact_id NOT IN ({held})
            UNION ALL SELECT {columns} FROM ({effective_pairs(table, VISIBLE, among=held)})""",
        )


def _changes_without_a_list(database: Database) -> None:
    """Drops the list of touched fields, which follows from the values of a change."""
    for table in ("contact_changes", "account_changes"):
        database.run(f"ALTER TABLE {table} DROP COLUMN changed")


def _erase(database: Database) -> None:
    """Makes the tables of erased people and their fingerprints, which hold no values."""
    _make(database, {"erasures", "fingerprints", "erased_rows"})


def _news(database: Database) -> None:
    """Makes the tables of news and notices."""
    _make(database, {"news", "notices"})


def _corrections(database: Database) -> None:
    """Makes the tables of corrections and remembered values."""
    _make(database, {"corrections", "value_mappings"})


def _feeds(database: Database) -> None:
    """Makes the tables of feeds and fetched files."""
    _make(database, {"feeds", "fetched_files"})


def _expiries(database: Database) -> None:
    """Makes the table of deletions by age."""
    _make(database, {"expiries"})


def _columns_on_demand(database: Database) -> None:
    """Drops the columns of fields that have never had a value.

    If there is a staged upload, all columns stay, as it may bring values.
    """
    if database.value("SELECT count(*) FROM uploads WHERE state IN ('staged', 'blocked')"):
        return
    found = ", ".join(f"count({name})" for name in _RARE)
    changed = ", ".join(f"count(*) FILTER ({touches(name)})" for name in _RARE)
    (now,), (ever,) = (
        database.rows(f"SELECT {found} FROM contacts"),
        database.rows(f"SELECT {changed} FROM contact_changes"),
    )
    unused = [name for name, *counts in zip(_RARE, now, ever, strict=True) if not any(counts)]
    for name in unused:
        database.run(f"ALTER TABLE contacts DROP COLUMN {name}")
        for side in ("before", "after"):
            database.run(f"ALTER TABLE contact_changes DROP COLUMN {side}_{name}")
        database.run("DELETE FROM fields WHERE name = ?", [name])


def _what_counts(database: Database) -> None:
    """Recomputes the tables from the effective changes, if something was undone.

    In earlier versions an undo could leave values behind.
    """
    database.run("ALTER TABLE uploads ADD COLUMN staged_files JSON")
    if database.value("SELECT count(*) FROM commits WHERE undone_by IS NOT NULL"):
        _compute_anew(database)
    _publish(database)


def _compute_anew(database: Database) -> None:
    counting = EFFECTIVE.format("")
    fields = [name for (name,) in database.rows("SELECT name FROM fields")]
    database.run(f"""
        CREATE TEMP TABLE undone AS
        SELECT DISTINCT contact_id FROM (SELECT contact_id, commit_number FROM contact_changes UNION ALL {naming()})
        WHERE commit_number IN (SELECT commit_number FROM commits WHERE undone_by IS NOT NULL)
              AND contact_id NOT IN ({ERASED.format("")})""")
    database.run("""
        CREATE TEMP TABLE undone_accounts AS
        SELECT DISTINCT account_id FROM account_changes
        WHERE commit_number IN (SELECT commit_number FROM commits WHERE undone_by IS NOT NULL)""")
    for entity, table, query in (
        ("contact", "undone", effective_contacts(fields, counting, among="FROM undone")),
        ("account", "undone_accounts", effective_accounts(counting, among="FROM undone_accounts")),
    ):
        database.run(f"""
            CREATE OR REPLACE TEMP TABLE computed AS
            SELECT e.*, coalesce(revision + 1, newest) AS revision, coalesce(last_commit, newest) AS last_commit
            FROM ({query}) AS e LEFT JOIN (
                SELECT {entity}_id, revision, last_commit FROM {entity}s) USING ({entity}_id)
            CROSS JOIN (SELECT max(commit_number) AS newest FROM commits)""")
        database.run(f"DELETE FROM {entity}s WHERE {entity}_id IN (FROM {table})")
        database.run(f"INSERT INTO {entity}s BY NAME FROM computed ORDER BY {entity}_id")
    for table in PAIRS:
        pairs = effective_pairs(table, counting, among="FROM undone")
        database.run(f"CREATE OR REPLACE TEMP TABLE computed AS {pairs}")
        database.run(f"DELETE FROM {table} WHERE contact_id IN (FROM undone)")
        database.run(f"INSERT INTO {table} BY NAME FROM computed")
    database.run(f"CREATE OR REPLACE TEMP TABLE computed AS {effective_groups(counting)}")
    database.run("DELETE FROM groups")
    database.run("INSERT INTO groups BY NAME FROM computed")
    for table in ("undone", "undone_accounts", "computed"):
        database.run(f"DROP TABLE {table}")


def _adding(table: Table, column: Column) -> Callable[[Database], None]:
    """The migration that adds a column."""

    def add(database: Database) -> None:
        database.run(f"ALTER TABLE {table.name} ADD COLUMN IF NOT EXISTS {_nullable(column)}")
        if column.required:  # DuckDB adds no column with a constraint
            database.run(f"ALTER TABLE {table.name} ALTER COLUMN {quoted(column.name)} SET NOT NULL")

    return add


# A new database is made in the newest form, with all of them recorded as done.
MIGRATIONS: Final[tuple[tuple[str, Callable[[Database], None]], ...]] = (
    ("first schema", _make_newest),
    ("changes without a list of fields", _changes_without_a_list),
    ("erasures and their fingerprints", _erase),
    ("columns on demand", _columns_on_demand),
    ("contacts are what counts", _what_counts),
    ("news and notices", _news),
    ("corrections and value mappings", _corrections),
    ("feeds and fetched files", _feeds),
    ("expiries", _expiries),
    *((column.since, _adding(table, column)) for table in KEPT for column in table.columns if column.since),
)


# What is done to tables that always lie in the home.
_OF_SMALL_TABLES: Final = {
    column.since for table in KEPT if table.name not in GROWING for column in table.columns if column.since
}


def pending_migrations(database: Database) -> list[str]:
    """The migrations that are still to be done on the contact database; call it outside a transaction."""
    try:
        done = database.rows("SELECT name FROM migrations")
    except DATA_FAULTS:  # not even that table is there
        done = []
    return [name for name, _ in MIGRATIONS if (name,) not in done]


def migrate(database: Database) -> None:
    """Brings the contact database to the newest schema, recording each step."""
    if not database.has("migrations"):
        _make(database, {"migrations"})
    done = {name for (name,) in database.rows("SELECT name FROM migrations")}
    if not done:
        with database.transaction():
            _make_newest(database)
            for name, _ in MIGRATIONS:
                _record(database, name)
        return
    for name, step in MIGRATIONS:
        if name not in done:
            if name not in _OF_SMALL_TABLES and on_delta(database):
                raise MachineFault(
                    "engine-upgrade",
                    f"The contacts lie in Delta tables, where the migration '{name}' cannot be done.",
                    "With the version before, run `contact-pipeline migrate-engine duckdb`. Then take this one, and "
                    "move them back.",
                )
            with database.transaction():
                step(database)
                _record(database, name)


def keep_contact_fields(database: Tables, fields: Mapping[str, FieldKind], sensitive: Collection[str]) -> None:
    """Keeps the fields of the staged changeset in its staging database, as `contact_fields`."""
    import polars as pl  # most calls only look at the ledger, and need no frame

    schema = {"name": pl.String, "kind": pl.String, "sensitive": pl.Boolean}
    rows = [(name, kind, name in sensitive) for name, kind in fields.items()]
    database.store("contact_fields", pl.DataFrame(rows, schema=schema, orient="row"))


def add_staged_fields(database: KeptTables) -> None:
    """Adds the contact fields of the changeset in the database attached as `staged`; call it in a transaction."""
    if database.has("staged.contact_fields"):
        rows = database.rows("SELECT name, kind, sensitive FROM staged.contact_fields")
        fields = {name: kind for name, kind, _ in rows}
        add_contact_fields(database, fields, frozenset(name for name, _, is_sensitive in rows if is_sensitive))


def add_contact_fields(database: KeptTables, fields: Mapping[str, FieldKind], sensitive: frozenset[str]) -> None:
    """Adds a column for every field that the contacts do not have yet, and records it; call it in a transaction."""
    known = dict(database.rows("SELECT name, kind FROM fields"))
    check_contact_fields(database, fields)
    for name in sensitive & known.keys():  # stays sensitive, even if another profile declares it otherwise
        database.update("fields", {"sensitive": "true"}, f"name = {literal(name)}")
    new = {name: kind for name, kind in fields.items() if name not in known}
    for name, kind in new.items():
        database.add_column("contacts", name, SQL_TYPE[kind])
        for side in ("before", "after"):
            database.add_column("contact_changes", f"{side}_{name}", SQL_TYPE[kind])
        is_sensitive = str(name in sensitive).lower()
        database.append(
            "fields", f"SELECT {literal(name)} AS name, {literal(kind)} AS kind, {is_sensitive} AS sensitive"
        )
        _record(database, f"contact field {name} ({kind})")
    if new:
        _publish(database)


def check_contact_fields(database: Tables, fields: Mapping[str, FieldKind], book: str = "") -> None:
    """Tests that fields have the same kind as in the contacts.

    Args:
        database: the contact database, or one that has it attached.
        fields: name → kind.
        book: prefix of the contact database's tables, "" or "book.".

    Raises:
        Refusal: a field has another kind (code `field-kind`).
    """
    known = {**CONTACT_FIELDS, **dict(database.rows(f"SELECT name, kind FROM {book}fields"))}
    for name, kind in fields.items():
        if known.get(name, kind) != kind:
            raise Refusal(
                "field-kind",
                f"Contacts hold the field '{name}' as {known[name]}; the profile declares it as {kind}.",
                "Give the field another name in the profile, or the same kind.",
            )


def _record(database: KeptTables, name: str) -> None:
    at = literal(datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" "))
    database.append(
        "migrations",
        f"""
        SELECT coalesce(max(number), 0) + 1 AS number, {literal(name)} AS name, {at}::TIMESTAMP AS applied_at
        FROM migrations""",
    )
