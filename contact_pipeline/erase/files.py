"""The files of the home that hold a person: received and refused files, reports, exports. Each is deleted whole."""

from __future__ import annotations

import gzip
import html
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import polars as pl

from contact_pipeline.engines import open_database, read_parquet
from contact_pipeline.errors import MachineFault
from contact_pipeline.settings import Settings
from contact_pipeline.store.archive import read_header
from contact_pipeline.store.copies import homes_put_aside
from contact_pipeline.store.erasures import ERASED

_CHUNK: Final = 16_000_000
_OVERLAP: Final = 1_000  # longer than what is looked for: it may lie across two chunks
_GIVEN_BACK: Final = ("exports", "reports")  # folders with files that people were given and can make again
_PAGES: Final = {".html", ".htm"}  # `&` and such stand there as escapes
_ELSEWHERE: Final = ("staging", "uploads", *_GIVEN_BACK, "temporary")


def find_kept(
    settings: Settings,
    pattern: re.Pattern[str] | None,
    uploads: Collection[str],
    contact_ids: Collection[int],
) -> list[Path]:
    """The files that erasing deletes: received and refused files that hold a person, and what was made of them.

    Args:
        settings: of the home.
        pattern: finds a value of the person in a text.
        uploads: those with rows that are the person; of other uploads, the files that contain a value are found.
        contact_ids: the person's contacts; answers to requests for access are named by their ids.
    """
    folders = sorted(path for path in (settings.home / "uploads").glob("*") if path.is_dir())
    made = [path for name in _GIVEN_BACK for path in _files(settings.home / name)]
    wanted = [
        path for folder in folders for path in _files(folder) if folder.name in uploads or mentions(path, pattern)
    ]
    own = {f"contact-{contact_id}.html" for contact_id in contact_ids}
    wanted += [path for path in made if path.name in own or mentions(path, pattern)]
    return wanted + _refused(settings, pattern)


def find_left(
    settings: Settings, pattern: re.Pattern[str] | None, contact_ids: Collection[int], home: str
) -> list[str]:
    """Finds what still holds the person but is not the program's to delete.

    These are files that contain a value, such as logs and files that wait in the inbox; backups that were made while
    the person was in the home; and homes that restoring put aside.

    Args:
        settings: of the home.
        pattern: finds a value of the person in a text.
        contact_ids: who is erased.
        home: identity of the home.
    """
    left = [
        str(path.relative_to(settings.home))
        for path in _files(settings.home)
        if path.relative_to(settings.home).parts[0] not in _ELSEWHERE
        and not path.name.startswith(settings.contacts_path.name)
        and not (path.parent == settings.backups_path and path.suffix == ".duckdb")  # a copy, which erasing makes anew
        and (_is_backup_of(path, contact_ids, home) or mentions(path, pattern))
    ]
    return left + [str(path) for path in homes_put_aside(settings.home) if _holds(path, contact_ids, settings)]


def _is_backup_of(path: Path, contact_ids: Collection[int], home: str) -> bool:
    """Whether a file is a backup that has one of these contacts; a search of its doubly packed bytes finds nothing."""
    header = read_header(path)
    return header is not None and header.home == home and header.next_contact > min(contact_ids)


def _holds(folder: Path, contact_ids: Collection[int], settings: Settings) -> bool:
    """Whether another home has one of these contacts, not erased; True, too, if it cannot be read."""
    try:
        with open_database(folder / settings.contacts_path.name, settings, read_only=True) as contacts:
            wanted = ", ".join(map(str, contact_ids))
            is_there = f"contact_id IN ({wanted}) AND contact_id NOT IN ({ERASED.format('')})"
            return bool(contacts.value(f"SELECT count(*) FROM contact_changes WHERE {is_there}"))
    except Exception:  # noqa: BLE001 - damaged, whichever way: often the reason why it was put aside
        return True


def mentions(path: Path, pattern: re.Pattern[str] | None) -> bool:
    """Whether a file, its name, or a file packed in it contains a value of the person."""
    if pattern is None:
        return False
    if pattern.search(path.name):
        return True
    try:
        with path.open("rb") as file:
            start = file.read(4)
            if start == b"PAR1":
                with suppress(MachineFault):  # damaged or cut off: its bytes are looked at
                    return any(pattern.search(text) for text in _cells(path))
            file.seek(0)
            pages = path.suffix.lower() in _PAGES
            texts = ((text, *((_unescaped(text),) if pages else ())) for text in _texts(file, start))
            return any(pattern.search(each) for both in texts for each in both)
    except FileNotFoundError:
        return False


def _unescaped(text: str) -> str:
    """The text of a page, without the escapes of HTML and of the data in it."""
    return re.sub(r"\\u00(3c|3e|26)", lambda sign: chr(int(sign[1], 16)), html.unescape(text))


def _refused(settings: Settings, pattern: re.Pattern[str] | None) -> list[Path]:
    """The refused files that contain a value, each with its options and the text that says why it was refused."""
    found = []
    for folder in sorted(settings.inbox.glob("*/refused")):
        files = _files(folder)
        named = {path.name: path for path in files}
        for path in files:
            if mentions(path, pattern):
                name = path.name.removesuffix(".txt").removesuffix(".options.yaml")
                names = {name, f"{name}.txt", f"{name}.options.yaml", path.name}
                found += [named[each] for each in sorted(names & named.keys())]
    return list(dict.fromkeys(found))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _texts(file: IO[bytes], start: bytes) -> Iterator[str]:
    """The text of a file, unpacked and in pieces, read as UTF-8 and, if it has null bytes, as UTF-16."""
    if start == b"PK\3\4" and zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            for member in packed.infolist():
                if not member.is_dir() and not member.flag_bits & 1:  # an encrypted part says nothing to anybody
                    with packed.open(member) as part:
                        yield from _pieces(part)
        return
    file.seek(0)
    if start[:2] == b"\x1f\x8b":
        with gzip.open(file) as unpacked:
            yield from _pieces(unpacked)
        return
    yield from _pieces(file)


def _pieces(file: IO[bytes] | gzip.GzipFile) -> Iterator[str]:
    before = b""
    try:
        while chunk := file.read(_CHUNK):
            together = before + chunk
            yield together.decode("utf-8", "replace")
            if b"\0" in together:
                for shift in (0, 1):
                    yield together[shift:].decode("utf-16-le", "replace")
            before = together[-_OVERLAP:]
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error):  # broken: what could be unpacked was looked at
        return


def _cells(path: Path) -> Iterator[str]:
    frame = read_parquet(path)
    for name, dtype in frame.schema.items():
        column = frame[name].list.join("\x1f") if dtype == pl.List(pl.String) else frame[name]
        if column.dtype == pl.String:
            yield "\x1f".join(column.drop_nulls())
