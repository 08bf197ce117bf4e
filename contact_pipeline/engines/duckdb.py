"""DuckDB: opens database files, runs SQL, hands frames in and out (through Arrow's C stream, without pyarrow)."""

from __future__ import annotations

import atexit
import fcntl
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

import duckdb

from contact_pipeline.engines.checkpoint import checkpoint, put_back, remove_half
from contact_pipeline.engines.parquet import parquet_in_words
from contact_pipeline.errors import MachineFault, StoreBusy, faults_masked
from contact_pipeline.machine import NEW, damaged, fault_in, fault_of, missing, put_in_place
from contact_pipeline.owner_only import owner_only
from contact_pipeline.settings import Settings, check_folder
from contact_pipeline.temporary import temporary_folder

if TYPE_CHECKING:
    import polars as pl

T = TypeVar("T")

# What DuckDB raises when the data or the text it is given are at fault, not the machine (disk, memory, locks).
DATA_FAULTS = (duckdb.DataError, duckdb.ProgrammingError)

# DuckDB takes no log in by itself: `checkpoint` does, so that it may be cut off.
_CHECKPOINTS: Final = (
    "SET wal_autocheckpoint = '1 TB'",
    "SET checkpoint_on_detach = 'DISABLED'",
    "PRAGMA disable_checkpoint_on_shutdown",
)

_COPIED_AT_A_TIME: Final = 4_000_000  # bytes

_DAMAGE: Final = (duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException, duckdb.IOException)
_CORRUPT: Final = "Corrupt database file"  # an error of no class of its own
_ABSENCE: Final = ("No files found", "No such file")
_PATH: Final = re.compile(r"""["'](/[^"'\n]+)["']""")  # in DuckDB's messages

_numbers = count(1)
Parameters = Sequence[object] | Mapping[str, object]


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str | Path) -> str:
    """The value as an SQL text literal."""
    return "'" + str(value).replace("'", "''") + "'"


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
        # A table, as the first versions kept them, and as erasing leaves them.
        self.run(f"DROP TABLE {view}" if self.has_table(view) else f"DROP VIEW IF EXISTS {view}")
        for file in self._beside("").glob(f"{view}-*.parquet*"):
            file.unlink()
        for number, query in enumerate(queries):
            with put_in_place(self._beside(f"{view}-{number:05d}.parquet")) as file:
                self.run(f"COPY ({query}) TO {text(file)} (FORMAT parquet, USE_TMP_FILE false)")
        self.see_files(view)

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

    def _kept(self, view: str) -> list[Path]:
        return sorted(self._beside("").glob(f"{view}-*.parquet"))

    def _beside(self, name: str) -> Path:
        if self._folder is None:
            raise ValueError("A database in memory has no folder.")
        return self._folder / name

    def has_table(self, name: str) -> bool:
        """Whether there is a table of that name; a view is none."""
        where = "database_name = current_database() AND NOT temporary"
        return bool(self.value(f"SELECT count(*) FROM duckdb_tables() WHERE {where} AND table_name = ?", [name]))

    def has(self, table: str, database: str | None = None) -> bool:
        """Whether there is a table or view of that name."""
        where = f"database_name = {text(database)}" if database else "database_name = current_database()"
        sql = f"""
            SELECT count(*) FROM (
                SELECT table_name AS name FROM duckdb_tables() WHERE {where}
                UNION ALL SELECT view_name FROM duckdb_views() WHERE {where}
            ) WHERE name = {text(table)}"""
        return bool(self.value(sql))

    def columns(self, table: str) -> list[str]:
        """The columns of a table or view, in order; it is there."""
        return [column[0] for column in self._connection.execute(f"FROM {table} LIMIT 0").description or ()]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits at the end; takes everything back on any error, interruption included."""
        self.run("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            with suppress(duckdb.Error):  # there is none after a fault of the disk; the first error is the one to tell
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
            self._connection.execute(f"SET file_search_path = {text(','.join(self._searched))}")

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

    Others that are needed beside it (alias → path) are opened before it, for reading: everybody takes files in the same
    order, a staging database before the contact database, so that no two wait for each other.

    Relative paths in views (raw and normalized rows lie beside the staging database) are found from its folder.

    At the end its log is taken in. What is committed stands in the log where there is no room to do so; only where it
    is to be `in_one_file` is that an error.

    Raises:
        StoreBusy: another process held it for longer than the settings allow.
        MachineFault: a file is damaged, or disk, memory or permissions are missing.
        Refusal: DuckDB would misread its path (code `home-path`): look for views' files in two places, and in neither
            the right one, or write its log elsewhere.
    """
    if path is not None:
        check_folder(path.parent)
    with _in_words(path):
        connection = _connection(settings)
    try:
        with faults_masked(), _interruptible(), _in_words(path), ExitStack() as held:
            if not read_only:
                held.enter_context(owner_only())  # DuckDB makes files, its log among them, for whom the mask lets
            database = Database(connection, path.parent if path is not None else None)
            for alias, other in (beside or {}).items():
                held.enter_context(database.attached(other, alias, wait_seconds=settings.lock_wait_seconds))
            if path is not None:
                if not read_only and not path.exists():
                    _make(connection, path)
                used = _used(connection, path, settings, read_only=read_only, in_one_file=in_one_file)
                held.enter_context(used)
                database.search(path.parent)
            yield database
    finally:
        connection.close()


