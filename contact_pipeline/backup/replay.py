"""Erases people again in a restored home if they were erased after the backup, and keeps their fingerprints."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contact_pipeline.engines import Database
from contact_pipeline.erase import erase
from contact_pipeline.errors import Refusal
from contact_pipeline.pipeline import Pipeline
from contact_pipeline.settings import Settings
from contact_pipeline.store.erasures import Erasure, add_erasures, note_erasures
from contact_pipeline.store.news import forget_waiting


@dataclass(slots=True)
class Replayed:
    """The contacts that were erased again, and the uploads that were cancelled for that."""

    erased: list[int] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)


def replay(settings: Settings, erasures: Sequence[Erasure], counters: Mapping[str, int], actor: str) -> Replayed:
    """Applies all known erasures to a restored home.

    Args:
        settings: of the restored home.
        erasures: all known erasures of the home.
        counters: contact, account, upload → the next number in the home that is replaced.
        actor: login of the person who restores.
    """
    pipeline, replayed = Pipeline(settings=settings), Replayed()
    with pipeline.store.change() as contacts:
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
        _erase(pipeline, sorted({*begun, *(erasure.contact_id for erasure in again)}), actor, replayed)
        with pipeline.store.change() as contacts:
            for erasure in again:
                _recognize(contacts, erasure)
    with pipeline.store.open(read_only=True) as contacts:
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


def _erase(pipeline: Pipeline, contact_ids: list[int], actor: str, replayed: Replayed) -> None:
    profiles, _ = pipeline.profiles()
    while not replayed.erased:
        try:
            erase(pipeline.store, contact_ids[0], profiles.values(), actor, only=contact_ids)
            replayed.erased += contact_ids
        except Refusal as refusal:
            if refusal.code != "being-staged":
                raise
            upload_id = str(refusal.details["upload_id"])  # nobody goes on with it here
            pipeline.cancel(upload_id, user=actor)
            replayed.cancelled.append(upload_id)
