"""Erases people again in a restored home if they were erased after the backup, and keeps their fingerprints."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contact_pipeline.engines import Database
from contact_pipeline.erase import erase
from contact_pipeline.errors import Refusal
from contact_pipeline.profiles import find_profiles
from contact_pipeline.settings import Settings
from contact_pipeline.store import Store
from contact_pipeline.store.erasures import Erasure, add_erasures, note_erasures
from contact_pipeline.store.news import forget_waiting

Cancel = Callable[[Store, str, str], object]  # ends an upload, by its id and the login of who does it


@dataclass(slots=True)
class Replayed:
    """The contacts that were erased again, and the uploads that were cancelled for that."""

    erased: list[int] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)


def replay(
    settings: Settings, erasures: Sequence[Erasure], counters: Mapping[str, int], actor: str, cancel: Cancel
) -> Replayed:
    """Applies all known erasures to a restored home.

    Args:
        settings: of the restored home.
        erasures: all known erasures of the home.
        counters: contact, account, upload → the next number in the home that is replaced.
        actor: login of the person who restores.
        cancel: ends an upload that is being staged and has rows of an erased person.
    """
    store, replayed = Store(settings), Replayed()
    with store.change() as contacts:
        forget_waiting(contacts)
        first = _first_uploads(contacts)
        done = contacts.rows("SELECT contact_id FROM erasures WHERE finished_at IS NOT NULL")
        new = [erasure for erasure in erasures if (erasure.contact_id,) not in done]
        again = [erasure for erasure in new if first.get(erasure.contact_id) == erasure.first_upload]
        begun = [number for (number,) in contacts.rows("SELECT contact_id FROM erasures WHERE finished_at IS NULL")]
        _raise_counters(contacts, erasures, counters)
        for erasure in {each.contact_id: each for each in new if each.contact_id not in first}.values():
            at = datetime.fromisoformat(erasure.started_at)  # made after the backup: nothing of theirs is here
            values = [erasure.contact_id, at, erasure.actor, at]
            contacts.run("INSERT INTO erasures VALUES (?, ?, ?, NULL, ?)", values)
            _recognize(contacts, erasure)
    if again or begun:
        _erase(store, sorted({*begun, *(erasure.contact_id for erasure in again)}), actor, replayed, cancel)
        with store.change() as contacts:
            for erasure in again:
                _recognize(contacts, erasure)
    with store.open(read_only=True) as contacts:
        add_erasures(settings, [each for each in erasures if each.first_upload])
        note_erasures(settings, contacts)
    return replayed


def _first_uploads(contacts: Database) -> dict[int, str]:
    rows = contacts.rows(
        "SELECT contact_id, arg_min(upload_id, commit_number) FROM contact_changes GROUP BY contact_id"
    )
    return dict(rows)


def _raise_counters(contacts: Database, erasures: Collection[Erasure], counters: Mapping[str, int]) -> None:
    """Makes sure that no number is given again that was given after the backup was made."""
    known = [*counters.items(), *(("contact", erasure.next_contact) for erasure in erasures)]
    for name, following in known:
        contacts.run("UPDATE counters SET next = greatest(next, ?) WHERE name = ?", [following, name])


def _recognize(contacts: Database, erasure: Erasure) -> None:
    for state, name, fingerprint in erasure.fingerprints:
        values = [erasure.contact_id, state, name, fingerprint]
        where = "contact_id = $1 AND state = $2 AND field = $3 AND fingerprint = $4"
        contacts.run(
            f"INSERT INTO fingerprints SELECT $1, $2, $3, $4 WHERE NOT EXISTS (FROM fingerprints WHERE {where})",
            {str(number): value for number, value in enumerate(values, 1)},
        )


def _erase(store: Store, contact_ids: list[int], actor: str, replayed: Replayed, cancel: Cancel) -> None:
    profiles, _ = find_profiles(store.settings.profiles_path)
    while not replayed.erased:
        try:
            erase(store, contact_ids[0], profiles.values(), actor, only=contact_ids)
            replayed.erased += contact_ids
        except Refusal as refusal:
            if refusal.code != "being-staged":
                raise
            upload_id = str(refusal.details["upload_id"])  # nobody goes on with it here
            cancel(store, upload_id, actor)
            replayed.cancelled.append(upload_id)
