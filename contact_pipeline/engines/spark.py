"""Spark Connect: named tables on an engine, for the stages that run in SQL. Only its neighbours import it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import polars as pl
from pyarrow.parquet import write_table

from contact_pipeline.engines.dialect import in_one_name, tables_of, to_spark
from contact_pipeline.engines.duckdb import Database, open_database
from contact_pipeline.engines.record import RECORD, on_delta
from contact_pipeline.engines.sql import literal, quoted
from contact_pipeline.errors import MachineFault
from contact_pipeline.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.session import SparkSession

_OLDEST: Final = 4  # major version of Spark whose dialect the queries are translated to
_TRIES: Final = 5  # after an engine did not answer; by itself the client goes on for ten minutes


def open_session(url: str, wait_seconds: float) -> SparkSession:
    """A session of its own on a server that speaks Spark Connect.

    Args:
        url: `sc://HOST:PORT`, with the parameters of Spark Connect. It may have a token, so no message shows it.
        wait_seconds: how long the server may take to answer.

    Raises:
        MachineFault: the address is none of Spark Connect (code `engine-url`), no server answers there
            (`engine-unreachable`), or it is too old (`engine-version`). Uploads wait until that is put right.
    """
    import grpc

    main = sys.modules["__main__"]
    if main.__spec__ is None and not hasattr(main, "__file__"):
        # Multiprocessing has spawned this process, as for Dagster; pyspark would take it for its doctests, and end it.
        main.__file__ = __file__
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client import DefaultChannelBuilder
    from pyspark.sql.connect.client.retries import DefaultPolicy

    try:
        channel = DefaultChannelBuilder(url).toChannel()
    except ValueError as error:
        fix = "Write CONTACT_PIPELINE_SPARK_URL as sc://HOST:PORT; parameters follow as /;NAME=VALUE."
        raise MachineFault("engine-url", "The engine's address is none of Spark Connect.", fix) from error
    try:  # the client itself would try again for many minutes
        grpc.channel_ready_future(channel).result(timeout=wait_seconds)
    except grpc.FutureTimeoutError as error:
        raise MachineFault(
            "engine-unreachable",
            f"No engine has answered at {urlsplit(url).hostname} for {wait_seconds:g} s.",
            "Start it, or mend CONTACT_PIPELINE_SPARK_URL; then repeat the command. Nothing has been changed.",
        ) from error
    finally:
        channel.close()
    session = SparkSession.builder.remote(url).create()
    session.client.set_retry_policies([DefaultPolicy(max_retries=_TRIES, max_backoff=2_000)])
    if int(session.version.split(".")[0]) < _OLDEST:
        fix = f"Use Spark {_OLDEST}.0 or later."
        raise MachineFault("engine-version", f"The engine speaks the dialect of Spark {session.version}.", fix)
    return session


@dataclass(frozen=True, slots=True)
class _View:
    """A view: its query in Spark's dialect, and the names of the tables that it reads."""

    sql: str
    reads: frozenset[str]


