"""Keeps Delta tables quick to read, and free of what only old versions have: on this machine, with delta-rs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deltalake import DeltaTable

from contact_pipeline.engines.record import RECORD, conflict, recorded, show_version
from contact_pipeline.engines.sql import literal

if TYPE_CHECKING:
    from contact_pipeline.engines.duckdb import Database

_LOG: Final = "_delta_log"
_CHECKPOINT: Final = "_last_checkpoint"
_DIGITS: Final = 20  # of a version in the name of a file of the log
_DAY: Final = 86_400  # seconds for which other programs may still read old files


def tidy(home: Database, *, least: int) -> bool:
    """Unites small files of Delta tables, and deletes what the recorded version does not need.

    Cut off, what was written is taken back or done again; no row changes.

    Args:
        home: the contact database, open for writing, with no commit half done; its lock keeps readers away.
        least: versions that a table must have had since it was tidied; others stay as they are, and so do files of the
            last day. With 0 every table is tidied, and everything old is deleted at once, as erasing needs it.

    Returns:
        Whether there was something to do.

    Raises:
        MachineFault: another program has written a table (code `delta-conflict`).
    """
    due = [name for name, (path, version) in recorded(home).items() if version - _tidied(Path(path)) >= least]
    if not due:
        return False
    home.update(RECORD, {"writing": "true"}, "true")
    with home.transaction():
        for name in due:
            path, version = recorded(home)[name]
            table = DeltaTable(path)
            if table.version() != version:
                raise conflict(path, version)
            table.optimize.compact()
            if least == 0:  # a version whose part of the log has no value of any row
                table.alter.set_table_properties({"tidied": str(version)}, raise_if_not_exists=False)
            show_version(home, name, table, home.types(name))
            home.update(RECORD, {"version": str(table.version())}, f"name = {literal(name)}")
        home.update(RECORD, {"writing": "false"}, "true")
    for name in due:
        path, version = recorded(home)[name]
        _forget(Path(path), DeltaTable(path, version=version), older_than=_DAY if least else 0)
    return True


def _forget(folder: Path, table: DeltaTable, *, older_than: int) -> None:
    """Deletes the files that are not of this version, and the log before it, which a checkpoint replaces.

    Args:
        folder: of the table.
        table: at the version that counts.
        older_than: seconds since they were written; younger ones stay.
    """
    table.create_checkpoint()
    needed = {Path(file).name for file in table.file_uris()}
    before = time.time() - older_than
    for file in folder.rglob("*"):
        own = file.name in needed or file.name == _CHECKPOINT or _version_of(file) == table.version()
        if not own and file.is_file() and file.stat().st_mtime <= before:
            file.unlink(missing_ok=True)


def _tidied(folder: Path) -> int:
    """The version at which a table was tidied; 0: it never was."""
    file = folder / _LOG / _CHECKPOINT
    return int(json.loads(file.read_text(encoding="utf-8"))["version"]) if file.exists() else 0


def _version_of(file: Path) -> int | None:
    """The version of a file of the log."""
    digits = file.name[:_DIGITS]
    return int(digits) if file.parent.name == _LOG and len(digits) == _DIGITS and digits.isdecimal() else None
