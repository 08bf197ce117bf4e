"""dlt into DuckDB: rows through a pydantic model, merged by e-mail address, Parquet as loader format.

It does not read telephone numbers or dates, find contacts by other keys, keep the stored value where a cell is blank,
say what it changed or refused (bad rows are left out silently), deactivate, or take anything back.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import duckdb
from pydantic import BaseModel, field_validator

from benchmarks import peers

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
for name in ("ADD_DLT_LOAD_ID", "ADD_DLT_ID"):  # which rows have, and tables do not unless asked
    os.environ[f"NORMALIZE__PARQUET_NORMALIZER__{name}"] = "true"
_ADDRESS = re.compile(peers.ADDRESS)


class Contact(BaseModel):
    """What a row must be."""

    first_name: str | None = None
    last_name: str
    email: str
    phone: str | None = None
    account_number: str | None = None
    date_of_birth: str | None = None
    zip_code: str | None = None
    ssn: str | None = None
    segment: str | None = None
    remark: str | None = None

    @field_validator("email")
    @classmethod
    def is_address(cls, text: str) -> str:
        """The address in lower case."""
        if not _ADDRESS.match(text):
            raise ValueError("not an e-mail address")
        return text.lower()


def given(data: Path) -> Iterator[dict[str, str | None]]:
    """The rows that have an e-mail address, trimmed."""
    for row in peers.rows(data):
        if row["email"]:
            yield {name: text.strip() or None for name, text in row.items()}


def prepare(data: Path, folder: Path) -> None:
    """The contacts, without any check."""
    load(folder, peers.existing(data).select(peers.FIELDS).drop_nulls("email").to_arrow())


def import_file(data: Path, folder: Path) -> None:
    """The file."""
    load(folder, given(data), columns=Contact, schema_contract={"data_type": "discard_row", "columns": "discard_value"})


def load(folder: Path, rows: Any, **options: Any) -> None:
    """Merges rows into the table of contacts."""
    destination = dlt.destinations.duckdb(str(folder / "contacts.duckdb"))
    pipeline = dlt.pipeline("contacts", str(folder / "pipelines"), destination=destination, dataset_name="book")
    resource = dlt.resource(rows, name="contacts", primary_key="email", write_disposition="merge", **options)
    pipeline.run(resource, loader_file_format="parquet")


def emails(folder: Path) -> list[str]:
    """The addresses that are there."""
    with duckdb.connect(str(folder / "contacts.duckdb"), read_only=True) as database:
        return [email for (email,) in database.execute("SELECT email FROM book.contacts").fetchall()]


if __name__ == "__main__":
    peers.run(prepare, import_file, emails)
