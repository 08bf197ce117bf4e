"""Stage 4: valid rows and contacts → changeset. Copies out the candidates, decides every row, freezes what changes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from contact_pipeline.engines import Database
from contact_pipeline.match import changeset, outcomes, required, resolutions
from contact_pipeline.match.decide import decide
from contact_pipeline.match.erased import hold_erased, list_erased
from contact_pipeline.match.freeze import hashing
from contact_pipeline.match.in_turn import decide_in_turn
from contact_pipeline.match.keys import make_keys
from contact_pipeline.match.linked import spread_wishes
from contact_pipeline.match.part import Part, parts_of
from contact_pipeline.match.reviews import make_reviews
from contact_pipeline.match.rows import add_present_keys, count_without_key, make_cleaned_rows, make_part_rows
from contact_pipeline.match.snapshot import Snapshot, take_snapshot
from contact_pipeline.match.targets import make_consents, make_targets, make_writes
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.options import UploadOptions
from contact_pipeline.settings import Settings
from contact_pipeline.store import Store
from contact_pipeline.store.ledger import take_numbers
from contact_pipeline.terms import OUTCOMES


@dataclass(frozen=True, slots=True)
class Changeset:
    """What matching found, in numbers; the changes themselves lie in the staging database."""

    sha256: str
    snapshot: int
    there: int
    active: int
    outcomes: dict[str, int]
    duplicates_of_existing: int
    duplicates_within_file: int
    deactivated: int
    changed: int
    rejected_without_key: int
    skipped: int
    contacts_created: int
    error_count: int
    in_group: int
    not_in_group: int


def match(
    database: Database,
    store: Store,
    profile: Profile,
    options: UploadOptions,
    *,
    upload_id: str = "",
    columns: Collection[str],
    headings: dict[str, str],
) -> Changeset:
    """Matches an upload's valid rows and stages its changeset; doing it again replaces what was staged.

    Args:
        database: the upload's staging database with normalized_rows, blank_rows, rejections and noted_cells.
        store: whose contacts are matched.
        profile: as it holds for the upload.
        options: of the upload.
        upload_id: by which what was decided about the upload's rows is found.
        columns: fields of the normalized rows.
        headings: field → heading in the file, for messages and notes.
    """
    parts = _taking_notes(database, parts_of(profile, options, columns, headings))
    outcomes.forget_rejections(database)
    make_cleaned_rows(database, columns)
    for part in parts:
        make_keys(database, part, make_part_rows(database, part))
    if options.deactivate_missing:
        add_present_keys(database, parts[0])
    snapshot = take_snapshot(
        database,
        store,
        profile.address_book,
        parts,
        upload_id=upload_id,
        missing=options.deactivate_missing,
        accounts=profile.needs_account,
        group=options.group,
    )
    if profile.needs_account:
        outcomes.reject_unknown_accounts(database, parts[0])
    for part in parts:
        resolutions.skip_rows(database, part)
    _judge(database, parts, store.settings)
    list_erased(database)
    _stage_changes(database, store, parts, profile, options)
    with hashing(database) as sha256:
        outcomes.make_outcomes(database, parts)
        without_key = count_without_key(database) if options.deactivate_missing else 0
        return _summary(database, parts, snapshot, without_key, sha256, group=options.group)


def _taking_notes(database: Database, parts: list[Part]) -> list[Part]:
    """The parts; a contact takes notes wherever the file has any, as of further e-mail addresses in a cell."""
    if not database.value("SELECT count(*) FROM noted_cells"):
        return parts
    return [replace(part, takes_notes=True) if part.entity == "contact" else part for part in parts]


def _judge(database: Database, parts: list[Part], settings: Settings) -> None:
    """Decides every row of every part, sets aside those in review, and gathers those of one target into a write."""
    for part in parts:
        keys, decisions = part.table("row_keys"), part.table("decisions")
        decide(database, part, f"(FROM {keys} ANTI JOIN left_out USING (row_number))", part.table("pairs"), decisions)
        hold_erased(database, part, settings, keys, decisions)
        resolutions.decide_resolved(database, part, decisions)
    decide_in_turn(database, parts, settings)
    for part in parts:
        make_targets(database, part)
    make_reviews(database, parts)
    for part in parts:
        outcomes.warn_of_others(database, part)
    if parts[0].within_file == "reject_later":
        outcomes.reject_later_rows(database, parts[0])
    for part in parts:
        make_consents(database, part, part.table("rows"))
        make_writes(database, part, part.table("rows"))
    required.reject_clearing(database, parts)
    for part in parts:
        spread_wishes(database, part)


def _stage_changes(
    database: Database, store: Store, parts: list[Part], profile: Profile, options: UploadOptions
) -> None:
    for part in parts:
        changeset.list_consents(database, part)
        wanted = changeset.list_creations(database, part)
        with store.change() as contacts:
            first = take_numbers(contacts, part.entity, wanted)
        missing = options.deactivate_missing and part.entity == "contact"
        changeset.make_changes(database, part, first, missing=missing)
    contact = parts[-1] if parts[-1].entity == "contact" else None
    if contact is not None:
        members = profile.group.members if profile.group else "created"
        changeset.make_memberships(database, contact, options.group, members)
        changeset.make_links(database, contact)


def _summary(
    database: Database,
    parts: list[Part],
    snapshot: Snapshot,
    without_key: int,
    sha256: Callable[[], str],
    *,
    group: str | None,
) -> Changeset:
    primary = parts[0]
    counts = dict(database.rows("SELECT outcome, count(*) FROM outcome_rows GROUP BY outcome"))
    existing, within = database.rows(
        "SELECT count(duplicate_of_contact), count(duplicate_of_row) FROM outcome_rows WHERE outcome = 'duplicate'"
    )[0]
    has_contacts = database.has("contact_changes")
    in_group, not_in_group = changeset.count_members(database, parts[-1]) if has_contacts and group else (0, 0)
    return Changeset(
        sha256=sha256(),
        snapshot=snapshot.number,
        there=snapshot.there,
        active=snapshot.active,
        outcomes={outcome: counts.get(outcome, 0) for outcome in OUTCOMES},
        duplicates_of_existing=existing,
        duplicates_within_file=within,
        deactivated=_count(database, "deactivate") if has_contacts else 0,
        changed=database.value(
            f"SELECT count(*) FROM {primary.table('changes')} WHERE action IN ('update', 'reactivate')"
        ),
        rejected_without_key=without_key,
        skipped=database.value("SELECT count(*) FROM rejections WHERE code IN ('skipped', 'erased')"),
        contacts_created=_count(database, "create") if has_contacts and primary.entity == "account" else 0,
        error_count=database.value("SELECT count(*) FROM rejections WHERE severity <> 'warning'"),
        in_group=in_group,
        not_in_group=not_in_group,
    )


def _count(database: Database, action: str) -> int:
    count: int = database.value("SELECT count(*) FROM contact_changes WHERE action = ?", [action])
    return count
