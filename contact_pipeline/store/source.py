"""A received file to which others may still write: it is held open, copied, compared, and only then removed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EINVAL, EXDEV
from pathlib import Path
from typing import Final, Self

from contact_pipeline.errors import Refusal

Look = list[int]  # size, time of the newest write, time of the newest change of any kind, inode

_UNFINISHED: Final = (".part", ".tmp")  # endings of files that somebody still writes
_PIECE: Final = 4 << 20  # bytes
_FLAGS: Final = re.compile(rb"^flags:\s*([0-7]+)", re.MULTILINE)
_WRITING: Final = os.O_WRONLY | os.O_RDWR


def look_of(found: os.stat_result) -> Look:
    """Values that stay equal as long as nobody touches a file; the time of change cannot be set back."""
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def is_unfinished(name: str) -> bool:
    """Whether a file is unfinished by its name: hidden, `.part` or `.tmp`."""
    return name.startswith(".") or name.casefold().endswith(_UNFINISHED)


class Source:
    """An ordinary file outside of the home, or in its inbox, held open for reading."""

    def __init__(self, path: Path, *, follow_links: bool = True, look: Look | None = None) -> None:
        """Opens the file.

        Args:
            path: the path of the file.
            follow_links: whether the path may be a link.
            look: the look with which later looks are compared; unset: the present one.

        Raises:
            OSError: the file cannot be opened, or is no ordinary file.
        """
        self.path = path
        no_link = 0 if follow_links else os.O_NOFOLLOW
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | no_link)  # a pipe would block
        try:
            found = self._status()
        except BaseException:
            self.close()
            raise
        self.look = look or look_of(found)
        self.size = self.look[0]
        self._leased = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _status(self) -> os.stat_result:
        found = os.fstat(self._descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(EINVAL, "It is no ordinary file", str(self.path))
        return found

    def close(self) -> None:
        """Closes the file, so that whoever waits to write to it can go on."""
        os.close(self._descriptor)

    def is_written(self) -> bool | None:
        """Whether somebody has the file open for writing; None where the machine cannot tell.

        If nobody has, this takes a lease: whoever opens the file for writing waits until it is closed here, or the
        seconds of /proc/sys/fs/lease-break-time are over. Linux grants leases to the owner of the file and to root, on
        its own file systems.
        """
        if not hasattr(fcntl, "F_SETLEASE"):
            return None
        try:
            fcntl.fcntl(self._descriptor, fcntl.F_SETSIG, signal.SIGURG)  # ignored; SIGIO ends a process
            fcntl.fcntl(self._descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except BlockingIOError:
            return True
        except OSError:
            return None
        self._leased = True
        return False

    def copy_to(self, path: Path, *, durably: bool) -> str:
        """Copies the file; returns the SHA-256 of the copy, in hexadecimal.

        Raises:
            Refusal: the file was changed or replaced in the meantime (code `file-changing`).
            OSError: it cannot be read, or the copy cannot be written.
        """
        with open(path, "xb", opener=_for_the_owner) as copy:
            left, digest = self.size, hashlib.sha256()
            while left and (piece := os.pread(self._descriptor, min(left, _PIECE), self.size - left)):
                copy.write(piece)
                digest.update(piece)
                left -= len(piece)
            if durably:
                copy.flush()
                os.fsync(copy.fileno())
        sha256 = digest.hexdigest()
        if left or not self.is_as_opened(sha256):
            raise changing(self.path)
        return sha256

    def is_as_opened(self, sha256: str) -> bool:
        """Whether the path still leads to this file with this content; a file that was only touched is read again."""
        found = self._found()
        if found is None or found[-1] != self.look[-1] or self._is_waited_for():
            return False
        while found != self.look:
            if found[0] != self.size or sha256_of(self.path) != sha256:
                return False
            self.look, found = found, self._found() or []
        return True

    def is_there(self) -> bool:
        """Whether there is a file at the path."""
        return self._found() is not None

    def has_changed(self, sha256: str) -> bool:
        """Whether the path has another file, or other content, or somebody is opening the file for writing."""
        return self.is_there() and not self.is_as_opened(sha256)

    def remove(self, aside: Path, sha256: str) -> bool:
        """Deletes the copied file; False, and nothing is done, if it has changed or somebody is opening it for writing.

        The file is first renamed, so that nobody new can open it, and then tested again for writers.

        Args:
            aside: a path that nobody else uses.
            sha256: of the copy.
        """
        if self.has_changed(sha256):
            return False
        try:
            self.path.rename(aside)
        except FileNotFoundError:
            return True
        except OSError as error:
            if error.errno != EXDEV:  # the inbox is on another file system
                raise
            self.path.unlink(missing_ok=True)
            return True
        now = os.fstat(self._descriptor)
        if [now.st_size, now.st_mtime_ns] != self.look[:2] or self._is_waited_for():
            put_back(aside, self.path)
            return False
        aside.unlink()
        return True

    def _found(self) -> Look | None:
        try:
            return look_of(self.path.stat())
        except OSError:
            return None

    def _is_waited_for(self) -> bool:
        """Whether somebody has begun to open the file for writing since `is_written` took the lease."""
        return self._leased and fcntl.fcntl(self._descriptor, fcntl.F_GETLEASE) != fcntl.F_RDLCK


def put_back(aside: Path, path: Path) -> None:
    """Gives a file its name back; if another file has the name by now, adds a number."""
    for number in range(1, 1000):
        with suppress(FileExistsError):
            os.link(aside, path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}"))
            aside.unlink()
            return
    raise FileExistsError(f"{path} has its name no more.")


def changing(path: Path) -> Refusal:
    """The refusal of a file that is not complete yet."""
    return Refusal(
        "file-changing",
        f"{path.name} is being written: it changed while it was read.",
        "Wait until it is complete, and send it again.",
        file=path.name,
    )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_being_written() -> frozenset[tuple[int, int]]:
    """Device and inode of every file open for writing, in the processes that we may inspect (Linux)."""
    return frozenset(_being_written())


def _being_written() -> Iterator[tuple[int, int]]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # the process has ended, or is another user's
            for file in (process / "fdinfo").iterdir():
                with suppress(OSError):  # closed at this moment
                    flags = _FLAGS.search(file.read_bytes())
                    if flags and int(flags[1], 8) & _WRITING:
                        found = (process / "fd" / file.name).stat()
                        if stat.S_ISREG(found.st_mode):
                            yield found.st_dev, found.st_ino


@contextmanager
def alone_in(folder: Path) -> Iterator[bool]:
    """Locks a folder as long as the block lasts; False if another thread or process has locked it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
