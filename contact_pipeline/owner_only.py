"""Files and folders for their owner only: creates them so, and mends permissions that are too wide."""

from __future__ import annotations

import logging
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from contact_pipeline.visible import visible

_OTHERS: Final = 0o077
_MORE_THAN_PASSING: Final = 0o066
# The files of a home that only its owner may use. The inbox is not among them: others may drop files there.
_OURS: Final = (
    "contacts.duckdb*", "erasure.key*", "erasures.jsonl", "reserve*", "staging", "uploads", "inbox/*/refused",
    "temporary", "spilled", "dagster", "profiles", "export_profiles", "feeds", "exports", "reports", "backups",
)  # fmt: skip

_log = logging.getLogger("contact_pipeline")
_lock = threading.Lock()
_blocks, _mask_before = 0, 0


@contextmanager
def owner_only() -> Iterator[None]:
    """Makes all files created within the block private to their owner, also those of libraries, such as database logs.

    A process has one mask, so files that its other threads create meanwhile are private too. The last block to end
    restores the mask.
    """
    global _blocks, _mask_before  # noqa: PLW0603 - the mask belongs to the process
    with _lock:
        if not _blocks:
            _mask_before = os.umask(_OTHERS)
        _blocks += 1
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
            if not _blocks:
                os.umask(_mask_before)


def mend(home: Path, *, whole: bool) -> None:
    """Removes the permissions of others on a home, and warns once of what was open, or cannot be mended.

    The folder of the home may let others pass through to the inbox, if it allows no more (711). Other files are not
    touched, and no link is followed.

    Args:
        home: its folder.
        whole: whether to test every file, 5 ms for a hundred uploads. If not, only the top level is tested, through
            which others reach the rest; and the rest, if something at the top was open.
    """
    ours = [path for pattern in _OURS for path in home.glob(pattern)]
    found = [home.resolve()] if _is_open(home.resolve(), _MORE_THAN_PASSING) else []
    found += [path for path in ours if _is_open(path, _OTHERS)]
    closed = [path for path in found if _close(path)]
    if found or whole:
        for path in _below(ours):
            if _is_open(path, _OTHERS):
                found.append(path)
                closed += [path] if _close(path) else []
    open_still = sorted(set(found) - set(closed))
    if closed:
        _log.warning("%s", f"{_named(closed)} could be used by others of this machine; now only by its owner.")
    if open_still:
        _log.warning("%s", f"{_named(open_still)} can be used by others of this machine; only its owner can change it.")


def _below(folders: list[Path]) -> Iterator[Path]:
    """Everything below the folders, a folder before what is in it."""
    for folder in folders:
        for inside, names, files in os.walk(folder) if not folder.is_symlink() else ():
            yield from (Path(inside, name) for name in (*names, *files))


def _is_open(path: Path, bits: int) -> bool:
    try:
        mode = path.lstat().st_mode
    except OSError:  # gone
        return False
    return bool(mode & bits) and not stat.S_ISLNK(mode)


def _close(path: Path) -> bool:
    try:
        path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~_OTHERS)
        return not path.lstat().st_mode & _OTHERS  # some file systems keep no modes
    except OSError:
        return False


def _named(paths: list[Path]) -> str:
    first = visible(str(paths[0]))
    return first if len(paths) == 1 else f"{first} and {len(paths) - 1:,} more of its files and folders"
