"""Copies of the contact database that the home keeps: made before a migration and, by setting, before a large apply.

They are in `backups/`, for the owner only. A copy holds everybody that the contact database held, so erasing deletes
all copies. This module also names the place for a home that a restored one replaces.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

from contact_pipeline.engines import copy_database
from contact_pipeline.settings import Settings
from contact_pipeline.store.ledger import now

_PUT_ASIDE: Final = "before-restore-"
_LONGEST_STEM: Final = 180  # bytes; a name has at most 255


def beside(home: Path, ending: str) -> Path:
    """A path beside a home, named after it."""
    stem = os.fsencode(home.name)[:_LONGEST_STEM].decode("utf-8", "ignore")
    return home.with_name(f"{stem}.{ending}")


def put_aside_path(home: Path) -> Path:
    """The path for a home that is put aside now; nothing exists there yet."""
    path = beside(home, f"{_PUT_ASIDE}{now():%Y%m%d-%H%M%S}")
    tries = (path.with_name(f"{path.name}-{number}") for number in count(2))
    return path if not path.exists() else next(each for each in tries if not each.exists())


def homes_put_aside(home: Path) -> list[Path]:
    """The homes that were put aside when this one was restored."""
    start = beside(home.resolve(), _PUT_ASIDE)
    return sorted(path for path in start.parent.iterdir() if path.name.startswith(start.name) and path.is_dir())


def keep_copy(settings: Settings, occasion: str) -> Path:
    """Keeps a copy of the contact database as it is now, and deletes the oldest copies beyond the limit.

    Args:
        settings: of the home.
        occasion: why the copy is kept, such as `before columns on demand`; part of the name.

    Raises:
        StoreBusy: the contact database stayed locked for longer than the settings allow.
        OSError: the disk has no room for the copy.
    """
    folder = settings.backups_path
    folder.mkdir(mode=0o700, exist_ok=True)
    with _only_one(folder):
        for left in folder.glob("contacts-*.duckdb.new*"):  # left by a copy that was cut off
            left.unlink()
        words = re.sub(r"[^a-z0-9]+", "-", occasion.lower()).strip("-")
        copy = folder / f"contacts-{words}-{now():%Y%m%d-%H%M%S-%f}.duckdb"
        copy_database(settings.contacts_path, copy, settings)
        for old in find_copies(settings)[settings.copies_kept :]:
            old.unlink(missing_ok=True)
    return copy


def find_copies(settings: Settings) -> list[Path]:
    """The copies, newest first."""
    return sorted(settings.backups_path.glob("contacts-*.duckdb"), key=_made_at, reverse=True)


def newest_copy(settings: Settings) -> Path | None:
    """The newest copy; None where there is none."""
    return next(iter(find_copies(settings)), None)


def delete_copies(settings: Settings) -> list[Path]:
    """Deletes every copy, incomplete ones too; call it while holding the contact database."""
    found = sorted(settings.backups_path.glob("contacts-*.duckdb*"))
    for path in found:
        path.unlink(missing_ok=True)
    return found


def _made_at(copy: Path) -> str:
    return "-".join(copy.stem.split("-")[-3:])


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Lets one process at a time keep copies; others wait."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
