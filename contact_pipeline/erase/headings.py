"""Headings that are a person's data: the columns of the raw rows named after them are renamed by their position."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from contact_pipeline.engines import Database, literal, parquet_in_words, read_parquet
from contact_pipeline.erase.person import Person
from contact_pipeline.machine import put_in_place
from contact_pipeline.store.staging import keep_facts, read_facts


def rename_columns(database: Database, folder: Path, person: Person) -> None:
    """Renames the columns of the raw rows whose name contains a value of the person. A second run changes nothing.

    Args:
        database: the staging database, in a transaction.
        folder: the folder of the database and of the files of its raw rows.
        person: the person to erase.
    """
    if person.pattern is None or not database.has("facts"):
        return
    facts = read_facts(database)
    renamed = _new_names(facts.columns, re.compile(person.pattern))
    if not renamed:
        return
    files = sorted(folder.glob("raw-*.parquet"))
    for path in files:
        with parquet_in_words(path):
            frame = read_parquet(path).rename(renamed, strict=False)
        with put_in_place(path) as new:
            frame.write_parquet(new, compression="lz4")
    if files:
        database.see_files("raw_rows", "raw")
    keep_facts(database, facts.renamed(renamed))
    names = ", ".join(f"({literal(old)}, {literal(new)})" for old, new in renamed.items())
    for table in ("cell_errors", "corrected_cells"):
        if database.has(table):
            database.run(f"""
                UPDATE {table} SET "column" = renamed.new FROM (VALUES {names}) AS renamed(old, new)
                WHERE "column" = renamed.old""")


def _new_names(columns: Sequence[str], pattern: re.Pattern[str]) -> dict[str, str]:
    """Old → new name, as columns are called whose headings cannot be shown; see `upload/raw.py`."""
    taken = {name.casefold() for name in columns}
    renamed: dict[str, str] = {}
    for position, name in enumerate(columns, start=1):
        if pattern.search(name):
            new = f"column_{position}"
            while new in taken:
                new += "_"
            taken.add(new)
            renamed[name] = new
    return renamed
