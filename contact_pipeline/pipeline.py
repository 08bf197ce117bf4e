"""The five stages in order: receive, read, normalize, validate, match, and then apply. READ AFTER contracts.py.

A data problem is a state in the ledger, never an exception: a step gives back the upload as refused, blocked or stale.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import secrets
import tempfile
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import polars as pl

from contact_pipeline.apply import (
    changed_since,
    commits_to_undo,
    mark_undone,
    moved_rows,
    plan_inverse,
    stage_activation,
    write_changeset,
)
from contact_pipeline.contracts import BLANK_ROWS, REJECTIONS, State, empty
from contact_pipeline.engines import Database
from contact_pipeline.errors import Refusal, StoreBusy, listed
from contact_pipeline.match import DEACTIVATION_GUARD, blocked_because, differing_rows, hash_changeset, match, parts_of
from contact_pipeline.normalize import fitting_formats, normalize, repairs_of, with_formats
from contact_pipeline.normalize.mapping import map_headings
from contact_pipeline.normalize.synonyms import expected_headings
from contact_pipeline.normalize.witness import what_columns_hold
from contact_pipeline.profiles import BrokenProfile, Profile, find_profiles, load_profile, without_numbers
from contact_pipeline.profiles.options import UploadOptions, choose
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.reports.template import write_template
from contact_pipeline.settings import Settings
from contact_pipeline.store import LedgerLine, Staging, Store, Upload
from contact_pipeline.store.ledger import add_line, change_line, find_lines, mark_decision_applied, now
from contact_pipeline.store.originals import Originals, sha256_of
from contact_pipeline.upload import ReadOptions, first_rows, read_upload
from contact_pipeline.validate import held_because, noted_cells, reject_repeats, validate

STAGES: Final = ("received", "read", "normalized", "validated", "matched")
APPLIED: Final[frozenset[State]] = frozenset({"applied", "finalized"})

_RECEIVED: Final[frozenset[State]] = frozenset({"received"})
_PLANNED: Final[frozenset[State]] = frozenset({"staged", "blocked", "stale"})

Progress = Callable[[str, float], None]


class Pipeline:
    """The import engine of one home folder."""

    def __init__(self, home: str | Path | None = None, settings: Settings | None = None) -> None:
        settings = settings or Settings()
        self.settings = settings if home is None else settings.model_copy(update={"home": Path(home)})
        self.store = Store(self.settings)
        self.originals = Originals(self.settings)

    def profiles(self) -> tuple[dict[str, Profile], list[BrokenProfile]]:
        """Every usable profile by name, and the broken ones."""
        return find_profiles(self.settings.profiles_path)

    def plan(
        self,
        file: str | Path,
        profile: str,
        *,
        user: str | None = None,
        force: bool = False,
        progress: Progress | None = None,
        **options: Any,
    ) -> Upload:
        """Stages a file: reads, normalizes, validates and matches it, and freezes the changeset. Changes nothing.

        Args:
            file: the file.
            profile: name of the profile.
            user: login of who uploads; unset: the operating system's.
            force: whether to plan a file that was applied before and would make its leads or notes again.
            progress: called with the stage and the share done.
            options: of the upload, as the command line names them, with underscores.

        Raises:
            Refusal: there is no such file. Everything else is the upload's state.
        """
        upload = self.receive(file, profile, user=user, force=force, **options)
        try:
            for number, step in enumerate((self.read, self.normalize, self.validate, self.match), 1):
                if progress:
                    progress(STAGES[number], (number - 1) / 4)
                upload = step(upload.upload_id)
        except KeyboardInterrupt:
            try:
                self._give_up(upload.upload_id, user)
            except KeyboardInterrupt:  # one Ctrl-C can be raised twice, by Polars and then by Python
                self._give_up(upload.upload_id, user)
            raise
        except Exception as error:
            with suppress(StoreBusy):  # the first error is the one to tell
                reason = _reason("failed", f"{type(error).__name__} while staging.", "Try again.")
                self._end(upload.upload_id, "failed", reason)
            raise
        if progress:
            progress(STAGES[-1], 1)
        return upload

    def receive(
        self,
        file: str | Path,
        profile: str,
        *,
        user: str | None = None,
        force: bool = False,
        move: bool = False,
        problem: Refusal | None = None,
        **options: Any,
    ) -> Upload:
        """Takes a file in: keeps the original and gives it a ledger line, refused or repeated ones included.

        Args:
            file: the file.
            profile: name of the profile.
            user: login of who uploads; unset: the operating system's.
            force: whether to plan a file that was applied before and would make its leads or notes again.
            move: whether the file is moved out of the inbox; a refused one then goes to the folder `refused` there.
            problem: what is wrong already with what came beside the file, for which it is refused.
            options: of the upload.

        Raises:
            Refusal: there is no such file (code `file-missing`).
        """
        path = Path(file)
        if not path.is_file():
            raise Refusal("file-missing", f"There is no file {path}.", "Check the path.", file=path.name)
        user = user or getpass.getuser()
        line: dict[str, Any] = {
            "upload_id": _new_id(),
            "profile": profile,
            "file_name": path.name,
            "file_size": path.stat().st_size,
            "sha256": sha256_of(path),
            "state": "received",
            "stage": "received",
            "added_at": now(),
            "user_login": user,
            "inbox": move,
        }
        try:
            if problem:
                raise problem
            resolved, chosen = choose(load_profile(profile, self.settings.profiles_path), options)
            line |= {
                "address_book": resolved.address_book,
                "resolved_profile": resolved.model_dump(mode="json"),
                "options": chosen.model_dump(mode="json"),
                "group_name": chosen.group,
                "held": resolved.finalize,
                "repeat_key": self._repeat_key(line["sha256"], resolved, chosen),
            }
            self.store.check_roles(resolved, user)
            line["repeats"] = self._repeats(line, resolved, force=force)
        except Refusal as refusal:
            line |= {"state": "refused", "reason": _named(refusal, path.name), "finished_at": now()}
        if line.get("repeats"):
            line |= {"state": "repeated", "finished_at": now()}
        try:
            with self.store.change() as contacts:
                add_line(contacts, **line)
            if line["state"] == "refused":
                self.originals.give_back(self.store.line(line["upload_id"]), path)
            else:
                self.originals.keep(line["upload_id"], path, move=move)
            return self.show(line["upload_id"])
        except KeyboardInterrupt:
            try:
                self._give_up(line["upload_id"], user)
            except KeyboardInterrupt:  # one Ctrl-C can be raised twice, by Polars and then by Python
                self._give_up(line["upload_id"], user)
            raise

    def read(self, upload_id: str) -> Upload:
        """Stage 1: the file's rows as text, and its headings mapped to fields."""
        return self._advance(upload_id, "read", self._read)

    def normalize(self, upload_id: str) -> Upload:
        """Stage 2: normalized rows, slice by slice."""
        return self._advance(upload_id, "normalized", self._normalize)

    def validate(self, upload_id: str) -> Upload:
        """Stage 3: every defect of every row."""
        return self._advance(upload_id, "validated", self._validate)

    def match(self, upload_id: str) -> Upload:
        """Stage 4: the frozen changeset; the upload is then staged, or blocked."""
        return self._advance(upload_id, "matched", self._match)

    def plan_again(self, upload_id: str) -> Upload:
        """Matches a stale upload anew against the contacts as they are now; the changeset gets a new hash."""
        self._change(upload_id, {"stale"}, state="received", stage="validated", reason=None)
        return self.match(upload_id)

    def apply(
        self,
        upload_id: str,
        *,
        user: str | None = None,
        changeset: str | None = None,
        confirm_deactivations: bool = False,
    ) -> Upload:
        """Stage 5: applies the frozen changeset in one commit, or makes the upload stale; twice changes nothing.

        Args:
            upload_id: the upload.
            user: login of who approves; unset: the operating system's.
            changeset: hash that is approved; anything else is refused.
            confirm_deactivations: whether a guard that holds back deactivations is overruled.

        Raises:
            Refusal: the upload is not in a state to be applied, the changeset is another one, or the role is missing.
        """
        line = self.store.line(upload_id)
        if line.state in APPLIED or line.state == "stale":
            return self.show(upload_id)
        if line.state == "blocked" and not (confirm_deactivations and _confirmable(line)):
            return self.show(upload_id)
        if line.state not in {"staged", "blocked"}:
            raise _wrong_state(line, "applied", "Only a staged upload can be applied.")
        if changeset is not None and changeset != line.changeset_sha256:
            raise Refusal(
                "changeset-differs",
                f"The changeset of upload {upload_id} is {line.changeset_sha256}, not {changeset}.",
                "Look at it again with `contact-pipeline show`, and approve the one that is there.",
                file=line.file_name,
            )
        actor = user or getpass.getuser()
        self._check_roles(line, actor)
        self._commit(line, actor)
        return self.show(upload_id)

    def apply_automatic(self, upload_id: str) -> Upload:
        """Applies a staged upload whose profile applies automatically; if it is stale, plans again, once."""
        upload = self.show(upload_id)
        if upload.apply_mode != "automatic" or upload.state not in {"staged", "stale"}:
            return upload
        if upload.state == "staged":
            upload = self.apply(upload_id, user=upload.user)
        if upload.state == "stale" and self.plan_again(upload_id).state == "staged":
            upload = self.apply(upload_id, user=upload.user)
        return self.show(upload_id)

    def plan_contact(
        self, profile: str, values: Mapping[str, str], *, user: str | None = None, **options: Any
    ) -> Upload:
        """Stages a single contact typed in by hand: an upload of one row, through the very same stages.

        Args:
            profile: name of the profile.
            values: field → value, as it would stand in a file.
            user: login of who enters it; unset: the operating system's.
            options: of the upload.

        Raises:
            Refusal: there is no such profile (`profile-unknown`), or it has no such field (`field-unknown`).
        """
        known = load_profile(profile, self.settings.profiles_path)
        for field in values:
            if field not in known.column_of:
                raise Refusal(
                    "field-unknown",
                    f"Profile {profile} has no field '{field}'.",
                    f"Its fields: {listed(known.column_of, limit=30)}.",
                )
        with tempfile.TemporaryDirectory() as folder:
            name = f"{profile}_by_hand.{known.file.types[0]}"
            return self.plan(write_template(known, Path(folder) / name, values=values), profile, user=user, **options)

    def set_active(self, contact_id: int, *, active: bool, user: str | None = None) -> Upload:
        """Deactivates or reactivates a single contact: a changeset of its own, which can be undone.

        Raises:
            Refusal: there is no such contact (`contact-unknown`), or it is so already (`nothing-to-do`).
        """
        contact, actor = self.store.contact(contact_id), user or getpass.getuser()
        action = "reactivate" if active else "deactivate"
        if contact["active"] == active:
            raise Refusal("nothing-to-do", f"Contact {contact_id} is {'' if active else 'in'}active already.", "")
        upload_id = _new_id()
        staging = self.store.staging(upload_id)
        staging.make()
        with staging.open() as database:
            stage_activation(database, contact_id, contact["revision"], active=active)
            staging.keep_facts(database, {"fields": {}})
            sha256 = hash_changeset(database)
        line = {
            "upload_id": upload_id,
            "profile": "by_hand",
            "address_book": contact["address_book"],
            "file_name": f"{action} contact {contact_id}",
            "file_size": 0,
            "sha256": hashlib.sha256(b"").hexdigest(),
            "state": "staged",
            "stage": "matched",
            "added_at": now(),
            "user_login": actor,
            "deactivated": 0 if active else 1,
            "changeset_sha256": sha256,
        }
        with self.store.change() as contacts:
            snapshot = contacts.value("SELECT coalesce(max(commit_number), 0) FROM commits")
            add_line(contacts, **line, snapshot=snapshot)
        self._commit(self.store.line(upload_id), actor)
        return self.show(upload_id)

    def resolve(self, upload_id: str, row_number: int, to: int | str, *, user: str | None = None) -> Upload:
        """Decides a row in review; before it is applied the changeset is frozen anew, after that one more is applied.

        Args:
            upload_id: the upload.
            row_number: the row.
            to: id of the contact that the row is, `new`, or `skip`.
            user: login of who decides; unset: the operating system's.

        Raises:
            Refusal: the row is not in review (`not-in-review`), there is no such contact (`contact-unknown`), or the
                upload is in a state in which nothing is decided (`wrong-state`).
        """
        line = self.store.line(upload_id)
        if line.state not in {"staged", "blocked", "stale", *APPLIED}:
            raise _wrong_state(line, "reviewed", "Only a staged or applied upload has rows to decide.")
        actor = user or getpass.getuser()
        self._check_roles(line, actor)
        undecided = self.store.decide(self.show(upload_id), row_number, to, actor)
        if line.state not in APPLIED:
            if not self._change(upload_id, _PLANNED, state="received", stage="validated", reason=None):
                raise _wrong_state(self.store.line(upload_id), "reviewed", "Somebody has changed it at this moment.")
            self.match(upload_id)
        elif undecided:
            self._apply_decided(line, row_number, actor)
        else:  # committed before, but cut off there
            staging = self.store.staging(upload_id)
            staging.keep_outcome(staging.for_row(row_number), row_number)
        self.store.remember_new(self.show(upload_id), row_number)
        return self.show(upload_id)

    def finalize(self, upload_id: str, *, user: str | None = None) -> Upload:
        """Makes an applied, held upload visible in the published contacts; twice changes nothing.

        Raises:
            Refusal: the upload is not held (code `not-held`) or not applied (`wrong-state`).
        """
        line = self.store.line(upload_id)
        if line.state == "finalized":
            return self.show(upload_id)
        if line.state != "applied":
            raise _wrong_state(line, "finalized", "Only an applied upload can be finalized.")
        if not line.held:
            raise Refusal(
                "not-held",
                f"Upload {upload_id} is not held back: its contacts are published already.",
                f"Nothing needs to be done; profile {line.profile} does not ask for it.",
                file=line.file_name,
            )
        actor = user or getpass.getuser()
        self._check_roles(line, actor)
        if not self._change(upload_id, {"applied"}, state="finalized", finalized_at=now(), finalized_by=actor):
            raise _wrong_state(self.store.line(upload_id), "finalized", "Only an applied upload can be finalized.")
        return self.show(upload_id)

    def plan_undo(self, upload_id: str) -> Upload:
        """Plans the inverse of what an upload committed, or of its undoing; `.inverse` shows it. Changes nothing.

        Raises:
            Refusal: nothing of the upload is committed (code `wrong-state`).
        """
        line = self.store.line(upload_id)
        if line.state not in APPLIED and line.state != "undone":
            raise _wrong_state(line, "undone", "Only an applied upload can be undone.")
        with self.store.open(read_only=True) as contacts:
            commits = commits_to_undo(contacts, upload_id)
        staging = self.store.staging(upload_id).for_undo()
        staging.make()
        with staging.open() as database:
            with database.attached(self.settings.contacts_path, "book", wait_seconds=self.settings.lock_wait_seconds):
                snapshot: int = database.value("SELECT max(commit_number) FROM book.commits")
                plan_inverse(database, upload_id, commits)
            facts = {"commits": commits, "snapshot": snapshot, "sha256": hash_changeset(database), "fields": {}}
            staging.keep_facts(database, facts)
        return self.show(upload_id)

    def undo(self, upload_id: str, *, user: str | None = None) -> Upload:
        """Takes back what an upload committed, in one commit; done again, it takes back the undoing.

        What has changed since is a conflict: it is listed in `.inverse.conflicts` and left alone.

        Raises:
            Refusal: nothing of the upload is committed (code `wrong-state`), or the role is missing.
        """
        actor = user or getpass.getuser()
        line = self.store.line(upload_id)
        self._check_roles(line, actor)
        planned = self.plan_undo(upload_id).line
        while (planned.state == "undone") == (line.state == "undone") and not self._commit_undo(planned, actor):
            planned = self.plan_undo(upload_id).line  # something was committed in between
        return self.show(upload_id)

    def cancel(self, upload_id: str, *, user: str | None = None) -> Upload:
        """Ends an upload that is not applied; nothing of it stays but its ledger line.

        Raises:
            Refusal: the upload is applied or has ended otherwise (code `wrong-state`).
        """
        line = self.store.line(upload_id)
        if line.state != "cancelled":
            said = f"Cancelled by {user or getpass.getuser()}."
            reason = _reason("cancelled", said, "Drop the file again to import it.")
            if not self._end(upload_id, "cancelled", reason, expected={"received", *_PLANNED}):
                line = self.store.line(upload_id)
                raise _wrong_state(line, "cancelled", "Only an upload that is not applied can be cancelled.")
        self._forget(upload_id)
        return self.show(upload_id)

    def show(self, upload_id: str) -> Upload:
        """The upload.

        Raises:
            Refusal: there is no such upload (code `upload-unknown`).
        """
        return Upload(self.store.line(upload_id), self.store.staging(upload_id))

    def uploads(self) -> list[Upload]:
        """Every upload, newest first."""
        return [Upload(line, self.store.staging(line.upload_id)) for line in self.store.lines()]

    def repairs(self, upload_id: str) -> pl.DataFrame:
        """Every repair of an upload (contracts.REPAIRS); sensitive values are not masked."""
        line, staging = self.store.line(upload_id), self.store.staging(upload_id)
        profile, _ = _resolved(line)
        facts, reference = staging.facts(), self._reference(staging)
        headings = dict(zip(facts["columns"], facts["headings"], strict=True))
        profile = with_formats(profile, facts.get("formats", {}))
        parts = [
            repairs_of(raw, clean, facts["fields"], profile, reference, headings)
            for raw, clean in staging.pairs(self.settings.slice_rows)
        ]
        return pl.concat(parts) if parts else pl.DataFrame()

    def _advance(self, upload_id: str, stage: str, work: Callable[[LedgerLine], dict[str, Any]]) -> Upload:
        """Does one stage of an upload that is being staged; one that is past it, or has ended, is left as it is.

        Somebody may cancel it meanwhile: then what the stage made is deleted, and whatever it met on the way is moot.
        """
        line = self.store.line(upload_id)
        if line.state != "received" or STAGES.index(line.stage) >= STAGES.index(stage):
            return self.show(upload_id)
        if STAGES.index(line.stage) + 1 < STAGES.index(stage):
            raise _wrong_state(line, stage, f"The stage before it is missing: it has only been {line.stage}.")
        try:
            kept = self._change(upload_id, {"received"}, **({"stage": stage} | work(line)))
        except Refusal as refusal:
            kept = self._end(upload_id, "refused", _named(refusal, line.file_name))
            if kept:
                self.originals.give_back(self.store.line(upload_id), self.originals.path(upload_id))
                self._forget(upload_id)
        except Exception:
            kept = self.store.line(upload_id).state != "cancelled"
            if kept:
                raise
        if not kept and self.store.line(upload_id).state == "cancelled":
            self._forget(upload_id)
        return self.show(upload_id)

    def _read(self, line: LedgerLine) -> dict[str, Any]:
        profile, options = _resolved(line)
        staging = self.store.staging(line.upload_id)
        staging.make()
        staging.clear("raw")
        raw = read_upload(
            self.originals.path(line.upload_id),
            line.file_name,
            profile.file,
            ReadOptions(delimiter=options.delimiter, encoding=options.encoding, sheet=options.sheet),
            staging.folder,
            self.settings,
            mask=bool(profile.sensitive_fields),
            known=expected_headings(profile),
        )
        chosen = options.map or self.store.saved_mapping(profile.name, raw.headings)
        holds = what_columns_hold(first_rows(staging.folder).select(raw.columns))
        mapping = map_headings(raw.headings, raw.columns, profile, chosen, file=line.file_name, holds=holds)
        if options.save_mapping:
            self.store.save_mapping(profile.name, raw.headings, mapping.fields, raw.columns)
        with staging.open() as database:
            staging.see_rows(database, "raw_rows")
            database.store("unreadable_rows", raw.rejections)
            staging.keep_facts(database, {"headings": raw.headings, "columns": raw.columns, "fields": mapping.fields})
        heading = dict(zip(raw.columns, raw.headings, strict=True))
        return {
            "file_type": raw.file_type,
            "encoding": raw.encoding,
            "delimiter": raw.delimiter,
            "sheet": raw.sheet,
            "data_rows": raw.data_rows,
            "mapping": {heading[column]: field for column, field in mapping.fields.items()},
            "ignored": [without_numbers(heading) for heading in mapping.ignored],
            "warnings": [*raw.warnings, *mapping.warnings],
        }

    def _normalize(self, line: LedgerLine) -> dict[str, Any]:
        profile, _ = _resolved(line)
        staging = self.store.staging(line.upload_id)
        staging.clear("normalized")
        facts, reference = staging.facts(), self.store.reference()
        headings = dict(zip(facts["columns"], facts["headings"], strict=True))
        formats = fitting_formats(staging.slices("raw", self.settings.slice_rows), facts["fields"], profile)
        profile = with_formats(profile, formats)
        blanks, repairs = [empty(BLANK_ROWS)], 0
        for number, raw in enumerate(staging.slices("raw", self.settings.slice_rows)):
            clean, blank = normalize(raw, facts["fields"], profile, reference, headings=headings)
            staging.write("normalized", number, clean)
            blanks.append(blank)
            repairs += int(clean["repaired"].bitwise_count_ones().sum() or 0)
        blank_rows = pl.concat(blanks)
        with staging.open() as database:
            staging.see_rows(database, "normalized_rows")
            database.store("blank_rows", blank_rows)
            columns = [name for (name,) in database.rows("SELECT column_name FROM (DESCRIBE normalized_rows)")]
            staging.keep_facts(
                database,
                {
                    **facts,
                    "columns_normalized": [name for name in columns if name not in {"row_number", "repaired"}],
                    "formats": formats,
                    "logins": sorted(reference.logins),
                    "vocabularies": {name: list(values) for name, values in reference.vocabularies.items()},
                },
            )
        return {"processed": line.data_rows - blank_rows.height, "repairs": repairs}

    def _validate(self, line: LedgerLine) -> dict[str, Any]:
        profile, _ = _resolved(line)
        staging = self.store.staging(line.upload_id)
        reference, headings = self._reference(staging), _headings(staging.facts(), profile)
        profile = with_formats(profile, staging.facts().get("formats", {}))
        found = [
            validate(clean, profile, reference, headings)
            for clean in staging.slices("normalized", self.settings.slice_rows)
        ]
        rejections = pl.concat([empty(REJECTIONS), *found])
        with staging.open() as database:
            database.store("rejections", rejections)
            database.run("INSERT INTO rejections BY NAME FROM unreadable_rows")
            database.store("noted_cells", noted_cells(rejections))
            reject_repeats(database, profile, headings)
            errors: int = database.value("SELECT count(*) FROM rejections WHERE severity <> 'warning'")
        return {"error_count": errors}

    def _match(self, line: LedgerLine) -> dict[str, Any]:
        profile, options = _resolved(line)
        staging = self.store.staging(line.upload_id)
        facts = staging.facts()
        with staging.open() as database:
            changeset = match(
                database,
                self.store,
                profile,
                options,
                upload_id=line.upload_id,
                columns=facts["columns_normalized"],
                headings=_headings(facts, profile),
            )
            held = held_because(database, line.file_name)
        reason = held or blocked_because(line.file_name, line.data_rows, profile, options, changeset)
        return {
            **changeset.outcomes,
            "state": "blocked" if reason else "staged",
            "reason": reason,
            "changeset_sha256": changeset.sha256,
            "snapshot": changeset.snapshot,
            "duplicates_of_existing": changeset.duplicates_of_existing,
            "duplicates_within_file": changeset.duplicates_within_file,
            "deactivated": changeset.deactivated,
            "contacts_created": changeset.contacts_created,
            "error_count": changeset.error_count,
        }

    def _apply_decided(self, line: LedgerLine, row_number: int, actor: str) -> None:
        """Makes one more changeset of an applied upload, of the row that was decided since, and commits it."""
        profile, options = _resolved(line)
        staging = self.store.staging(line.upload_id)
        facts, part = staging.facts(), staging.for_row(row_number)
        part.take_row(staging, row_number)
        with part.open() as database:
            found = match(
                database,
                self.store,
                profile,
                options.model_copy(update={"deactivate_missing": False}),
                upload_id=line.upload_id,
                columns=facts["columns_normalized"],
                headings=_headings(facts, profile),
            )
        outcome = next(name for name, count in found.outcomes.items() if count)
        if outcome == "review":
            return
        at = now()
        with (
            self.store.open() as contacts,
            contacts.attached(part.path, "staged", wait_seconds=self.settings.lock_wait_seconds),
            contacts.transaction(),
        ):
            current = find_lines(contacts, "upload_id = ?", [line.upload_id])[0]
            if current.state not in APPLIED:
                raise _wrong_state(current, "reviewed", "Somebody has changed it at this moment.")
            if contacts.value("SELECT max(commit_number) FROM commits") != found.snapshot:
                raise StoreBusy("Something was committed at the same moment. Decide the row again.")
            write_changeset(
                contacts,
                upload_id=line.upload_id,
                address_book=profile.address_book,
                sha256=found.sha256,
                actor=actor,
                at=at,
            )
            counts = {
                "review": current.review - 1,
                outcome: getattr(current, outcome) + 1,
                "error_count": current.error_count + found.skipped,
            }
            change_line(contacts, line.upload_id, **counts)
            mark_decision_applied(contacts, line.upload_id, row_number)
        staging.keep_outcome(part, row_number)

    def _commit(self, line: LedgerLine, actor: str) -> None:
        """The one commit: tests that the plan still holds, writes it, and says so in the ledger; or makes it stale."""
        staging, at = self.store.staging(line.upload_id), now()
        if not staging.exists():  # cancelled at this moment; the ledger says so
            return
        with (
            self.store.open() as contacts,
            contacts.attached(staging.path, "staged", wait_seconds=self.settings.lock_wait_seconds),
            contacts.transaction(),
        ):
            current = find_lines(contacts, "upload_id = ?", [line.upload_id])[0]
            if current.state != line.state or current.changeset_sha256 != line.changeset_sha256:
                return
            stale = self._stale_rows(contacts, line)
            if stale:
                change_line(contacts, line.upload_id, state="stale", reason=_stale(line, stale))
                return
            commit = write_changeset(
                contacts,
                upload_id=line.upload_id,
                address_book=line.address_book or "",
                sha256=line.changeset_sha256,
                actor=actor,
                at=at,
            )
            change_line(
                contacts,
                line.upload_id,
                state="applied",
                reason=None,
                approved_by=actor,
                finished_at=at,
                commit_number=commit,
            )

    def _commit_undo(self, line: LedgerLine, actor: str) -> bool:
        """Commits the planned inverse; False when something was committed since it was planned."""
        staging, at = self.store.staging(line.upload_id).for_undo(), now()
        facts = staging.facts()
        with (
            self.store.open() as contacts,
            contacts.attached(staging.path, "staged", wait_seconds=self.settings.lock_wait_seconds),
            contacts.transaction(),
        ):
            current = find_lines(contacts, "upload_id = ?", [line.upload_id])[0]
            newest = contacts.value("SELECT max(commit_number) FROM commits")
            if current.state != line.state or newest != facts["snapshot"]:
                return False
            commit = write_changeset(
                contacts,
                upload_id=line.upload_id,
                address_book=line.address_book or "",
                sha256=facts["sha256"],
                actor=actor,
                at=at,
                action="redo" if line.state == "undone" else "undo",
            )
            mark_undone(contacts, facts["commits"], by=commit)
            again: State = "finalized" if line.finalized_at else "applied"
            change_line(contacts, line.upload_id, state=again if line.state == "undone" else "undone")
        return True

    def _stale_rows(self, contacts: Database, line: LedgerLine) -> list[int | None]:
        snapshot, address_book = line.snapshot or 0, line.address_book or ""
        moved = moved_rows(contacts)
        if moved or line.resolved_profile is None or not changed_since(contacts, address_book, snapshot):
            return moved
        profile, options = _resolved(line)
        facts = self.store.staging(line.upload_id).facts()
        parts = parts_of(profile, options, facts["columns_normalized"], _headings(facts, profile))
        return [row for part in parts for row in differing_rows(contacts, part, address_book, snapshot)]

    def _repeat_key(self, sha256: str, profile: Profile, options: UploadOptions) -> str:
        """Names what makes two uploads the same: bytes, resolved profile, reference data used, and options."""
        reference = self.store.reference()
        used = {column.vocabulary for column in profile.columns if column.vocabulary}
        logins = sorted(reference.logins) if any(column.type == "login" for column in profile.columns) else []
        content = [
            sha256,
            profile.model_dump(mode="json"),
            options.model_dump(mode="json", exclude={"save_mapping", "allow_deactivations"}),
            {name: reference.vocabularies.get(name, ()) for name in sorted(used)},
            logins,
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def _repeats(self, line: dict[str, Any], profile: Profile, *, force: bool) -> str | None:
        """The upload that this one repeats, or None.

        Raises:
            Refusal: the same bytes were applied before, and applying them again would make leads or notes again.
        """
        if force:
            return None
        with self.store.open(read_only=True) as contacts:
            same = find_lines(contacts, "repeat_key = ? AND state IN ('applied', 'finalized')", [line["repeat_key"]])
            newest = contacts.value(
                "SELECT max(commit_number) FROM commits WHERE address_book = ?", [profile.address_book]
            )
            earlier = find_lines(
                contacts,
                "sha256 = ? AND profile = ? AND state IN ('applied', 'finalized')",
                [line["sha256"], profile.name],
            )
        if same and same[0].commit_number == newest:
            return same[0].upload_id
        if earlier and (profile.on_error == "note" or profile.matched == "create"):
            raise Refusal(
                "applied-before",
                f"The same file was applied before, as upload {earlier[0].upload_id}.",
                "Applying it again would make its leads or notes again; give --force if that is meant.",
            )
        return None

    def _reference(self, staging: Staging) -> Reference:
        facts = staging.facts()
        return Reference(
            logins=frozenset(facts["logins"]),
            vocabularies={name: tuple(values) for name, values in facts["vocabularies"].items()},
        )

    def _check_roles(self, line: LedgerLine, actor: str) -> None:
        if line.resolved_profile is not None:  # a single contact handled by hand has none
            self.store.check_roles(_resolved(line)[0], actor)

    def _change(self, upload_id: str, expected: Collection[State], **values: Any) -> bool:
        """Changes an upload's line if it is in one of these states; whether it was."""
        with self.store.change() as contacts:
            return change_line(contacts, upload_id, expected=expected, **values)

    def _give_up(self, upload_id: str, user: str | None) -> None:
        """Cancels an upload that somebody interrupted, if it has not ended otherwise."""
        with suppress(Refusal):
            self.cancel(upload_id, user=user)

    def _forget(self, upload_id: str) -> None:
        """Deletes all that an upload left behind, but its ledger line."""
        self.store.staging(upload_id).remove()
        self.originals.remove(upload_id)

    def _end(
        self, upload_id: str, state: State, reason: dict[str, Any], expected: Collection[State] = _RECEIVED
    ) -> bool:
        return self._change(upload_id, expected, state=state, reason=reason, finished_at=now())


def _new_id() -> str:
    """An id that sorts by time and never meets another."""
    return f"{now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def _resolved(line: LedgerLine) -> tuple[Profile, UploadOptions]:
    if line.resolved_profile is None:
        raise _wrong_state(line, "staged", "It was made by hand, or refused before there was a profile for it.")
    return Profile.model_validate(line.resolved_profile), UploadOptions.model_validate(line.options)


def _headings(facts: dict[str, Any], profile: Profile) -> dict[str, str]:
    """Field → heading in the file; a field that was put together has its column's own."""
    heading = dict(zip(facts["columns"], facts["headings"], strict=True))
    given = {field: heading[column] for column, field in facts["fields"].items()}
    return {column.field: column.heading for column in profile.columns} | given


def _reason(code: str, message: str, fix: str, **details: Any) -> dict[str, Any]:
    return {"code": code, "message": message, "fix": fix, **details}


def _named(refusal: Refusal, file_name: str) -> dict[str, Any]:
    told = refusal.as_dict() | {"file": refusal.file or file_name}
    if refusal.code in {"headings", "mapping"}:
        told |= {"message": without_numbers(refusal.message), "fix": without_numbers(refusal.fix)}
    return told


def _wrong_state(line: LedgerLine, wanted: str, fix: str) -> Refusal:
    return Refusal(
        "wrong-state", f"Upload {line.upload_id} is {line.state}; it cannot be {wanted}.", fix, file=line.file_name
    )


def _confirmable(line: LedgerLine) -> bool:
    return (line.reason or {}).get("code") == DEACTIVATION_GUARD


def _stale(line: LedgerLine, rows: list[int | None]) -> dict[str, Any]:
    named = [row for row in rows if row is not None]
    where = f" Rows: {listed(named)}." if named else ""
    return _reason(
        "stale",
        f"Contacts have changed since {line.file_name} was planned.{where}",
        "Plan it again, and approve the new changeset.",
        rows=named,
    )
