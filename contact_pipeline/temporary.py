"""Temporary files. They are in the home, and those of dead processes are deleted."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Final

from contact_pipeline.owner_only import owner_only

_made: Final[dict[Path, Path]] = {}  # home → its folder of this process


def temporary_folder(home: Path) -> Path:
    """This process's folder for temporary files, for the owner only; it is deleted when the process ends.

    The process holds a lock on its folder. Folders without a lock are of killed processes, and are deleted here.
    """
    home = home.absolute()
    if home not in _made or not _made[home].is_dir():
        _made[home] = _make(home / "temporary")
        _delete_left(home)
        atexit.register(_delete, _made[home], os.getpid())
    return _made[home]


@contextmanager
def passing_folder(home: Path) -> Iterator[Path]:
    """A folder that exists as long as the block lasts; a home that is made only for it is deleted with it."""
    is_new = not home.exists()
    with TemporaryDirectory(dir=temporary_folder(home)) as folder:
        yield Path(folder)
    if is_new:
        own = _made.pop(home.absolute())
        with suppress(OSError):  # something else uses the home meanwhile
            for path in (own, own.parent, home):
                path.rmdir()


def _make(where: Path) -> Path:
    while True:
        with suppress(FileNotFoundError, BlockingIOError):  # another process may delete it before the lock is taken
            with owner_only():
                where.mkdir(parents=True, exist_ok=True)
            folder = Path(mkdtemp(prefix=f"{os.getpid()}-", dir=where))
            _hold(folder)
            if folder.is_dir():
                return folder


def _delete_left(home: Path) -> None:
    shutil.rmtree(home / "spilled", ignore_errors=True)  # where earlier versions spilled
    for folder in (home / "temporary").iterdir():
        with suppress(OSError):  # held by a process that lives, or gone
            handle = _hold(folder)
            shutil.rmtree(folder, ignore_errors=True)
            os.close(handle)


def _hold(folder: Path) -> int:
    """Locks a folder until the process ends.

    Raises:
        BlockingIOError: another process holds it.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(opened)
        raise
    return opened


def _delete(folder: Path, process: int) -> None:
    if os.getpid() == process:  # not in a forked process
        shutil.rmtree(folder, ignore_errors=True)
