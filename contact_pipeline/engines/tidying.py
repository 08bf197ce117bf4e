"""Keeps Delta tables quick to read, and free of what only old versions have: on this machine, with delta-rs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from deltalake import DeltaTable

from contact_pipeline.engines.record import RECORD, recorded, show_files
from contact_pipeline.engines.sql import literal

if TYPE_CHECKING:
    from contact_pipeline.engines.duckdb import Database

_LOG: Final = "_delta_log"
_DIGITS: Final = 20  # of a version in the name of a file of the log


def tidy(home: Database, *, least: int = 1) -> None:
    """Unites small files of Delta tables, and deletes what the recorded version does not need.

    Nothing may be writing to the home. Cut off, what was written is taken back or done again; no row changes.

    Args:
        home: the contact database, open for writing; its lock keeps readers away.
        least: versions that a table must have in its log; others stay as they are.
    """
    if home.value(f"SELECT bool_or(writing) FROM {RECORD}"):
        return  # half a commit, which is to be taken back first
    due = [name for name, (path, version) in recorded(home).items() if version - _oldest(Path(path)) >= least]
    if not due:
        return
    home.update(RECORD, {"writing": "true"}, "true")
    with home.transaction():
        for name in due:
            path, _ = recorded(home)[name]
            table = DeltaTable(path)
            table.optimize.compact()
            types = home.types(name)
            show_files(home, name, table.file_uris(), types)
            home.update(RECORD, {"version": str(table.version())}, f"name = {literal(name)}")
        home.update(RECORD, {"writing": "false"}, "true")
    for name in due:
        path, version = recorded(home)[name]
        _forget(Path(path), DeltaTable(path, version=version))


def _forget(folder: Path, table: DeltaTable) -> None:
    """Deletes the files that are not of this version, and the log before it, which a checkpoint replaces."""
    table.create_checkpoint()
    needed = {Path(file.removeprefix("file://")).name for file in table.file_uris()}
    for file in folder.glob("*.parquet"):
        if file.name not in needed:
            file.unlink(missing_ok=True)
    for file in (folder / _LOG).iterdir():
        if (version := _version_of(file)) is not None and version < table.version():
            file.unlink(missing_ok=True)


def _oldest(folder: Path) -> int:
    """The oldest version in the log of a table."""
    return min(version for file in (folder / _LOG).iterdir() if (version := _version_of(file)) is not None)


def _version_of(file: Path) -> int | None:
    digits = file.name[:_DIGITS]
    return int(digits) if len(digits) == _DIGITS and digits.isdecimal() else None