def _make(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Makes an empty database file, for the owner only; cut off, none is there. Others wait, and find it made."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if path.exists():
            return
        new, alias = path.with_name(path.name + NEW), f"new_{next(_numbers)}"
        for left in path.parent.glob(f"{new.name}*"):
            left.unlink()
        try:
            connection.execute(f"ATTACH {text(new)} AS {alias}")
            connection.execute(f"CHECKPOINT {alias}")
        finally:
            connection.execute(f"DETACH DATABASE IF EXISTS {alias}")
        new.chmod(0o600)
        new.replace(path)
    finally:
        os.close(folder)


def rewrite_database(path: Path, settings: Settings, finish: Callable[[Database], None] | None = None) -> None:
    """Writes a database file anew and puts it in the old one's place at once: no byte of what was deleted is in it.

    Killed before that moment, the old file stands and the copy is replaced by the next one. Nobody can write the old
    file meanwhile.

    Args:
        path: the file.
        settings: memory limit, threads and patience.
        finish: what to do in the new file before it takes the old one's place.

    Raises:
        StoreBusy: another process held the file for longer than the settings allow.
    """
    private = path.with_name(f"{path.name}.rewritten")
    shutil.rmtree(private, ignore_errors=True)
    private.mkdir(mode=0o700)
    done = False
    while not done:
        with open_database(path, settings, in_one_file=True):
            pass
        done = _replaced(path, private / path.name, settings, finish)
    private.rmdir()


def _replaced(path: Path, new: Path, settings: Settings, finish: Callable[[Database], None] | None) -> bool:
    """False where somebody has written to the file since its log was taken in: the log would fit no other file."""
    with owner_only(), open_database(path, settings, read_only=True) as database:
        if path.with_name(f"{path.name}.wal").exists():
            return False
        old = database.value("SELECT current_database()")
        database.run(f"ATTACH {text(new)} AS rewritten")
        try:
            database.run(f"COPY FROM DATABASE {old} TO rewritten")
            if finish:
                database.run("USE rewritten")
                finish(database)
                database.run(f"USE {old}")
            database.run("CHECKPOINT rewritten")
        finally:
            database.run(f"USE {old}")
            database.run("DETACH rewritten")
        new.replace(path)
    return True


def copy_database(path: Path, copy: Path, settings: Settings) -> None:
    """Copies a database file as it stands, what its log holds included; nobody can write it meanwhile.

    The copy is for its owner only, and appears when it is whole, while the original still cannot be written.

    Args:
        path: the file.
        copy: where the copy goes; the folder is there. Killed on the way, `<copy>.new` and its log are left.
        settings: memory limit, threads and patience.

    Raises:
        StoreBusy: another process held the file for longer than the settings allow.
    """
    new = copy.with_name(f"{copy.name}.new")
    try:
        with owner_only(), open_database(path, settings, read_only=True) as database, ExitStack() as held:
            # POSIX: the first handle of a file that a process closes ends all its locks on it. So they stay open.
            logged = [
                _copy_file(held.enter_context(original.open("rb")), new.with_name(f"{new.name}{suffix}"))
                for suffix in ("", ".wal")
                if (original := path.with_name(f"{path.name}{suffix}")).exists()
            ][1:]
            if logged:
                database.run(f"ATTACH {text(new)} AS copied")
                database.run("CHECKPOINT copied")
                database.run("DETACH copied")
            with new.open("rb") as file:
                os.fsync(file.fileno())
            new.replace(copy)
    finally:
        for left in (new, new.with_name(f"{new.name}.wal")):
            left.unlink(missing_ok=True)


def _copy_file(source: IO[bytes], path: Path) -> Path:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        shutil.copyfileobj(source, target, _COPIED_AT_A_TIME)
    return path


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
    sql = f"ATTACH {text(path)} AS {alias}{' (READ_ONLY)' if read_only else ''}"

    def attempt() -> None:
        put_back(path)
        connection.execute(sql)

    _patiently(attempt, path, wait_seconds)


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
        forget_instances(_fault_of(error, None))


_instances: dict[tuple[str, int | None, Path], duckdb.DuckDBPyConnection] = {}


def _connection(settings: Settings) -> duckdb.DuckDBPyConnection:
    return _instance(settings.memory_limit, settings.threads, settings.home).cursor()


_ended_by: MachineFault | None = None


def forget_instances(fault: MachineFault | None = None) -> None:
    """Starts DuckDB anew at the next opening: after a fault it may refuse everything, or hold a file.

    Args:
        fault: to be told of what was still open and is now closed.
    """
    global _ended_by  # noqa: PLW0603 - there is one DuckDB in a process
    _ended_by = fault
    _instance.cache_clear()
    while _instances:
        _, instance = _instances.popitem()
        with suppress(duckdb.Error):
            instance.close()


@contextmanager
def _in_words(path: Path | None) -> Iterator[None]:
    """Turns what DuckDB says of disk, memory and damaged files into a fault in words."""
    try:
        yield
    except duckdb.Error as error:
        fault = _fault_of(error, path)
        if fault is None:
            raise
        if isinstance(error, duckdb.FatalException | duckdb.InternalException):
            forget_instances(fault)
        raise fault from error


def _fault_of(error: duckdb.Error, path: Path | None) -> MachineFault | None:
    if isinstance(error, duckdb.ConnectionException) and _ended_by is not None:
        return MachineFault(_ended_by.code, _ended_by.message, _ended_by.fix)
    said = str(error)
    named = _PATH.search(said)
    file = Path(named.group(1)) if named else path
    fault = fault_in(said, file)
    if fault is not None:
        return fault
    if isinstance(error, duckdb.OutOfMemoryException):
        more = "Set CONTACT_PIPELINE_MEMORY_LIMIT higher, or close other programs; then repeat the command."
        return MachineFault("memory", "DuckDB has not enough memory for this.", more)
    if isinstance(error, duckdb.IOException) and any(sign in said for sign in _ABSENCE):
        return missing(file)
    if isinstance(error, _DAMAGE) or _CORRUPT in said:
        return damaged(file)
    return None


@cache
def _instance(memory_limit: str, threads: int | None, home: Path) -> duckdb.DuckDBPyConnection:
    """The process's DuckDB, to which files are attached: starting one takes eight times as long as attaching a file."""
    config: dict[str, Any] = {"memory_limit": memory_limit, "temp_directory": _spilling_folder(home)}
    if threads:
        config["threads"] = threads
    instance = duckdb.connect(":memory:", config=config)
    instance.execute("SET enable_progress_bar = false")
    for checkpoints in _CHECKPOINTS:
        instance.execute(checkpoints)
    atexit.register(instance.close)
    _instances[memory_limit, threads, home] = instance
    return instance


def _spilling_folder(home: Path) -> str:
    try:
        return str(temporary_folder(home) / "spilled")
    except OSError:  # a home that may only be read: nothing is spilled
        return ""


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C while DuckDB works comes out of it as an error of its own, which would look like a fault."""
    try:
        yield
    except (RuntimeError, duckdb.InterruptException) as error:
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from error
        raise
    except duckdb.InvalidInputException as error:  # while it reads a frame
        if "failed: KeyboardInterrupt" in str(error):
            raise KeyboardInterrupt from error
        raise


def _patiently(attempt: Callable[[], T], path: Path | None, wait_seconds: float) -> T:
    deadline = time.monotonic() + wait_seconds
    pause = 0.02
    while True:
        try:
            return attempt()
        except (duckdb.Error, BlockingIOError) as error:
            if not isinstance(error, BlockingIOError) and not _is_lock(str(error)):
                raise
            if time.monotonic() >= deadline:
                name = path.name if path else "the database"
                raise StoreBusy(
                    f"{name} has been in use by another process for {wait_seconds:g} s. "
                    "Close the program that has it open, or set CONTACT_PIPELINE_LOCK_WAIT_SECONDS higher."
                ) from error
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)


def _is_lock(message: str) -> bool:
    return any(
        sign in message
        for sign in ("Could not set lock", "different configuration", "already attached", "Unique file handle conflict")
    )
