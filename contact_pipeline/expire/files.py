"""Finds and deletes the files that an upload leaves, by kind: its staging folder, its original, and its reports."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from contact_pipeline.settings import Settings
from contact_pipeline.store import LedgerLine, Store
from contact_pipeline.store.expiries import Amount
from contact_pipeline.store.originals import OPTIONS


class StagedFiles:
    """The staged data of an upload: its rows, outcomes and changeset, and the undo that was planned last."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, line: LedgerLine) -> Amount | None:
        """The amount of staged data."""
        folder = self._store.staging(line.upload_id).folder
        is_whole = "staged_data" not in (line.expired or {})  # else an undo that was planned since
        return _amount(folder.rglob("*"), line.data_rows if is_whole else None)

    def delete(self, upload_ids: Collection[str]) -> None:
        """Deletes the staging folder, the database first: without it, nothing counts as staged."""
        for upload_id in upload_ids:
            staging = self._store.staging(upload_id)
            staging.path.unlink(missing_ok=True)
            if staging.folder.exists():
                shutil.rmtree(staging.folder)


class OriginalFiles:
    """The received file of an upload, and the options that came with it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def find(self, line: LedgerLine) -> Amount | None:
        """The amount of received files."""
        return _amount(self._files(line.upload_id), line.data_rows)

    def delete(self, upload_ids: Collection[str]) -> None:
        """Deletes the received files and their options."""
        for upload_id in upload_ids:
            _unlink(self._files(upload_id), self._settings.upload_path(upload_id))

    def _files(self, upload_id: str) -> list[Path]:
        return [path for path in self._settings.upload_path(upload_id).glob("*") if is_original(path)]


class ReportFiles:
    """The files made from an upload beside its original: review page, rejected rows, rows in review."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def find(self, line: LedgerLine) -> Amount | None:
        """The amount of reports."""
        return _amount(self._files(line.upload_id), None)

    def delete(self, upload_ids: Collection[str]) -> None:
        """Deletes the reports."""
        for upload_id in upload_ids:
            _unlink(self._files(upload_id), self._settings.upload_path(upload_id))

    def _files(self, upload_id: str) -> list[Path]:
        return [path for path in self._settings.upload_path(upload_id).rglob("*") if not is_original(path)]


def is_original(path: Path) -> bool:
    """Whether a file in an upload's folder is the received file or its options."""
    return path.name == OPTIONS or path.name.startswith("original.")


def _amount(paths: Iterable[Path], rows: int | None) -> Amount | None:
    sizes = []
    for path in paths:
        with suppress(FileNotFoundError):  # somebody writes a new one at this moment
            if path.is_symlink() or path.is_file():
                sizes.append(path.lstat().st_size)
    return Amount(len(sizes), rows, sum(sizes)) if sizes else None


def _unlink(paths: Iterable[Path], folder: Path) -> None:
    for path in paths:
        if path.is_symlink() or path.is_file():
            path.unlink(missing_ok=True)
    with suppress(OSError):  # it has more, or is gone
        folder.rmdir()
