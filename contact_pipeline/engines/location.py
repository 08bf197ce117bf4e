"""The folders of Delta tables: whose they are, and those that a move has left behind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from secrets import token_hex
from typing import Final

from contact_pipeline.engines.duckdb import Database
from contact_pipeline.engines.record import folders
from contact_pipeline.errors import MachineFault
from contact_pipeline.machine import put_in_place
from contact_pipeline.owner_only import owner_only
from contact_pipeline.settings import Settings

EXCHANGE: Final = "contact-pipeline-exchange"  # at a location: the folder in which tables are handed to and fro
_TABLES: Final = "contact-pipeline"  # and the folders of tables, each of one home
_MARK: Final = "home"  # in such a folder: the file with the path of its home
_LEFT: Final = "delta-left"  # in a home: the file with the folders that are to be deleted, unless the home uses them


def new_folder(settings: Settings, location: Path) -> Path:
    """Makes a folder for the tables of a home, for the owner only. Until the home uses it, it counts as left behind."""
    folder = location / f"{_TABLES}-{token_hex(8)}"
    note_left(settings, folder)
    with owner_only():
        folder.mkdir()
        with put_in_place(folder / _MARK) as file:
            file.write_text(_path_of(settings), encoding="utf-8")
    return folder


def must_be_own(settings: Settings, home: Database) -> None:
    """Tests that the tables of a home belong to it, and to no home that it was copied from.

    Raises:
        MachineFault: they are another's (code `location-of-another`), or cannot be reached (`delta-missing`).
    """
    for folder in map(Path, folders(home)):
        mark = folder / _MARK
        if not mark.exists():
            raise MachineFault(
                "delta-missing",
                f"{folder}, where the contacts of this home lie, cannot be reached.",
                "Reach it again by that path, or restore a backup: `contact-pipeline restore BACKUP --replace`.",
            )
        if mark.read_text(encoding="utf-8") != _path_of(settings):
            raise MachineFault(
                "location-of-another",
                f"The Delta tables in {folder} belong to the home {mark.read_text(encoding='utf-8')}.",
                "A copy gets contacts of its own by `contact-pipeline migrate-engine duckdb`. If the home was moved "
                f"here, write its new path into {mark}.",
            )


def note_left(settings: Settings, folder: Path) -> None:
    """Notes that a folder of tables is to be deleted, unless the home uses it."""
    _write(settings, [*_left(settings), str(folder)])


def forget_left(settings: Settings, home: Database) -> None:
    """Deletes the folders of tables that a move has left behind; one that cannot be reached, or deleted, stays noted.

    Args:
        settings: of the home.
        home: its contact database.
    """
    if not (left := _left(settings)):
        return
    used, stays = folders(home), []
    for line in left:
        folder = Path(line)
        if line in used or (folder.parent.exists() and not folder.exists()):
            continue
        mark = folder / _MARK
        if not mark.exists() or mark.read_text(encoding="utf-8") == _path_of(settings):
            shutil.rmtree(folder, ignore_errors=True)
            if folder.exists() or not folder.parent.exists():
                stays.append(line)
    _write(settings, stays)


def _path_of(settings: Settings) -> str:
    return os.path.realpath(settings.home)


def _left(settings: Settings) -> list[str]:
    file = settings.home / _LEFT
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _write(settings: Settings, left: list[str]) -> None:
    file = settings.home / _LEFT
    if not left:
        file.unlink(missing_ok=True)
        return
    with owner_only(), put_in_place(file) as new:
        new.write_text("".join(f"{line}\n" for line in dict.fromkeys(left)), encoding="utf-8")
