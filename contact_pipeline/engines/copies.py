"""Database files as a whole: written anew, so that nothing deleted is left in them, or copied while they are in use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final

from contact_pipeline.engines.duckdb import Database, open_database
from contact_pipeline.engines.record import on_delta, take_in_all
from contact_pipeline.engines.sql import literal
from contact_pipeline.owner_only import owner_only
from contact_pipeline.settings import Settings

_COPIED_AT_A_TIME: Final = 4_000_000  # bytes


def rewrite_database(path: Path, settings: Settings, finish: Callable[[Database], None] | None = None) -> None:
    """Writes a database file anew and puts it in the old one's place at once: no byte of what was deleted is in it.

    Killed before that moment, the old file stands and the copy is replaced by the next one. Nobody can write the old
    file meanwhile.

    Args:
        path: the file.
        settings: memory limit, threads and patience.
        finish: what to do in the new file before it takes the old one's place.

    Raises:
        StoreBusy: another process held the file for longer than the settings allow.
    """
    private = path.with_name(f"{path.name}.rewritten")
    shutil.rmtree(private, ignore_errors=True)
    private.mkdir(mode=0o700)
    done = False
    while not done:
        with open_database(path, settings, in_one_file=True):
            pass
        done = _replaced(path, private / path.name, settings, finish)
    private.rmdir()


def _replaced(path: Path, new: Path, settings: Settings, finish: Callable[[Database], None] | None) -> bool:
    """Returns False where the file has a log again: the log would not fit the new file."""
    with owner_only(), open_database(path, settings, read_only=True) as database:
        if path.with_name(f"{path.name}.wal").exists():
            return False
        old = database.value("SELECT current_database()")
        database.run(f"ATTACH {literal(new)} AS rewritten")
        try:
            database.run(f"COPY FROM DATABASE {old} TO rewritten")
            if finish:
                database.run("USE rewritten")
                finish(database)
                database.run(f"USE {old}")
            database.run("CHECKPOINT rewritten")
        finally:
            database.run(f"USE {old}")
            database.run("DETACH rewritten")
        new.replace(path)
    return True


def copy_database(path: Path, copy: Path, settings: Settings) -> None:
    """Copies a database file as it stands, what its log holds included; nobody can write it meanwhile.

    The copy is for its owner only, and appears when it is whole, while the original still cannot be written. Contacts
    that lie in Delta tables are tables of the copy.

    Args:
        path: the file.
        copy: where the copy goes; the folder is there. Killed on the way, `<copy>.new` and its log are left.
        settings: memory limit, threads and patience.

    Raises:
        StoreBusy: another process held the file for longer than the settings allow.
    """
    new = copy.with_name(f"{copy.name}.new")
    try:
        with owner_only(), open_database(path, settings, read_only=True) as database, ExitStack() as opened:
            # POSIX: the first handle of a file that a process closes ends all its locks on it. So they stay open.
            logged = [
                _copy_file(opened.enter_context(original.open("rb")), new.with_name(f"{new.name}{suffix}"))
                for suffix in ("", ".wal")
                if (original := path.with_name(f"{path.name}{suffix}")).exists()
            ][1:]
            if logged:
                database.run(f"ATTACH {literal(new)} AS copied")
                database.run("CHECKPOINT copied")
                database.run("DETACH copied")
            if on_delta(database):  # whose files are not in the copy
                with open_database(new, settings, in_one_file=True) as made, made.transaction():
                    take_in_all(made)
            with new.open("rb") as file:
                os.fsync(file.fileno())
            new.replace(copy)
    finally:
        for left in (new, new.with_name(f"{new.name}.wal")):
            left.unlink(missing_ok=True)


def _copy_file(source: IO[bytes], path: Path) -> Path:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        shutil.copyfileobj(source, target, _COPIED_AT_A_TIME)
    return path
