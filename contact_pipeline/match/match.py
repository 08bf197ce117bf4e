"""Stage 4: valid rows and contacts → changeset. Copies out the candidates, decides every row, freezes what changes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import count, groupby

from contact_pipeline.engines import Tables, literal
from contact_pipeline.match.changeset import count_members
from contact_pipeline.match.freeze import hashing
from contact_pipeline.match.part import Part, parts_of
from contact_pipeline.match.plan import Matching, Step, perform, to_changeset, to_outcomes
from contact_pipeline.match.rows import count_without_key
from contact_pipeline.match.snapshot import counted
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.options import UploadOptions
from contact_pipeline.settings import Settings
from contact_pipeline.store import Store
from contact_pipeline.terms import OUTCOMES
from contact_pipeline.watched import tell


@dataclass(frozen=True, slots=True)
class Changeset:
    """The counts of a changeset; its changes are in the staging database."""

    sha256: str
    snapshot: int
    stored: int
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
    database: Tables,
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
        upload_id: under which decisions of people about the upload's rows are stored.
        columns: fields of the normalized rows.
        headings: field → heading in the file, for messages and notes.
    """
    if not database.has("left_out_rows"):  # an earlier version staged none; nor do rows that are decided after apply
        database.make("left_out_rows", "SELECT row_number FROM blank_rows LIMIT 0")
    parts = _with_notes(database, parts_of(profile, options, columns, headings))
    matching = Matching(store, profile, options, upload_id, tuple(columns), tuple(parts))
    before, after = to_changeset(matching), to_outcomes(matching)
    every = len(before) + len(after)
    _run_steps(database, store.settings, before, 1, every)
    with hashing(database) as sha256:
        _run_steps(database, store.settings, after, 1 + len(before), every)
        return _summary(database, matching, sha256)


def _with_notes(database: Tables, parts: list[Part]) -> list[Part]:
    """The parts; contacts take notes where the file has noted cells, such as further e-mail addresses."""
    if not database.value("SELECT count(*) FROM noted_cells"):
        return parts
    return [replace(part, takes_notes=True) if part.entity == "contact" else part for part in parts]


def _run_steps(database: Tables, settings: Settings, steps: list[Step], first: int, of: int) -> None:
    """Runs the steps; attaches the contact database for those that read it. `first` is the number of the first step."""
    numbers = count(first)
    for reads_contacts, together in groupby(steps, key=lambda step: step.reads_contacts):
        book = database.attached(settings.contacts_path, "book", wait_seconds=settings.lock_wait_seconds)
        with book if reads_contacts else nullcontext():
            for step in together:
                tell("matching", step=f"step {next(numbers)} of {of}: {step.does}")
                perform(step, database)


def _summary(database: Tables, matching: Matching, sha256: Callable[[], str]) -> Changeset:
    parts, primary, snapshot = matching.parts, matching.primary, counted(database)
    counts = dict(database.rows("SELECT outcome, count(*) FROM outcome_rows GROUP BY outcome"))
    existing, within = database.rows(
        "SELECT count(duplicate_of_contact), count(duplicate_of_row) FROM outcome_rows WHERE outcome = 'duplicate'"
    )[0]
    has_contacts = database.has("contact_changes")
    grouped = matching.contact is not None and bool(matching.options.group)
    in_group, not_in_group = count_members(database, parts[-1]) if grouped else (0, 0)
    return Changeset(
        sha256=sha256(),
        snapshot=snapshot.number,
        stored=snapshot.stored,
        active=snapshot.active,
        outcomes={outcome: counts.get(outcome, 0) for outcome in OUTCOMES},
        duplicates_of_existing=existing,
        duplicates_within_file=within,
        deactivated=_count(database, "deactivate") if has_contacts else 0,
        changed=database.value(
            f"SELECT count(*) FROM {primary.table('changes')} WHERE action IN ('update', 'reactivate')"
        ),
        rejected_without_key=count_without_key(database) if matching.options.deactivate_missing else 0,
        skipped=database.value("SELECT count(*) FROM rejections WHERE code IN ('skipped', 'skipped-before', 'erased')"),
        contacts_created=_count(database, "create") if has_contacts and primary.entity == "account" else 0,
        error_count=database.value("SELECT count(*) FROM rejections WHERE severity <> 'warning'"),
        in_group=in_group,
        not_in_group=not_in_group,
    )


def _count(database: Tables, action: str) -> int:
    changes: int = database.value(f"SELECT count(*) FROM contact_changes WHERE action = {literal(action)}")
    return changes
