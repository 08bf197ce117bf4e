"""DuckDB: opens database files, runs SQL, hands frames in and out (through Arrow's C stream, without pyarrow)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from contact_pipeline.engines import listed
from contact_pipeline.engines.checkpoint import checkpoint, put_back, remove_half
from contact_pipeline.engines.instance import (
    connect,
    fault_of_duckdb,
    forget_instances,
    in_words,
    interruptible,
    patiently,
)
from contact_pipeline.engines.merging import merge
from contact_pipeline.engines.parquet import parquet_in_words
from contact_pipeline.engines.sql import PLACE, literal, quoted
from contact_pipeline.errors import faults_masked
from contact_pipeline.machine import NEW, fault_of, put_in_place
from contact_pipeline.owner_only import owner_only
from contact_pipeline.settings import Settings, check_folder

if TYPE_CHECKING:
    import polars as pl

_numbers = count(1)
Parameters = Sequence[object] | Mapping[str, object]


class _Stream:
    """A frame that DuckDB can scan by Arrow's C stream; scanned anew for every query that names it."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


class Database:
    """One open connection. Everything that runs SQL goes through here."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path | None = None) -> None:
        self._connection = connection
        self._folder = folder
        self._searched: list[str] = []

    def run(self, sql: str, parameters: Parameters = ()) -> None:
        """Executes a statement for its effect."""
        self._connection.execute(sql, parameters).fetchall()

    def rows(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Executes a query; every row of its result."""
        return self._connection.execute(sql, parameters).fetchall()

    def value(self, sql: str, parameters: Parameters = ()) -> Any:
        """Executes a query; the first value of its first row, or None when there is no row."""
        rows = self.rows(sql, parameters)
        return rows[0][0] if rows else None

    def records(self, sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
        """Executes a query; every row as a mapping from column to value."""
        cursor = self._connection.execute(sql, parameters)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def frame(self, sql: str) -> pl.DataFrame:
        """Executes a query; its result as a Polars frame."""
        import polars as pl  # most calls only look at the ledger, and need no frame

        return pl.DataFrame(self._connection.sql(sql))

    def make(self, table: str, query: str) -> int:
        """Makes a table of a query's rows, for as long as the connection lasts; how many there are."""
        return int(self.value(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}"))

    def stage(self, table: str, query: str) -> int:
        """Makes a table of a query's rows that stays in the database; how many there are."""
        return int(self.value(f"CREATE OR REPLACE TABLE {table} AS {query}"))

    def view(self, name: str, query: str) -> None:
        """Names a query, for as long as the connection lasts."""
        self.run(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")

    def stage_view(self, name: str, query: str, note: str | None = None) -> None:
        """Names a query in the database, with a note that `note` gives back. It takes the place of a table."""
        if self.has_table(name):
            self.run(f"DROP TABLE {name}")
        self.run(f"CREATE OR REPLACE VIEW {name} AS {query}")
        if note is not None:
            self.run(f"COMMENT ON VIEW {name} IS {literal(note)}")

    def append(self, table: str, query: str) -> int:
        """Adds a query's rows to a table, by the names of its columns; how many there are."""
        return int(self.value(f"INSERT INTO {table} BY NAME {query}"))

    def delete(self, table: str, condition: str) -> int:
        """Deletes the rows of a table that meet a condition; how many there were."""
        return int(self.value(f"DELETE FROM {table} WHERE {condition}"))

    def update(self, table: str, values: Mapping[str, str], condition: str) -> None:
        """Gives columns of the rows that meet a condition the values of expressions."""
        sets = ", ".join(f"{quoted(name)} = {value}" for name, value in values.items())
        self.run(f"UPDATE {table} SET {sets} WHERE {condition}")

    merge = merge

    def add_column(self, table: str, name: str, kind: str) -> None:
        """Adds a column, null in every row."""
        self.run(f"ALTER TABLE {table} ADD COLUMN {quoted(name)} {kind}")

    def see(self, name: str, frame: pl.DataFrame) -> None:
        """Lets SQL see a frame under a name, without copying it."""
        self._connection.register(name, _Stream(frame))

    def unsee(self, name: str) -> None:
        """Forgets a frame that `see` named."""
        self._connection.unregister(name)

    def store(self, table: str, frame: pl.DataFrame) -> None:
        """Replaces a table by the rows of a frame."""
        self._from_frame(f"CREATE OR REPLACE TABLE {table} AS", frame)

    def add(self, table: str, frame: pl.DataFrame) -> None:
        """Adds the rows of a frame to a table."""
        self._from_frame(f"INSERT INTO {table} BY NAME", frame)

    def _from_frame(self, statement: str, frame: pl.DataFrame) -> None:
        self.see("_frame", frame)
        try:
            self.run(f"{statement} FROM _frame")
        finally:
            self.unsee("_frame")

    def keep(self, view: str, *queries: str) -> None:
        """Writes the rows of queries that have the same columns into Parquet files beside the database, one file each.

        The view of that name has them in this order; cut off on the way, there is none. A table takes a quarter longer
        to write, as DuckDB looks for the best compression of every column, and four times as long to read as a frame.
        """
        # The first versions kept a table, and erasing leaves one.
        self.run(f"DROP TABLE {view}" if self.has_table(view) else f"DROP VIEW IF EXISTS {view}")
        for file in self._beside("").glob(f"{view}-*.parquet*"):
            file.unlink()
        for number, query in enumerate(queries):
            with put_in_place(self._beside(f"{view}-{number:05d}.parquet")) as file:
                self.write(file, query)
        self.see_files(view)

    def write(self, file: Path, query: str) -> int:
        """Writes the rows of a query into a Parquet file; how many there are."""
        return int(self.value(f"COPY ({query}) TO {literal(file)} (FORMAT parquet, USE_TMP_FILE false)"))

    def kept(self, view: str) -> Iterator[pl.DataFrame]:
        """The rows that `keep` wrote, in their order, in frames of bounded size."""
        import polars as pl

        with parquet_in_words(self._beside(view)):
            yield from pl.scan_parquet(self._kept(view), glob=False).collect_batches(maintain_order=True)

    def see_files(self, view: str, prefix: str | None = None) -> None:
        """Makes the Parquet files `prefix-*` beside the database a view; its path is relative, so they can be moved.

        Args:
            view: its name.
            prefix: of the files; unset: the view's name.
        """
        self.run(f"CREATE OR REPLACE VIEW {view} AS FROM read_parquet('{prefix or view}-*.parquet')")

    def take_in(self, view: str) -> None:
        """Makes a view, such as one of files beside the database, a table that has its rows."""
        self.run(f"CREATE TABLE taken_in AS FROM {view}")
        self.run(f"DROP VIEW {view}")
        self.run(f"ALTER TABLE taken_in RENAME TO {view}")

    def _kept(self, view: str) -> list[Path]:
        return sorted(self._beside("").glob(f"{view}-*.parquet"))

    def _beside(self, name: str) -> Path:
        if self._folder is None:
            raise ValueError("A database in memory has no folder.")
        return self._folder / name

    def lies_beside(self, name: str) -> bool:
        """Whether there is a file of that name beside the database."""
        return self._folder is not None and (self._folder / name).exists()

    def columns(self, table: str) -> list[str]:
        """The columns of an existing table or view, in order."""
        return [column[0] for column in self._connection.execute(f"FROM {table} LIMIT 0").description or ()]

    has = listed.has
    has_table = listed.has_table
    in_file = listed.in_file
    note = listed.note
    tables = listed.tables
    types = listed.types

    def batches(self, query: str, rows: int) -> Iterator[pl.DataFrame]:
        """The rows of a query in their order, in frames of that many rows; what has no room in memory is spilled."""
        table = f"batches_{next(_numbers)}"
        self.make(table, query)
        # In a transaction, places do not count from 0.
        first, last = self.rows(f"SELECT coalesce(min({PLACE}), 0), coalesce(max({PLACE}), -1) FROM {table}")[0]
        for start in range(first, last + 1, rows):
            yield self.frame(f"FROM {table} WHERE {PLACE} >= {start} AND {PLACE} < {start + rows} ORDER BY {PLACE}")
        self.run(f"DROP TABLE {table}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits at the end; takes everything back on any error, interruption included."""
        self.run("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            with suppress(duckdb.Error):  # after a fault of the disk no transaction is open; the first error counts
                self._connection.execute("ROLLBACK")
            raise
        self.run("COMMIT")

    @contextmanager
    def attached(self, path: Path, alias: str, *, wait_seconds: float = 60) -> Iterator[None]:
        """Attaches another database file to read, for as long as the block lasts, waiting while it is locked.

        Relative paths in its views are found from its folder.

        Raises:
            StoreBusy: it stayed locked for `wait_seconds`.
        """
        try:
            _attach(self._connection, path, alias, wait_seconds, read_only=True)
        except KeyboardInterrupt:  # it may be attached all the same
            self.run(f"DETACH DATABASE IF EXISTS {alias}")
            raise
        try:
            self.search(path.parent)
            yield
        finally:
            with suppress(duckdb.ConnectionException):  # ended after a fault of the disk: nothing is attached any more
                self.run(f"DETACH {alias}")

    def search(self, folder: Path) -> None:
        """Lets relative paths in views be found from a folder too, for as long as the connection lasts."""
        if str(folder) not in self._searched:
            self._searched.append(str(folder))
            self._connection.execute(f"SET file_search_path = {literal(','.join(self._searched))}")

    def close(self) -> None:
        """Closes the connection and lets go of the file's lock."""
        self._connection.close()


@contextmanager
def open_database(
    path: Path | None,
    settings: Settings,
    *,
    read_only: bool = False,
    in_one_file: bool = False,
    beside: Mapping[str, Path] | None = None,
) -> Iterator[Database]:
    """Opens a database file (None: one in memory) for as long as the block lasts, and lets go of its lock after it.

    Databases `beside` it (alias → path) are opened before it, for reading: everybody takes files in the same order, a
    staging database before the contact database, so that no two wait for each other.

    Relative paths in views (raw and normalized rows lie beside the staging database) are found from its folder.

    At the end its log is taken into the file. Where there is no room for that, commits stay in the log; this is an
    error only with `in_one_file`.

    Raises:
        StoreBusy: another process held it for longer than the settings allow.
        MachineFault: a file is damaged, or disk, memory or permissions are missing.
        Refusal: DuckDB would misread its path (code `home-path`): look for views' files in two places, and in neither
            the right one, or write its log elsewhere.
    """
    if path is not None:
        check_folder(path.parent)
    with in_words(path):
        connection = connect(settings)
    try:
        with faults_masked(), interruptible(), in_words(path), ExitStack() as opened:
            if not read_only:
                opened.enter_context(owner_only())  # the umask decides who can read the files that DuckDB makes
            database = Database(connection, path.parent if path is not None else None)
            for alias, other in (beside or {}).items():
                opened.enter_context(database.attached(other, alias, wait_seconds=settings.lock_wait_seconds))
            if path is not None:
                if not read_only and not path.exists():
                    _make(connection, path)
                used = _used(connection, path, settings, read_only=read_only, in_one_file=in_one_file)
                opened.enter_context(used)
                database.search(path.parent)
            yield database
    finally:
        connection.close()


def _make(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Makes an empty database file, for the owner only; cut off, none exists. Others wait, and then find it made."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if path.exists():
            return
        new, alias = path.with_name(path.name + NEW), f"new_{next(_numbers)}"
        for left in path.parent.glob(f"{new.name}*"):
            left.unlink()
        try:
            connection.execute(f"ATTACH {literal(new)} AS {alias}")
            connection.execute(f"CHECKPOINT {alias}")
        finally:
            connection.execute(f"DETACH DATABASE IF EXISTS {alias}")
        new.chmod(0o600)
        new.replace(path)
    finally:
        os.close(folder)


@contextmanager
def _used(
    connection: duckdb.DuckDBPyConnection, path: Path, settings: Settings, *, read_only: bool, in_one_file: bool
) -> Iterator[None]:
    alias = f"file_{next(_numbers)}"
    try:
        _attach(connection, path, alias, settings.lock_wait_seconds, read_only=read_only)
        connection.execute(f"USE {alias}")
        if not read_only:
            remove_half(path)
        yield
        if not read_only:
            _take_in(connection, path, alias, in_one_file=in_one_file)
    finally:
        _let_go(connection, alias)


def _take_in(connection: duckdb.DuckDBPyConnection, path: Path, alias: str, *, in_one_file: bool) -> None:
    try:
        checkpoint(connection, path, alias)
    except duckdb.InterruptException:
        raise
    except (duckdb.Error, OSError) as error:
        if not in_one_file:
            return
        if fault := fault_of(error):
            raise fault from error
        raise


def _attach(
    connection: duckdb.DuckDBPyConnection, path: Path, alias: str, wait_seconds: float, *, read_only: bool
) -> None:
    sql = f"ATTACH {literal(path)} AS {alias}{' (READ_ONLY)' if read_only else ''}"

    def attempt() -> None:
        put_back(path)
        connection.execute(sql)

    patiently(attempt, path, wait_seconds)


def _let_go(connection: duckdb.DuckDBPyConnection, alias: str) -> None:
    """Detaches a file even if Ctrl-C comes at that very moment: it would stay locked for this process's own retry."""
    detach = f"USE memory; DETACH DATABASE IF EXISTS {alias}"
    try:
        connection.execute(detach)
    except (KeyboardInterrupt, duckdb.InterruptException):
        connection.execute(detach)
        raise
    except RuntimeError as error:
        if "interrupted" not in str(error).lower():
            raise
        connection.execute(detach)
        raise
    except duckdb.Error as error:
        forget_instances(fault_of_duckdb(error, None))
