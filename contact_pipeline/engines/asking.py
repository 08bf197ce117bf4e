"""Answers a query that a person wrote. Nothing is changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import duckdb

from contact_pipeline.engines.instance import DATA_FAULTS, fault_of_duckdb
from contact_pipeline.engines.sql import quoted
from contact_pipeline.errors import Refusal
from contact_pipeline.masking import ANY, Looks, hide_sql, mask, mask_sql

if TYPE_CHECKING:
    import polars as pl

    from contact_pipeline.engines.duckdb import Database

_NOT_TAKEN: Final = re.compile(r"\b(INTERVAL|BIT|BLOB|UNION|GEOMETRY|VARIANT)\b|TIME WITH TIME ZONE")
_NO_FILE: Final = "No files found that match the pattern"  # which the query names
_READS: Final = "SELECT"  # also the type of FROM, VALUES, DESCRIBE and SUMMARIZE


def must_read(query: str) -> None:
    """Tests that a text is one query, which reads.

    Raises:
        Refusal: the text is no query, has several, or would change something (code `sql`).
    """
    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise _refused(error) from None
    if len(statements) != 1 or statements[0].type.name != _READS:
        raise Refusal("sql", "Only one query that reads is answered.", "Begin it with SELECT, FROM or DESCRIBE.")


def answer(database: Database, query: str) -> pl.DataFrame:
    """The rows of a query.

    Raises:
        Refusal: it names what is not there, or cannot be answered (code `sql`).
    """
    try:
        database.make("_answer", f"FROM ({_without_end(query)}\n)")  # renames columns of the same name
        shown = (_as_polars_takes(database, quoted(name), kind) for name, kind in database.types("_answer").items())
        return database.frame(f"SELECT {', '.join(shown)} FROM _answer")
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        if isinstance(error, DATA_FAULTS) or _NO_FILE in str(error) or fault_of_duckdb(error, None) is None:
            raise _refused(error) from None
        raise


def _without_end(query: str) -> str:
    """A query without the `;` that ends it, and comments behind that."""
    text = query.encode()  # DuckDB counts in bytes
    end = len(text)
    for start, kind in reversed(duckdb.tokenize(query)):
        if kind.name != "comment" and not text[start:].startswith(b";"):
            break
        end = start
    return text[:end].decode()


def _as_polars_takes(database: Database, column: str, kind: str) -> str:
    """The SQL expression for a column of an answer: as text where Polars cannot take or show its values."""
    is_text = bool(_NOT_TAKEN.search(kind))
    if kind.startswith(("DATE", "TIMESTAMP")) and not kind.endswith("]"):
        within = f"CAST({column} AS TIMESTAMP) BETWEEN '0001-01-02' AND '9999-12-30'"  # as Python counts, in every zone
        is_text = bool(database.value(f"SELECT count(*) FROM _answer WHERE NOT {within}"))
    return f"CAST({column} AS VARCHAR) AS {column}" if is_text else column


def masked(column: str, kind: str, looks: Looks | None) -> str:
    """The SQL expression for a column as it may be shown.

    Args:
        column: quoted.
        kind: its DuckDB type.
        looks: what its texts are masked for; None: nothing of it is shown.
    """
    if kind == "VARCHAR":
        return mask_sql(column, looks)
    if kind == "VARCHAR[]":
        return f"list_transform({column}, lambda v: {mask_sql('v', looks)})"
    if kind == "JSON":
        return mask_sql(f"CAST({column} AS VARCHAR)", looks)
    return column if looks is not None else hide_sql(f"CAST({column} AS VARCHAR)")


def _refused(error: duckdb.Error) -> Refusal:
    return Refusal("sql", f"DuckDB says: {mask(str(error), ANY).strip()}", "Mend the query and ask again.")