class SparkTables:
    """Named tables of one Spark session, with the verbs that the stages use. See docs/decisions/0036."""

    def __init__(self, session: SparkSession, folder: Path, settings: Settings) -> None:
        """Tables of a session.

        Args:
            session: of Spark Connect.
            folder: where tables are written; the server and this process both reach it, and the caller deletes it.
            settings: of the home.
        """
        self._session = session
        self._folder = Path(mkdtemp(dir=folder))
        self._settings = settings
        self._numbers = count(1)
        self._kept: dict[str, list[Path]] = {}
        self._named: dict[str, _View | None] = {}
        self._notes: dict[str, str | None] = {}
        self._offered: dict[str, Callable[[], None]] = {}

    def make(self, table: str, query: str) -> int:
        """See `Tables`: written as Parquet, so that it is worked out once."""
        return self._write(table, self._session.sql(self._to_spark(query)))

    def stage(self, table: str, query: str) -> int:
        """See `Tables`: it ends with this session."""
        return self.make(table, query)

    def view(self, name: str, query: str) -> None:
        """See `Tables`."""
        sql = self._to_spark(query)
        self._name(name, self._session.sql(sql), _View(sql, tables_of(sql)))

    def stage_view(self, name: str, query: str, note: str | None = None) -> None:
        """See `Tables`: it ends with this session."""
        self.view(name, query)
        self._notes[name] = note

    def append(self, table: str, query: str) -> int:
        """See `Tables`."""
        more = f"appended_{next(self._numbers)}"
        added = self.make(more, query)
        if added:
            columns, given = self.columns(table), self.columns(more)
            by_name = ", ".join(f"`{name}`" if name in given else f"NULL AS `{name}`" for name in columns)
            self._write(table, self._session.sql(f"SELECT * FROM {table} UNION ALL SELECT {by_name} FROM {more}"))
        return added

    def delete(self, table: str, condition: str) -> int:
        """See `Tables`."""
        self._take(table)
        there = int(self._session.table(table).count())
        return there - self.make(table, f"SELECT * FROM {table} WHERE NOT coalesce({condition}, false)")

    def store(self, table: str, frame: pl.DataFrame) -> None:
        """See `Tables`."""
        self.see(table, frame)

    def see(self, name: str, frame: pl.DataFrame) -> None:
        """See `Tables`."""
        self._hand_over(name, [frame])

    def hand_over(self, name: str, database: Database, query: str) -> None:
        """Lets queries see the rows of a query of DuckDB, which go over in pieces."""
        rows = database.batches(query, self._settings.slice_rows)
        first = next(rows, None)
        self._hand_over(name, [database.frame(f"FROM ({query}) LIMIT 0")] if first is None else chain([first], rows))

    def _hand_over(self, name: str, frames: Iterable[pl.DataFrame]) -> None:
        signed = {pl.UInt32: pl.Int64, pl.UInt64: pl.Int64, pl.UInt16: pl.Int32, pl.UInt8: pl.Int16}
        folder = self._folder / f"{name}_{next(self._numbers)}"
        folder.mkdir()
        for number, frame in enumerate(frames):
            cast = frame.cast({kind: to for kind, to in signed.items() if kind in frame.dtypes})
            # Without Arrow's schema, the large lists and texts that Polars makes are read as plain ones.
            write_table(cast.to_arrow(), folder / f"{number:05d}.parquet", store_schema=False)
        self._name(name, self._session.read.parquet(str(folder)))

    def unsee(self, name: str) -> None:
        """See `Tables`."""
        self._offered.pop(name, None)
        self._forget(name)

    def frame(self, sql: str) -> pl.DataFrame:
        """See `Tables`."""
        return _frame(self._session.sql(self._to_spark(sql)))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """See `Tables`."""
        found = self._session.sql(self._to_spark(sql)).toArrow()
        # Two columns can have the same name.
        return pl.DataFrame(found.rename_columns([str(place) for place in range(found.num_columns)])).rows()

    def records(self, sql: str) -> list[dict[str, Any]]:
        """See `Tables`."""
        return self.frame(sql).to_dicts()

    def value(self, sql: str) -> Any:
        """See `Tables`."""
        rows = self.rows(sql)
        return rows[0][0] if rows else None

    def columns(self, table: str) -> list[str]:
        """See `Tables`."""
        name = in_one_name(table)
        self._take(name)
        columns: list[str] = self._session.table(name).columns
        return columns

    def has(self, table: str) -> bool:
        """See `Tables`."""
        name = in_one_name(table)
        return name in self._named or name in self._offered

    def note(self, view: str) -> str | None:
        """See `Tables`."""
        return self._notes.get(in_one_name(view))

    def keep(self, view: str, *queries: str) -> None:
        """See `Tables`."""
        frames = [self.frame(query) for query in queries]
        self._kept[view] = []
        for frame in frames:
            path = self._folder / f"{view}_{next(self._numbers)}.parquet"
            frame.write_parquet(path)
            self._kept[view].append(path)
        self.see(view, pl.concat(frames, how="vertical_relaxed"))

    def kept(self, view: str) -> Iterator[pl.DataFrame]:
        """See `Tables`."""
        return (pl.read_parquet(path, glob=False) for path in self._kept[view])

    @contextmanager
    def attached(self, path: Path, alias: str, *, wait_seconds: float = 60) -> Iterator[None]:
        """See `Tables`: the tables of a DuckDB file are handed over when a query reads them."""
        patient = self._settings.model_copy(update={"lock_wait_seconds": wait_seconds})
        with open_database(path, patient, read_only=True) as there:
            names = self._offer(there, f"{alias}_")
            try:
                yield
            finally:
                for name in names:
                    self.unsee(name)

    def _offer(self, database: Database, prefix: str = "", alias: str | None = None) -> list[str]:
        """Lets queries see the tables and views of an open DuckDB database; their names, each after the prefix.

        Each is handed over when a query reads it first. Those that are Delta tables are read where they lie, at the
        version that the database records.

        Args:
            database: the connection.
            prefix: of the names.
            alias: of an attached database; unset: the one that is open.
        """
        delta = database.rows(f"SELECT name, path, version FROM {RECORD}") if on_delta(database, alias) else []
        there = {name for name, *_ in delta} | {RECORD}
        of = "current_database()" if alias is None else literal(alias)
        found = database.rows(f"""
            SELECT table_name, NULL FROM duckdb_tables() WHERE database_name = {of} AND NOT temporary
            UNION ALL SELECT view_name, comment FROM duckdb_views()
            WHERE database_name = {of} AND NOT temporary AND NOT internal""")
        for name, note in found:
            if name not in there:
                source = f"{quoted(alias)}.{quoted(name)}" if alias else quoted(name)
                self._forget(prefix + name)
                self._offered[prefix + name] = partial(self.hand_over, prefix + name, database, f"FROM {source}")
                self._notes[prefix + name] = note
        for name, path, version in delta:
            self._name(prefix + name, at_version(self._session, path, version))
        return [prefix + name for name in (*(name for name, _ in found if name not in there), *there - {RECORD})]

    def _forget(self, name: str) -> None:
        if name in self._named:
            self._session.catalog.dropTempView(name)
            del self._named[name]

    def _take(self, name: str) -> None:
        """Hands over a table that is offered, if nothing has its name yet."""
        if name in self._offered and name not in self._named:
            self._offered[name]()

    def _to_spark(self, query: str) -> str:
        """A query in Spark's dialect, whose tables are at hand."""
        sql = to_spark(query)
        for name in tables_of(sql):
            self._take(name)
        return sql

    def _write(self, table: str, found: DataFrame) -> int:
        path = self._folder / f"{table}_{next(self._numbers)}"
        found.write.parquet(str(path))
        # Without rows there may be no file that has the columns; and finding them there is a job of its own.
        written = self._session.read.schema(found.schema).parquet(str(path))
        self._name(table, written)
        return int(written.count())

    def _name(self, name: str, frame: DataFrame, view: _View | None = None) -> None:
        """Names a frame. Views that read what had that name are made anew: Spark has bound them to the old frame."""
        frame.createOrReplaceTempView(name)
        self._named.pop(name, None)
        self._named[name] = view
        changed = {name}
        for other, there in self._named.items():
            if there is not None and there.reads & changed:
                self._session.sql(there.sql).createOrReplaceTempView(other)
                changed.add(other)


def at_version(session: SparkSession, path: str, version: int) -> DataFrame:
    """A Delta table as it was."""
    return session.read.format("delta").option("versionAsOf", version).load(path)


def _frame(found: DataFrame) -> pl.DataFrame:
    return pl.DataFrame(found.toArrow())
