"""The process's one DuckDB. Its errors become faults in words, waiting for locks, or Ctrl-C."""

from __future__ import annotations

import atexit
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import duckdb

from contact_pipeline.errors import MachineFault, StoreBusy
from contact_pipeline.machine import damaged, fault_in, missing
from contact_pipeline.settings import Settings
from contact_pipeline.temporary import temporary_folder

T = TypeVar("T")

# What DuckDB raises when the data or the text it is given are at fault, not the machine (disk, memory, locks).
DATA_FAULTS = (duckdb.DataError, duckdb.ProgrammingError)

# DuckDB must not take a log into a file by itself: only `checkpoint` survives being cut off.
_CHECKPOINTS: Final = (
    "SET wal_autocheckpoint = '1 TB'",
    "SET checkpoint_on_detach = 'DISABLED'",
    "PRAGMA disable_checkpoint_on_shutdown",
)

_DAMAGE: Final = (duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException, duckdb.IOException)
_UNREADABLE: Final = duckdb.InvalidInputException  # raised for a torn Parquet file, and for much else
_CORRUPT: Final = "Corrupt database file"  # an error of no class of its own
_ABSENCE: Final = ("No files found", "No such file")
# A file in DuckDB's messages. Files that a view reads are named without their folder.
_PATH: Final = re.compile(r"""["'](/[^"'\n]+|[^"'/\n]+\.parquet)["']""")


_instances: dict[tuple[str, int | None, Path], duckdb.DuckDBPyConnection] = {}


def connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A connection of its own to the process's DuckDB, to which database files are attached."""
    return _instance(settings.memory_limit, settings.threads, settings.home).cursor()


_ended_by: MachineFault | None = None


def forget_instances(fault: MachineFault | None = None) -> None:
    """Starts DuckDB anew at the next opening: after a fault it may refuse everything, or hold a file.

    Args:
        fault: reported by every later use of a connection that this closes.
    """
    global _ended_by  # noqa: PLW0603 - there is one DuckDB in a process
    _ended_by = fault
    _instance.cache_clear()
    while _instances:
        _, instance = _instances.popitem()
        with suppress(duckdb.Error):
            instance.close()


@contextmanager
def in_words(path: Path | None) -> Iterator[None]:
    """Turns DuckDB's errors about disk, memory and damaged files into a fault in words."""
    try:
        yield
    except duckdb.Error as error:
        fault = fault_of_duckdb(error, path)
        if fault is None:
            raise
        if isinstance(error, duckdb.FatalException | duckdb.InternalException):
            forget_instances(fault)
        raise fault from error


def fault_of_duckdb(error: duckdb.Error, path: Path | None) -> MachineFault | None:
    """The fault of the machine behind a DuckDB error; None: the error has another cause."""
    if isinstance(error, duckdb.ConnectionException) and _ended_by is not None:
        return MachineFault(_ended_by.code, _ended_by.message, _ended_by.fix)
    message = str(error)
    named = _PATH.search(message)
    file = Path(named.group(1)) if named else path
    fault = fault_in(message, file)
    if fault is not None:
        return fault
    if isinstance(error, duckdb.OutOfMemoryException):
        more = "Set CONTACT_PIPELINE_MEMORY_LIMIT higher, or close other programs; then repeat the command."
        return MachineFault("memory", "DuckDB has not enough memory for this.", more)
    if isinstance(error, duckdb.IOException) and any(sign in message for sign in _ABSENCE):
        return missing(file)
    is_parquet = file is not None and file.suffix == ".parquet"
    if isinstance(error, _DAMAGE) or _CORRUPT in message or (is_parquet and isinstance(error, _UNREADABLE)):
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
def interruptible() -> Iterator[None]:
    """Turns DuckDB's own errors after Ctrl-C, which would look like faults, into KeyboardInterrupt."""
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


def patiently(attempt: Callable[[], T], path: Path | None, wait_seconds: float) -> T:
    """Attempts something again and again while the file is locked.

    Raises:
        StoreBusy: it stayed locked for `wait_seconds`.
    """
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
