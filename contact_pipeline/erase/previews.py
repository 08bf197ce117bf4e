"""Removes what Dagster has stored about a person: previews of tables, and values in other texts.

They are in SQLite databases of the home, or in PostgreSQL, or in both if a home has moved from one to the other.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final

from contact_pipeline.erase import in_postgres
from contact_pipeline.erase.person import redact
from contact_pipeline.errors import StoreBusy
from contact_pipeline.settings import Settings
from contact_pipeline.store.dagster_records import postgres_of

_MAGIC: Final = b"SQLite format 3\0"


def erase_previews(settings: Settings, pattern: re.Pattern[str] | None, rows: Mapping[str, Collection[int]]) -> None:
    """Empties the person's rows in every stored preview, and rewrites the databases.

    Args:
        settings: of the home.
        pattern: finds a value of the person in a text.
        rows: upload → its rows that are the person.

    Raises:
        StoreBusy: Dagster was busy with one of its databases for longer than the settings allow.
        Refusal, MachineFault: they lie in PostgreSQL, which cannot be reached (code `dagster-storage`).
    """
    if address := postgres_of(settings):
        in_postgres.clean(address, settings.lock_wait_seconds, partial(_without, pattern=pattern, rows=rows))
    for path in _databases(settings.home / "dagster"):
        try:
            with closing(sqlite3.connect(path, timeout=settings.lock_wait_seconds, isolation_level=None)) as database:
                _clean(database, pattern, rows)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) and "busy" not in str(error):
                raise
            raise StoreBusy(
                f"{path.name} has been in use by Dagster for {settings.lock_wait_seconds:g} s. Stop `contact-pipeline "
                "serve`, and erase again: what is done already is not lost."
            ) from error


def count_previews(
    settings: Settings, pattern: re.Pattern[str] | None, rows: Mapping[str, Collection[int]]
) -> dict[Path, int]:
    """Dagster's databases that hold the person → the number of texts in them that `erase_previews` would change.

    Raises:
        sqlite3.OperationalError, StoreBusy: Dagster was busy with one of them for longer than the settings allow.
        Refusal, MachineFault: they lie in PostgreSQL, which cannot be reached (code `dagster-storage`).
    """
    counts = {}
    if address := postgres_of(settings):
        without = partial(_without, pattern=pattern, rows=rows)
        counts[settings.home / "dagster" / "PostgreSQL"] = in_postgres.count(
            address, settings.lock_wait_seconds, without
        )
    for path in _databases(settings.home / "dagster"):
        with closing(sqlite3.connect(path, timeout=settings.lock_wait_seconds)) as database:
            database.execute("PRAGMA query_only = ON")  # opened read-only, SQLite would leave its log files behind
            counts[path] = 0
            for table, column in _text_columns(database):
                texts = database.execute(f'SELECT "{column}" FROM "{table}" WHERE typeof("{column}") = \'text\'')
                counts[path] += sum(_without(text, pattern, rows) != text for (text,) in texts)
    return {path: count for path, count in counts.items() if count}


def _databases(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(len(_MAGIC)) == _MAGIC:
                    yield path


def _clean(database: sqlite3.Connection, pattern: re.Pattern[str] | None, rows: Mapping[str, Collection[int]]) -> None:
    database.execute("PRAGMA temp_store = MEMORY")
    database.execute("PRAGMA secure_delete = ON")
    database.execute("BEGIN IMMEDIATE")
    for table, column in _text_columns(database):
        changed = [
            (new, number)
            for number, text in database.execute(
                f'SELECT rowid, "{column}" FROM "{table}" WHERE typeof("{column}") = \'text\''
            )
            if (new := _without(text, pattern, rows)) != text
        ]
        database.executemany(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', changed)
    database.execute("COMMIT")
    database.execute("VACUUM")
    ((is_busy, _, _),) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    if is_busy:  # the log of a database that others keep open would hold the values for long
        raise sqlite3.OperationalError("database is locked: its log cannot be emptied")


def _text_columns(database: sqlite3.Connection) -> list[tuple[str, str]]:
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%WITHOUT ROWID%'")
    return [
        (table, column[1])
        for (table,) in tables.fetchall()
        if not table.startswith("sqlite_")
        for column in database.execute(f'PRAGMA table_info("{table}")').fetchall()
    ]


def _without(text: str, pattern: re.Pattern[str] | None, rows: Mapping[str, Collection[int]]) -> str:
    """The text without the person: in JSON their records are emptied, in other texts their values are replaced."""
    if text.startswith("{") and '"row_number"' in text and any(upload_id in text for upload_id in rows):
        document = json.loads(text)
        emptied = _emptied(document, rows, ())
        if emptied != document:
            text = json.dumps(emptied)
    if pattern is not None and pattern.search(text):
        text = redact(text, pattern)
    return text


def _emptied(part: Any, rows: Mapping[str, Collection[int]], person_rows: Collection[int]) -> Any:
    """A part of a document in which all records that are the person's rows have lost their texts."""
    if isinstance(part, list):
        return [_emptied(each, rows, person_rows) for each in part]
    if not isinstance(part, dict):
        return part
    person_rows = rows.get(str(part.get("partition")), person_rows)
    if isinstance(part.get("row_number"), int) and part["row_number"] in person_rows:
        return {name: "" if isinstance(value, str) else value for name, value in part.items()}
    return {name: _emptied(value, rows, person_rows) for name, value in part.items()}
