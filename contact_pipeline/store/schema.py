"""The schema of the contact database, and the recorded migrations that bring an older one up to date."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Final

from contact_pipeline.engines import DATA_FAULTS, Database, Tables, quoted
from contact_pipeline.errors import Refusal
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
from contact_pipeline.terms import ACCOUNT_FIELDS, CONTACT_FIELDS, OUTCOMES, FieldKind

SQL_TYPE: Final[dict[FieldKind, str]] = {"text": "VARCHAR", "list": "VARCHAR[]", "boolean": "BOOLEAN"}

_SENSITIVE: Final = ("ssn", "date_of_birth")

# The canonical fields that few systems have. Like a profile's own they get their columns when a profile first brings
# them: a column that is null everywhere costs time in every commit.
_ON_DEMAND: Final = (
    "identifier", "contact_type", "qualifications", "company", "job_title", "address", "city", "region", "country",
    "lead_type", "module",
)  # fmt: skip


def _columns(fields: Mapping[str, FieldKind], *prefixes: str) -> str:
    return ", ".join(
        f"{quoted(prefix + name)} {SQL_TYPE[kind]}" for name, kind in fields.items() for prefix in prefixes or ("",)
    )


def _first(database: Database) -> None:
    outcomes = ", ".join(f"{outcome} INTEGER NOT NULL DEFAULT 0" for outcome in OUTCOMES)
    history = "upload_id VARCHAR NOT NULL, commit_number BIGINT NOT NULL, row_number UINTEGER"
    change = f"{history}, action VARCHAR NOT NULL, base_revision INTEGER NOT NULL, changed VARCHAR[] NOT NULL"
    # No constraints: applying may write the table anew, and DuckDB's CREATE TABLE AS would lose them.
    current = (
        "address_book VARCHAR, revision INTEGER, created_commit BIGINT, last_commit BIGINT, last_upload_id VARCHAR"
    )
    for statement in (
        f"""CREATE TABLE uploads (
            upload_id VARCHAR NOT NULL, number BIGINT NOT NULL, profile VARCHAR NOT NULL, address_book VARCHAR,
            file_name VARCHAR NOT NULL, file_size BIGINT NOT NULL, file_type VARCHAR, sha256 VARCHAR NOT NULL,
            group_name VARCHAR, state VARCHAR NOT NULL, stage VARCHAR NOT NULL, reason JSON, repeats VARCHAR,
            added_at TIMESTAMP NOT NULL, finished_at TIMESTAMP, user_login VARCHAR, approved_by VARCHAR,
            data_rows INTEGER NOT NULL DEFAULT 0, processed INTEGER NOT NULL DEFAULT 0, {outcomes},
            duplicates_of_existing INTEGER NOT NULL DEFAULT 0, duplicates_within_file INTEGER NOT NULL DEFAULT 0,
            deactivated INTEGER NOT NULL DEFAULT 0, contacts_created INTEGER NOT NULL DEFAULT 0,
            repairs INTEGER NOT NULL DEFAULT 0, error_count INTEGER NOT NULL DEFAULT 0, changeset_sha256 VARCHAR,
            encoding VARCHAR, delimiter VARCHAR, sheet VARCHAR, mapping JSON, ignored JSON, warnings JSON,
            resolved_profile JSON, options JSON, repeat_key VARCHAR, snapshot BIGINT, commit_number BIGINT,
            held BOOLEAN NOT NULL DEFAULT false, finalized_at TIMESTAMP, finalized_by VARCHAR,
            inbox BOOLEAN NOT NULL DEFAULT false)""",
        """CREATE TABLE commits (commit_number BIGINT NOT NULL, committed_at TIMESTAMP NOT NULL,
            upload_id VARCHAR NOT NULL, action VARCHAR NOT NULL, address_book VARCHAR NOT NULL,
            changeset_sha256 VARCHAR, actor VARCHAR, undone_by BIGINT)""",
        "CREATE TABLE counters (name VARCHAR NOT NULL, next BIGINT NOT NULL)",
        "INSERT INTO counters VALUES ('upload', 1), ('contact', 1), ('account', 1)",
        "CREATE TABLE fields (name VARCHAR NOT NULL, kind VARCHAR NOT NULL, sensitive BOOLEAN NOT NULL)",
        f"""CREATE TABLE contacts (contact_id BIGINT, active BOOLEAN, {current},
            {_columns(CONTACT_FIELDS)})""",
        f"""CREATE TABLE contact_changes ({change}, contact_id BIGINT NOT NULL, before_active BOOLEAN,
            after_active BOOLEAN, {_columns(CONTACT_FIELDS, "before_", "after_")})""",
        f"CREATE TABLE accounts (account_id BIGINT, {current}, {_columns(ACCOUNT_FIELDS)})",
        f"""CREATE TABLE account_changes ({change}, account_id BIGINT NOT NULL,
            {_columns(ACCOUNT_FIELDS, "before_", "after_")})""",
        """CREATE TABLE groups (address_book VARCHAR NOT NULL, group_name VARCHAR NOT NULL,
            created_at TIMESTAMP NOT NULL, upload_id VARCHAR NOT NULL)""",
        """CREATE TABLE memberships (address_book VARCHAR NOT NULL, group_name VARCHAR NOT NULL,
            contact_id BIGINT NOT NULL)""",
        f"""CREATE TABLE membership_changes ({history}, action VARCHAR NOT NULL, group_name VARCHAR NOT NULL,
            contact_id BIGINT NOT NULL)""",
        "CREATE TABLE links (contact_id BIGINT NOT NULL, linked_to BIGINT NOT NULL)",
        f"""CREATE TABLE link_changes ({history}, action VARCHAR NOT NULL, contact_id BIGINT NOT NULL,
            linked_to BIGINT NOT NULL)""",
        """CREATE TABLE decisions (upload_id VARCHAR NOT NULL, row_number UINTEGER NOT NULL, entity VARCHAR NOT NULL,
            address_book VARCHAR NOT NULL, keys VARCHAR NOT NULL, choice VARCHAR NOT NULL, contact_id BIGINT,
            other_row UINTEGER, decided_by VARCHAR NOT NULL, decided_at TIMESTAMP NOT NULL,
            withdrawn BOOLEAN NOT NULL DEFAULT false, applied BOOLEAN NOT NULL DEFAULT false)""",
        """CREATE TABLE users (login VARCHAR NOT NULL, name VARCHAR NOT NULL, roles VARCHAR[] NOT NULL,
            can_import BOOLEAN NOT NULL)""",
        "CREATE TABLE vocabularies (name VARCHAR NOT NULL, position INTEGER NOT NULL, value VARCHAR NOT NULL)",
        "CREATE TABLE mappings (profile VARCHAR NOT NULL, headings VARCHAR NOT NULL, mapping JSON NOT NULL)",
    ):
        database.run(statement)
    for name, kind in CONTACT_FIELDS.items():
        database.run("INSERT INTO fields VALUES (?, ?, ?)", [name, kind, name in _SENSITIVE])


def _publish(database: Database) -> None:
    """The published contacts, memberships and links: what counts and is not held back until it is finalized.

    What no held upload named stands as it is; so does who was erased.
    """
    fields = [name for (name,) in database.rows("SELECT name FROM fields")]
    names, computed = (", ".join(f"{of}{quoted(name)}" for name in ("active", *fields)) for of in ("", "e."))
    held = f"""
        SELECT contact_id FROM (SELECT contact_id, commit_number FROM contact_changes UNION ALL {naming()})
        WHERE commit_number IN ({HELD}) AND contact_id NOT IN ({ERASED.format("")})"""
    database.run(f"""
        CREATE OR REPLACE VIEW published_contacts AS
        SELECT contact_id, address_book, revision, last_upload_id, {names}
        FROM contacts WHERE contact_id NOT IN ({held})
        UNION ALL BY NAME
        SELECT contact_id, e.address_book, revision, e.last_upload_id, {computed}
        FROM contacts JOIN ({effective_contacts(fields, VISIBLE, among=held)}) AS e USING (contact_id)""")
    for table in PAIRS:
        database.run(f"""
            CREATE OR REPLACE VIEW published_{table} AS
            FROM {table} WHERE contact_id NOT IN ({held})
            UNION ALL BY NAME ({effective_pairs(table, VISIBLE, among=held)})""")


def _changes_without_a_list(database: Database) -> None:
    """Which fields a change touches is seen by its values; the list of their names said the same once more."""
    for table in ("contact_changes", "account_changes"):
        database.run(f"ALTER TABLE {table} DROP COLUMN changed")


def _erase(database: Database) -> None:
    """Who was erased, when and by whom, and what they are recognized by: no value of theirs."""
    database.run("""
        CREATE TABLE erasures (contact_id BIGINT NOT NULL, started_at TIMESTAMP NOT NULL, actor VARCHAR NOT NULL,
            commit_number BIGINT, finished_at TIMESTAMP)""")
    database.run("""
        CREATE TABLE fingerprints (contact_id BIGINT NOT NULL, state BIGINT NOT NULL, field VARCHAR NOT NULL,
            fingerprint VARCHAR NOT NULL)""")
    database.run("CREATE TABLE erased_rows (upload_id VARCHAR NOT NULL, row_number UINTEGER NOT NULL)")


def _columns_on_demand(database: Database) -> None:
    """Takes out the columns of fields that no profile has brought a value for.

    A staged upload may bring one, so where there is any, all stay.
    """
    if database.value("SELECT count(*) FROM uploads WHERE state IN ('staged', 'blocked')"):
        return
    found = ", ".join(f"count({name})" for name in _ON_DEMAND)
    changed = ", ".join(f"count(*) FILTER ({touches(name)})" for name in _ON_DEMAND)
    (now,), (ever,) = (
        database.rows(f"SELECT {found} FROM contacts"),
        database.rows(f"SELECT {changed} FROM contact_changes"),
    )
    unused = [name for name, *counts in zip(_ON_DEMAND, now, ever, strict=True) if not any(counts)]
    for name in unused:
        database.run(f"ALTER TABLE contacts DROP COLUMN {name}")
        for side in ("before", "after"):
            database.run(f"ALTER TABLE contact_changes DROP COLUMN {side}_{name}")
        database.run("DELETE FROM fields WHERE name = ?", [name])


def _what_counts(database: Database) -> None:
    """Makes the tables the function of what counts that they are from here on, where something is undone.

    Before, what was undone could leave values behind.
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


