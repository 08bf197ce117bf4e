"""Checks the contact database: every block can be read, and its tables agree with the history."""

from __future__ import annotations

from collections.abc import Iterator

from contact_pipeline.engines import StoredTables, Tables, literal, quoted
from contact_pipeline.store.effective import (
    EFFECTIVE,
    PAIRS,
    effective_accounts,
    effective_contacts,
    effective_groups,
    effective_pairs,
)
from contact_pipeline.store.erasures import ERASED
from contact_pipeline.terms import ACCOUNT_FIELDS
from contact_pipeline.verify.findings import Finding

_COUNTING = EFFECTIVE.format("")
_SHOWN = 20  # contacts that are named
_RESTORE = (
    "Put back a backup that was made before it (`contact-pipeline restore BACKUP --replace`), or enter what is right "
    "as an upload."
)


def read_everything(database: StoredTables) -> int:
    """Reads every value of every table, so that DuckDB tests the checksum of every block; how many tables."""
    tables = database.tables()
    for table in tables:
        database.value(f"SELECT bit_xor(hash(_row_of_it)) FROM {quoted(table)} AS _row_of_it")
    return len(tables)


def check_history(database: Tables) -> Iterator[Finding]:
    """The contacts, accounts, memberships, links and groups that disagree with the history."""
    fields = [name for (name,) in database.rows("SELECT name FROM fields")]
    yield from _differing(
        database, "contact", ["active", *fields], effective_contacts(fields, _COUNTING), ERASED.format("")
    )
    yield from _differing(database, "account", [*ACCOUNT_FIELDS], effective_accounts(_COUNTING), "SELECT NULL")
    for table, columns in PAIRS.items():
        yield from _pairs(database, table, ", ".join(columns), effective_pairs(table, _COUNTING))
    yield from _pairs(database, "groups", "address_book, group_name", effective_groups(_COUNTING))
    yield from _erased(database, fields)


def check_commits(database: Tables) -> Iterator[Finding]:
    """Commits whose numbers do not follow their times, and uploads whose state disagrees with their commits."""
    for number, problem in database.rows("""
        SELECT commit_number, CASE WHEN count(*) OVER (PARTITION BY commit_number) > 1 THEN 'is there twice'
                                   WHEN committed_at < lag(committed_at) OVER (ORDER BY commit_number)
                                       THEN 'is older than the one before it' END AS problem
        FROM commits QUALIFY problem IS NOT NULL ORDER BY ALL"""):
        yield Finding("commits", f"commit {number}", f"Commit {number} {problem}.", _RESTORE)
    for upload_id, state in database.rows("""
        WITH applied AS (
            SELECT upload_id, count(*) AS commits, count(undone_by) AS undone FROM commits WHERE action = 'apply'
            GROUP BY upload_id
        )
        SELECT upload_id, state FROM uploads LEFT JOIN applied USING (upload_id)
        WHERE CASE WHEN state IN ('applied', 'finalized') THEN coalesce(commits, 0) = 0 OR undone > 0
                   WHEN state = 'undone' THEN coalesce(commits, 0) = 0 OR undone < commits
                   ELSE coalesce(commits, 0) > 0 END
        ORDER BY ALL"""):
        message = f"Upload {upload_id} is {state}, but its commits say otherwise."
        yield Finding("ledger", f"upload {upload_id}", message, _RESTORE)


def _differing(database: Tables, entity: str, fields: list[str], computed: str, left_out: str) -> Iterator[Finding]:
    """Entities that are missing, extra, there twice or different, each with the fields that differ."""
    identity, names = f"{entity}_id", ["address_book", *fields]
    wrong = ", ".join(
        f"CASE WHEN t.{quoted(name)} IS DISTINCT FROM c.{quoted(name)} THEN {literal(name)} END" for name in names
    )
    rows = database.rows(f"""
        WITH computed AS ({computed}),
        compared AS (
            SELECT coalesce(t.{identity}, c.{identity}) AS id, t.{identity} IS NULL AS is_missing,
                   c.{identity} IS NULL AS is_extra,
                   (t.created_commit IS NULL) <> (c.created_commit IS NULL) AS is_otherwise_made,
                   list_filter([{wrong}], lambda name: name IS NOT NULL) AS fields
            FROM {entity}s AS t FULL JOIN computed AS c USING ({identity})
        )
        SELECT id, is_missing, is_extra, is_otherwise_made, fields, count(*) OVER () AS total FROM compared
        WHERE (is_missing OR is_extra OR is_otherwise_made OR len(fields) > 0) AND id NOT IN ({left_out})
        UNION ALL BY NAME
        SELECT {identity} AS id, NULL AS fields, 0 AS total FROM {entity}s GROUP BY ALL HAVING count(*) > 1
        ORDER BY id LIMIT {_SHOWN}""")
    for number, is_missing, is_extra, is_otherwise_made, differing, total in rows:
        if differing is None:
            problem = "is there twice"
        elif is_missing:
            problem = "is missing, though its history has it"
        elif is_extra:
            problem = "is there, though its history does not have it"
        elif differing:
            problem = f"has other values than its history: {', '.join(differing)}"
        else:
            problem = "differs from its history in whether it was created" if is_otherwise_made else "differs"
        more = f" ({total:,} {entity}s differ.)" if total > _SHOWN else ""
        message = f"{entity.capitalize()} {number} {problem}.{more}"
        fix = f"`contact-pipeline contacts history {number}` shows the history. {_RESTORE}"
        yield Finding("history", f"{entity} {number}", message, fix if entity == "contact" else _RESTORE)


def _pairs(database: Tables, table: str, columns: str, computed: str) -> Iterator[Finding]:
    missing, extra = (
        database.value(f"SELECT count(*) FROM (SELECT {columns} FROM ({one}) EXCEPT SELECT {columns} FROM ({other}))")
        for one, other in ((computed, f"FROM {table}"), (f"FROM {table}", computed))
    )
    if missing or extra:
        message = f"{missing:,} of the {table} are missing, and {extra:,} are there that the history does not have."
        yield Finding("history", table, message, _RESTORE)


def _erased(database: Tables, fields: list[str]) -> Iterator[Finding]:
    values = " OR ".join(f"{quoted(name)} IS NOT NULL" for name in fields)
    erased = f"SELECT contact_id FROM contacts WHERE contact_id IN ({ERASED.format('')})"
    for (number,) in database.rows(f"{erased} AND (active OR {values}) ORDER BY ALL"):
        message = f"Contact {number} was erased, or is being erased, and has values."
        fix = (
            f"`contact-pipeline contacts erase {number}` completes an erasure that was cut off; else put back a backup."
        )
        yield Finding("erasure", f"contact {number}", message, fix)
