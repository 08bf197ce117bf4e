"""Headings that are a person's data: the columns of the raw rows named after them are renamed by their position."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from contact_pipeline.engines import Database, parquet_in_words, read_parquet
from contact_pipeline.erase.person import Person
from contact_pipeline.machine import put_in_place


def rename_columns(database: Database, folder: Path, person: Person) -> None:
    """Renames the columns of the raw rows whose name contains a value of the person. A second run changes nothing.

    Args:
        database: the staging database, in a transaction.
        folder: the folder of the database and of the files of its raw rows.
        person: the person to erase.
    """
    if person.pattern is None or not database.has("facts"):
        return
    facts = {name: json.loads(value) for name, value in database.rows("FROM facts")}
    renamed = _new_names(facts.get("columns", ()), re.compile(person.pattern))
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
    for name in {"columns", "fields", "places"} & facts.keys():
        database.run("UPDATE facts SET value = ? WHERE name = ?", [_with_names(facts[name], renamed), name])


def _new_names(columns: list[str], pattern: re.Pattern[str]) -> dict[str, str]:
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


def _with_names(fact: Any, renamed: dict[str, str]) -> str:
    """A fact that lists raw columns or maps each to something, as JSON with the new names."""
    names = [renamed.get(name, name) for name in fact]
    return json.dumps(dict(zip(names, fact.values(), strict=True)) if isinstance(fact, dict) else names)
