"""Empties a person's rows in the staged tables of an upload: in the database and in the Parquet files beside it.

The rows stay without their cells, so that every row still has its outcome.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from contact_pipeline.erase.person import Person
from contact_pipeline.erase.staged_cells import Cell
from contact_pipeline.erase.staged_database import CHANGES, cells_of_database, empty_database, rows_in_database
from contact_pipeline.erase.staged_files import cells_of_file, empty_file, rows_in_file
from contact_pipeline.errors import ContactPipelineError, MachineFault, StoreBusy
from contact_pipeline.machine import NEW, damaged
from contact_pipeline.settings import Settings
from contact_pipeline.store.frozen import is_successor

_DATABASE: Final = "staging.duckdb"


def find_rows(folder: Path, person: Person, settings: Settings, *, intact: bool) -> tuple[set[int], set[Path]]:
    """The rows of an upload that are a person according to its staged data, and the folders that cannot be searched.

    A folder cannot be searched if a file in it is damaged or incomplete.

    Args:
        folder: the upload's staging folder; the inverse and rows decided later lie in folders of their own in it.
        person: who it is.
        settings: memory limit, threads and patience.
        intact: whether what is staged is what was frozen; if not, whatever goes wrong is damage.

    Raises:
        StoreBusy: another program has the staging database open.
    """
    rows: set[int] = set()
    unreadable: set[Path] = set()
    with _naming_upload(folder):
        for path in (*_databases(folder), *_files(folder)):
            try:
                with _damage_in_words(path, intact=intact):
                    rows |= (
                        rows_in_file(path, person)
                        if path.suffix == ".parquet"
                        else rows_in_database(path, person, settings)
                    )
            except MachineFault as fault:
                if not fault.is_damage:
                    raise
                unreadable.add(path.parent)
    return rows, unreadable


def empty_staged(
    folder: Path, person: Person, settings: Settings, rows: set[int], *, planned: bool, intact: bool
) -> set[Path]:
    """Empties a person's rows in everything that is staged for an upload. A second run changes nothing.

    A folder with a damaged file is deleted, as it cannot be known whether it holds the person.

    Args:
        folder: the upload's staging folder.
        person: who it is.
        settings: memory limit, threads and patience.
        rows: the upload's rows that are the person.
        planned: whether the upload is still to be applied; the person's rows must then be left out.
        intact: whether what is staged is what was frozen; if not, whatever goes wrong is damage.

    Returns:
        The folders that were deleted.

    Raises:
        StoreBusy: another program has the staging database open.
    """
    deleted: set[Path] = set()
    clear_left(folder)
    with _naming_upload(folder):
        for path in (*_files(folder), *_databases(folder)):
            if not path.exists():  # deleted with its folder
                continue
            try:
                with _damage_in_words(path, intact=intact):
                    if path.suffix == ".parquet":
                        empty_file(path, rows)
                    else:
                        empty_database(path, person, settings, rows, planned=planned)
            except MachineFault as fault:
                if not fault.is_damage:
                    raise
                shutil.rmtree(path.parent)
                deleted.add(path.parent)
    return deleted


def read_cells(folder: Path, person: Person, settings: Settings, rows: set[int], *, intact: bool) -> list[Cell]:
    """Every value that `empty_staged` would remove, as far as the files can be read.

    Args:
        folder: the upload's staging folder.
        person: who it is.
        settings: memory limit, threads and patience.
        rows: the upload's rows that are the person.
        intact: whether what is staged is what was frozen; if not, whatever goes wrong is damage.

    Raises:
        StoreBusy: another program has the staging database open.
    """
    found: list[Cell] = []
    with _naming_upload(folder):
        for path in (*_files(folder), *_databases(folder)):
            try:
                with _damage_in_words(path, intact=intact):
                    is_rows = path.suffix == ".parquet"
                    found += cells_of_file(path, rows) if is_rows else cells_of_database(path, person, settings, rows)
            except MachineFault as fault:
                if not fault.is_damage:
                    raise
    return found


def clear_left(folder: Path) -> None:
    """Deletes the copies and unfinished files that an interrupted process left in a staging folder."""
    for left in sorted(folder.rglob(f"{_DATABASE}.*")):
        if left.is_dir():
            shutil.rmtree(left)
        elif is_successor(left):
            left.unlink()
    for left in folder.rglob(f"*{NEW}"):
        left.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    """The files of rows beside the databases, except changes, which are loaded into their database to be emptied."""
    return sorted(path for path in folder.rglob("*.parquet") if not path.name.startswith(CHANGES))


def _databases(folder: Path) -> list[Path]:
    return sorted(folder.rglob(_DATABASE))


@contextmanager
def _damage_in_words(path: Path, *, intact: bool) -> Iterator[None]:
    try:
        yield
    except (ContactPipelineError, OSError):
        raise
    except Exception as error:
        if intact:
            raise
        raise damaged(path) from error


@contextmanager
def _naming_upload(folder: Path) -> Iterator[None]:
    """Makes the message about a database in use name the upload."""
    try:
        yield
    except StoreBusy as error:
        raise StoreBusy(f"Upload {folder.name}: {error} Then erase again: what is done already is not lost.") from error
