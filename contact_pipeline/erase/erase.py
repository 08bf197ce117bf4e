"""Erases a person: first what is found by their values, and the contact last, so that a run can be completed later.

1. The contact database records who is being erased, and the fingerprints.
2. Copies of the contact database, refused files, reports, originals, Dagster's previews, and then the staged rows.
3. The contact, its history and the ledger, in one commit; the contact database is written anew and, in the new file,
   says that the erasure is whole. Where there were copies of it, one of the new file is kept.

All the while nobody else can write the contact database.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from contact_pipeline.contracts.states import PLANNED
from contact_pipeline.engines import Database, rewrite_database
from contact_pipeline.erase import book
from contact_pipeline.erase.extent import frozen_uploads, rows_of_person
from contact_pipeline.erase.files import find_kept, find_left, mentions
from contact_pipeline.erase.person import Person, find_person
from contact_pipeline.erase.previews import erase_previews
from contact_pipeline.erase.staged import clear_left, empty_staged
from contact_pipeline.errors import Refusal
from contact_pipeline.profiles import Profile
from contact_pipeline.store import LedgerLine, Store
from contact_pipeline.store.copies import delete_copies, keep_copy
from contact_pipeline.store.dagster_records import check_reachable
from contact_pipeline.store.engine import changing, engine_of, settle
from contact_pipeline.store.erasures import home_id, make_secret, note_erasures
from contact_pipeline.store.ledger import commit_time, find_lines, now
from contact_pipeline.store.links import linked_with
from contact_pipeline.store.staging import count_defects
from contact_pipeline.terms import OUTCOMES


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure removed.

    Attributes:
        contact_ids: the contact, and those linked to it.
        erased_at: when it was finished (UTC).
        rows: upload → its rows that were emptied.
        deleted: the deleted files, relative to the home folder.
        shared: field → other contacts that hold the same value and keep it.
        left: files of the home that still contain a value but are not the program's to delete.
    """

    contact_ids: list[int]
    erased_at: datetime
    rows: dict[str, list[int]]
    deleted: list[str]
    shared: dict[str, list[int]]
    left: list[str]

    def as_dict(self) -> dict[str, Any]:
        """The erasure as a JSON document."""
        return asdict(self) | {"erased_at": f"{self.erased_at:%Y-%m-%dT%H:%M:%SZ}"}


def erase(
    store: Store, contact_id: int, profiles: Collection[Profile], actor: str, *, only: Collection[int] | None = None
) -> Erased:
    """Removes a person from every file of the home. If it is cut off, erasing again completes it.

    Args:
        store: of the home.
        contact_id: the contact; those linked to it are the same person.
        profiles: their match rules tell by which fields a person is recognized.
        actor: login of the person who erases.
        only: the contacts to erase, `contact_id` among them, without those linked to them; unset: it and all linked.

    Raises:
        Refusal: there never was such a contact (`contact-unknown`), it is erased already (`erased`), or an upload that
            holds the person is being staged at this moment (`being-staged`), or it is unknown where Dagster's records
            are (`dagster-storage`).
        MachineFault: they are in PostgreSQL, which does not answer (code `dagster-storage`), or the contacts lie
            elsewhere than the settings say (`engine-differs`), or that engine cannot be used.
        StoreBusy: a database was in use by another program for longer than the settings allow.
    """
    settings = store.settings
    check_reachable(settings)  # before anything is done
    with engine_of(settings) as engine, store.open() as contacts:
        settle(settings, contacts, engine)
        person = _person(contacts, contact_id, only)
        pattern = re.compile(person.pattern) if person.pattern else None
        lines, home = find_lines(contacts), home_id(contacts)
        _refuse_while_staging(store, lines, pattern)
        frozen = frozen_uploads(store, lines)
        for line in lines:
            clear_left(store.staging(line.upload_id).folder)
        rows, unreadable = rows_of_person(store, contacts, lines, person, frozen)
        with contacts.transaction():
            book.begin(contacts, person, rows, profiles, make_secret(settings), actor)
            for upload_id in rows.keys() & frozen:
                book.freeze(contacts, upload_id, {})
        note_erasures(settings, contacts)
        copies = delete_copies(settings)
        kept = find_kept(settings, pattern, rows, person.contact_ids)
        for path in kept:
            path.unlink(missing_ok=True)
        deleted = [str(path.relative_to(settings.home)) for path in kept]
        erase_previews(settings, pattern, rows)
        for broken in unreadable:  # nobody can say whether it holds the person, and it can be made again
            shutil.rmtree(broken)
        for line in lines:
            folder = store.staging(line.upload_id).folder
            if folder.exists():
                found = rows.get(line.upload_id, set())
                unreadable |= empty_staged(
                    folder,
                    person,
                    settings,
                    found,
                    planned=line.state in PLANNED,
                    intact=line.upload_id in frozen,
                )
        with changing(settings, contacts, engine) as tables:
            book.empty(contacts, tables, person, rows, lines)
            _take_stock(store, contacts, lines, rows, frozen)
        if engine is not None:
            engine.tidy(contacts)  # old versions hold the person
        at = commit_time(contacts, now())
    rewrite_database(settings.contacts_path, settings, lambda database: book.finish(database, at))
    if copies:
        keep_copy(settings, "after erasing")
    return Erased(
        person.contact_ids,
        at,
        {upload_id: sorted(found) for upload_id, found in sorted(rows.items())},
        [*(str(path.relative_to(settings.home)) for path in (*copies, *sorted(unreadable))), *deleted],
        person.shared,
        find_left(settings, pattern, person.contact_ids, home),
    )


