"""The port: what a stage asks of an engine. A stage names its tables; where they lie is the engine's business.

Queries are written in DuckDB's dialect, without what only DuckDB has:
docs/decisions/0036-one-dialect-for-two-engines.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import polars as pl


class Tables(Protocol):
    """Named tables. Those of another database have its prefix: `book.` the contacts, `staged.` an upload's tables."""

    def make(self, table: str, query: str, /) -> int:
        """Makes a table of a query's rows, for as long as the work lasts; how many there are."""

    def stage(self, table: str, query: str, /) -> int:
        """Makes a table of a query's rows that stays; how many there are."""

    def view(self, name: str, query: str, /) -> None:
        """Names a query, for as long as the work lasts."""

    def stage_view(self, name: str, query: str, /, note: str | None = None) -> None:
        """Names a query that stays, with a note that says which version of the program wrote it."""

    def note(self, view: str, /) -> str | None:
        """The note of a view."""

    def append(self, table: str, query: str, /) -> int:
        """Adds a query's rows to a table, by the names of its columns; how many there are."""

    def delete(self, table: str, condition: str, /) -> int:
        """Deletes the rows of a table that meet a condition; how many there were."""

    def keep(self, view: str, /, *queries: str) -> None:
        """Writes the rows of queries that have the same columns, in the order of the queries, and names them."""

    def kept(self, view: str, /) -> Iterator[pl.DataFrame]:
        """The rows that `keep` wrote, in their order, in frames of bounded size. It may be read in another thread."""

    def store(self, table: str, frame: pl.DataFrame, /) -> None:
        """Replaces a table by the rows of a frame."""

    def see(self, name: str, frame: pl.DataFrame, /) -> None:
        """Lets queries see a frame under a name."""

    def unsee(self, name: str, /) -> None:
        """Forgets a frame that `see` named."""

    def frame(self, sql: str, /) -> pl.DataFrame:
        """The rows of a query as a frame."""

    def rows(self, sql: str, /) -> list[tuple[Any, ...]]:
        """The rows of a query."""

    def records(self, sql: str, /) -> list[dict[str, Any]]:
        """The rows of a query, each as column → value."""

    def value(self, sql: str, /) -> Any:
        """The first value of the first row of a query; None when there is no row."""

    def columns(self, table: str, /) -> list[str]:
        """The columns of a table or view, in order."""

    def has(self, table: str, /) -> bool:
        """Whether there is a table or view of that name."""

    def attached(self, path: Path, alias: str, /, *, wait_seconds: float = 60) -> AbstractContextManager[None]:
        """Puts the contact database's tables at hand under a prefix, for as long as the block lasts."""


class StoredTables(Tables, Protocol):
    """Tables in a database file, for what reads whatever is there: pages, reports, checks."""

    def tables(self, *views: str) -> dict[str, dict[str, str]]:
        """The tables of the database and those of these views that it has: name → column → type, in order."""

    def types(self, table: str, /) -> dict[str, str]:
        """The columns of a table or view, in order, each with its type."""

    def batches(self, query: str, rows: int, /) -> Iterator[pl.DataFrame]:
        """The rows of a query in their order, in frames of that many rows; what has no room in memory is spilled."""


class KeptTables(Tables, Protocol):
    """The tables of the contact database, which stage 5 changes in one commit."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commits at the end of the block; takes everything back on any error, interruption included."""

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
        """Applies a table of changes to a table. A row `e` and its change `s` have the same id.

        Args:
            table: that is changed.
            changes: at most one for each row.
            identity: the column of the id.
            created: condition on `s`: the row does not exist and is added.
            removed: condition on `s`: the row is deleted.
            updated: column → expression of `e` and `s`, its value in every other row that has a change; columns that
                are not named stay.
            inserted: column → expression of `s`, its value in a row that is added; columns that are not named are null.
        """

    def update(self, table: str, values: Mapping[str, str], condition: str, /) -> None:
        """Gives columns of the rows that meet a condition the values of expressions; none of these has a subquery."""

    def add_column(self, table: str, name: str, kind: str, /) -> None:
        """Adds a column, null in every row."""
