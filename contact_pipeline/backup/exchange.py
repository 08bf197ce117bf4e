"""Swaps two folders in one step if the system can: on Linux, by renameat2(2)."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Final

_AT_FDCWD: Final = -100  # <fcntl.h>
_RENAME_EXCHANGE: Final = 2  # <linux/fs.h>


def exchange(new: Path, home: Path, aside: Path) -> Path:
    """Puts a folder in the home's place; returns the path of the old home.

    Without that call there is no home for an instant. If the process is killed just then, both folders are complete
    beside the home's place.
    """
    if _swapped(new, home):
        new.rename(aside)
    else:
        home.rename(aside)
        try:
            new.rename(home)
        except BaseException:
            aside.rename(home)
            raise
    return aside


def _swapped(one: Path, other: Path) -> bool:
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    paths = os.fsencode(one), os.fsencode(other)
    return bool(rename(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0)
