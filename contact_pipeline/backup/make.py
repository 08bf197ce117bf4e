"""Makes a backup. The contact database is copied first: what the ledger then names is whole, what comes later is new.

Nobody waits for longer than the copying of one database takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from contact_pipeline.engines import copy_database, open_database
from contact_pipeline.errors import Refusal, StoreBusy
from contact_pipeline.reports.output import new_file, refuse_output
from contact_pipeline.settings import Settings
from contact_pipeline.store import LedgerLine, Store
from contact_pipeline.store.archive import FILES, ArchiveWriter, Header
from contact_pipeline.store.erasures import home_id, make_secret, note_erasures
from contact_pipeline.store.ledger import find_lines, now
from contact_pipeline.temporary import passing_folder

_UNFINISHED: Final = frozenset({"received", "staged", "blocked", "stale"})
_OWN: Final = ("profiles", "export_profiles", "feeds")  # what users wrote
_PASSING: Final = (".wal", ".new", ".part", ".tmp", ".rewritten")  # endings of staged files that are being written


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that was made.

    Attributes:
        file: where it is.
        made_at: when the contact database was copied (UTC, ISO 8601).
        size: in bytes.
        files: how many files it holds.
        uploads: how many uploads its ledger has.
        left_out: uploads that were being staged, whose staged rows are not in it: they are planned again.
    """

    file: str
    made_at: str
    size: int
    files: int
    uploads: int
    left_out: list[str]

    def as_dict(self) -> dict[str, Any]:
        """The backup as a JSON document."""
        return asdict(self)


def back_up(store: Store, file: Path, *, overwrite: bool = False, staged: bool = True) -> BackedUp:
    """Writes a home into one file, for its owner only; the home may be in use.

    Args:
        store: of the home.
        file: where to.
        overwrite: whether a file that is there is replaced.
        staged: whether the staged rows of finished uploads are in it too; those of others always are.

    Raises:
        Refusal: there is no contact database (code `home-empty`).
        Usage: the file cannot be written there (`file-exists`, `folder-missing`, `not-a-file`).
        StoreBusy: the contact database stayed locked for longer than the settings allow.
    """
    settings = store.settings
    refuse_output(file, overwrite=overwrite)
    if not settings.contacts_path.exists():
        raise Refusal("home-empty", f"{settings.home} has no contact database.", "Name another home with --home.")
    with store.open(read_only=True) as contacts:  # brings it up to date
        note_erasures(settings, contacts)
    make_secret(settings)  # whoever is erased later is recognized in what is restored
    with passing_folder(settings.home) as folder:
        copy, at = folder / settings.contacts_path.name, now()
        copy_database(settings.contacts_path, copy, settings)
        header, lines = _look_into(copy, f"{at:%Y-%m-%dT%H:%M:%S}Z", settings)
        with new_file(file, overwrite=overwrite) as written:
            archive, left_out = ArchiveWriter(written, header), []
            archive.add(copy.name, copy)
            copy.unlink()
            for path in _small_files(settings):
                archive.add(str(path.relative_to(settings.home)), path)
            for line in lines:
                for path in _files(settings.upload_path(line.upload_id)):
                    archive.add(str(path.relative_to(settings.home)), path)
                try:
                    if staged or line.state in _UNFINISHED:
                        _add_staged(archive, store, line, folder)
                except StoreBusy:
                    left_out.append(line.upload_id)
            archive.finish()
            size = written.tell()
    return BackedUp(str(file), header.made_at, size, len(archive.files), len(lines), left_out)


def _look_into(copy: Path, made_at: str, settings: Settings) -> tuple[Header, list[LedgerLine]]:
    with open_database(copy, settings, read_only=True) as contacts:
        following: int = contacts.value("SELECT next FROM counters WHERE name = 'contact'")
        return Header(made_at, home_id(contacts), following), find_lines(contacts)


def _small_files(settings: Settings) -> Iterator[Path]:
    yield from (settings.home / name for name in FILES if name != settings.contacts_path.name)
    for name in _OWN:
        yield from _files(settings.home / name)


def _add_staged(archive: ArchiveWriter, store: Store, line: LedgerLine, folder: Path) -> None:
    staging, settings = store.staging(line.upload_id), store.settings
    for path in _files(staging.folder):
        if any(part.endswith(_PASSING) for part in path.relative_to(staging.folder).parts):
            continue
        name = str(path.relative_to(settings.home))
        if path.name != staging.path.name:
            archive.add(name, path)
        elif _copied(path, folder / path.name, settings):
            archive.add(name, folder / path.name)
            (folder / path.name).unlink()


def _copied(path: Path, copy: Path, settings: Settings) -> bool:
    """Copies a staging database; False where it is gone by then."""
    try:
        copy_database(path, copy, settings)
    except StoreBusy:
        raise
    except Exception:
        if path.exists():
            raise
        return False
    return True


def _files(folder: Path) -> list[Path]:
    """The files of a folder; none where it is gone."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
