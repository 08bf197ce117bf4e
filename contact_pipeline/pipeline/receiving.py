"""Files come in: copied and hashed while others may still write to them; and what ended processes left is put right."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings
from contact_pipeline.store import LedgerLine, Store
from contact_pipeline.store.arrival import Arrival, Seen, is_old, recover
from contact_pipeline.store.ledger import find_lines
from contact_pipeline.store.originals import OPTIONS_SUFFIX, Originals, is_ordinary
from contact_pipeline.store.source import Look, Source, changing
from contact_pipeline.upload.file_type import unreadable
from contact_pipeline.upload.limits import check_file_size


def fetch(
    arrival: Arrival, path: Path, line: dict[str, Any], settings: Settings, *, move: bool, seen: Seen | None
) -> Refusal | None:
    """Copies a file, and gives its line size and SHA-256; what is wrong with a file that is not copied.

    Raises:
        Refusal: the file is being written, or looks different from what was seen (code `file-changing`).
    """
    name = line["file_name"]
    line |= {"file_size": path.stat().st_size, "sha256": ""}
    try:
        check_file_size(path, name, settings)
        source = _open(path, seen.file if seen else None, move=move)
    except Refusal as refusal:
        if refusal.code == "file-changing":
            raise
        return refusal
    except OSError as error:
        return unreadable(name, error)
    if move:
        arrival.take(source, _options_of(path, seen))
    else:
        arrival.fetch(source)
    line |= {"file_size": source.size, "sha256": arrival.sha256}
    return None


def _options_of(path: Path, seen: Seen | None) -> Source | None:
    """The options file beside a file of the inbox, if it is as it was seen."""
    beside = path.with_name(path.name + OPTIONS_SUFFIX)
    if seen is None or (seen.options is None and not is_ordinary(beside)):
        return None
    if seen.options is None:
        raise changing(beside)
    return _open(beside, seen.options, move=True)


def _open(path: Path, look: Look | None, *, move: bool) -> Source:
    try:
        source = Source(path, follow_links=not move)
    except OSError as error:
        if move and not is_ordinary(path):  # gone, or replaced by a link
            raise changing(path) from error
        raise
    if look is not None and look != source.look:
        source.close()
        raise changing(path)
    return source


def recover_arrivals(store: Store, cancel: Callable[[LedgerLine], object]) -> None:
    """Completes what was arriving when its process ended; see `store.arrival.recover`."""

    def lines(upload_ids: list[str]) -> dict[str, LedgerLine]:
        with store.open(read_only=True) as contacts:
            found = find_lines(contacts, "upload_id IN (SELECT unnest(?))", [upload_ids])
        return {line.upload_id: line for line in found}

    recover(store.settings, lines, cancel)


def delete_orphaned_staging(store: Store) -> None:
    """Deletes staged data without an upload: it was made by hand, and its process ended before the ledger had its line.

    Nothing is deleted while it is new, while an original lies beside it, or while the ledger has no upload at all: then
    it is the ledger that is lost.
    """
    parent = store.settings.staging_path("")
    found = {path.name: path for path in parent.iterdir() if path.is_dir()} if parent.is_dir() else {}
    if not found:
        return
    with store.open(read_only=True) as contacts:
        known = {upload_id for (upload_id,) in contacts.rows("SELECT upload_id FROM uploads")}
    originals = Originals(store.settings)
    for name in sorted(found.keys() - known) if known else ():
        if is_old(found[name]) and not originals.has(name):
            shutil.rmtree(found[name], ignore_errors=True)
