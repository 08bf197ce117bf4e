"""sqlite-utils: the rows upserted by e-mail address, as they stand in the file.

It does nothing else: no cleaning, no checks, no other keys, no history; rows without an address become one row.
"""

from __future__ import annotations

from pathlib import Path

import sqlite_utils

from benchmarks import peers


def prepare(data: Path, folder: Path) -> None:
    """The contacts."""
    table = sqlite_utils.Database(folder / "contacts.sqlite")["contacts"]
    table.insert_all(peers.existing(data).select(peers.FIELDS).iter_rows(named=True), pk="email")


def import_file(data: Path, folder: Path) -> None:
    """The file."""
    sqlite_utils.Database(folder / "contacts.sqlite")["contacts"].upsert_all(peers.rows(data), pk="email")


def emails(folder: Path) -> list[str]:
    """The addresses that are there."""
    return [row["email"] for row in sqlite_utils.Database(folder / "contacts.sqlite")["contacts"].rows]


if __name__ == "__main__":
    peers.run(prepare, import_file, emails)
