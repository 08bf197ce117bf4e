"""Keeps the SQLite databases of Dagster's event log open, and stores several events in one transaction.

For every event Dagster opens two or three databases, compiles its statements anew, and closes them, by which SQLite
takes its log into the file: 20 to 30 ms for each event, of which a run of 50 uploads has 900.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage

if TYPE_CHECKING:
    from dagster._core.events.log import EventLogEntry

_PATIENCE_SECONDS: Final = 60  # while another process writes
_MOST: Final = 8  # databases of runs that are open at a time


class _Kept:
    """The databases of one event log: the index of all runs, and one for each run."""

    def __init__(self, storage: SqliteEventLogStorage) -> None:
        self._storage = storage
        self._connect_anew = storage._connect  # noqa: SLF001 - the only place where Dagster opens a database
        self._lock = threading.RLock()
        self._engines: dict[str, tuple[int, sa.Engine]] = {}  # database → its inode, and who has it open
        self._together: dict[str, sa.Connection] | None = None  # within one transaction
        self._tables = set[str]()  # that the index is known to have

    def install(self) -> None:
        """Lets the event log use the databases that are open."""
        self._storage._connect = self.connected  # type: ignore[assignment, method-assign]  # noqa: SLF001
        self._storage.store_event_batch = self.store_batch  # type: ignore[method-assign]
        self._storage.has_table = self.has_table  # type: ignore[method-assign]

    def remove(self) -> None:
        """Lets Dagster open databases again as it does by itself, and closes these."""
        for name in ("_connect", "store_event_batch", "has_table"):
            delattr(self._storage, name)
        for name in [*self._engines]:
            self._close(name)

    @contextmanager
    def connected(self, database: str) -> Iterator[sa.Connection]:
        """A transaction in a database: one of its own, or the one of the block of `together`."""
        with self._lock:
            if self._together is not None:
                if database not in self._together:
                    self._together[database] = self._ended.enter_context(self._engine(database).begin())
                yield self._together[database]
                return
            with self._engine(database).begin() as connection:
                yield connection

    @contextmanager
    def together(self) -> Iterator[None]:
        """Stores the events of the block in one transaction of each database; after an error none of them."""
        with self._lock:
            if self._together is not None:
                yield
                return
            with ExitStack() as self._ended:
                self._together = {}
                self._ended.callback(setattr, self, "_together", None)
                yield

    def store_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Stores events that Dagster gathered."""
        with self.together():
            for event in events:
                self._storage.store_event(event)

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table. Dagster asks for each result of a check; no table is ever dropped."""
        if table_name not in self._tables:
            with self.connected(INDEX_SHARD_NAME) as connection:
                if not sa.inspect(connection).has_table(table_name):
                    return False
            self._tables.add(table_name)
        return True

    def _engine(self, database: str) -> sa.Engine:
        path = Path(self._storage.path_for_shard(database))
        inode, engine = self._engines.get(database, (0, None))
        if engine is not None and path.exists() and path.stat().st_ino == inode:
            return engine
        self._close(database)  # somebody deleted it
        self._storage._initialized_dbs.discard(database)  # noqa: SLF001
        of_runs = [each for each in self._engines if each != INDEX_SHARD_NAME]
        for oldest in of_runs[: 1 - _MOST]:
            self._close(oldest)
        with self._connect_anew(database):  # makes it, where there is none
            pass
        engine = sa.create_engine(
            self._storage.conn_string_for_shard(database), connect_args={"timeout": _PATIENCE_SECONDS}
        )
        self._engines[database] = path.stat().st_ino, engine
        return engine

    def _close(self, database: str) -> None:
        if database in self._engines:
            self._engines.pop(database)[1].dispose()


def keep_open(storage: object) -> _Kept | None:
    """Keeps an event log open until the process ends; None if it is none of SQLite's, or kept open already."""
    if not isinstance(storage, SqliteEventLogStorage) or _kept(storage):
        return None
    kept = _Kept(storage)
    kept.install()
    return kept


@contextmanager
def kept_open(instance: dg.DagsterInstance | None) -> Iterator[None]:
    """Keeps the event log of an instance open until the block ends."""
    kept = keep_open(instance.event_log_storage) if instance is not None and instance.is_persistent else None
    try:
        yield
    finally:
        if kept:
            kept.remove()


def together(instance: dg.DagsterInstance) -> AbstractContextManager[None]:
    """Stores the events of the block in one transaction, where the event log of the instance is kept open."""
    kept = _kept(instance.event_log_storage)
    return kept.together() if kept else nullcontext()


def _kept(storage: object) -> _Kept | None:
    owner = getattr(getattr(storage, "_connect", None), "__self__", None)
    return owner if isinstance(owner, _Kept) else None
