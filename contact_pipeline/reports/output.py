"""Writes files for people anywhere: completely or not at all, and never over something else."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from contact_pipeline.errors import Usage


def refuse_output(path: Path, *, overwrite: bool) -> None:
    """Tests that a file may be written there.

    Raises:
        Usage: there is a file that must not be replaced (code `file-exists`), something other than a file, such as a
            link (`not-a-file`), or no such folder (`folder-missing`).
    """
    if not path.parent.is_dir():
        raise Usage(
            "folder-missing", f"There is no folder {path.parent}.", "Make it, or write elsewhere.", file=path.name
        )
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        kind = "a link" if stat.S_ISLNK(mode) else "a folder" if stat.S_ISDIR(mode) else "a device"
        raise Usage("not-a-file", f"{path} is {kind}; nothing is written there.", "Give another name.", file=path.name)
    if not overwrite:
        raise _exists(path)


def refuse_csv_output(path: Path, *, overwrite: bool) -> None:
    """Tests that a CSV file may be written there.

    Raises:
        Usage: the path does not end in .csv (code `file-type`), or nothing can be written there (see `refuse_output`).
    """
    if path.suffix.lower() != ".csv":
        raise Usage("file-type", f"'{path.name}' is no CSV file.", "Let it end in .csv.", file=path.name)
    refuse_output(path, overwrite=overwrite)


@contextmanager
def new_file(path: Path, *, overwrite: bool) -> Iterator[IO[bytes]]:
    """A file for its owner only, which gets its name when the block succeeds. If the process is killed, no file stays.

    Args:
        path: where to write.
        overwrite: whether an existing file is replaced.

    Raises:
        Usage: as `refuse_output`.
    """
    refuse_output(path, overwrite=overwrite)
    aside = path.with_name(f".{secrets.token_hex(8)}.part")
    with _open(aside) as file:
        try:
            yield file
            file.flush()
            _name(file, aside)
            if overwrite:
                refuse_output(path, overwrite=True)
                aside.replace(path)
            else:
                _place(aside, path)
        finally:
            aside.unlink(missing_ok=True)


def _open(aside: Path) -> IO[bytes]:
    """A file without a name, if the system supports that: it vanishes if the process is killed."""
    if hasattr(os, "O_TMPFILE"):
        try:
            return os.fdopen(os.open(aside.parent, os.O_TMPFILE | os.O_RDWR, 0o600), "w+b")
        except OSError:  # the file system does not support it
            pass
    return os.fdopen(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR, 0o600), "w+b")


def _name(file: IO[bytes], aside: Path) -> None:
    if aside.exists():
        return
    folder = os.open(aside.parent, os.O_RDONLY)
    try:  # with dst_dir_fd, Python calls linkat, which follows the link to the file
        os.link(f"/proc/self/fd/{file.fileno()}", aside.name, dst_dir_fd=folder)
    finally:
        os.close(folder)


def _place(aside: Path, path: Path) -> None:
    try:
        path.hardlink_to(aside)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError:  # a file system without such links
        refuse_output(path, overwrite=False)
        aside.rename(path)


def _exists(path: Path) -> Usage:
    return Usage(
        "file-exists", f"There is a file {path} already.", "Give another name, or --overwrite.", file=path.name
    )
