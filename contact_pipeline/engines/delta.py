"""The kept tables as Delta tables that a Spark engine writes: see docs/decisions/0069 and 0075.

Delta commits one table at a time. So the home's DuckDB database records the version of each table, together with the
ledger, in one transaction: that is the commit. There each table is a view of the files of the recorded version, so
whoever reads a home reads these. Newer versions are half of a commit that never ended, and the next writer takes them
back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from contact_pipeline.contracts.kept import KEPT
from contact_pipeline.engines.dialect import expression_to_spark, in_one_name, type_in_spark
from contact_pipeline.engines.duckdb import Database
from contact_pipeline.engines.record import RECORD, conflict, missing_version, must_be_equal, show_version
from contact_pipeline.engines.spark import SparkTables, at_version
from contact_pipeline.engines.sql import literal
from contact_pipeline.errors import ContactPipelineError
from contact_pipeline.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.session import SparkSession


# Once a table has a checkpoint of its log, Sail 0.7.2 reads no version before it. Taking back needs the recorded one.
_NO_CHECKPOINTS: Final = {"delta.checkpointInterval": "1000000000"}
_KEYS: Final = {table.name: table.key for table in KEPT}


@dataclass(frozen=True, slots=True)
class _Delta:
    """A Delta table: its path as the engine and this process see it, and the version that counts."""

    path: str
    version: int


class DeltaTables(SparkTables):
    """The kept tables of a home whose contacts lie in Delta tables; its other tables stay in its DuckDB database."""

    def __init__(self, session: SparkSession, folder: Path, settings: Settings, home: Database) -> None:
        """The tables of a home. A commit that was cut off is taken back.

        Args:
            session: of Spark Connect.
            folder: where tables are written that last as long as the work; the server and this process both reach it,
                and the caller deletes it.
            settings: of the home.
            home: its contact database, open for writing. Its lock keeps other writers of the home out.

        Raises:
            MachineFault: a Delta table cannot be read (code `delta-missing`).
        """
        super().__init__(session, folder, settings)
        self._home = home
        self._contested: set[str] = set()
        self._delta = self._recorded()
        self._take_back()
        self._offer(home)

    def offer(self, database: Database, alias: str) -> None:
        """Lets queries see the tables of a database that is attached to an open one, under its alias."""
        self._offer(database, f"{alias}_", alias)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See `KeptTables`: the commit is that of the home's database.

        Raises:
            MachineFault: another program has written a table (code `delta-conflict`); nothing is committed.
        """
        self.must_be_newest()
        named = dict(self._named)
        self._home.update(RECORD, {"writing": "true"}, "true")
        try:
            with self._home.transaction():
                yield
                self._record()
        except (ContactPipelineError, KeyboardInterrupt):  # of the engine's own errors, the next writer takes back
            self._delta, self._named = self._recorded(), named  # the home knows whether the commit is done
            self._take_back()
            self._offer(self._home)
            raise

    def append(self, table: str, query: str) -> int:
        """See `Tables`."""
        if self._home.has_table(table):
            self._home.add(table, found := self.frame(query))
            self._forget(table)
            return found.height
        if table not in self._delta:
            return super().append(table, query)
        more = self._scratch()
        added = self.make(more, query)
        if added:
            given = self.columns(more)
            values = ", ".join(
                f"CAST({f'`{name}`' if name in given else 'NULL'} AS {kind}) AS `{name}`"
                for name, kind in self._types(table).items()
            )
            self._write_delta(table, self._session.sql(f"SELECT {values} FROM {more}"), "append")
        return added

    def delete(self, table: str, condition: str) -> int:
        """See `Tables`: by MERGE, as Delta takes no subquery in DELETE; files without such rows stay."""
        if table not in self._delta:
            return super().delete(table, condition)
        aside = self._scratch()
        gone = self.make(aside, f"SELECT * FROM {table} WHERE {condition}")
        if gone:
            same = " AND ".join(f"e.`{name}` <=> s.`{name}`" for name in self.columns(table))
            self._session.sql(f"""
                MERGE INTO delta.`{self._delta[table].path}` AS e USING (SELECT DISTINCT * FROM {aside}) AS s ON {same}
                WHEN MATCHED THEN DELETE""").collect()
            self._wrote(table)
        return gone

    def update(self, table: str, values: Mapping[str, str], condition: str) -> None:
        """See `KeptTables`: by MERGE, as Delta's log keeps the condition of an UPDATE, which can name a person."""
        if table not in self._delta:
            self._home.update(table, values, condition)
            self._forget(table)
            return
        aside, here, there = self._scratch(), self._home.types(table), self._types(table)
        new = {name: f"new_{number}" for number, name in enumerate(values)}
        changed = (f"CAST({value} AS {here[name]}) AS {new[name]}" for name, value in values.items())
        if not self.make(aside, f"SELECT {', '.join((*_KEYS[table], *changed))} FROM {table} WHERE {condition}"):
            return
        sets = ", ".join(f"`{name}` = CAST(s.{new[name]} AS {there[name]})" for name in values)
        same = " AND ".join(f"e.`{name}` <=> s.`{name}`" for name in _KEYS[table])
        self._session.sql(f"""
            MERGE INTO delta.`{self._delta[table].path}` AS e USING (SELECT DISTINCT * FROM {aside}) AS s ON {same}
            WHEN MATCHED THEN UPDATE SET {sets}""").collect()
        self._wrote(table)

    def merge(
        self,
        table: str,
        changes: str,
        identity: str,
        /,
        *,
        created: str,
        removed: str,
        updated: Mapping[str, str],
        inserted: Mapping[str, str],
    ) -> None:
        """See `KeptTables`."""
        if not self.value(f"SELECT count(*) FROM {changes}"):
            return
        types = self._types(table)
        sets, adds = (
            {name: f"CAST({self._expression(value)} AS {types[name]})" for name, value in values.items()}
            for values in (updated, inserted)
        )
        self._session.sql(f"""
            MERGE INTO delta.`{self._delta[table].path}` AS e
            USING (SELECT * FROM {in_one_name(changes)}) AS s ON e.{identity} = s.{identity}
            WHEN MATCHED AND {self._expression(removed)} THEN DELETE
            WHEN MATCHED THEN UPDATE SET {", ".join(f"`{name}` = {value}" for name, value in sets.items())}
            WHEN NOT MATCHED AND {self._expression(created)} THEN
                INSERT ({", ".join(f"`{name}`" for name in adds)}) VALUES ({", ".join(adds.values())})""").collect()
        self._wrote(table)

    def add_column(self, table: str, name: str, kind: str) -> None:
        """See `KeptTables`."""
        wider = self._session.sql(f"SELECT *, CAST(NULL AS {type_in_spark(kind)}) AS `{name}` FROM {table} LIMIT 0")
        types = self._home.types(table) | {name: kind}
        self._write_delta(table, wider, "append", mergeSchema="true")
        self._show_here(table, types)

    def stage_view(self, name: str, query: str, note: str | None = None) -> None:
        """See `Tables`: it stays in the home's database."""
        self._home.stage_view(name, query, note)

    def _types(self, table: str) -> dict[str, str]:
        """The columns of a table, each with its type in Spark's dialect."""
        return {field.name: field.dataType.simpleString() for field in self._session.table(table).schema.fields}

    def _scratch(self) -> str:
        return f"scratch_{next(self._numbers)}"

    def _write_delta(self, table: str, frame: DataFrame, mode: str, **options: str) -> None:
        frame.write.format("delta").mode(mode).options(**options).save(self._delta[table].path)
        self._wrote(table)

    def _wrote(self, table: str) -> None:
        """Goes on to the version that was just written.

        Raises:
            MachineFault: there are more versions than that (code `delta-conflict`).
        """
        self._delta[table] = replace(self._delta[table], version=self._delta[table].version + 1)
        self._must_be_newest(table)
        self._show(table)

    def must_be_newest(self) -> None:
        """Tests that nobody else has written the tables.

        Raises:
            MachineFault: somebody has (code `delta-conflict`).
        """
        for name in self._delta:
            self._must_be_newest(name)

    def _must_be_newest(self, table: str) -> None:
        known = self._delta[table]
        if self._newest(table) > known.version:
            self._contested.add(table)
            raise conflict(known.path, known.version)

    def _expression(self, sql: str) -> str:
        """An expression of a query, such as a condition, in Spark's dialect."""
        self._to_spark(f"SELECT {sql}")
        return expression_to_spark(sql)

    def _newest(self, table: str) -> int:
        """The newest version of a Delta table.

        Raises:
            MachineFault: the recorded version is not there (code `delta-missing`).
        """
        known = self._delta[table]
        try:
            version: int = DeltaTable(known.path, without_files=True).version()
        except TableNotFoundError:
            version = -1
        if version < known.version:
            raise missing_version(known.path, known.version)
        return version

    def _show(self, table: str) -> None:
        known = self._delta[table]
        self._name(table, at_version(self._session, known.path, known.version))
        self._show_here(table, self._home.types(table))

    def _show_here(self, table: str, types: Mapping[str, str]) -> None:
        known = self._delta[table]
        show_version(self._home, table, DeltaTable(known.path, version=known.version), types)

    def _recorded(self) -> dict[str, _Delta]:
        rows = self._home.rows(f"SELECT name, path, version FROM {RECORD}")
        return {name: _Delta(path, version) for name, path, version in rows}

    def _record(self) -> None:
        for name, table in self._delta.items():
            values = {"version": str(table.version), "writing": "false"}
            self._home.update(RECORD, values, f"name = {literal(name)}")

    def _take_back(self) -> None:
        """Takes back a commit that never ended: writes each table as it was at the recorded version.

        Cut off, it begins anew. A table that another program has written as well stays as it is.
        """
        newest = {name: self._newest(name) for name in self._delta}
        if not self._home.value(f"SELECT bool_or(writing) FROM {RECORD}"):
            return
        with self._home.transaction():
            for name, known in self._delta.items():
                if name not in self._contested and newest[name] > known.version:
                    before = at_version(self._session, known.path, known.version)
                    written = before.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
                    written.save(known.path)
                    self._delta[name] = replace(known, version=newest[name] + 1)
                    self._must_be_newest(name)
                    self._show_here(name, self._home.types(name))
            self._record()


