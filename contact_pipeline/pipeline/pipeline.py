"""The five stages in order: receive, read, normalize, validate, match, and then apply. READ AFTER contracts/.

A data problem is a state in the ledger, never an exception: a step gives back the upload as refused, blocked or stale.

What only some calls need is imported by them: reading, phone numbers and Pandera take a second to load, and most calls
only look at the ledger.
"""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from contact_pipeline.contracts.states import APPLIED, CALLS, PLANNED, RECEIVED, State
from contact_pipeline.errors import ContactPipelineError, MachineFault, Refusal, StoreBusy, faults_masked, listed
from contact_pipeline.machine import fault_of
from contact_pipeline.masking import mask_file_name
from contact_pipeline.pipeline.repeats import repeat_key, repeated_upload
from contact_pipeline.pipeline.states import (
    MADE_BY_HAND,
    STAGES,
    clears_consent,
    must_allow,
    not_allowed,
    reason,
    refused,
    resolved,
    where_it_stands,
    wrong_state,
)
from contact_pipeline.profiles import BrokenProfile, Profile, find_profiles, load_profile
from contact_pipeline.profiles.options import choose
from contact_pipeline.profiles.sensitive import looks_of_sender
from contact_pipeline.settings import Settings
from contact_pipeline.store import LedgerLine, Store, Upload
from contact_pipeline.store.arrival import Arrival
from contact_pipeline.store.groups import known_group
from contact_pipeline.store.ledger import add_line, change_line, now
from contact_pipeline.store.originals import Originals, told
from contact_pipeline.store.store import check_roles, read_reference
from contact_pipeline.temporary import temporary_folder

if TYPE_CHECKING:
    import polars as pl
    from pandera.polars import DataFrameSchema

    from contact_pipeline.apply import Turn
    from contact_pipeline.backup import BackedUp, Restored
    from contact_pipeline.erase import Erased
    from contact_pipeline.match import Guarded
    from contact_pipeline.pipeline.by_hand import Membership
    from contact_pipeline.store.arrival import Seen
    from contact_pipeline.verify import Verified

Progress = Callable[[str, float], None]