def _count_row_warnings(database: Database) -> None:
    """A count, so that a list of uploads need not open what is staged for each. Older uploads have none."""
    database.run("ALTER TABLE uploads ADD COLUMN row_warning_count INTEGER")


MIGRATIONS: Final[tuple[tuple[str, Callable[[Database], None]], ...]] = (
    ("first schema", _first),
    ("changes without a list of fields", _changes_without_a_list),
    ("erasures and their fingerprints", _erase),
    ("columns on demand", _columns_on_demand),
    ("contacts are what counts", _what_counts),
    ("warnings of rows are counted", _count_row_warnings),
)


def pending_migrations(database: Database) -> list[str]:
    """The migrations that the contact database has not had; call it outside a transaction."""
    try:
        done = database.rows("SELECT name FROM migrations")
    except DATA_FAULTS:  # not even that table is there
        done = []
    return [name for name, _ in MIGRATIONS if (name,) not in done]


def migrate(database: Database) -> None:
    """Brings the contact database to the newest schema, recording each step."""
    database.run(
        "CREATE TABLE IF NOT EXISTS migrations (number INTEGER NOT NULL, name VARCHAR NOT NULL, applied_at TIMESTAMP)"
    )
    done = {name for (name,) in database.rows("SELECT name FROM migrations")}
    for name, step in MIGRATIONS:
        if name not in done:
            with database.transaction():
                step(database)
                _record(database, name)


