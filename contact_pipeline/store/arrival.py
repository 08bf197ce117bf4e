"""Files on their way into the home: a file is copied aside, and removed once the ledger has its line.

If this is cut off at any moment, either the file is still in its place and nothing has arrived, or `recover` completes
the arrival.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from contact_pipeline.contracts.ledger import LedgerLine
from contact_pipeline.errors import ContactPipelineError
from contact_pipeline.masking import mask
from contact_pipeline.owner_only import owner_only
from contact_pipeline.settings import Settings
from contact_pipeline.store.originals import OPTIONS, Originals, arriving_path, original_name
from contact_pipeline.store.source import Look, Source, alone_in, changing, put_back, sha256_of

ORPHANED_AFTER: Final = 600  # seconds without a change, after which nobody works in the folder any more

_NOTE: Final = "source.json"


@dataclass(frozen=True)
class Seen:
    """How a file of the inbox and its options file looked; None: there was no options file."""

    file: Look
    options: Look | None


@dataclass(frozen=True)
class Taken:
    """A file of the inbox that has been copied, and is to be removed."""

    path: str  # from the home folder on
    look: Look
    sha256: str
    copy: str  # name of the copy


class Arrival:
    """The file and options file of one upload while they arrive. Others may still write to both."""

    def __init__(self, settings: Settings, upload_id: str) -> None:
        self._settings = settings
        self._folder = arriving_path(settings) / upload_id
        self._opened = ExitStack()
        self._taken: list[tuple[Taken, Source]] = []
        self.sha256 = ""

    def __enter__(self) -> Self:
        with owner_only():
            self._folder.mkdir(parents=True)
        self._opened.enter_context(alone_in(self._folder))
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def fetch(self, source: Source) -> None:
        """Copies a file that stays where it is.

        Raises:
            Refusal: the file was changed while it was read (code `file-changing`).
        """
        self._opened.enter_context(source)
        self.sha256 = source.copy_to(self._folder / original_name(source.path), durably=False)

    def take(self, source: Source, options: Source | None) -> None:
        """Copies a file and its options file, which `complete` removes later.

        Raises:
            Refusal: one of them is being written, or was changed while it was read (code `file-changing`).
        """
        files = {original_name(source.path): source} | ({OPTIONS: options} if options else {})
        for name, file in files.items():
            self._opened.enter_context(file)
            if file.is_written():
                raise changing(file.path)
            sha256 = file.copy_to(self._folder / name, durably=True)
            place = os.path.relpath(file.path, self._settings.home)
            self._taken.append((Taken(place, file.look, sha256, name), file))
        self.sha256 = self._taken[0][0].sha256
        with owner_only(), (self._folder / _NOTE).open("x", encoding="ascii") as note:
            json.dump([asdict(taken) for taken, _ in self._taken], note)
            note.flush()
            os.fsync(note.fileno())
        for folder in (self._folder, self._folder.parent):
            _sync(folder)

    def complete(self, line: LedgerLine, path: Path) -> bool:
        """Removes the taken files and puts the copies in place; call it when the ledger has the upload's line.

        Args:
            line: the line.
            path: the file itself, to give back if the upload is refused and the file could not be copied.

        Returns:
            Whether it has arrived. If the file was changed since it was copied, file and copy stay where they are.
        """
        return _complete(self._settings, line, [*self._taken], path)

    @contextmanager
    def discarded_on_error(self) -> Iterator[None]:
        """Deletes the copy if the ledger does not get its line; the file stays where it is."""
        try:
            yield
        except (ContactPipelineError, OSError):
            shutil.rmtree(self._folder, ignore_errors=True)
            raise


def recover(
    settings: Settings,
    lines: Callable[[list[str]], Mapping[str, LedgerLine]],
    cancel: Callable[[LedgerLine], object],
) -> None:
    """Completes arrivals whose process has ended.

    Copies without a ledger line are deleted once they are old: their files are still in place.

    Args:
        settings: of the home.
        lines: gives the existing ledger lines of uploads.
        cancel: cancels an upload whose file was changed before it was removed from the inbox.
    """
    folder = arriving_path(settings)
    names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    known = lines(names) if names else {}
    for name in names:
        with suppress(FileNotFoundError), alone_in(folder / name) as alone:
            if alone and name in known:
                if not _recovered(settings, known[name], folder / name):
                    cancel(known[name])
                    shutil.rmtree(folder / name, ignore_errors=True)
            elif alone and is_old(folder / name):
                shutil.rmtree(folder / name, ignore_errors=True)


def _recovered(settings: Settings, line: LedgerLine, folder: Path) -> bool:
    with ExitStack() as opened:
        sources: list[tuple[Taken, Source | None]] = []
        for taken in _noted(folder):
            source = _still_there(settings, taken, folder)
            sources.append((taken, opened.enter_context(source) if source else None))
        return _complete(settings, line, sources, None)


def _still_there(settings: Settings, taken: Taken, folder: Path) -> Source | None:
    """The taken file, if it still exists; a file that was only put aside is deleted, or put back if it has changed."""
    path, aside = settings.home / taken.path, folder / _aside(taken)
    if aside.exists():
        with Source(aside) as removed:
            if not removed.is_written() and sha256_of(aside) == taken.sha256:
                aside.unlink()
                return None
        put_back(aside, path)
    try:
        source = Source(path, follow_links=False, look=taken.look)
    except OSError:
        return None
    source.is_written()  # takes a lease: whoever opens the file for writing waits
    return source


def _complete(
    settings: Settings, line: LedgerLine, sources: Sequence[tuple[Taken, Source | None]], path: Path | None
) -> bool:
    originals, folder = Originals(settings), arriving_path(settings) / line.upload_id
    remaining = [(taken, source) for taken, source in sources if source is not None and source.is_there()]
    if remaining and remaining[0][0] == sources[0][0]:  # the file itself still exists
        if any(source.has_changed(taken.sha256) for taken, source in remaining):
            return False
        taken, file = remaining.pop(0)
        if not file.remove(folder / _aside(taken), taken.sha256):
            return False
    for taken, options in remaining:
        options.remove(folder / _aside(taken), taken.sha256)  # a changed one stays
    if line.state == "refused":
        copy = next(folder.glob("original.*"), path)
        if copy is not None:
            originals.give_back(line, copy, folder / OPTIONS)
        shutil.rmtree(folder, ignore_errors=True)
        return True
    (folder / _NOTE).unlink(missing_ok=True)
    _mask_options(folder / OPTIONS)
    with suppress(FileNotFoundError):  # cancelled at this moment
        folder.rename(settings.upload_path(line.upload_id))
        _sync(folder.parent.parent)
    return True


def _mask_options(path: Path) -> None:
    """Masks what looks sensitive in the kept options."""
    if path.exists():
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        if mask(text) != text:
            path.write_text(mask(text), encoding="utf-8")


def _aside(taken: Taken) -> str:
    return f"removed-{taken.copy}"


def _noted(folder: Path) -> list[Taken]:
    try:
        return [Taken(**entry) for entry in json.loads((folder / _NOTE).read_text(encoding="ascii"))]
    except FileNotFoundError:
        return []


def is_old(folder: Path) -> bool:
    """Whether nothing in a folder was changed for some minutes."""
    with suppress(FileNotFoundError):
        newest = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
        return time.time() - newest > ORPHANED_AFTER
    return False


def _sync(folder: Path) -> None:
    """Syncs a folder, so that its names survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