def _person(database: Database, contact_id: int, only: Collection[int] | None) -> Person:
    """The person to erase, together with everybody whose erasure was begun but not finished."""
    done = database.value(
        "SELECT finished_at FROM erasures WHERE contact_id = ? AND finished_at IS NOT NULL", [contact_id]
    )
    if done is not None:
        raise Refusal("erased", f"Contact {contact_id} was erased already, at {done:%Y-%m-%d %H:%M} UTC.", "")
    known = "SELECT contact_id FROM contacts UNION SELECT contact_id FROM contact_changes"
    if not database.value(f"SELECT count(*) FROM ({known}) WHERE contact_id = ?", [contact_id]):
        raise Refusal(
            "contact-unknown", f"There is no contact {contact_id}.", "`contact-pipeline contacts list` lists them."
        )
    begun = database.rows("SELECT contact_id FROM erasures WHERE finished_at IS NULL")
    wanted = {*(linked_with(database, contact_id) if only is None else only), *(found for (found,) in begun)}
    return find_person(database, sorted(wanted))


def _refuse_while_staging(store: Store, lines: Collection[LedgerLine], pattern: re.Pattern[str] | None) -> None:
    for line in lines:
        folder = store.settings.upload_path(line.upload_id)
        if line.state == "received" and any(mentions(path, pattern) for path in folder.glob("original.*")):
            raise Refusal(
                "being-staged",
                f"Upload {line.upload_id} holds this person and is being staged at this moment.",
                "Wait until it is staged, or cancel it; then erase again.",
                file=line.file_name,
                details={"upload_id": line.upload_id},
            )


def _take_stock(
    store: Store, contacts: Database, lines: Collection[LedgerLine], rows: Collection[str], frozen: Collection[str]
) -> None:
    """Updates the ledger from the staged data: counts, frozen files, and uploads that have nothing staged any more."""
    for line in lines:
        staging = store.staging(line.upload_id)
        if line.upload_id in rows:
            _count_again(store, contacts, line)
        if line.upload_id in frozen and staging.exists():
            book.freeze(contacts, line.upload_id, staging.digests())
        if line.state in PLANNED and not staging.exists():
            book.give_up(contacts, line)


def _count_again(store: Store, contacts: Database, line: LedgerLine) -> None:
    staging = store.staging(line.upload_id)
    if not staging.exists():
        return
    with staging.open(read_only=True) as staged:
        if not staged.has("outcome_rows"):
            return
        counts = dict(staged.rows("SELECT outcome, count(*) FROM outcome_rows GROUP BY outcome"))
        errors, warnings = count_defects(staged)
    outcomes: dict[str, int] = {name: counts.get(name, 0) for name in OUTCOMES}
    book.count_again(contacts, line.upload_id, outcomes, errors=errors, warnings=warnings)
