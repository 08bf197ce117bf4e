"""Freezes a changeset: the SHA-256 over its ordered changes, the same for the same input on every path and engine."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import polars as pl

from contact_pipeline.engines import Tables


def hash_changeset(database: Tables) -> str:
    """The changeset's hash: upload, times, actor and assigned ids are left out; a creation is named by its row.

    Each table of changes is hashed as a line with its name, followed by CSV with headings: action, target, and both
    sides of every field in the order of their names. An empty cell is a null, "" an empty text; the texts of a list are
    joined by the unit separator.
    """
    with hashing(database) as result:
        return result()


@contextmanager
def hashing(database: Tables) -> Iterator[Callable[[], str]]:
    """Hashes the staged changes in a second thread while the block runs. The yielded call waits for the hash."""
    entities = [entity for entity in ("account", "contact") if database.has(f"{entity}_changes")]
    changes = {entity: database.kept(f"{entity}_changes") for entity in entities}
    with ThreadPoolExecutor(1) as beside:  # reads files only; the block may use the connection
        begun = beside.submit(_hash_changes, changes)

        def result() -> str:
            digest = begun.result()
            _add_pairs(digest, database)
            return digest.hexdigest()

        yield result


def _hash_changes(changes: Mapping[str, Iterable[pl.DataFrame]]) -> hashlib._Hash:
    digest = hashlib.sha256()
    for entity, frames in changes.items():
        _feed(digest, f"{entity}_changes", (_named(entity, frame) for frame in frames))
    return digest


def _add_pairs(digest: hashlib._Hash, database: Tables) -> None:
    """Adds memberships and links."""
    for table, other in (("membership_changes", "group_name"), ("link_changes", "linked_to")):
        if database.has(table):
            pairs = database.frame(f"SELECT action, row_number, contact_id, {other} FROM {table}")
            by_row = pl.col("contact_id").is_in(_created(database)) if pairs.height else pl.lit(False)
            named = pl.when(by_row).then(pl.format("row {}", "row_number")).otherwise(pl.format("id {}", "contact_id"))
            _feed(digest, table, [pairs.select("action", named.alias("target"), other)])


def _created(database: Tables) -> list[int]:
    if not database.has("contact_changes"):
        return []
    created = database.frame("SELECT contact_id FROM contact_changes WHERE action = 'create'")
    return created["contact_id"].to_list()


def _feed(digest: hashlib._Hash, table: str, frames: Iterable[pl.DataFrame]) -> None:
    digest.update(f"{table}\n".encode())
    for number, frame in enumerate(frames):
        written = io.BytesIO()
        frame.write_csv(written, include_header=number == 0)
        digest.update(written.getbuffer())


def _named(entity: str, changes: pl.DataFrame) -> pl.DataFrame:
    """The columns that are part of the hash."""
    created = pl.format("row {}", "row_number")
    target = pl.when(pl.col("action") == "create").then(created).otherwise(pl.format("id {}", f"{entity}_id"))
    sides = sorted(name for name in changes.columns if name.startswith(("before_", "after_")))
    lists = [pl.col(name).list.join("\x1f") for name in sides if changes.schema[name] == pl.List(pl.String)]
    return changes.select("action", target.alias("target"), *sides).with_columns(lists)