def keep_contact_fields(database: Tables, fields: Mapping[str, FieldKind], sensitive: Collection[str]) -> None:
    """Keeps in a staging database, as `contact_fields`, what the staged changeset brings."""
    import polars as pl  # most calls only look at the ledger, and need no frame

    schema = {"name": pl.String, "kind": pl.String, "sensitive": pl.Boolean}
    rows = [(name, kind, name in sensitive) for name, kind in fields.items()]
    database.store("contact_fields", pl.DataFrame(rows, schema=schema, orient="row"))


def add_staged_fields(database: Database) -> None:
    """Adds what the changeset of the database attached as `staged` brings; call it in a transaction."""
    if database.has("contact_fields", "staged"):
        rows = database.rows("SELECT name, kind, sensitive FROM staged.contact_fields")
        fields = {name: kind for name, kind, _ in rows}
        add_contact_fields(database, fields, frozenset(name for name, _, is_sensitive in rows if is_sensitive))


def add_contact_fields(database: Database, fields: Mapping[str, FieldKind], sensitive: frozenset[str]) -> None:
    """Adds a column for every field that the contacts do not have yet, and records it; call it in a transaction."""
    there = dict(database.rows("SELECT name, kind FROM fields"))
    check_contact_fields(database, fields)
    for name in sensitive & there.keys():  # once sensitive, always: another profile may show it otherwise
        database.run("UPDATE fields SET sensitive = true WHERE name = ?", [name])
    new = {name: kind for name, kind in fields.items() if name not in there}
    for name, kind in new.items():
        column, before, after = quoted(name), quoted(f"before_{name}"), quoted(f"after_{name}")
        database.run(f"ALTER TABLE contacts ADD COLUMN {column} {SQL_TYPE[kind]}")
        database.run(f"ALTER TABLE contact_changes ADD COLUMN {before} {SQL_TYPE[kind]}")
        database.run(f"ALTER TABLE contact_changes ADD COLUMN {after} {SQL_TYPE[kind]}")
        database.run("INSERT INTO fields VALUES (?, ?, ?)", [name, kind, name in sensitive])
        _record(database, f"contact field {name} ({kind})")
    if new:
        _publish(database)


def check_contact_fields(database: Tables, fields: Mapping[str, FieldKind], book: str = "") -> None:
    """Tests that fields are of the kind that the contacts have them in.

    Args:
        database: the contact database, or one that has it attached.
        fields: name → kind.
        book: prefix of the contact database's tables, "" or "book.".

    Raises:
        Refusal: one is of another kind (code `field-kind`).
    """
    known = {**CONTACT_FIELDS, **dict(database.rows(f"SELECT name, kind FROM {book}fields"))}
    for name, kind in fields.items():
        if known.get(name, kind) != kind:
            raise Refusal(
                "field-kind",
                f"Contacts hold the field '{name}' as {known[name]}; the profile declares it as {kind}.",
                "Give the field another name in the profile, or the same kind.",
            )


def _record(database: Database, name: str) -> None:
    database.run(
        "INSERT INTO migrations SELECT coalesce(max(number), 0) + 1, ?, ? FROM migrations",
        [name, datetime.now(UTC).replace(tzinfo=None)],
    )
