"""The received files: kept as they came, under a fixed name; the name with which they came is only data.

The options file of a file is kept with it, and given back with it.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOENT
from pathlib import Path
from typing import Final

from contact_pipeline.contracts.ledger import LedgerLine
from contact_pipeline.errors import Refusal
from contact_pipeline.owner_only import owner_only
from contact_pipeline.settings import Settings
from contact_pipeline.store.source import sha256_of

OPTIONS: Final = "options.yaml"  # kept beside the original
OPTIONS_SUFFIX: Final = ".options.yaml"  # added to a file's name: the name of its options file
GIVEN_BACK: Final = "refused"  # folder within the folder of a profile in the inbox
_LONGEST_STEM: Final = 180  # bytes; a name has at most 255
_LONGEST_ENDING: Final = 20


class Originals:
    """The folder of an upload with its original, for the owner only."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def path(self, upload_id: str) -> Path:
        """The path of an upload's original.

        Raises:
            FileNotFoundError: it is gone.
        """
        folder = self._settings.upload_path(upload_id)
        for each in (folder, arriving_path(self._settings) / upload_id):
            for path in each.glob("original.*"):
                return path
        raise FileNotFoundError(ENOENT, "The original of the upload is gone; cancel it and send the file again", folder)

    def has(self, upload_id: str) -> bool:
        """Whether there is an original of the upload."""
        try:
            self.path(upload_id)
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def verified(self, line: LedgerLine) -> Iterator[Path]:
        """The path of an upload's original. While the block reads it, another thread tests its SHA-256.

        Raises:
            FileNotFoundError: it is gone.
            Refusal: it is not the file that was received (code `original-changed`); raised also after an error.
        """
        from concurrent.futures import ThreadPoolExecutor

        path = self.path(line.upload_id)
        with ThreadPoolExecutor(1) as pool:
            sha256 = pool.submit(sha256_of, path)
            try:
                yield path
            finally:
                if sha256.result() != line.sha256:
                    raise Refusal(
                        "original-changed",
                        f"The stored original of upload {line.upload_id} is not the file that was received: its "
                        "content has changed since.",
                        "Drop the file again.",
                        file=line.file_name,
                    )

    def remove(self, upload_id: str) -> None:
        """Deletes the upload's folder."""
        for folder in (self._settings.upload_path(upload_id), arriving_path(self._settings) / upload_id):
            shutil.rmtree(folder, ignore_errors=True)

    def give_back(self, line: LedgerLine, path: Path, options: Path | None = None) -> None:
        """Puts a refused file of the inbox into the folder `refused` there, with a text file of the reason.

        Args:
            line: of the upload.
            path: the file.
            options: its options file; unset: the one that is kept with the original.
        """
        if not line.inbox or line.reason is None:
            return
        folder = self._settings.inbox / line.profile / GIVEN_BACK
        kept = folder / f"{line.upload_id}-{_shortened(Path(line.file_name).name)}"
        reason = f"{line.file_name}: {line.reason['message']}\n{line.reason['fix']}\n"
        with owner_only():
            if folder.is_symlink():  # links in the inbox are not followed
                folder.unlink()
            folder.mkdir(parents=True, exist_ok=True)
            kept.with_name(f"{kept.name}.txt").write_text(reason, encoding="utf-8")
            for each in (options or path.with_name(OPTIONS), path.with_name(path.name + OPTIONS_SUFFIX)):
                if is_ordinary(each):
                    _move(each, kept.with_name(kept.name + OPTIONS_SUFFIX))
            _move(path, kept)  # last: only then is the file given back


def _move(path: Path, to: Path) -> None:
    """Moves a file and makes it readable by the owner only; another user's file is copied, so that we own the copy."""
    if path.stat().st_uid == os.geteuid():
        path.chmod(0o600)
        shutil.move(path, to)
        return
    try:
        shutil.copyfile(path, to)
    except PermissionError:  # it is given back because it cannot be read
        shutil.move(path, to)
    else:
        path.unlink()


def arriving_path(settings: Settings) -> Path:
    """The folder for files that are being copied into the home and have no ledger line yet."""
    return settings.home / "uploads" / ".arriving"


def original_name(path: Path) -> str:
    """The name under which a received file is kept."""
    ending = "".join(letter for letter in path.suffix.lower() if letter.isalnum())[:_LONGEST_ENDING] or "bin"
    return f"original.{ending}"


def display_name(name: str) -> str:
    """The name of a file as text; undecodable bytes are shown as �."""
    return os.fsencode(name).decode("utf-8", "replace")


def is_ordinary(path: Path) -> bool:
    """Whether there is an ordinary file; links are not followed."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:  # gone, or a name that no file can have
        return False


def _shortened(name: str) -> str:
    """The name, shortened to leave room for an upload's id in front and another ending behind."""
    ending = Path(name).suffix if len(Path(name).suffix) < _LONGEST_ENDING else ""
    stem = name.removesuffix(ending).encode()
    return name if len(stem) <= _LONGEST_STEM else stem[:_LONGEST_STEM].decode("utf-8", "ignore") + ending
