"""Makes a backup. The contact database is copied first, as it is at one moment, and then the files that it names.

Files of an upload may change before they are copied. They are compared with the copied ledger and left out if they
differ; the copied ledger then notes that the upload has to be staged again. Nobody waits longer than it takes to copy
one database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import Any, Final

from contact_pipeline.contracts.states import PLANNED
from contact_pipeline.engines import copy_database, open_database
from contact_pipeline.errors import Refusal
from contact_pipeline.pipeline.states import reason
from contact_pipeline.reports.output import new_file, refuse_output
from contact_pipeline.settings import Settings
from contact_pipeline.store import LedgerLine, Store
from contact_pipeline.store.archive import FILES, ArchiveWriter, Header
from contact_pipeline.store.erasures import home_id, make_secret, note_erasures
from contact_pipeline.store.frozen import are_frozen
from contact_pipeline.store.ledger import change_line, find_lines, now
from contact_pipeline.store.originals import arriving_path
from contact_pipeline.temporary import passing_folder
from contact_pipeline.verify.tables import read_everything

_BUSY_SECONDS: Final = 5.0  # for a staging database; whoever writes it longer changes what is staged
_OWN: Final = ("profiles", "export_profiles", "feeds")  # what users wrote
_PASSING: Final = (
    ".wal",
    ".blocks",
    ".new",
    ".part",
    ".tmp",
    ".rewritten",
)  # endings of staged files that are being written


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that was made.

    Attributes:
        file: its path.
        made_at: when the contact database was copied (UTC, ISO 8601).
        size: in bytes.
        files: how many files it holds.
        uploads: how many uploads its ledger has.
        left_out: uploads without their staged rows, as somebody was staging or changing them. Once restored, those that
            are not applied are planned again from their original.
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
    """Writes a home to one private file; the home may be in use.

    Args:
        store: of the home.
        file: the file to write.
        overwrite: whether an existing file is replaced.
        staged: whether staged rows of finished uploads are included; those of other uploads always are.

    Raises:
        Refusal: there is no contact database (code `home-empty`).
        Usage: the file cannot be written there (`file-exists`, `folder-missing`, `not-a-file`).
        MachineFault: the contact database cannot be read; a backup would be worse than an older one.
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
        with new_file(file, overwrite=overwrite) as written, ArchiveWriter(written, header) as archive:
            for path in _small_files(settings):
                archive.add(str(path.relative_to(settings.home)), path)
            left_out = []
            for line in lines:
                for path in _originals(settings, line):
                    archive.add(str(path.relative_to(settings.home)), path)
                if not _add_staged(archive, store, line, folder, staged=staged):
                    left_out.append(line)
            _stage_again(copy, left_out, archive, settings)
            archive.add(copy.name, copy)
            archive.finish()
            size = written.tell()
    return BackedUp(
        str(file), header.made_at, size, len(archive.files), len(lines), [line.upload_id for line in left_out]
    )


def _look_into(copy: Path, made_at: str, settings: Settings) -> tuple[Header, list[LedgerLine]]:
    with open_database(copy, settings, read_only=True) as contacts:
        read_everything(contacts)
        following: int = contacts.value("SELECT next FROM counters WHERE name = 'contact'")
        return Header(made_at, home_id(contacts), following), find_lines(contacts)


def _stage_again(copy: Path, lines: Collection[LedgerLine], archive: ArchiveWriter, settings: Settings) -> None:
    """Notes in the copied ledger that uploads without their staged rows are still to be staged, or cannot be."""
    if not lines:
        return
    with open_database(copy, settings) as contacts, contacts.transaction():
        for line in lines:
            folder = settings.upload_path(line.upload_id).relative_to(settings.home)
            if any(PurePath(name).match(f"{line.upload_id}/original.*") for name in archive.files):
                values: dict[str, Any] = {"state": "received", "stage": "received", "reason": None}
            else:
                why = reason("cancelled", f"The backup has no file in {folder}.", "Drop the file again to import it.")
                values = {"state": "cancelled", "reason": why, "finished_at": now()}
            change_line(contacts, line.upload_id, expected={"received", *PLANNED}, **values)


def _small_files(settings: Settings) -> Iterator[Path]:
    yield from (settings.home / name for name in FILES if name != settings.contacts_path.name)
    for name in _OWN:
        yield from _files(settings.home / name)


def _originals(settings: Settings, line: LedgerLine) -> list[Path]:
    """The files of an upload's own folder, which may just be put in place."""
    folder = settings.upload_path(line.upload_id)
    return _files(folder) or _files(arriving_path(settings) / line.upload_id) or _files(folder)


def _add_staged(archive: ArchiveWriter, store: Store, line: LedgerLine, folder: Path, *, staged: bool) -> bool:
    """Adds the staged files of an upload; False if they are not, or no longer, as the ledger has them."""
    staging, settings = store.staging(line.upload_id), store.settings
    if line.state == "received":
        return False
    if line.state not in PLANNED and not (staged and staging.folder.exists()):
        return True  # what is applied does not need it
    settings = settings.model_copy(update={"lock_wait_seconds": min(settings.lock_wait_seconds, _BUSY_SECONDS)})
    name_of = staging.folder.relative_to(settings.home)
    is_whole = True
    for path in _files(staging.folder):
        name, parts = str(path.relative_to(settings.home)), path.relative_to(staging.folder).parts
        if any(part.endswith(_PASSING) for part in parts):
            continue
        if path.name != staging.path.name:
            archive.add(name, path)
        elif _copied(path, folder / path.name, settings):
            archive.add(name, folder / path.name)
            (folder / path.name).unlink()
        else:
            is_whole = False
    added = {
        PurePath(name).name: facts["sha256"]
        for name, facts in archive.files.items()
        if PurePath(name).parent == name_of
    }
    if is_whole and (line.staged_files is None or are_frozen(added, line.staged_files)):
        return True
    archive.forget(str(name_of))
    return False


def _copied(path: Path, copy: Path, settings: Settings) -> bool:
    """Copies a staging database; False if it is gone, is being written, or is no database."""
    try:
        copy_database(path, copy, settings)
    except OSError:
        if path.exists():
            raise
        return False
    except Exception:  # noqa: BLE001 - DuckDB's own, whichever way it is damaged
        return False
    return True


def _files(folder: Path) -> list[Path]:
    """The files of a folder; none if it is gone."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
