"""Receives files: copies and hashes them, even while others write to them, and cleans up after dead processes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from contact_pipeline.errors import Refusal
from contact_pipeline.masking import mask_file_name
from contact_pipeline.pipeline import uploads
from contact_pipeline.pipeline.interruptions import cancelled_on_interrupt
from contact_pipeline.pipeline.repeats import repeat_key, repeated_upload
from contact_pipeline.pipeline.states import refused
from contact_pipeline.profiles import load_profile
from contact_pipeline.profiles.options import choose
from contact_pipeline.profiles.sensitive import looks_of_sender
from contact_pipeline.settings import Settings
from contact_pipeline.store import LedgerLine, Store, Upload
from contact_pipeline.store.arrival import Arrival, Seen, is_old, recover
from contact_pipeline.store.feeds import Fetched, add_fetched_line
from contact_pipeline.store.groups import known_group
from contact_pipeline.store.ledger import find_lines, now
from contact_pipeline.store.originals import OPTIONS_SUFFIX, Originals, display_name, is_ordinary
from contact_pipeline.store.reference_data import check_roles, read_reference
from contact_pipeline.store.source import Look, Source, changing
from contact_pipeline.store.value_mappings import meanings_for, receipt_time
from contact_pipeline.upload.file_type import unreadable
from contact_pipeline.upload.limits import check_file_size


def must_be_there(path: Path) -> None:
    """Tests that there is a file.

    Raises:
        Refusal: there is none (code `file-missing`).
    """
    if not path.is_file():
        raise Refusal("file-missing", f"There is no file {path}.", "Check the path.", file=path.name)


def receive(
    store: Store,
    path: Path,
    profile: str,
    options: dict[str, Any],
    *,
    upload_id: str,
    user: str | None,
    force: bool,
    move: bool,
    seen: Seen | None,
    problem: Refusal | None,
    fetched: Fetched | None = None,
    continues: object = None,
) -> Upload:
    """Takes a file in: keeps a copy and adds a ledger line, also for a refused or repeated file.

    Args:
        store: the store.
        path: the file, which exists.
        profile: name of the profile.
        options: of the upload, as they were given.
        upload_id: id of the upload.
        user: login of who uploads; unset: the operating system's.
        force: whether a file that was applied before is planned all the same.
        move: whether the file is moved out of the inbox.
        seen: how the file and its options file looked in the inbox.
        problem: what is wrong with the file's options, for which the file is refused.
        fetched: what to remember of a file that a feed fetched.
        continues: the upload whose rejected rows the file brings, if somebody names one.

    Raises:
        Refusal: the file is being written (code `file-changing`).
    """
    user = uploads.login(user)
    line: dict[str, Any] = {
        "upload_id": upload_id,
        "profile": profile,
        "file_name": mask_file_name(display_name(path.name)),
        "state": "received",
        "stage": "received",
        "added_at": now(),
        "user_login": user,
        "inbox": move,
        "feed": fetched.feed if fetched else None,
    }
    with cancelled_on_interrupt(store, upload_id, user), Arrival(store.settings, upload_id) as arrival:
        with arrival.discarded_on_error():
            refusal = _fetch(arrival, path, line, store.settings, move=move, seen=seen) or problem
            added = _admit(store, line, options, problem=refusal, force=force, fetched=fetched, continues=continues)
        if not arrival.complete(added, path):
            added = _cancel_changed(store, added)
    return uploads.upload_of(store, added)


def _admit(
    store: Store,
    line: dict[str, Any],
    options: dict[str, Any],
    *,
    problem: Refusal | None,
    force: bool,
    fetched: Fetched | None,
    continues: object,
) -> LedgerLine:
    """Adds the ledger line of a file, which is received, repeated or refused."""
    try:
        if problem:
            raise problem
        profile = load_profile(line["profile"], store.settings.profiles_path)
        line["file_name"] = mask_file_name(line["file_name"], looks_of_sender(profile))
        known, chosen = choose(profile, options)
        if chosen.group is not None:
            with store.open(read_only=True) as contacts:
                called = known_group(contacts, known.address_book, chosen.group)
            chosen = chosen.model_copy(update={"group": called})
        if continues is not None:
            from contact_pipeline.pipeline.continuing import checked

            line["continues"] = checked(store, known.name, continues)
        line |= {
            "address_book": known.address_book,
            "resolved_profile": known.model_dump(mode="json"),
            "options": chosen.model_dump(mode="json"),
            "group_name": chosen.group,
            "held": known.finalize,
            "approvals": known.approvals,
        }
        with store.change() as contacts:
            line["added_at"] = receipt_time(contacts, line["added_at"])
            reference = read_reference(contacts, meanings_for(contacts, known.name, line["added_at"]))
            line["repeat_key"] = repeat_key(line["sha256"], known, chosen, reference)
            check_roles(contacts, known, line["user_login"])
            line["repeats"] = None if force else repeated_upload(contacts, line, known)
            if line["repeats"]:
                line |= {"state": "repeated", "finished_at": now()}
            return add_fetched_line(contacts, fetched, line)
    except Refusal as refusal:
        line |= {"state": "refused", "reason": refused(refusal, line["file_name"]), "finished_at": now()}
    with store.change() as contacts:
        return add_fetched_line(contacts, fetched, line)


def _cancel_changed(store: Store, line: LedgerLine) -> LedgerLine:
    """Cancels an upload whose file changed before it was removed from the inbox. The file stays there."""
    uploads.end(store, line.upload_id, "cancelled", refused(changing(Path(line.file_name)), line.file_name))
    uploads.forget(store, line.upload_id)
    return store.line(line.upload_id)


def _fetch(
    arrival: Arrival, path: Path, line: dict[str, Any], settings: Settings, *, move: bool, seen: Seen | None
) -> Refusal | None:
    """Copies a file, and puts size and SHA-256 into its line; returns why, if the file cannot be copied.

    Raises:
        Refusal: the file is being written, or no longer looks as it was seen (code `file-changing`).
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
    """The options file beside a file of the inbox, if it still looks as it was seen."""
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


def tidy_arrivals(store: Store) -> None:
    """Completes or deletes files that dead processes left half received; see `store.arrival.recover`."""

    def lines(upload_ids: list[str]) -> dict[str, LedgerLine]:
        with store.open(read_only=True) as contacts:
            found = find_lines(contacts, "upload_id IN (SELECT unnest(?))", [upload_ids])
        return {line.upload_id: line for line in found}

    recover(store.settings, lines, lambda line: _cancel_changed(store, line))


def delete_orphaned_staging(store: Store) -> None:
    """Deletes staged data without an upload: changes by hand whose process died before it added the ledger line.

    Data that is new or has an original is kept. If the ledger has no upload at all, the ledger is lost, and all data is
    kept.
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
