"""A staging database whose tables another engine works on; what is staged there comes back into it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from contact_pipeline.engines.duckdb import Database
from contact_pipeline.engines.spark import SparkTables
from contact_pipeline.engines.sql import literal, quoted
from contact_pipeline.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession


class StagedTables(SparkTables):
    """The tables of an upload on the engine: those of its staging database, and what the work makes of them."""

    def __init__(self, session: SparkSession, folder: Path, settings: Settings, staging: Database) -> None:
        """The tables of a staging database, which are handed over when a query reads them.

        Args:
            session: of Spark Connect.
            folder: where tables are written; the server and this process both reach it, and the caller deletes it.
            settings: of the home.
            staging: the staging database, open for writing.
        """
        super().__init__(session, folder, settings)
        self._staging = staging
        self._own = set(self._offer(staging))
        self._back: dict[str, None] = {}
        self._views: dict[str, tuple[str, str | None]] = {}

    def stage(self, table: str, query: str) -> int:
        """See `Tables`: it comes back."""
        self._back[table] = None
        return super().stage(table, query)

    def stage_view(self, name: str, query: str, note: str | None = None) -> None:
        """See `Tables`: it comes back as a view."""
        super().stage_view(name, query, note)
        self._back.pop(name, None)
        self._views[name] = (query, note)

    def append(self, table: str, query: str) -> int:
        """See `Tables`: what is added to a staged table comes back."""
        if table in self._own:
            self._back[table] = None
        return super().append(table, query)

    def delete(self, table: str, condition: str) -> int:
        """See `Tables`: a staged table comes back without these rows."""
        if table in self._own:
            self._back[table] = None
        return super().delete(table, condition)

    def store(self, table: str, frame: pl.DataFrame) -> None:
        """See `Tables`: it comes back."""
        super().store(table, frame)
        self._back[table] = None

    def bring_back(self, types: Mapping[str, Mapping[str, str]]) -> None:
        """Writes what was staged into the staging database.

        Args:
            types: table → column → its type there; a column that is not named keeps the type that it has in Parquet.
        """
        for table in self._back:
            known = types.get(table, {})
            self._staging.store(table, self.frame(f"FROM {table}"))
            changed = [name for name, kind in self._staging.types(table).items() if known.get(name, kind) != kind]
            for name in changed:
                self._staging.run(f"ALTER TABLE {table} ALTER {quoted(name)} TYPE {known[name]}")
        for view, files in self._kept.items():
            known = types.get(view, {})
            queries = []
            for file in files:
                found = f"read_parquet({literal(file)})"
                columns = (
                    f"CAST({quoted(name)} AS {known.get(name, kind)}) AS {quoted(name)}"
                    for name, kind in self._staging.types(f"(FROM {found})").items()
                )
                queries.append(f"SELECT {', '.join(columns)} FROM {found}")
            self._staging.keep(view, *queries)
        for name, (query, note) in self._views.items():
            self._staging.stage_view(name, query, note)