class Pipeline:
    """The import engine of one home folder."""

    def __init__(self, home: str | Path | None = None, settings: Settings | None = None) -> None:
        given = settings.model_dump() if settings else {}
        self.settings = Settings(**given if home is None else given | {"home": Path(home)})
        self.store = Store(self.settings)
        self.originals = Originals(self.settings)
        self._tidied = False

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
                upload = step(upload)
        except KeyboardInterrupt as interrupt:
            try:
                self._give_up(upload.upload_id, user)
            except KeyboardInterrupt:  # one Ctrl-C can be raised twice, by Polars and then by Python
                self._give_up(upload.upload_id, user)
            interrupt.add_note(self._where(upload.upload_id))
            raise
        except StoreBusy as busy:
            again = f"`contact-pipeline replan {upload.upload_id}` goes on with the upload."
            raise StoreBusy(f"{busy} {again}") from busy
        except Exception as error:
            if fault := fault_of(error):
                fault.add_note(self._where(upload.upload_id))
                raise fault from error
            with suppress(StoreBusy):  # the first error is the one to tell
                said = f"{type(error).__name__} while staging."
                self._end(upload.upload_id, "failed", reason("failed", said, "Try again."))
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
        seen: Seen | None = None,
        problem: Refusal | None = None,
        **options: Any,
    ) -> Upload:
        """Takes a file in: keeps a copy and gives it a ledger line, refused or repeated ones included.

        The ledger's SHA-256 is that of the copy. A file of the inbox is removed once it has its line, and only if
        it has not changed since it was copied.

        Args:
            file: the file.
            profile: name of the profile.
            user: login of who uploads; unset: the operating system's.
            force: whether to plan a file that was applied before and would make its leads or notes again.
            move: whether the file is moved out of the inbox; a refused one then goes to the folder `refused` there.
            seen: how it and its options file looked in the inbox; they are taken only if they look the same still.
            problem: what is wrong already with what came beside the file, for which it is refused.
            options: of the upload.

        Raises:
            Refusal: there is no such file (code `file-missing`), or it is being written (`file-changing`).
        """
        from contact_pipeline.pipeline import receiving

        path = Path(file)
        if not path.is_file():
            raise Refusal("file-missing", f"There is no file {path}.", "Check the path.", file=path.name)
        if not (move or self._tidied):  # the sensor does it before it looks for files
            self.tidy()
        user = user or getpass.getuser()
        line: dict[str, Any] = {
            "upload_id": _new_id(),
            "profile": profile,
            "file_name": mask_file_name(told(path.name)),
            "state": "received",
            "stage": "received",
            "added_at": now(),
            "user_login": user,
            "inbox": move,
        }
        try:
            with Arrival(self.settings, line["upload_id"]) as arrival:
                with arrival.discarded_on_error():
                    refusal = receiving.fetch(arrival, path, line, self.settings, move=move, seen=seen) or problem
                    added = self._admit(line, options, problem=refusal, force=force)
                if not arrival.complete(added, path):
                    added = self._cancel_changed(added)
        except KeyboardInterrupt as interrupt:
            try:
                self._give_up(line["upload_id"], user)
            except KeyboardInterrupt:  # one Ctrl-C can be raised twice, by Polars and then by Python
                self._give_up(line["upload_id"], user)
            interrupt.add_note(self._where(line["upload_id"]))
            raise
        except Exception as error:
            if fault := fault_of(error):
                fault.add_note(self._where(line["upload_id"]))
                raise fault from error
            raise
        return self._upload(added)

    def read(self, upload: str | Upload) -> Upload:
        """Stage 1: the file's rows as text, and its headings mapped to fields."""
        from contact_pipeline.pipeline import stages

        return self._advance(upload, "read", stages.read)

    def normalize(self, upload: str | Upload) -> Upload:
        """Stage 2: normalized rows, slice by slice."""
        from contact_pipeline.pipeline import stages

        return self._advance(upload, "normalized", stages.normalize)

    def validate(self, upload: str | Upload) -> Upload:
        """Stage 3: every defect of every row."""
        from contact_pipeline.pipeline import stages

        return self._advance(upload, "validated", stages.validate)

    def match(self, upload: str | Upload) -> Upload:
        """Stage 4: the frozen changeset; the upload is then staged, or blocked."""
        from contact_pipeline.pipeline import stages

        return self._advance(upload, "matched", stages.match)

    def plan_again(self, upload_id: str) -> Upload:
        """Matches a stale upload anew against the contacts as they are now; the changeset gets a new hash.

        One whose staged files are not what was frozen is read again from its original.
        An upload whose staging was cut off, because a database was busy or the machine stopped, goes on from there.

        Raises:
            Refusal: a changeset made by hand has nothing to be planned again from (code `wrong-state`).
        """
        line = self.store.line(upload_id)
        if line.state in PLANNED:
            if self._upload(line).is_by_hand:
                raise wrong_state(line, CALLS["replan"].wanted, MADE_BY_HAND)
            staged = not self.store.staging(upload_id).differences(line.staged_files)
            if line.state == "stale" or not staged:
                stage = "validated" if staged else "received"
                self._change(upload_id, {line.state}, state="received", stage=stage, reason=None)
        with self._telling(upload_id, done={"staged", "blocked"}):
            for step in (self.read, self.normalize, self.validate):
                step(upload_id)
            self.match(upload_id)
        return self.show(upload_id)

    def apply(
        self,
        upload_id: str,
        *,
        user: str | None = None,
        changeset: str | None = None,
        confirm_encoding: bool = False,
        confirm_deactivations: bool = False,
        confirm_rejected: bool = False,
        confirm_changed: bool = False,
        replan: bool = False,
        automatic: bool = False,
    ) -> Upload:
        """Stage 5: applies the frozen changeset in one commit, or makes the upload stale; twice changes nothing.

        Args:
            upload_id: the upload.
            user: login of who approves; unset: the operating system's.
            changeset: hash that is approved; anything else is refused.
            confirm_encoding: whether a doubtful encoding was found right.
            confirm_deactivations: whether the guard that holds back deactivations is overruled.
            confirm_rejected: whether the guard on the share of rows rejected is.
            confirm_changed: whether the guard on the share of contacts changed is.
            replan: whether an upload that turns out to be stale is planned again and, unless something blocks the new
                plan, applied; once.
            automatic: whether nobody approves it but the profile, for that user; ledger and history say so.

        Raises:
            Refusal: the upload is not in a state to be applied, the changeset is another one, or the role is missing.
        """
        from contact_pipeline.match import to_confirm
        from contact_pipeline.pipeline import committing

        line = self.store.line(upload_id)
        must_allow(line, "apply")
        if line.state in APPLIED:
            return self._done_before(upload_id, "applied")
        if line.state == "stale":
            return self.show(upload_id)
        confirmed: dict[Guarded, bool] = {
            "encoding": confirm_encoding,
            "deactivations": confirm_deactivations,
            "rejected": confirm_rejected,
            "changed": confirm_changed,
        }
        asked = to_confirm(line.reason)
        if line.state == "blocked" and not (asked and all(confirmed[guarded] for guarded in asked)):
            return self.show(upload_id)
        if changeset is not None and changeset != line.changeset_sha256:
            raise Refusal(
                "changeset-differs",
                f"The changeset of upload {upload_id} is {line.changeset_sha256}, not {changeset}.",
                "Look at it again with `contact-pipeline show`, and approve the one that is there.",
                file=line.file_name,
            )
        actor = user or getpass.getuser()
        self._check_roles(line, actor)
        approved_by = f"{actor}, automatic by profile" if automatic else actor
        with self._telling(upload_id, done=APPLIED):
            applied = committing.commit(self.store, line, approved_by)
            if replan and applied.state == "stale" and self.plan_again(upload_id).state == "staged":
                committing.commit(self.store, self.store.line(upload_id), approved_by)
        return self.show(upload_id)

    def apply_automatic(self, upload_id: str) -> Upload:
        """Applies a staged upload whose profile applies automatically; if it is stale, plans again, once."""
        upload = self.show(upload_id)
        if upload.apply_mode != "automatic" or upload.state not in {"staged", "stale"}:
            return upload
        if upload.state == "stale" and self.plan_again(upload_id).state != "staged":
            return self.show(upload_id)
        return self.apply(upload_id, user=upload.user, replan=True, automatic=True)

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
        from contact_pipeline.reports.template import write_template

        known = load_profile(profile, self.settings.profiles_path)
        for field in values:
            if field not in known.column_of:
                raise Refusal(
                    "field-unknown",
                    f"Profile {profile} has no field '{field}'.",
                    f"Its fields: {listed(known.column_of, limit=30)}.",
                )
        with TemporaryDirectory(dir=temporary_folder(self.settings.home)) as folder:
            name = f"{profile}_by_hand.{known.file.types[0]}"
            return self.plan(write_template(known, Path(folder) / name, values=values), profile, user=user, **options)

    def set_active(self, contact_id: int, *, active: bool, user: str | None = None) -> Upload:
        """Deactivates or reactivates a single contact: a changeset of its own, which can be undone.

        Raises:
            Refusal: there is no such contact (`contact-unknown`), it is so already (`nothing-to-do`), or it was erased
                (`erased`).
        """
        from contact_pipeline.pipeline import by_hand, committing

        actor = user or getpass.getuser()
        line = by_hand.plan_activation(self.store, _new_id(), contact_id, active=active, actor=actor)
        return self._upload(committing.commit(self.store, line, actor))

    def plan_group_add(self, group: str, contact_ids: Collection[int], *, user: str | None = None) -> Upload:
        """Stages that contacts join a group, as a changeset of its own; those that are in it already are left out.

        Args:
            group: its name, compared without case and spaces; a name that is new makes a new group.
            contact_ids: the contacts, all of one address book.
            user: login of who does it; unset: the operating system's.

        Raises:
            Refusal: some contacts are unknown (`contact-unknown`), erased (`erased`) or of different address books
                (`address-books`), the group has no name (`group-missing`), or all are in it already (`nothing-to-do`).
        """
        return self._plan_memberships(group, contact_ids, "add", user)

    def plan_group_remove(self, group: str, contact_ids: Collection[int], *, user: str | None = None) -> Upload:
        """Stages that contacts leave a group, as a changeset of its own; those that are not in it are left out.

        Args:
            group: its name, compared without case and spaces.
            contact_ids: the contacts, all of one address book.
            user: login of who does it; unset: the operating system's.

        Raises:
            Refusal: as for `plan_group_add`, or there is no such group (`group-unknown`).
        """
        return self._plan_memberships(group, contact_ids, "remove", user)

    def _plan_memberships(
        self, group: str, contact_ids: Collection[int], action: Membership, user: str | None
    ) -> Upload:
        from contact_pipeline.pipeline import by_hand

        actor = user or getpass.getuser()
        return self._upload(by_hand.plan_memberships(self.store, _new_id(), group, contact_ids, action, actor=actor))

    def erase(self, contact_id: int, *, user: str | None = None) -> Erased:
        """Takes a person's values out of every file of the home; the number of the contact stays, and fingerprints.

        Contacts linked to it are the same person and go with it. Cut off on the way, erasing again completes it.

        Args:
            contact_id: the contact; it may be gone from the contacts and be in the history alone.
            user: login of who erases; unset: the operating system's.

        Raises:
            Refusal: there never was such a contact (`contact-unknown`), it is erased already (`erased`), or an upload
                that holds the person is being staged at this moment (`being-staged`).
            StoreBusy: a database was in use by another program for longer than the settings allow.
        """
        from contact_pipeline.erase import erase

        profiles, _ = self.profiles()
        try:
            return erase(self.store, contact_id, profiles.values(), user or getpass.getuser())
        except (MachineFault, OSError, KeyboardInterrupt) as error:
            stopped = fault_of(error) or error
            stopped.add_note(f"Contact {contact_id} may be erased in part: erase it again, which completes it.")
            raise stopped from error

    def backup(self, file: str | Path, *, overwrite: bool = False, staged: bool = True) -> BackedUp:
        """Writes the whole home into one file, for its owner only; the home may be in use.

        Args:
            file: where to.
            overwrite: whether a file that is there is replaced.
            staged: whether the staged rows of finished uploads are in it too; those of others always are.

        Raises:
            Refusal: the home has no contact database (`home-empty`), or the file cannot be written there
                (`file-exists`, `folder-missing`, `not-a-file`).
            StoreBusy: the contact database was in use by another program for longer than the settings allow.
        """
        from contact_pipeline.backup import back_up

        return back_up(self.store, Path(file), overwrite=overwrite, staged=staged)

    def restore(
        self,
        file: str | Path,
        *,
        replace: bool = False,
        erasures: str | Path | None = None,
        user: str | None = None,
    ) -> Restored:
        """Makes the home of a backup. People who were erased after it was made are erased again before it is there.

        Args:
            file: the backup.
            replace: whether a home that is there is put aside.
            erasures: the `erasures.jsonl` of the home as it was last kept, where the home itself is lost.
            user: login of who restores; unset: the operating system's.

        Raises:
            Refusal: the file is no whole backup, or the home cannot take it (see `contact_pipeline.backup.restore`).
            StoreBusy: the contact database that is there was in use for longer than the settings allow.
        """
        from contact_pipeline.backup import restore

        since = None if erasures is None else Path(erasures)
        return restore(Path(file), self.settings, user or getpass.getuser(), replace=replace, erasures=since)

    def resolve(self, upload_id: str, row_number: int, to: int | str, *, user: str | None = None) -> Upload:
        """Decides a row in review; see `resolve_many`.

        Args:
            upload_id: the upload.
            row_number: the row.
            to: id of the contact that the row is, `new`, or `skip`.
            user: login of who decides; unset: the operating system's.
        """
        return self.resolve_many(upload_id, {row_number: to}, user=user)

    def resolve_many(self, upload_id: str, choices: Mapping[int, int | str], *, user: str | None = None) -> Upload:
        """Decides rows in review, all or none of them.

        Before the upload is applied its changeset is frozen anew, once; after that, one more changeset is applied.

        Args:
            upload_id: the upload.
            choices: row_number → id of the contact that the row is, `new`, or `skip`.
            user: login of who decides; unset: the operating system's.

        Raises:
            Refusal: a row is not in review (`not-in-review`), there is no such contact (`contact-unknown`), or the
                upload is in a state in which nothing is decided (`wrong-state`).
        """
        from contact_pipeline.store.decisions import applied_choices, record_decisions, remember_new

        line = self._to_review(upload_id, actor := user or getpass.getuser())
        with self._telling(upload_id, doing="resolve"):
            if line.state in APPLIED:
                done = applied_choices(self.store, self.show(upload_id), choices)
                choices = {row: to for row, to in choices.items() if row not in done}
            if choices:
                record_decisions(self.store, self.show(upload_id), choices, actor)
                self._decide_again(line, choices, actor)
            remember_new(self.store, self.show(upload_id))
        return self.show(upload_id)

    def resolve_from(self, upload_id: str, file: str | Path, *, user: str | None = None) -> Upload:
        """Decides the rows that a file decides in its columns row_number and to; see `resolve_many`.

        It may be text or a workbook, as any file of contacts.

        Raises:
            Refusal: as `resolve_many`, or the file cannot be taken (`decisions-file`), naming row and column.
        """
        from contact_pipeline.pipeline.deciding import read_decisions

        staging = self.store.staging(self.store.line(upload_id).upload_id)
        known = staging.facts().headings if staging.count("facts") else []
        return self.resolve_many(upload_id, read_decisions(Path(file), self.settings, known), user=user)

    def withdraw(self, upload_id: str, row_number: int, *, user: str | None = None) -> Upload:
        """Takes back what was decided about a row: later uploads do not follow it any more.

        Before the upload is applied the row is judged anew; what is applied stays, and is for `undo`.

        Raises:
            Refusal: nothing is decided about the row (`not-decided`).
        """
        from contact_pipeline.pipeline import committing
        from contact_pipeline.store.decisions import withdraw_decision

        actor = user or getpass.getuser()
        line = self.store.line(upload_id)
        self._check_roles(line, actor)
        if line.state in PLANNED:
            committing.check_frozen(self.store, line)
        withdraw_decision(self.store, self.show(upload_id), row_number)
        if line.state in PLANNED:
            self._decide_again(line, (), actor)
        return self.show(upload_id)

    def decisions(self) -> list[dict[str, Any]]:
        """Everything that was decided about rows in review, newest first."""
        from contact_pipeline.store.decisions import list_decisions

        return list_decisions(self.store)

    def _to_review(self, upload_id: str, actor: str) -> LedgerLine:
        """The line of an upload whose rows can be decided; what is staged for it is what was frozen."""
        from contact_pipeline.pipeline import committing

        line = self.store.line(upload_id)
        if line.state == "received" and line.stage == "validated":  # deciding was cut off
            line = self.match(upload_id).line
        must_allow(line, "resolve")
        self._check_roles(line, actor)
        committing.check_frozen(self.store, line)
        return line

    def _decide_again(self, line: LedgerLine, rows: Collection[int], actor: str) -> None:
        """Lets decisions count: in the changeset frozen anew, or in one more of these rows."""
        from contact_pipeline.pipeline import committing

        if line.state in APPLIED:
            committing.commit_decided(self.store, line, rows, actor)
            return
        if not self._change(line.upload_id, PLANNED, state="received", stage="validated", reason=None):
            raise wrong_state(self.store.line(line.upload_id), "reviewed", "Somebody has changed it at this moment.")
        self.match(line.upload_id)

    def finalize(self, upload_id: str, *, user: str | None = None) -> Upload:
        """Makes an applied, held upload visible in the published contacts; twice changes nothing.

        Raises:
            Refusal: the upload is not held (code `not-held`) or not applied (`wrong-state`).
        """
        line = self.store.line(upload_id)
        must_allow(line, "finalize")
        if line.state == "finalized":
            return self._done_before(upload_id, "finalized")
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
            raise not_allowed(self.store.line(upload_id), "finalize")
        return self.show(upload_id)

    def plan_undo(self, upload_id: str) -> Upload:
        """Plans taking an applied upload out of effect; `.inverse` shows it. Changes nothing.

        Raises:
            Refusal: the upload is not applied (code `wrong-state`).
        """
        return self._plan_turn(upload_id, "undo")

    def undo(self, upload_id: str, *, user: str | None = None, clear_do_not_contact: bool = False) -> Upload:
        """Takes an applied upload out of effect, in one commit; one that is undone already stays as it is.

        What a later upload holds is left alone and listed in `.inverse.conflicts`.

        Args:
            upload_id: the upload.
            user: login of who does it; unset: the operating system's.
            clear_do_not_contact: whether people whom the upload set to be left alone may be contacted again.

        Raises:
            Refusal: the upload is not applied (code `wrong-state`), the role is missing, or people could be contacted
                again (`clears-do-not-contact`).
        """
        return self._turn(upload_id, "undo", user, may_clear=clear_do_not_contact)

    def plan_redo(self, upload_id: str) -> Upload:
        """Plans bringing an undone upload back into effect; `.inverse` shows it. Changes nothing.

        Raises:
            Refusal: the upload is not undone (code `wrong-state`).
        """
        return self._plan_turn(upload_id, "redo")

    def redo(self, upload_id: str, *, user: str | None = None) -> Upload:
        """Brings an undone upload back into effect, in one commit; one that is in effect stays as it is.

        Raises:
            Refusal: the upload was never applied (code `wrong-state`), or the role is missing.
        """
        return self._turn(upload_id, "redo", user)

    def _plan_turn(self, upload_id: str, turn: Turn) -> Upload:
        from contact_pipeline.pipeline import committing

        line = self.store.line(upload_id)
        must_allow(line, turn)
        if (line.state == "undone") == (turn == "undo"):
            return self._done_before(upload_id, f"{turn}ne")
        planned = committing.plan_turn(self.store, upload_id, turn)
        upload = self.show(upload_id)
        if planned.contactable:
            upload.warnings = [*upload.warnings, clears_consent(line, planned.contactable).message]
        return upload

    def _turn(self, upload_id: str, turn: Turn, user: str | None, *, may_clear: bool = True) -> Upload:
        from contact_pipeline.pipeline import committing

        actor = user or getpass.getuser()
        line = self.store.line(upload_id)
        must_allow(line, turn)
        self._check_roles(line, actor)
        is_mine = False
        with self._telling(upload_id, done={"undone"} if turn == "undo" else APPLIED):
            while not is_mine and (line.state == "undone") == (turn == "redo"):
                is_mine = True  # also where the commit is made and then something fails
                planned = committing.plan_turn(self.store, upload_id, turn)
                if planned.contactable and not may_clear:
                    raise clears_consent(line, planned.contactable)
                is_mine = committing.commit_turn(self.store, line, turn, planned, actor)
                line = self.store.line(upload_id)  # something may have been committed in between
        return self.show(upload_id) if is_mine else self._done_before(upload_id, f"{turn}ne")

    def cancel(self, upload_id: str, *, user: str | None = None) -> Upload:
        """Ends an upload that is not applied; nothing of it stays but its ledger line.

        Raises:
            Refusal: the upload is applied or has ended otherwise (code `wrong-state`).
        """
        line = self.store.line(upload_id)
        if line.state != "cancelled":
            said = f"Cancelled by {user or getpass.getuser()}."
            fix = MADE_BY_HAND if self._upload(line).is_by_hand else "Drop the file again to import it."
            why = reason("cancelled", said, fix)
            if not self._end(upload_id, "cancelled", why, expected=RECEIVED | PLANNED):
                raise not_allowed(self.store.line(upload_id), "cancel")
        self._forget(upload_id)
        return self.show(upload_id)

    def verify(self) -> Verified:
        """Compares the whole home with what it should be: databases, staged files, originals, history and counts.

        Raises:
            StoreBusy: a database was in use by another program for longer than the settings allow.
        """
        from contact_pipeline.verify import verify

        return verify(self.store)

    def show(self, upload_id: str) -> Upload:
        """The upload.

        Raises:
            Refusal: there is no such upload (code `upload-unknown`).
        """
        return self._upload(self.store.line(upload_id))

    def uploads(self, limit: int | None = None) -> list[Upload]:
        """The uploads, newest first.

        Args:
            limit: how many; unset: all of them.
        """
        return [self._upload(line) for line in self.store.lines(limit)]

    def tidy(self) -> None:
        """Completes or deletes what ended processes left half received, and staged data that no upload has."""
        from contact_pipeline.pipeline import receiving

        self.tidy_arrivals()
        receiving.delete_orphaned_staging(self.store)
        self._tidied = True

    def tidy_arrivals(self) -> None:
        """Completes or deletes what ended processes left half received."""
        from contact_pipeline.pipeline import receiving

        receiving.recover_arrivals(self.store, self._cancel_changed)

    def repairs(self, upload_id: str) -> pl.DataFrame:
        """Every repair of an upload (contracts.REPAIRS); sensitive values are not masked.

        Raises:
            Refusal: there is no such upload (code `upload-unknown`), or nothing of it is staged (`nothing-staged`).
        """
        from contact_pipeline.pipeline import stages

        return stages.list_repairs(self.store, self.store.line(upload_id))

    def schema_of(self, upload_id: str, table: str) -> DataFrameSchema | None:
        """What a staged frame (raw_rows, normalized_rows, rejections) of an upload looks like; None: unknown."""
        from contact_pipeline.pipeline.frames import schema_of

        return schema_of(self.store.line(upload_id), self.store.staging(upload_id), table)

    def _admit(
        self, line: dict[str, Any], options: dict[str, Any], *, problem: Refusal | None, force: bool
    ) -> LedgerLine:
        """Gives a file its ledger line: received, or repeated or refused."""
        try:
            if problem:
                raise problem
            profile = load_profile(line["profile"], self.settings.profiles_path)
            line["file_name"] = mask_file_name(line["file_name"], looks_of_sender(profile))
            known, chosen = choose(profile, options)
            if chosen.group is not None:
                with self.store.open(read_only=True) as contacts:
                    called = known_group(contacts, known.address_book, chosen.group)
                chosen = chosen.model_copy(update={"group": called})
            line |= {
                "address_book": known.address_book,
                "resolved_profile": known.model_dump(mode="json"),
                "options": chosen.model_dump(mode="json"),
                "group_name": chosen.group,
                "held": known.finalize,
            }
            with self.store.change() as contacts:
                line["repeat_key"] = repeat_key(line["sha256"], known, chosen, read_reference(contacts))
                check_roles(contacts, known, line["user_login"])
                line["repeats"] = None if force else repeated_upload(contacts, line, known)
                if line["repeats"]:
                    line |= {"state": "repeated", "finished_at": now()}
                return add_line(contacts, **line)
        except Refusal as refusal:
            line |= {"state": "refused", "reason": refused(refusal, line["file_name"]), "finished_at": now()}
        with self.store.change() as contacts:
            return add_line(contacts, **line)

    def _advance(self, upload: str | Upload, stage: str, work: Callable[[Store, LedgerLine], dict[str, Any]]) -> Upload:
        """Does one stage of an upload that is being staged; one that is past it, or has ended, is left as it is.

        Somebody may cancel it meanwhile: then what the stage made is deleted, and whatever it met on the way is moot.
        """
        line = upload.line if isinstance(upload, Upload) else self.store.line(upload)
        if line.state != "received" or STAGES.index(line.stage) >= STAGES.index(stage):
            return self._upload(line)
        if STAGES.index(line.stage) + 1 < STAGES.index(stage):
            raise wrong_state(line, stage, f"The stage before it is missing: it has only been {line.stage}.")
        after = None
        try:
            with faults_masked():
                done = work(self.store, line)
            after = self._change(line.upload_id, RECEIVED, **({"stage": stage} | done))
        except Refusal as refusal:
            after = self._end(line.upload_id, "refused", refused(refusal, line.file_name))
            if after:
                self.originals.give_back(after, self.originals.path(line.upload_id))
                self._forget(line.upload_id)
        except Exception:
            if self.store.line(line.upload_id).state != "cancelled":
                raise
        if after is None:
            after = self.store.line(line.upload_id)
            if after.state == "cancelled":
                self._forget(line.upload_id)
        return self._upload(after)

    @contextmanager
    def _telling(self, upload_id: str, *, done: Collection[State] = (), doing: str = "") -> Iterator[None]:
        """Lets Ctrl-C and a fault of the machine say where the upload stands; a fault after all is done is none.

        Args:
            upload_id: the upload.
            done: the states in which nothing is left to do.
            doing: the command that goes on where it was cut off, if its end is no state.
        """
        again = f" The same `{doing}` goes on." if doing else ""
        try:
            yield
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(self._where(upload_id) + again)
            raise
        except Exception as error:
            fault = fault_of(error)
            if fault is None:
                raise
            with suppress(ContactPipelineError):
                if self.store.line(upload_id).state in done:
                    return
            fault.add_note(self._where(upload_id) + again)
            raise fault from error

    def _where(self, upload_id: str) -> str:
        """Where an upload stands, in a sentence."""
        try:
            return where_it_stands(self.store.line(upload_id))
        except Refusal:
            return "Nothing was begun."
        except ContactPipelineError:
            return f"`contact-pipeline show {upload_id}` will say where the upload stands."

    def _upload(self, line: LedgerLine) -> Upload:
        return Upload(line, self.store.staging(line.upload_id))

    def _done_before(self, upload_id: str, what: str) -> Upload:
        """The upload, saying among its warnings that nothing was done to it now."""
        upload = self.show(upload_id)
        upload.was_done_before = True
        upload.warnings = [*upload.warnings, f"It was {what} before; nothing was changed now."]
        return upload

    def _check_roles(self, line: LedgerLine, actor: str) -> None:
        profile = None if line.profile_json is None else resolved(line)[0]  # one of a contact handled by hand has none
        if profile is not None and profile.roles is not None:
            with self.store.open(read_only=True) as contacts:
                check_roles(contacts, profile, actor)

    def _change(self, upload_id: str, expected: Collection[State], **values: Any) -> LedgerLine | None:
        """Changes an upload's line if it is in one of these states; the line, None if it was not."""
        with self.store.change() as contacts:
            return change_line(contacts, upload_id, expected=expected, **values)

    def _give_up(self, upload_id: str, user: str | None) -> None:
        """Cancels an upload that somebody interrupted, if it has not ended otherwise."""
        try:
            self.cancel(upload_id, user=user)
        except Refusal as refusal:
            if refusal.code == "upload-unknown":  # the ledger has no line of it yet
                self._forget(upload_id)

    def _cancel_changed(self, line: LedgerLine) -> LedgerLine:
        """Cancels an upload whose file was changed before it was taken out of the inbox, where it stays."""
        from contact_pipeline.store.source import changing

        self._end(line.upload_id, "cancelled", refused(changing(Path(line.file_name)), line.file_name))
        self._forget(line.upload_id)
        return self.store.line(line.upload_id)

    def _forget(self, upload_id: str) -> None:
        """Deletes all that an upload left behind, but its ledger line."""
        self.store.staging(upload_id).remove()
        self.originals.remove(upload_id)

    def _end(
        self, upload_id: str, state: State, why: dict[str, Any], expected: Collection[State] = RECEIVED
    ) -> LedgerLine | None:
        return self._change(upload_id, expected, state=state, reason=why, finished_at=now())


def _new_id() -> str:
    """An id that sorts by time and never meets another."""
    return f"{now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
