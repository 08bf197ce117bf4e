"""Stage 5 as commits: one transaction tests that the plan still holds, writes it, and changes the ledger line."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from contact_pipeline.apply import Turn, mark_effect, plan_effect, stale_rows, write_changeset
from contact_pipeline.contracts.actors import identity
from contact_pipeline.contracts.states import APPLIED, State
from contact_pipeline.engines import Database, Tables
from contact_pipeline.errors import StoreBusy
from contact_pipeline.match import hash_changeset, match, parts_of
from contact_pipeline.pipeline.states import resolved, stale, wrong_state
from contact_pipeline.store import LedgerLine, Staging, Store
from contact_pipeline.store.copies import keep_copy
from contact_pipeline.store.decisions import mark_applied, remember_contacts
from contact_pipeline.store.engine import kept_tables, staged_tables
from contact_pipeline.store.expiries import expired, not_kept
from contact_pipeline.store.facts import FileFacts
from contact_pipeline.store.frozen import not_as_frozen
from contact_pipeline.store.ledger import change_line, find_lines, now
from contact_pipeline.store.staging import keep_facts
from contact_pipeline.terms import CONSENT
from contact_pipeline.watched import tell


def commit(store: Store, line: LedgerLine, actor: str) -> LedgerLine:
    """Writes an upload's frozen changeset, or makes the upload stale; an upload changed meanwhile is left alone.

    Returns:
        The upload's new ledger line.
    """
    staging = store.staging(line.upload_id)
    tell("applying", step="comparing what is staged with what was planned")
    if found := staging.differences(line.staged_files):
        current = store.line(line.upload_id)
        if current != line:  # cancelled or decided at this moment
            return current
        again = f"Plan it again with `contact-pipeline replan {line.upload_id}`, and approve the new changeset."
        raise not_as_frozen(line.upload_id, line.file_name, found, again)
    tell("applying", step="keeping a copy")
    _keep_copy(store, line, "before applying")
    tell("applying", step="testing that the plan still holds")
    with kept_tables(store, staging.path) as (ledger, contacts):
        current = find_lines(ledger, "upload_id = ?", [line.upload_id])[0]
        if current.state != line.state or current.changeset_sha256 != line.changeset_sha256:
            return current
        if current.first_approval != line.first_approval:  # taken back at this moment
            return current
        at = now()  # inside the transaction, so that later commits have later times
        rows = _stale_rows(store, contacts, line)
        if rows:
            return change_line(ledger, line.upload_id, state="stale", reason=stale(line, rows)) or current
        tell("applying", step="writing the changes")
        number = write_changeset(
            contacts,
            upload_id=line.upload_id,
            address_book=line.address_book or "",
            sha256=line.changeset_sha256,
            actor=actor,
            at=at,
        )
        remember_contacts(ledger, line.upload_id)
        applied = change_line(
            ledger,
            line.upload_id,
            state="applied",
            reason=None,
            approved_by=actor,
            approved_as=identity(actor),
            finished_at=at,
            commit_number=number,
        )
        return applied or current


def commit_decided(store: Store, line: LedgerLine, rows: Collection[int], actor: str) -> None:
    """Makes and commits one more changeset of an applied upload, with the rows that were decided since.

    Raises:
        Refusal: the upload is no longer applied (code `wrong-state`).
        StoreBusy: something was committed at the same moment.
    """
    profile, options = resolved(line)
    staging = store.staging(line.upload_id)
    facts, part = staging.normalized_facts(), staging.for_rows(rows)
    part.take_rows(staging, rows)
    with part.open() as database, staged_tables(store, database) as tables:
        found = match(
            tables,
            store,
            profile,
            options.model_copy(update={"deactivate_missing": False}),
            upload_id=line.upload_id,
            columns=facts.columns_normalized,
            headings=facts.headings_by_field(profile),
        )
    became = part.table("outcome_rows").filter(pl.col("outcome") != "review")["row_number"].to_list()
    if not became:
        return
    frozen = staging.digests() if line.staged_files is None else line.staged_files
    files = frozen | staging.with_outcomes(part)
    with kept_tables(store, part.path) as (ledger, contacts):
        current = find_lines(ledger, "upload_id = ?", [line.upload_id])[0]
        if current.state not in APPLIED:
            raise wrong_state(current, "reviewed", "Somebody has changed it at this moment.")
        if (
            current.staged_files != line.staged_files
            or contacts.value("SELECT max(commit_number) FROM commits") != found.snapshot
        ):
            raise StoreBusy("Something was committed at the same moment. Decide the row again.")
        write_changeset(
            contacts,
            upload_id=line.upload_id,
            address_book=profile.address_book,
            sha256=found.sha256,
            actor=actor,
            at=now(),
        )
        warned = current.row_warning_count
        counts = {name: getattr(current, name) + count for name, count in found.outcomes.items() if name != "review"}
        change_line(
            ledger,
            line.upload_id,
            **counts,
            review=current.review - len(became),
            error_count=current.error_count + found.outcomes["rejected"],
            row_warning_count=None if warned is None else warned + _warnings(part, became) - _warnings(staging, became),
            duplicates_of_existing=current.duplicates_of_existing + found.duplicates_of_existing,
            duplicates_within_file=current.duplicates_within_file + found.duplicates_within_file,
            contacts_created=current.contacts_created + found.contacts_created,
            staged_files=files,
        )
        remember_contacts(ledger, line.upload_id)
        mark_applied(ledger, line.upload_id, became)
    staging.finish(files)


def _warnings(staging: Staging, rows: Collection[int]) -> int:
    """How many warnings these rows have."""
    return staging.table("rejections").filter(pl.col("row_number").is_in(rows), severity="warning").height


def check_frozen(store: Store, line: LedgerLine) -> None:
    """Tests that the staged data of an upload is still what was frozen.

    Raises:
        Refusal: it has changed (code `staged-changed`), or was deleted by age (`expired`).
    """
    if expired(line):
        raise not_kept(line, "")
    if line.staged_files is None and line.state in APPLIED:
        return  # applied by a version that kept no digests: there is nothing to compare
    if found := store.staging(line.upload_id).differences(line.staged_files):
        fix = f"Plan it again with `contact-pipeline replan {line.upload_id}`."
        if line.state in APPLIED:
            fix = "It is applied, and stays so. Send the rows that are left in a file of their own."
        raise not_as_frozen(line.upload_id, line.file_name, found, fix)


@dataclass(frozen=True, slots=True)
class PlannedTurn:
    """An undo or redo that is staged.

    Attributes:
        snapshot: number of the newest commit when it was planned.
        sha256: of the changeset.
        files: staged file → SHA-256.
        contactable: how many do-not-contact people could be contacted again.
    """

    snapshot: int
    sha256: str
    files: dict[str, str]
    contactable: int = 0


def plan_turn(store: Store, upload_id: str, turn: Turn) -> PlannedTurn:
    """Stages the changeset that takes an applied upload out of effect, or brings an undone one back."""
    staging = store.staging(upload_id).for_undo()
    staging.discard_damaged()
    staging.make()
    with staging.open() as database:
        with (
            staged_tables(store, database) as tables,
            tables.attached(store.settings.contacts_path, "book", wait_seconds=store.settings.lock_wait_seconds),
        ):
            snapshot: int = tables.value("SELECT max(commit_number) FROM book.commits")
            plan_effect(tables, upload_id, turn)
        sha256 = hash_changeset(database)
        keep_facts(database, FileFacts())
        found = _contactable(database)
    return PlannedTurn(snapshot, sha256, staging.digests(), found)


def look_at_turn(store: Store, upload_id: str) -> tuple[int, str]:
    """How many people the planned undo or redo lets be contacted again, and the hash of its changeset."""
    staging = store.staging(upload_id).for_undo()
    with staging.look() as database:
        if database is None or not database.has("contact_changes"):
            return 0, ""
        return _contactable(database), hash_changeset(database)


def _contactable(database: Database) -> int:
    """How many do-not-contact people the staged changes let be contacted again."""
    if f"before_{CONSENT}" not in database.columns("contact_changes"):
        return 0
    count: int = database.value(f"""
        SELECT count(*) FROM contact_changes
        WHERE before_{CONSENT} AND after_{CONSENT} IS NOT TRUE AND action IN ('update', 'reactivate')""")
    return count


def commit_turn(store: Store, line: LedgerLine, turn: Turn, planned: PlannedTurn, actor: str) -> bool:
    """Commits what `plan_turn` planned; False if something was committed since.

    Raises:
        Refusal: the staged data has changed since it was planned (code `staged-changed`).
    """
    staging = store.staging(line.upload_id).for_undo()
    if found := staging.differences(planned.files):
        if store.line(line.upload_id) != line:  # somebody else has done it at this moment
            return False
        raise not_as_frozen(line.upload_id, line.file_name, found, f"Repeat the {turn}.")
    _keep_copy(store, line, "before undoing" if turn == "undo" else "before redoing")
    with kept_tables(store, staging.path) as (ledger, contacts):
        current = find_lines(ledger, "upload_id = ?", [line.upload_id])[0]
        newest = contacts.value("SELECT max(commit_number) FROM commits")
        if current.state != line.state or newest != planned.snapshot:
            return False
        number = write_changeset(
            contacts,
            upload_id=line.upload_id,
            address_book=line.address_book or "",
            sha256=planned.sha256,
            actor=actor,
            at=now(),
            action=turn,
        )
        mark_effect(contacts, line.upload_id, turn, by=number)
        again: State = "finalized" if line.finalized_at else "applied"
        change_line(ledger, line.upload_id, state="undone" if turn == "undo" else again)
    return True


def _keep_copy(store: Store, line: LedgerLine, occasion: str) -> None:
    """Keeps a copy of the contact database if the upload has as many rows as the setting `copy_before_rows`."""
    most = store.settings.copy_before_rows
    if most is not None and line.created + line.updated + line.linked + line.deactivated >= most:
        keep_copy(store.settings, f"{occasion} {line.upload_id}")


def _stale_rows(store: Store, contacts: Tables, line: LedgerLine) -> list[int | None]:
    """The rows for which the upload's changeset no longer holds."""
    parts = None
    if line.resolved_profile is not None:
        profile, options = resolved(line)
        facts = store.staging(line.upload_id).normalized_facts()
        parts = parts_of(profile, options, facts.columns_normalized, facts.headings_by_field(profile))
    return stale_rows(contacts, parts, store.settings, line.address_book or "", line.snapshot or 0)
