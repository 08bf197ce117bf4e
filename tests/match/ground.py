"""A contact database and a staging database in memory, in which rows are matched and applied without reading a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from contact_pipeline.apply import stale_rows, write_changeset
from contact_pipeline.contracts.frames import REJECTIONS, empty
from contact_pipeline.engines import Database
from contact_pipeline.match import Changeset, match, parts_of
from contact_pipeline.profiles import Profile, load_profile
from contact_pipeline.profiles.options import UploadOptions, choose
from contact_pipeline.settings import Settings
from contact_pipeline.store import Store
from contact_pipeline.store.ledger import add_line
from contact_pipeline.store.schema import add_contact_fields, migrate
from contact_pipeline.terms import ACCOUNT_FIELDS, CONTACT_FIELDS
from tests.match.reference import Entity, Row

_TYPES = {"text": pl.String, "list": pl.List(pl.String), "boolean": pl.Boolean}
_CHANGES = ("contact_changes", "account_changes", "membership_changes", "link_changes")


class _Attached(Database):
    """A connection on which both databases are open already; what lies beside a file is a table in memory."""

    @contextmanager
    def attached(self, *_: Any, **__: Any) -> Iterator[None]:
        yield

    def keep(self, view: str, *queries: str) -> None:
        for number, query in enumerate(queries):
            self.run(f"INSERT INTO {view} {query}" if number else f"CREATE OR REPLACE TABLE {view} AS {query}")

    def kept(self, view: str) -> Iterator[pl.DataFrame]:
        return iter([self.frame(f"FROM {view}")])


class _OpenStore(Store):
    """A store whose contact database stays open."""

    def __init__(self, database: Database) -> None:
        super().__init__(Settings(home=Path("in memory")))
        self._open = database

    @contextmanager
    def open(self, **_: Any) -> Iterator[Database]:
        yield self._open


@dataclass
class Planned:
    """A planned upload, read back."""

    upload_id: str
    profile: Profile
    options: UploadOptions
    columns: Sequence[str]
    changeset: Changeset
    outcomes: dict[int, dict[str, Any]]
    changes: list[dict[str, Any]]
    memberships: list[dict[str, Any]]
    links: list[dict[str, Any]]
    rejections: list[dict[str, Any]]

    @property
    def row_outcomes(self) -> list[str]:
        """The outcome of every row, in file order."""
        return [outcome["outcome"] for _, outcome in sorted(self.outcomes.items())]

    def change(self, contact_id: int) -> dict[str, Any]:
        """Field → what it holds afterwards, for the one change of a contact."""
        (found,) = [change for change in self.changes if change["contact_id"] == contact_id]
        return {name: after for name, (_, after) in sides(found).items()}


class Ground:
    """Where uploads are matched and applied one after the other."""

    def __init__(self) -> None:
        connection = duckdb.connect(":memory:", config={"threads": 1})
        connection.execute("ATTACH ':memory:' AS book")
        connection.execute("ATTACH ':memory:' AS staged")
        self.book = self._on(connection, "book")
        self.staging = self._on(connection, "staged")
        self.store = _OpenStore(self.book)
        self._connection = connection
        self._uploads = 0
        migrate(self.book)
        add_contact_fields(self.book, CONTACT_FIELDS, frozenset())

    @staticmethod
    def _on(connection: duckdb.DuckDBPyConnection, name: str) -> Database:
        cursor = connection.cursor()
        cursor.execute(f"USE {name}")
        return _Attached(cursor)

    def close(self) -> None:
        """Lets go of both databases."""
        self._connection.close()

    def empty(self) -> None:
        """Empties the contact database, for the next example."""
        for table in ("uploads", "contacts", "accounts", "links", "groups", "memberships", "commits", *_CHANGES):
            self.book.run(f"DELETE FROM {table}")
        self.book.run("UPDATE counters SET next = 1")

    def fill(
        self, address_book: str, contacts: Sequence[Entity] = (), accounts: Sequence[Entity] = (), commit: int = 0
    ) -> None:
        """Puts contacts and accounts there, at revision 1, as a commit left them."""
        for table, entities, kinds in (("contact", contacts, CONTACT_FIELDS), ("account", accounts, ACCOUNT_FIELDS)):
            if not entities:
                continue
            active = {"active": pl.Series([e.active for e in entities])} if table == "contact" else {}
            frame = pl.DataFrame(
                {f"{table}_id": [e.id for e in entities]}
                | active
                | {
                    name: pl.Series(name, [e.values.get(name) for e in entities], dtype=_TYPES[kind])
                    for name, kind in kinds.items()
                }
            ).with_columns(
                address_book=pl.lit(address_book),
                revision=1,
                created_commit=commit,
                last_commit=commit,
                last_upload_id=pl.lit(""),
            )
            self.book.see("filled", frame)
            self.book.run(f"INSERT INTO {table}s BY NAME FROM filled")
            self.book.unsee("filled")
            self.book.run(
                "UPDATE counters SET next = greatest(next, ?) WHERE name = ?", [frame[0, 0] + len(frame), table]
            )
        for contact in contacts:
            if contact.linked_to:
                self.book.run("INSERT INTO links VALUES (?, ?)", [contact.id, contact.linked_to])

    def plan(
        self,
        profile: str | Profile,
        rows: Sequence[Row | dict[str, Any]],
        *,
        blanks: Sequence[int] = (),
        unreadable: Sequence[int] = (),
        columns: Sequence[str] | None = None,
        **options: Any,
    ) -> Planned:
        """Matches rows; those given as mere values are numbered from 2 on, and name the columns of the file.

        Args:
            profile: or its name.
            rows: of the file, those that can be read and hold something.
            blanks: numbers of the blank rows.
            unreadable: numbers of the rows that could not be split into columns; they are rejections only.
            columns: of the file, unset: those that any row names.
            options: of the upload.
        """
        given = load_profile(profile) if isinstance(profile, str) else profile
        resolved, chosen = choose(given, options)
        rows = [row if isinstance(row, Row) else Row(number, row) for number, row in enumerate(rows, 2)]
        if columns is None:
            columns = [name for name in resolved.row_fields if any(name in row.values for row in rows)]
        self._stage(rows, blanks, unreadable, columns, resolved)
        self._uploads += 1
        headings = {column.field: column.heading for column in resolved.columns}
        upload_id = f"upload {self._uploads}"
        changeset = match(
            self.staging, self.store, resolved, chosen, upload_id=upload_id, columns=columns, headings=headings
        )
        return Planned(
            upload_id=upload_id,
            profile=resolved,
            options=chosen,
            columns=columns,
            changeset=changeset,
            outcomes={record["row_number"]: record for record in self.staging.records("FROM outcome_rows")},
            changes=[
                change | {"entity": entity}
                for entity in ("account", "contact")
                if self.staging.has(f"{entity}_changes")
                for change in self.staging.records(f"FROM {entity}_changes")
            ],
            memberships=self._records("membership_changes"),
            links=self._records("link_changes"),
            rejections=self.staging.records("FROM rejections"),
        )

    def stale_rows(self, planned: Planned) -> list[int | None]:
        """The rows that keep a plan from being applied as it is."""
        book, snapshot = planned.profile.address_book, planned.changeset.snapshot
        parts = parts_of(planned.profile, planned.options, planned.columns, {})
        return stale_rows(self.book, parts, self.store.settings, book, snapshot)

    def apply(self, planned: Planned) -> int:
        """Applies a plan; the number of its commit."""
        with self.book.transaction():
            return write_changeset(
                self.book,
                upload_id=planned.upload_id,
                address_book=planned.profile.address_book,
                sha256=planned.changeset.sha256,
                actor="tester",
                at=datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001 - the tables hold UTC without a zone
            )

    def run(self, profile: str | Profile, rows: Sequence[Row | dict[str, Any]], **options: Any) -> Planned:
        """Plans and applies."""
        planned = self.plan(profile, rows, **options)
        self.apply(planned)
        return planned

    def record(self, planned: Planned, *, held: bool = False) -> None:
        """Gives an applied upload its ledger line."""
        add_line(
            self.book, upload_id=planned.upload_id, profile=planned.profile.name, file_name="contacts.csv", file_size=1,
            sha256="", state="applied", stage="matched", added_at=datetime(2026, 1, 2), held=held,  # noqa: DTZ001
        )  # fmt: skip

    def table(self, entity: str, address_book: str) -> dict[int, dict[str, Any]]:
        """Contacts or accounts by id."""
        records = self.book.records(f"FROM {entity}s WHERE address_book = ? ORDER BY 1", [address_book])
        return {record[f"{entity}_id"]: record for record in records}

    def contact(self, contact_id: int) -> dict[str, Any]:
        """One contact's fields that hold something."""
        (record,) = self.book.records("FROM contacts WHERE contact_id = ?", [contact_id])
        return {name: value for name, value in record.items() if name in CONTACT_FIELDS and value is not None}

    def _records(self, table: str) -> list[dict[str, Any]]:
        return self.staging.records(f"FROM {table}") if self.staging.has(table) else []

    def staged(self) -> list[tuple[str, str]]:
        """What is in the staging database, each with its kind, TABLE or VIEW."""
        return self.staging.rows("""
            SELECT table_name, 'TABLE' FROM duckdb_tables() WHERE database_name = 'staged'
            UNION ALL SELECT view_name, 'VIEW' FROM duckdb_views() WHERE database_name = 'staged' AND NOT internal""")

    def unstage(self) -> None:
        """Empties the staging database."""
        for name, kind in sorted(self.staged(), key=lambda found: found[1], reverse=True):  # views stand on tables
            self.staging.run(f"DROP {kind} {name}")

    def _stage(
        self,
        rows: list[Row],
        blanks: Sequence[int],
        unreadable: Sequence[int],
        columns: Sequence[str],
        profile: Profile,
    ) -> None:
        """Stages the rows as normalization and validation leave them."""
        self.unstage()
        kinds = profile.row_fields
        numbers = pl.Series("row_number", [row.number for row in rows], dtype=pl.UInt32)
        cells = [pl.Series(name, [row.values.get(name) for row in rows], dtype=_TYPES[kinds[name]]) for name in columns]
        self.staging.store("normalized_rows", pl.DataFrame([numbers, *cells]))
        self.staging.store("blank_rows", pl.DataFrame({"row_number": list(blanks)}, schema={"row_number": pl.UInt32}))
        defects = [
            (row.number, name, severity)
            for row in rows
            for names, severity in ((row.noted, "noted"), (row.wrong, "error"))
            for name in (sorted(names) or [None] if names is not None and (names or severity == "error") else [])
        ]
        defects += [(number, None, "error") for number in unreadable]
        schema = {"row_number": pl.UInt32, "field": pl.String, "severity": pl.String}
        frame = pl.DataFrame(defects, schema=schema, orient="row").with_columns(
            code=pl.lit("made-up"), message=pl.lit(""), fix=pl.lit("")
        )
        self.staging.store("rejections", pl.concat([empty(REJECTIONS), frame], how="diagonal"))
        noted = [(row.number, list(row.noted), list(row.noted.values())) for row in rows if row.noted]
        schema = {"row_number": pl.UInt32, "fields": pl.List(pl.String), "notes": pl.List(pl.String)}
        self.staging.store("noted_cells", pl.DataFrame(noted, schema=schema, orient="row"))


def sides(change: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The fields that a change touches, each before and after."""
    names = [name.removeprefix("after_") for name in change if name.startswith("after_")]
    both = {name: (change[f"before_{name}"], change[f"after_{name}"]) for name in names}
    return {name: (before, after) for name, (before, after) in both.items() if before != after}