def move_to_delta(
    session: SparkSession, folder: Path, settings: Settings, home: Database, names: Collection[str], location: str
) -> None:
    """Moves tables of a home's contact database into Delta tables; there views of their files take their places.

    Args:
        session: of Spark Connect.
        folder: where tables are written on the way.
        settings: of the home.
        home: its contact database, open for writing.
        names: of the tables.
        location: the folder of the Delta tables, as the engine and this process see it; there are none yet.

    Raises:
        MachineFault: what was written reads differently (code `move-differs`); the home is as it was.
    """
    tables = SparkTables(session, folder, settings)
    written = {name: _Delta(f"{location}/{name}", 0) for name in names}
    for name, table in written.items():
        tables.hand_over(name, home, f"FROM {name}")
        made = session.table(name).write.format("delta").mode("error").options(**_NO_CHECKPOINTS)
        made.save(table.path)
    with home.transaction():
        home.run(f"CREATE TABLE {RECORD} (name VARCHAR, path VARCHAR, version BIGINT, writing BOOLEAN)")
        for name, table in written.items():
            home.run(f"ALTER TABLE {name} RENAME TO moved")
            show_version(home, name, DeltaTable(table.path), home.types("moved"))
            must_be_equal(home, name, "moved", name)
            home.run("DROP TABLE moved")
            home.run(f"INSERT INTO {RECORD} VALUES (?, ?, 0, false)", [name, table.path])
