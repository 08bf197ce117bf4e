"""The archive of a backup: a compressed tar. The first member is its header, the last lists the others' SHA-256.

An archive is not trusted: all of it is checked before anything is written.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import stat
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, Self, cast

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import NOTICES

FILES: Final = ("contacts.duckdb", "erasure.key", "erasures.jsonl", NOTICES)
FOLDERS: Final = ("profiles", "export_profiles", "feeds", "uploads", "staging")

_HEADER, _MANIFEST = "backup.json", "manifest.json"
_FORMAT, _VERSION = "contact_pipeline backup", 1
_LARGEST_TEXT: Final = 100_000_000  # bytes that the header or the manifest may have
_LONGEST_NAME, _LONGEST_PART = 1_000, 255  # bytes of a member's name and of each part of it
_AT_A_TIME: Final = 1_000_000  # bytes
_LEVEL: Final = 1  # most files are compressed already

_DAMAGE = (
    tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, AttributeError, KeyError, TypeError, ValueError,
    OverflowError, RecursionError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a backup.

    Attributes:
        made_at: when the contact database was copied (UTC, ISO 8601).
        home: identity of the home.
        next_contact: id of the next new contact; all contacts in the backup have lower ids.
    """

    made_at: str
    home: str
    next_contact: int


class ArchiveWriter:
    """Writes an archive file by file, holding none in memory. As a context, it is closed after a fault too."""

    def __init__(self, file: IO[bytes], header: Header) -> None:
        self._packed = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=_LEVEL, filename="")
        self._tar = tarfile.open(  # noqa: SIM115 - `finish` closes it
            fileobj=self._packed, mode="w|", bufsize=_AT_A_TIME, format=tarfile.PAX_FORMAT
        )
        self.files: dict[str, dict[str, Any]] = {}
        self._add_text(_HEADER, {"format": _FORMAT, "version": _VERSION, **asdict(header)})

    def add(self, name: str, path: Path) -> None:
        """Adds a file. Files that are gone, not ordinary, or that shrink while they are read are left out."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            if path.is_symlink() or not path.exists():
                return
            raise
        with os.fdopen(handle, "rb") as source:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                return
            hashed = _Hashed(source, status.st_size)
            self._tar.addfile(_member(name, status.st_size), hashed)
        if not hashed.is_short:
            self.files[name] = {"size": status.st_size, "sha256": hashed.sha256}

    def forget(self, folder: str) -> None:
        """Takes the files of a folder off the list, and so out of the backup."""
        for name in [name for name in self.files if name.startswith(f"{folder}/")]:
            del self.files[name]

    def finish(self) -> None:
        """Writes the list of all files, without which an archive is not valid."""
        self._add_text(_MANIFEST, {"files": self.files})
        self._tar.close()
        self._packed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError, ValueError):  # the disk may be full
            self._tar.close()
        with suppress(OSError, ValueError):
            self._packed.close()

    def _add_text(self, name: str, content: dict[str, Any]) -> None:
        text = json.dumps(content, indent=1).encode()
        self._tar.addfile(_member(name, len(text)), io.BytesIO(text))


class _Hashed:
    """The first `size` bytes of a file, hashed as they are read; missing ones are read as zeros."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        self._source = source
        self._left = size
        self._hash = hashlib.sha256()
        self.is_short = False

    def read(self, size: int = -1, /) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        block = self._source.read(wanted)
        self.is_short |= len(block) < wanted
        block = block.ljust(wanted, b"\0")
        self._left -= wanted
        self._hash.update(block)
        return block

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def read_header(path: Path) -> Header | None:
    """The header of a backup; None if the file is no backup."""
    with suppress(Refusal, OSError), path.open("rb") as file, _damage(path.name):
        for name, content in _members(file, path.name):
            return _header(content, path.name) if name == _HEADER else None
    return None


def check_archive(file: IO[bytes], name: str, room: int) -> tuple[Header, dict[str, str]]:
    """Checks a whole archive: that it is an undamaged backup, and holds only files of a home.

    Args:
        file: the archive.
        name: its name, for messages.
        room: bytes that its files may take.

    Returns:
        Its header, and the SHA-256 of each of its files.

    Raises:
        Refusal: it is no backup, damaged, of a newer version, holds other files, or needs more room than there is
            (codes `backup-damaged`, `backup-foreign`, `backup-version`, `no-room`).
    """
    with _damage(name):
        members = _members(file, name)
        first, content = next(members, ("", io.BytesIO()))
        if first != _HEADER:
            raise _foreign(name, "It does not say what it is.")
        header = _header(content, name)
        found: dict[str, dict[str, Any]] = {}
        listed: dict[str, dict[str, Any]] = {}
        for member, content in members:
            if listed:
                raise _foreign(name, f"'{_shown(member)}' stands behind its end.")
            if member in found or not (member == _MANIFEST or _is_of_a_home(member)):
                raise _foreign(name, f"It holds '{_shown(member)}', which no backup does.")
            if member == _MANIFEST:
                listed = _read_text(content)["files"]
            else:
                found[member] = _facts(content, None, room)
                room -= found[member]["size"]
        if "contacts.duckdb" not in listed or any(found.get(member) != facts for member, facts in listed.items()):
            raise _damaged(name)
    for member in listed:
        if any(str(folder) in listed for folder in PurePosixPath(member).parents):
            raise _foreign(name, f"'{_shown(member)}' lies in a file.")
    return header, {member: facts["sha256"] for member, facts in listed.items()}


