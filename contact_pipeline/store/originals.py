"""The received files: kept as they came under a name of our own; the name they came with is only data."""

from __future__ import annotations

import hashlib
import shutil
from errno import ENOENT
from pathlib import Path

from contact_pipeline.settings import Settings
from contact_pipeline.store.ledger import LedgerLine


class Originals:
    """The folder of an upload with its original, for the owner only."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def keep(self, upload_id: str, path: Path, *, move: bool) -> None:
        """Copies or moves a received file into the upload's folder."""
        folder = self._settings.upload_path(upload_id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        ending = "".join(letter for letter in path.suffix.lower() if letter.isalnum()) or "bin"
        kept = folder / f"original.{ending}"
        if move:
            shutil.move(path, kept)
        else:
            shutil.copyfile(path, kept)
        kept.chmod(0o600)

    def path(self, upload_id: str) -> Path:
        """Where an upload's original lies.

        Raises:
            FileNotFoundError: it is gone.
        """
        folder = self._settings.upload_path(upload_id)
        for path in folder.glob("original.*"):
            return path
        raise FileNotFoundError(ENOENT, "The original of the upload is gone; cancel it and send the file again", folder)

    def remove(self, upload_id: str) -> None:
        """Deletes the upload's folder."""
        shutil.rmtree(self._settings.upload_path(upload_id), ignore_errors=True)

    def give_back(self, line: LedgerLine, path: Path) -> None:
        """Puts a refused file that came through the inbox into the folder `refused` there, beside the reason."""
        if not line.inbox or line.reason is None:
            return
        folder = self._settings.inbox / line.profile / "refused"
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / f"{line.upload_id}-{Path(line.file_name).name}"
        shutil.move(path, kept)
        reason = f"{line.file_name}: {line.reason['message']}\n{line.reason['fix']}\n"
        kept.with_name(f"{kept.name}.txt").write_text(reason, encoding="utf-8")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
