"""A person's rows in a Parquet file of staged rows: found, read, emptied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from contact_pipeline.engines import parquet_in_words, read_parquet
from contact_pipeline.erase.person import Person
from contact_pipeline.erase.staged_cells import Cell, as_cells
from contact_pipeline.machine import put_in_place

_ROW: Final = "row_number"
_KEPT: Final = frozenset({_ROW, "line_number"})


def rows_in_file(path: Path, person: Person) -> set[int]:
    """The rows that are the person, by their values."""
    with parquet_in_words(path):
        frame = pl.scan_parquet(path, glob=False)
        schema = frame.collect_schema()
        texts = list(_texts(schema))
        if person.pattern is None or _ROW not in schema or not texts:
            return set()
        found = frame.filter(pl.any_horizontal(text.str.contains(person.pattern) for text in texts)).select(_ROW)
        return set(found.collect()[_ROW])


def cells_of_file(path: Path, rows: set[int]) -> Iterator[Cell]:
    """The values that emptying these rows would remove."""
    with parquet_in_words(path):
        frame = pl.scan_parquet(path, glob=False)
        if _ROW not in frame.collect_schema():
            return
        person_rows = frame.filter(pl.col(_ROW).is_in(sorted(rows))).collect()
    table = f"{path.name.partition('-')[0]}_rows"
    for record in person_rows.iter_rows(named=True):
        for name, value in record.items():
            if name not in _KEPT and name != "repaired":
                yield from as_cells(table, record[_ROW], name, value, is_theirs=True)


def empty_file(path: Path, rows: set[int]) -> None:
    """Empties these rows; they stay without their cells."""
    is_of_person = pl.col(_ROW).is_in(sorted(rows))
    with parquet_in_words(path):
        frame = pl.scan_parquet(path, glob=False)
        if not rows or _ROW not in frame.collect_schema() or not frame.select(is_of_person.any()).collect().item():
            return
    whole = read_parquet(path)
    emptied = whole.with_columns(
        pl.when(is_of_person).then(0 if name == "repaired" else None).otherwise(pl.col(name)).cast(dtype).alias(name)
        for name, dtype in whole.schema.items()
        if name not in _KEPT
    )
    with put_in_place(path) as new:
        emptied.write_parquet(new, compression="lz4")


def _texts(schema: pl.Schema) -> Iterator[pl.Expr]:
    for name, dtype in schema.items():
        if dtype == pl.String:
            yield pl.col(name)
        elif dtype == pl.List(pl.String):
            yield pl.col(name).list.join("\x1f")
