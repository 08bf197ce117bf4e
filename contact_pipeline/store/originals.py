"""The received files: kept as they came under a name of our own; the name they came with is only data.

What came beside a file with its options is kept with it, and given back with it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from errno import ENOENT
from pathlib import Path
from typing import Final

from contact_pipeline.owner_only import owner_only
from contact_pipeline.settings import Settings
from contact_pipeline.store.ledger import LedgerLine

OPTIONS_SUFFIX: Final = ".options.yaml"  # behind a file's name: the file with its options
_LONGEST_STEM: Final = 180  # bytes; a name has at most 255
_LONGEST_ENDING: Final = 20


class Originals:
    """The folder of an upload with its original, for the owner only."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def keep(self, upload_id: str, path: Path, *, move: bool) -> None:
        """Copies or moves a received file into the upload's folder."""
        folder = self._settings.upload_path(upload_id)
        ending = "".join(letter for letter in path.suffix.lower() if letter.isalnum()) or "bin"
        kept = folder / f"original.{ending}"
        with owner_only():
            folder.mkdir(parents=True, exist_ok=True)
            if move:
                _move(path, kept)
            else:
                shutil.copyfile(path, kept)

    def path(self, upload_id: str) -> Path:
        """Where an upload's original lies.

        Raises:
            FileNotFoundError: it is gone.
        """
        folder = self._settings.upload_path(upload_id)
        for path in folder.glob("original.*"):
            return path
        raise FileNotFoundError(ENOENT, "The original of the upload is gone; cancel it and send the file again", folder)

    def keep_options(self, upload_id: str, path: Path) -> None:
        """Moves the options file of a received file to its original."""
        _move(path, self._options_path(upload_id))

    def _options_path(self, upload_id: str) -> Path:
        return self._settings.upload_path(upload_id) / "options.yaml"

    def remove(self, upload_id: str) -> None:
        """Deletes the upload's folder."""
        shutil.rmtree(self._settings.upload_path(upload_id), ignore_errors=True)

    def give_back(self, line: LedgerLine, path: Path) -> None:
        """Puts a refused file that came through the inbox into the folder `refused` there, beside the reason."""
        if not line.inbox or line.reason is None:
            return
        folder = self._settings.inbox / line.profile / "refused"
        kept = folder / f"{line.upload_id}-{_shortened(Path(line.file_name).name)}"
        reason = f"{line.file_name}: {line.reason['message']}\n{line.reason['fix']}\n"
        with owner_only():
            folder.mkdir(parents=True, exist_ok=True)
            _move(path, kept)
            for options in (self._options_path(line.upload_id), path.with_name(path.name + OPTIONS_SUFFIX)):
                if is_ordinary(options):
                    _move(options, kept.with_name(kept.name + OPTIONS_SUFFIX))
            kept.with_name(f"{kept.name}.txt").write_text(reason, encoding="utf-8")


def _move(path: Path, to: Path) -> None:
    """Moves a file to where it is for its owner only; one of another user's becomes ours by being copied."""
    if path.stat().st_uid == os.geteuid():
        path.chmod(0o600)
        shutil.move(path, to)
    else:
        shutil.copyfile(path, to)
        path.unlink()


def told(name: str) -> str:
    """The name of a file as text; bytes in it that are none are shown as �."""
    return os.fsencode(name).decode("utf-8", "replace")


def is_ordinary(path: Path) -> bool:
    """Whether there is an ordinary file; links are not followed."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:  # gone, or a name that no file can have
        return False


def _shortened(name: str) -> str:
    """A name that leaves room for an upload's id before it and another ending behind it."""
    ending = Path(name).suffix if len(Path(name).suffix) < _LONGEST_ENDING else ""
    stem = name.removesuffix(ending).encode()
    return name if len(stem) <= _LONGEST_STEM else stem[:_LONGEST_STEM].decode("utf-8", "ignore") + ending


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
