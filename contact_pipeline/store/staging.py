"""An upload's staging folder: its own DuckDB database, with the bulk of the rows beside it as Parquet."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Any, Final

from contact_pipeline.contracts.tables import declared
from contact_pipeline.engines import Database, open_database, quoted, read_parquet
from contact_pipeline.errors import MachineFault
from contact_pipeline.machine import damaged, put_in_place
from contact_pipeline.owner_only import owner_only
from contact_pipeline.settings import Settings
from contact_pipeline.store.facts import FileFacts, NormalizedFacts, facts_from
from contact_pipeline.store.frozen import differences, digests, replace, successor
from contact_pipeline.store.source import sha256_of

if TYPE_CHECKING:
    import polars as pl


_UNREADABLE: Final = "unreadable.parquet"  # rows that could not be split into columns


class Staging:
    """The staged tables of one upload."""

    def __init__(self, settings: Settings, upload_id: str) -> None:
        self._settings = settings
        self.folder: Path = settings.staging_path(upload_id)
        self.path: Path = self.folder / "staging.duckdb"
        self._database: Database | None = None

    def for_undo(self) -> Staging:
        """The staging folder of the inverse of the upload's changeset."""
        return Staging(self._settings, f"{self.folder.name}/undo")

    def for_rows(self, rows: Collection[int]) -> Staging:
        """The staging folder for rows that were decided after the upload was applied."""
        return Staging(self._settings, f"{self.folder.name}/decided-{min(rows)}")

    def decided(self) -> list[Staging]:
        """The staging folders of all rows that were decided after the upload was applied."""
        return [Staging(self._settings, f"{self.folder.name}/{path.name}") for path in self.folder.glob("decided-*")]

    def nothing(self) -> Staging:
        """A staging folder that does not exist."""
        return Staging(self._settings, f"{self.folder.name}/nothing")

    def take_rows(self, whole: Staging, rows: Collection[int]) -> None:
        """Copies some rows of an upload, as stage 3 left them, into this folder."""
        import polars as pl

        self.discard_damaged()
        self.make()
        names = ("normalized_rows", "rejections", "noted_cells")
        tables = {name: whole.table(name).filter(pl.col("row_number").is_in(list(rows))) for name in names}
        with self.open() as database:
            for name, table in tables.items():
                database.store(name, table)
            database.store("blank_rows", whole.table("blank_rows").clear())

    def with_outcomes(self, part: Staging) -> dict[str, str]:
        """Makes the successor of the staging database, with the outcomes of rows that were decided later.

        Rows still in review stay as they were. `finish` puts the successor in place, once the ledger has its digest.

        Returns:
            The name of the staging database and the SHA-256 of its successor, for the ledger.
        """
        import polars as pl

        made = self.folder / f"{self.path.name}.{os.getpid()}.next"
        made.touch(mode=0o600)
        copyfile(self.path, made)
        became = part.table("outcome_rows").filter(pl.col("outcome") != "review")
        with open_database(made, self._settings) as database:
            database.see("became", became)
            for table in ("outcome_rows", "rejections"):
                database.see("later", became if table == "outcome_rows" else part.table(table))
                database.delete(table, "row_number IN (SELECT row_number FROM became)")
                database.append(table, "FROM later SEMI JOIN became USING (row_number)")
                database.unsee("later")
            for table in ("reviews", "review_candidates"):
                database.delete(table, "row_number IN (SELECT row_number FROM became)")
            database.unsee("became")
        digest = sha256_of(made)
        made.replace(successor(self.path, digest))
        return {self.path.name: digest}

    def finish(self, files: Mapping[str, str]) -> None:
        """Puts the successor of the staging database in place."""
        replace(self.path, files[self.path.name])

    def digests(self) -> dict[str, str]:
        """File → SHA-256 of all staged files."""
        return digests(self.folder)

    def differences(self, frozen: Mapping[str, str] | None) -> list[str]:
        """The differences between the staged files and the frozen ones, in words."""
        return differences(self.folder, frozen)

    def make(self) -> None:
        """Makes the folder, for the owner only."""
        with owner_only():
            self.folder.mkdir(parents=True, exist_ok=True)

    def discard_damaged(self) -> None:
        """Deletes the staged data if it cannot be read, so that it can be made anew."""
        try:
            with self.look():
                pass
        except MachineFault as fault:
            if not fault.is_damage:
                raise
            self.remove()

    def exists(self) -> bool:
        """Whether anything is staged."""
        return self.path.exists()

    def remove(self) -> None:
        """Deletes everything staged."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def open(self, *, read_only: bool = False) -> Iterator[Database]:
        """Opens the staging database; calls within the block share it."""
        if self._database is not None:
            yield self._database
            return
        # In one file, which is frozen next; a full disk then raises a fault.
        with open_database(self.path, self._settings, read_only=read_only, in_one_file=True) as database:
            self._database = database
            try:
                yield database
            finally:
                self._database = None

    @contextmanager
    def look(self) -> Iterator[Database | None]:
        """Opens the staging database to read; None where nothing is staged."""
        if not self.exists():
            yield None
            return
        with self.open(read_only=True) as database:
            yield database

    def slices(self, prefix: str, rows: int, columns: list[str] | None = None) -> Iterator[pl.DataFrame]:
        """The raw or normalized rows in file order, in frames of about `rows` rows: each file in equal parts."""
        for file in self.files(prefix):
            frame = read_parquet(file, columns=columns)
            parts = max(round(frame.height / rows), 1)
            size = max(-(-frame.height // parts), 1)
            for start in range(0, max(frame.height, 1), size):
                yield frame.slice(start, size)

    def files(self, prefix: str) -> list[Path]:
        """The Parquet files of that prefix, in file order."""
        return sorted(self.folder.glob(f"{prefix}-*.parquet"))

    def clear(self, prefix: str) -> None:
        """Deletes the Parquet files of that prefix, so that a repeated step starts afresh."""
        for file in self.folder.glob(f"{prefix}-*.parquet*"):  # incomplete ones too
            file.unlink()

    def write(self, prefix: str, number: int, frame: pl.DataFrame) -> None:
        """Writes one slice beside the database, for the owner only."""
        with put_in_place(self.folder / f"{prefix}-{number:05d}.parquet") as file:
            frame.write_parquet(file, compression="lz4", statistics=False)  # it is always read whole

    def unreadable(self) -> pl.DataFrame | None:
        """row_number and text of the rows that could not be split into columns; None: there are none."""
        file = self.folder / _UNREADABLE
        return read_parquet(file).select("row_number", "text") if file.exists() else None

    def pairs(self) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        """Each file of raw rows with a slice of normalized rows that was made from it."""
        import polars as pl

        raw = (read_parquet(file) for file in self.files("raw"))
        rows = next(raw, pl.DataFrame())
        for normalized in (read_parquet(file) for file in self.files("normalized")):
            if not normalized.is_empty():
                while rows.is_empty() or rows["row_number"][-1] < normalized["row_number"][-1]:
                    rows = next(raw)
                yield rows, normalized

    def facts(self) -> FileFacts:
        """What the stages found out about the file, as far as the upload has come."""
        with self.open(read_only=True) as database:
            return read_facts(database)

    def normalized_facts(self) -> NormalizedFacts:
        """What is known of the file once its rows are normalized.

        Raises:
            MachineFault: the facts are missing (code `damaged`).
        """
        facts = self.facts()
        if not isinstance(facts, NormalizedFacts):
            raise damaged(self.path)
        return facts

    def count(self, name: str) -> int:
        """How many rows a staged table has; 0 if the upload has not reached that stage."""
        with self.look() as database:
            return database.value(f"SELECT count(*) FROM {quoted(name)}") if database and database.has(name) else 0

    def records(self, name: str) -> list[dict[str, Any]]:
        """The rows of a staged table; none if the upload has not reached that stage."""
        with self.look() as database:
            return database.records(_all_of(name, database)) if database and database.has(name) else []

    def table(self, name: str, *, limit: int | None = None) -> pl.DataFrame:
        """A staged table or view as a frame; empty if the upload has not reached that stage."""
        with self.look() as database:
            if database and database.has(name):
                return database.frame(_all_of(name, database, limit))
        import polars as pl

        from contact_pipeline.contracts.frames import (  # Pandera is slow to load
            BLANK_ROWS,
            CELL_ERRORS,
            CORRECTED_CELLS,
            REJECTIONS,
            empty,
        )

        schemas = {
            "rejections": REJECTIONS,
            "blank_rows": BLANK_ROWS,
            "cell_errors": CELL_ERRORS,
            "corrected_cells": CORRECTED_CELLS,
        }
        return empty(schemas[name]) if name in schemas else pl.DataFrame(schema={"row_number": pl.UInt32})


def keep_facts(database: Database, facts: FileFacts) -> None:
    """Keeps what the stages found out about the file, beside the rows, in the staging database."""
    stored = facts.as_stored()
    values = [json.dumps(value, ensure_ascii=False) for value in stored.values()]
    columns = ", ".join(f"{column.name} {column.type}" for column in declared("facts").values())
    database.run(f"CREATE OR REPLACE TABLE facts ({columns})")
    database.run("INSERT INTO facts SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[])", [[*stored], values])


def read_facts(database: Database) -> FileFacts:
    """What the stages found out about the file, as far as the upload has come."""
    return facts_from({name: json.loads(value) for name, value in database.rows("FROM facts")})


def count_defects(database: Database) -> tuple[int, int]:
    """How many errors and how many warnings the rows of a staging database have."""
    errors, warnings = database.rows("""
        SELECT count(*) FILTER (severity <> 'warning'), count(*) FILTER (severity = 'warning') FROM rejections""")[0]
    return errors, warnings


def _all_of(name: str, database: Database, limit: int | None = None) -> str:
    order = " ORDER BY row_number" if "row_number" in database.columns(quoted(name)) else ""
    return f"FROM {quoted(name)}{order} LIMIT {'ALL' if limit is None else limit}"