def unpack_archive(file: IO[bytes], name: str, folder: Path, files: dict[str, str]) -> None:
    """Writes the files of a checked archive into a new folder, for the owner only.

    Raises:
        Refusal: it was changed meanwhile (code `backup-damaged`).
    """
    with _damage(name):
        for member, content in _members(file, name):
            if member in files:
                path = folder / member
                _make_folders(path.parent)
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
                with os.fdopen(handle, "wb") as target:
                    if _facts(content, target)["sha256"] != files[member]:
                        raise _damaged(name)


def _make_folders(folder: Path) -> None:
    if not folder.exists():
        _make_folders(folder.parent)
        folder.mkdir(mode=0o700)


class _Pieces:
    """The unpacked bytes of an archive. Limits tarfile, which would read as many bytes at once as a header claims."""

    def __init__(self, unpacked: gzip.GzipFile) -> None:
        self._unpacked = unpacked
        self.seek, self.tell = unpacked.seek, unpacked.tell

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= _AT_A_TIME:
            raise tarfile.ReadError("a header that is longer than any name")
        return self._unpacked.read(size)


def _members(file: IO[bytes], name: str) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and content of each member; the content is read before the next one is asked for."""
    file.seek(0)
    with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
        with tarfile.open(fileobj=cast("IO[bytes]", _Pieces(unpacked)), mode="r:") as tar:
            while member := tar.next():
                if member.type not in {tarfile.REGTYPE, tarfile.AREGTYPE} or member.sparse:
                    raise _foreign(name, f"'{_shown(member.name)}' is no ordinary file.")
                content = tar.extractfile(member)
                if content is None or member.size < 0:
                    raise _damaged(name)
                yield member.name, content
                cast("Any", tar).members.clear()  # there may be any number
        while unpacked.read(_AT_A_TIME):  # to the end, where gzip tests the checksum
            pass


def _read_text(content: IO[bytes]) -> dict[str, Any]:
    text = b""
    while block := content.read(_AT_A_TIME):
        text += block
        if len(text) > _LARGEST_TEXT:
            raise ValueError("longer than any such text")
    document: dict[str, Any] = json.loads(text)
    return document


def _header(content: IO[bytes], name: str) -> Header:
    document = _read_text(content)
    if document["format"] != _FORMAT:
        raise _foreign(name, "It says that it is something else.")
    if document["version"] != _VERSION:
        raise Refusal(
            "backup-version",
            f"{name} was made by a newer version of the program.",
            "Install that version, and restore with it.",
            file=name,
        )
    return Header(str(document["made_at"]), str(document["home"]), int(document["next_contact"]))


def _is_of_a_home(member: str) -> bool:
    parts = member.split("/")
    if {"", ".", ".."} & {*parts} or "\0" in member or len(member.encode()) > _LONGEST_NAME:
        return False
    if any(len(part.encode()) > _LONGEST_PART for part in parts):
        return False
    return member in FILES or (len(parts) > 1 and parts[0] in FOLDERS)


def _facts(content: IO[bytes], target: IO[bytes] | None = None, room: int | None = None) -> dict[str, Any]:
    """Size and SHA-256 of a member; if a target is given, the member is written to it."""
    hashed, size = hashlib.sha256(), 0
    while block := content.read(_AT_A_TIME):
        hashed.update(block)
        size += len(block)
        if room is not None and size > room:
            raise _no_room(room)
        if target:
            target.write(block)
    return {"size": size, "sha256": hashed.hexdigest()}


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


@contextmanager
def _damage(name: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise _damaged(name) from error


def _damaged(name: str) -> Refusal:
    return Refusal(
        "backup-damaged",
        f"{name} is no backup, or it is damaged or cut off. Nothing was changed.",
        "Give another backup, or copy this one again from where it comes.",
        file=name,
    )


def _no_room(room: int) -> Refusal:
    return Refusal(
        "no-room",
        f"There is no room for what the backup holds: {room:,} bytes are free. Nothing was changed.",
        "Make room, or restore elsewhere.",
    )


def _foreign(name: str, why: str) -> Refusal:
    shown = Path(name).name
    return Refusal(
        "backup-foreign",
        f"{shown} is no backup that this program has made. {why} Nothing was changed.",
        "Give a file that `contact-pipeline backup` has written.",
        file=shown,
    )


def _shown(name: str) -> str:
    return ascii(name[:100])[1:-1]
