"""The import engine of one home, as programs call it. Each call is handed to the module that does the work.

The front is long, and thin: every method is a few statements below its description. Whoever writes against it finds all
calls in one class.

Heavy modules are imported by the calls that need them: reading, phone numbers and Pandera take a second to load, and
most calls only look at the ledger.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contact_pipeline.errors import Refusal, Usage
from contact_pipeline.pipeline import planning, uploads
from contact_pipeline.pipeline.interruptions import cancelled_on_interrupt, erasing
from contact_pipeline.pipeline.planning import Progress
from contact_pipeline.profiles import BrokenProfile, Profile, find_profiles, load_profile
from contact_pipeline.settings import Settings
from contact_pipeline.store import Store, Upload
from contact_pipeline.store.originals import Originals

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl
    from pandera.polars import DataFrameSchema

    from contact_pipeline.access import Access
    from contact_pipeline.backup import BackedUp, Restored
    from contact_pipeline.contracts.expiry import Kind
    from contact_pipeline.contracts.states import State
    from contact_pipeline.duplicates.find import Duplicates
    from contact_pipeline.duplicates.suggest import Suggestions
    from contact_pipeline.erase import Erased
    from contact_pipeline.expire import Expired, Remover
    from contact_pipeline.exports import Exported, Layout
    from contact_pipeline.feeds.model import Feed
    from contact_pipeline.feeds.run import FeedRun
    from contact_pipeline.feeds.source import Checked
    from contact_pipeline.feeds.status import FeedStatus
    from contact_pipeline.finding.find import Found
    from contact_pipeline.finding.who import Fitting
    from contact_pipeline.match import Guarded
    from contact_pipeline.notices.queue import Notice
    from contact_pipeline.notices.rules import Rules
    from contact_pipeline.notices.send import Sending
    from contact_pipeline.pages.review import Review
    from contact_pipeline.pipeline.asking import Asked
    from contact_pipeline.pipeline.explaining import Step
    from contact_pipeline.store.arrival import Seen
    from contact_pipeline.store.engine import Engine, Migrated
    from contact_pipeline.store.feeds import Fetched
    from contact_pipeline.store.overview import Overview
    from contact_pipeline.verify import Verified


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
        continues: str | None = None,
        progress: Progress | None = None,
        **options: Any,
    ) -> Upload:
        """Stages a file: reads, normalizes, validates and matches it, and freezes the changeset. Changes nothing.

        Args:
            file: the file.
            profile: name of the profile.
            user: login of who uploads; unset: the operating system's.
            force: whether to plan a file that was applied before and would make its leads or notes again.
            continues: the upload whose rejected rows the file brings; unset: told by its reasons and cells, if it can.
            progress: called with the stage and the share done.
            options: of the upload, as the command line names them, with underscores.

        Raises:
            Refusal: there is no such file. Everything else is the upload's state.
        """
        upload_id = uploads.new_id()
        with cancelled_on_interrupt(self.store, upload_id, user):  # also between receiving and planning
            upload = self.receive(
                file, profile, upload_id=upload_id, user=user, force=force, continues=continues, **options
            )
            return planning.plan(self.store, upload, user, progress)

    def receive(
        self,
        file: str | Path,
        profile: str,
        *,
        upload_id: str | None = None,
        user: str | None = None,
        force: bool = False,
        continues: str | None = None,
        move: bool = False,
        seen: Seen | None = None,
        problem: Refusal | None = None,
        fetched: Fetched | None = None,
        **options: Any,
    ) -> Upload:
        """Takes a file in: keeps a copy and adds a ledger line, also for a refused or repeated file.

        The ledger's SHA-256 is that of the copy. A file of the inbox is removed once it has its line, and only if
        it has not changed since it was copied.

        Args:
            file: the file.
            profile: name of the profile.
            upload_id: id of the upload; unset: a new one.
            user: login of who uploads; unset: the operating system's.
            force: whether to plan a file that was applied before and would make its leads or notes again.
            continues: the upload whose rejected rows the file brings; unset: told by its reasons and cells, if it can.
            move: whether the file is moved out of the inbox; a refused one then goes to the folder `refused` there.
            seen: how the file and its options file looked in the inbox; they are taken only if they still look so.
            problem: what is wrong with the file's options, for which the file is refused.
            fetched: what to remember of a file that a feed fetched.
            options: of the upload.

        Raises:
            Refusal: there is no such file (code `file-missing`), or it is being written (`file-changing`).
        """
        from contact_pipeline.pipeline import receiving

        path = Path(file)
        receiving.must_be_there(path)
        if not (move or self._tidied):  # for files of the inbox, the sensor tidies first
            self.tidy()
        return receiving.receive(
            self.store,
            path,
            profile,
            options,
            upload_id=upload_id or uploads.new_id(),
            user=user,
            force=force,
            move=move,
            seen=seen,
            problem=problem,
            fetched=fetched,
            continues=continues,
        )

    def read(self, upload: str | Upload) -> Upload:
        """Stage 1: the file's rows as text, and its headings mapped to fields."""
        return planning.advance(self.store, upload, "read")

    def normalize(self, upload: str | Upload) -> Upload:
        """Stage 2: normalized rows, slice by slice."""
        return planning.advance(self.store, upload, "normalized")

    def validate(self, upload: str | Upload) -> Upload:
        """Stage 3: every defect of every row."""
        return planning.advance(self.store, upload, "validated")

    def match(self, upload: str | Upload) -> Upload:
        """Stage 4: the frozen changeset; the upload is then staged, or blocked."""
        return planning.advance(self.store, upload, "matched")

    def plan_again(self, upload_id: str, *, user: str | None = None, automatic: bool = False) -> Upload:
        """Matches a stale upload anew against the contacts as they are now; the changeset gets a new hash.

        If the staged files have changed since they were frozen, the original is read again. Staging that was cut off,
        because a database was busy or the machine stopped, continues from there.

        Args:
            upload_id: the upload.
            user: login of who asks; unset: the operating system's.
            automatic: whether the call is automatic, and nobody asks.

        Raises:
            Refusal: a changeset made by hand has no file to plan again (code `wrong-state`), or somebody else sent the
                upload and the role is missing (`not-authorized`).
        """
        return planning.plan_again(self.store, upload_id, None if automatic else uploads.login(user))

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

        Where the profile asks for two people (`approvals: 2`), the approval of the first is kept, and applies nothing.

        Args:
            upload_id: the upload.
            user: login of who approves; unset: the operating system's.
            changeset: hash that is approved; anything else is refused.
            confirm_encoding: whether a doubtful encoding was found right.
            confirm_deactivations: whether to go past the guard on deactivations.
            confirm_rejected: whether to go past the guard on rows rejected.
            confirm_changed: whether to go past the guard on contacts changed.
            replan: whether an upload that turns out to be stale is planned again and, unless something blocks the new
                plan, applied; once.
            automatic: whether nobody approves it but the profile, for that user; ledger and history say so.

        Raises:
            Refusal: the upload is not in a state to be applied, the changeset is another one, the role is missing, or
                the user cannot be one of the two who approve (codes `approved-by-sender`, `approved-before`).
        """
        from contact_pipeline.pipeline import applying

        confirmed: dict[Guarded, bool] = {
            "encoding": confirm_encoding,
            "deactivations": confirm_deactivations,
            "rejected": confirm_rejected,
            "changed": confirm_changed,
        }
        return applying.apply(
            self.store, upload_id, confirmed, user, changeset=changeset, replan=replan, automatic=automatic
        )

    def withdraw_approval(self, upload_id: str, *, user: str | None = None) -> Upload:
        """Takes back the approval of the first of two people, while it waits for the second.

        Args:
            upload_id: the upload.
            user: login of who gave it; unset: the operating system's.

        Raises:
            Refusal: no approval of it waits for a second one (code `not-approved`), or somebody else gave it
                (`approved-by-another`).
        """
        from contact_pipeline.pipeline import approving

        return approving.withdraw(self.store, upload_id, user)

    def apply_automatic(self, upload_id: str) -> Upload:
        """Applies a staged upload whose profile applies automatically; if it is stale, plans again, once.

        A defect of the program meanwhile is counted in the ledger: after three it is no longer tried by itself.
        """
        from contact_pipeline.pipeline import applying

        return applying.apply_automatic(self.store, upload_id)

    def plan_contact(
        self, profile: str, values: Mapping[str, str], *, user: str | None = None, **options: Any
    ) -> Upload:
        """Stages a single contact typed in by hand: an upload of one row, through the same stages as a file.

        Args:
            profile: name of the profile.
            values: field → value, as it would stand in a file.
            user: login of who enters it; unset: the operating system's.
            options: of the upload.

        Raises:
            Refusal: there is no such profile (`profile-unknown`), or it has no such field (`field-unknown`).
        """
        from contact_pipeline.pipeline import by_hand

        with by_hand.contact_as_file(profile, values, self.settings) as file:
            return self.plan(file, profile, user=user, **options)

    def set_active(self, contact_id: int, *, active: bool, user: str | None = None) -> Upload:
        """Deactivates or reactivates a single contact: a changeset of its own, which can be undone.

        Raises:
            Refusal: there is no such contact (`contact-unknown`), it has that state already (`nothing-to-do`), or it
                was erased (`erased`).
        """
        from contact_pipeline.pipeline import by_hand

        return by_hand.set_active(self.store, contact_id, user, active=active)

    def plan_group_add(self, group: str, contact_ids: Collection[int], *, user: str | None = None) -> Upload:
        """Stages that contacts join a group, as a changeset of its own; members of the group are left out.

        Args:
            group: name of the group, compared without case and spaces; a new name makes a new group.
            contact_ids: the contacts, all of one address book.
            user: login of who does it; unset: the operating system's.

        Raises:
            Refusal: some contacts are unknown (`contact-unknown`), erased (`erased`) or of different address books
                (`address-books`), the group has no name (`group-missing`), or all are in it already (`nothing-to-do`).
        """
        from contact_pipeline.pipeline import by_hand

        return by_hand.plan_memberships(self.store, group, contact_ids, "add", user)

    def plan_group_remove(self, group: str, contact_ids: Collection[int], *, user: str | None = None) -> Upload:
        """Stages that contacts leave a group, as a changeset of its own; contacts that are no members are left out.

        Args:
            group: name of the group, compared without case and spaces.
            contact_ids: the contacts, all of one address book.
            user: login of who does it; unset: the operating system's.

        Raises:
            Refusal: as for `plan_group_add`, or there is no such group (`group-unknown`).
        """
        from contact_pipeline.pipeline import by_hand

        return by_hand.plan_memberships(self.store, group, contact_ids, "remove", user)

    def find_duplicates(
        self, profile: str, *, group: str | None = None, near: bool = False, at_least: float | None = None
    ) -> Duplicates:
        """Finds the active contacts of a profile's address book that its rules call one person. Changes nothing.

        Args:
            profile: name of the profile.
            group: only sets and pairs with a contact of this group.
            near: whether to find also pairs that are alike, but not one person by the rules.
            at_least: how alike such pairs must be, of 100, on the mean of the fields that are not equal; unset: 85.

        Raises:
            Refusal: there is no such profile (`profile-unknown`) or group (`group-unknown`), or the profile has no rule
                for contacts (`no-contact-rules`).
        """
        from contact_pipeline.duplicates.find import find_duplicates
        from contact_pipeline.duplicates.near import AT_LEAST

        known = load_profile(profile, self.settings.profiles_path)
        return find_duplicates(
            self.store, known, group=group, near=near, at_least=AT_LEAST if at_least is None else at_least
        )

    def merge_duplicates(
        self,
        profile: str,
        *,
        sets: Iterable[Collection[int]] | None = None,
        file: str | Path | None = None,
        user: str | None = None,
    ) -> Upload:
        """Stages the changeset that makes one contact of each set; `apply` and `undo` are those of any upload.

        The contact that was changed last survives; of those changed in one commit, the oldest. It keeps its values, and
        the others fill its blank fields. The others are deactivated and linked to it, and their groups pass to it.

        Args:
            profile: name of the profile, whose address book, rules and roles hold.
            sets: ids of contacts that are one person, whatever the rules say.
            file: a file of `duplicates find`; sets with a yes are merged. Without sets and file: all sets that the
                rules find and in which each contact agrees with each.
            user: login of who does it; unset: the operating system's.

        Raises:
            Refusal: there is no such profile (`profile-unknown`), or it has no rule for contacts (`no-contact-rules`);
                the user lacks a role that the profile asks for (`not-authorized`); some contacts are unknown
                (`contact-unknown`), erased (`erased`), deactivated (`contact-inactive`), of another address book
                (`address-books`), linked with another set (`sets-linked`) or the last of an account
                (`account-left-alone`); a set has fewer than two (`set-too-small`); the file cannot be taken
                (`merge-file`); or there is nothing to merge (`nothing-to-do`).
        """
        from contact_pipeline.pipeline import merging

        path = None if file is None else Path(file)
        return merging.merge_duplicates(self.store, profile, sets, path, user)

    def suggestions(self, upload_id: str, *, at_least: float | None = None, most: int | None = None) -> Suggestions:
        """Contacts that are near the new rows of an upload. They are computed by this call, and decide nothing.

        Args:
            upload_id: the upload.
            at_least: how alike a contact must be, of 100, on the mean of the fields that are not equal; unset: 85.
            most: how many of the new rows to compare, the first ones; unset: 1,000.
        """
        from contact_pipeline.duplicates.near import AT_LEAST
        from contact_pipeline.duplicates.suggest import MOST_ROWS, suggest

        return suggest(
            self.store,
            self.show(upload_id),
            at_least=AT_LEAST if at_least is None else at_least,
            most=MOST_ROWS if most is None else most,
        )

    def erase(self, contact_id: int, *, user: str | None = None) -> Erased:
        """Takes a person's values out of every file of the home; the contact's number and fingerprints stay.

        Contacts linked to it are the same person and are erased too. If erasing is cut off, erasing again completes it.

        Args:
            contact_id: the contact; it may be in the history only.
            user: login of who erases; unset: the operating system's.

        Raises:
            Refusal: there never was such a contact (`contact-unknown`), it is erased already (`erased`), or an upload
                that holds the person is being staged at this moment (`being-staged`).
            StoreBusy: a database was in use by another program for longer than the settings allow.
        """
        from contact_pipeline.erase import erase

        profiles, _ = self.profiles()
        with erasing(contact_id):
            return erase(self.store, contact_id, profiles.values(), uploads.login(user))

    def export_profiles(self) -> tuple[dict[str, Layout], list[BrokenProfile]]:
        """Every usable export profile by name, and the broken files; an import profile's name is one, too."""
        from contact_pipeline.exports import find_export_profiles

        return find_export_profiles(self.settings)

    def export(
        self, path: str | Path, profile: str = "contacts", *, overwrite: bool = False, **filters: Any
    ) -> Exported:
        """Writes contacts or accounts into a file, for its owner only, with every value in full.

        A file that an import profile reads has the rows that importing would leave unchanged; the others are counted in
        `left_out`.

        Args:
            path: the file to write; its ending (.csv, .xlsx, .parquet) tells the format, or else the profile does.
            profile: name of an export profile.
            overwrite: whether an existing file is replaced.
            filters: which contacts to write (`contact_pipeline.exports.Wanted`): address_book, group, portfolio,
                account_type, inactive (leave_out, include, only), published, and where, a mapping from field to value.

        Raises:
            Refusal: see `contact_pipeline.exports.export`.
            StoreBusy: the contact database was in use by another program for longer than the settings allow.
        """
        from contact_pipeline.exports import Wanted, export

        return export(self.store, Path(path), profile, Wanted(**filters), overwrite=overwrite)

    def find(
        self,
        text: str | None = None,
        *,
        email: str | None = None,
        phone: str | None = None,
        name: str | None = None,
        account: str | None = None,
        group: str | None = None,
        upload: str | None = None,
        limit: int | None = None,
    ) -> Found:
        """Finds contacts by known values, each read as an import reads it; a contact must fit all of them.

        Args:
            text: an id, an e-mail address, a phone number, an account's number or a name.
            email: an e-mail address, in any case.
            phone: a phone number, in any form.
            name: the beginnings of words of a name.
            account: an account's number.
            group: a group's name.
            upload: an upload that changed the contact.
            limit: how many to give at most; unset: all of them.

        Raises:
            Refusal: nothing is given (`nothing-to-find`), or there is no such upload (`upload-unknown`) or group
                (`group-unknown`).
        """
        from contact_pipeline.finding.find import Criteria, find

        profiles, _ = self.profiles()
        return find(self.store, profiles.values(), Criteria(text, email, phone, name, account, group, upload), limit)

    def who(self, text: str, *, address_book: str | None = None, linked_are_one: bool = False) -> list[Fitting]:
        """The contacts that an id, an e-mail address, a phone number or a full name means; see `finding.who`.

        Raises:
            Refusal: nobody fits (code `contact-unknown`).
        """
        from contact_pipeline.finding.who import who

        return who(self.store, text, address_book=address_book, linked_are_one=linked_are_one)

    def linked_with(self, contact_id: int) -> dict[int, str]:
        """The other contacts that are linked with one, directly or through others: id → name, masked."""
        from contact_pipeline.store.links import linked_with

        with self.store.open(read_only=True) as database:
            linked = linked_with(database, contact_id)
        return self.store.names(other for other in linked if other != contact_id)

    def export_person(
        self, contact_id: int, file: str | Path | None = None, *, alone: bool = False, overwrite: bool = False
    ) -> Access:
        """Writes everything that is held about one person, unmasked, for that person to read.

        Args:
            contact_id: the contact.
            file: the .html or .json file to write; unset: `reports/contact-<id>.html` in the home.
            alone: whether contacts linked with it, which are the same person, are named only by their ids.
            overwrite: whether an existing file is replaced.

        Raises:
            Refusal: there never was such a contact (code `contact-unknown`), or it was erased (`erased`).
            StoreBusy: a database was in use by another program for longer than the settings allow.
        """
        from contact_pipeline.access import export_person

        path, only = None if file is None else Path(file), [contact_id] if alone else None
        return export_person(self.store, contact_id, path, only=only, overwrite=overwrite)

    def backup(self, file: str | Path, *, overwrite: bool = False, staged: bool = True) -> BackedUp:
        """Writes the whole home into one file, for its owner only; the home may be in use.

        Args:
            file: the file to write.
            overwrite: whether an existing file is replaced.
            staged: whether the backup has the staged rows of finished uploads; those of others it always has.

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
        """Makes a home from a backup. People who were erased after the backup are erased again before the home appears.

        Args:
            file: the backup.
            replace: whether an existing home is put aside.
            erasures: the last kept copy of the home's `erasures.jsonl`, where the home itself is lost.
            user: login of who restores; unset: the operating system's.

        Raises:
            Refusal: the file is no whole backup, or the home cannot take it (see `contact_pipeline.backup.restore`).
            StoreBusy: the contact database of the existing home was in use for longer than the settings allow.
        """
        from contact_pipeline.backup import restore

        since = None if erasures is None else Path(erasures)
        return restore(Path(file), self.settings, uploads.login(user), uploads.cancel, replace=replace, erasures=since)

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

        Before the upload is applied, its changeset is frozen anew, once; afterwards, one more changeset is applied.

        Args:
            upload_id: the upload.
            choices: row_number → id of the contact that the row is, `new`, or `skip`.
            user: login of who decides; unset: the operating system's.

        Raises:
            Refusal: a row is not in review (`not-in-review`), there is no such contact (`contact-unknown`), or the
                upload is in a state in which nothing is decided (`wrong-state`).
        """
        from contact_pipeline.pipeline import reviewing

        return reviewing.resolve(self.store, upload_id, choices, user)

    def resolve_from(self, upload_id: str, file: str | Path, *, user: str | None = None) -> Upload:
        """Decides the rows that a file decides in its columns row_number and to; see `resolve_many`.

        The file may be text or a workbook.

        Raises:
            Refusal: as `resolve_many`, or the file cannot be taken (`decisions-file`), naming row and column.
        """
        from contact_pipeline.pipeline import reviewing

        return reviewing.resolve_from(self.store, upload_id, Path(file), user)

    def withdraw(self, upload_id: str, row_number: int, *, user: str | None = None) -> Upload:
        """Takes back the decision about a row: later uploads no longer follow it.

        Before the upload is applied, the row is judged anew. Applied changes stay; `undo` takes them back.

        Raises:
            Refusal: nothing is decided about the row (`not-decided`).
        """
        from contact_pipeline.pipeline import reviewing

        return reviewing.withdraw(self.store, upload_id, row_number, user)

    def correct(
        self,
        upload_id: str,
        *,
        row: int | None = None,
        where: tuple[str, str] | None = None,
        set: Mapping[str, str | None],  # noqa: A002 - the word of the command line
        user: str | None = None,
        remember: bool = False,
    ) -> Upload:
        """Gives cells of a planned upload other texts, which are read as if the file had them.

        The file stays as it came. The changeset is frozen anew, with a new hash; `.corrected` of the upload has the
        corrections and the outcomes before them. A wrong text is an error of its row, as in a file.

        Args:
            upload_id: the upload.
            row: the row whose cells they are.
            where: heading and value: all rows with this value in this column; case and spaces make no difference.
            set: field, or heading, → text; None and the empty text: blank.
            user: login of who corrects; unset: the operating system's.
            remember: whether the value of `where` means the same in files of the profile that come later.

        Raises:
            Refusal: the upload is not planned (`wrong-state`) or was changed at this moment (`changed-meanwhile`);
                there is no such row (`row-unknown`), heading (`heading-unknown`), field (`field-unknown`,
                `field-without-column`) or value (`nothing-equal`); or it cannot be remembered (`not-to-remember`).
        """
        from contact_pipeline.pipeline import correcting

        which = row if where is None else where
        if which is None or (row is not None and where is not None) or not set:
            raise Usage("usage", "Say which cells are corrected, and how.", "Give a row or a value, and what to set.")
        return correcting.correct(self.store, upload_id, which, set, user, remember=remember)

    def correct_from(self, upload_id: str, file: str | Path, *, user: str | None = None) -> Upload:
        """Corrects the cells for which a file has other texts, in the rows of its column row_number; see `correct`.

        The file may be text or a workbook. A blank cell in it changes nothing.

        Raises:
            Refusal: as `correct`, or the file cannot be taken (`corrections-file`), naming row and column.
        """
        from contact_pipeline.pipeline import correcting

        return correcting.correct_from(self.store, upload_id, Path(file), user)

    def leave_out(
        self, upload_id: str, *, rows: Collection[int] = (), column: str | None = None, user: str | None = None
    ) -> Upload:
        """Takes rows, or a column, out of the plan of an upload; the changeset is frozen anew, as by `correct`.

        A row that is left out has the outcome `left_out`. Its contact still counts as in the file, where contacts that
        are missing from the file are deactivated. A column that is left out is as if it were not mapped.

        Args:
            upload_id: the upload.
            rows: the rows.
            column: the heading of the column.
            user: login of who does it; unset: the operating system's.

        Raises:
            Refusal: the upload is not planned (`wrong-state`) or was changed at this moment (`changed-meanwhile`);
                there is no such row (`row-unknown`, `row-blank`) or heading (`heading-unknown`); or the profile needs
                the column (`column-needed`).
        """
        from contact_pipeline.pipeline import correcting

        columns = [] if column is None else [column]
        if not rows and not columns:
            raise Usage("usage", "Nothing to leave out is named.", "Name rows or a column.")
        return correcting.leave_out(self.store, upload_id, rows, columns, user)

    def withdraw_correction(self, upload_id: str, number: int, *, user: str | None = None) -> Upload:
        """Takes back the corrections of one call; the changeset is frozen anew, as by `correct`.

        Args:
            upload_id: the upload, which is planned and not applied.
            number: of the correction, as `corrections` gives it.
            user: login of who does it; unset: the operating system's.

        Raises:
            Refusal: there is no such correction, or it is withdrawn already (`not-corrected`); or as `correct`.
        """
        from contact_pipeline.pipeline import correcting

        return correcting.withdraw(self.store, upload_id, number, user)

    def corrections(self, upload_id: str) -> list[dict[str, Any]]:
        """All corrections of an upload, in order; sensitive values masked.

        Equal corrections of one call are one entry: number, kind (cell, row or column), rows (how many), row_numbers
        (the first of them), column, field, before, after, corrected_by, corrected_as, corrected_at, withdrawn.

        Raises:
            Refusal: there is no such upload (code `upload-unknown`).
        """
        from contact_pipeline.pipeline.uploads import corrections_of

        return corrections_of(self.store, self.store.line(upload_id))

    def value_mappings(self) -> list[dict[str, Any]]:
        """The remembered values of all profiles, including forgotten ones."""
        from contact_pipeline.store.value_mappings import list_value_mappings

        with self.store.open(read_only=True) as database:
            return list_value_mappings(database)

    def forget_value_mapping(self, number: int, *, user: str | None = None) -> dict[str, Any]:
        """Forgets a remembered value for uploads that are received from now on; existing plans stay.

        Args:
            number: of the mapping, as `value_mappings` gives it.
            user: login of who does it; unset: the operating system's.

        Raises:
            Refusal: there is no such mapping, or it is forgotten already (`mapping-unknown`); or the role is missing.
        """
        from contact_pipeline.pipeline.remembering import forget

        profiles, _ = self.profiles()
        return forget(self.store, number, profiles, uploads.login(user))

    def decisions(self) -> list[dict[str, Any]]:
        """All decisions about rows in review, newest first."""
        from contact_pipeline.store.decisions import list_decisions

        return list_decisions(self.store)

    def finalize(self, upload_id: str, *, user: str | None = None) -> Upload:
        """Makes an applied, held upload visible in the published contacts; twice changes nothing.

        Raises:
            Refusal: the upload is not held (code `not-held`) or not applied (`wrong-state`).
        """
        return uploads.finalize(self.store, upload_id, user)

    def plan_undo(self, upload_id: str) -> Upload:
        """Plans taking an applied upload out of effect; `.inverse` shows it. Changes nothing.

        Raises:
            Refusal: the upload is not applied (code `wrong-state`).
        """
        from contact_pipeline.pipeline import applying

        return applying.plan_turn(self.store, upload_id, "undo")

    def undo(
        self,
        upload_id: str,
        *,
        user: str | None = None,
        clear_do_not_contact: bool = False,
        agreed: str | None = None,
    ) -> Upload:
        """Takes an applied upload out of effect, in one commit; one that is undone already stays as it is.

        Fields that a later upload has set are left alone and listed in `.inverse.conflicts`.

        Args:
            upload_id: the upload.
            user: login of who does it; unset: the operating system's.
            clear_do_not_contact: whether people may be contacted again whom the upload set to do-not-contact.
            agreed: `inverse_sha256` of the upload that `plan_undo` returned; if the undo would by now write something
                else, it is refused.

        Raises:
            Refusal: the upload is not applied (code `wrong-state`), the role is missing, people could be contacted
                again (`clears-do-not-contact`), or the undo is not the agreed one (`changeset-differs`).
        """
        from contact_pipeline.pipeline import applying

        return applying.take_turn(self.store, upload_id, "undo", user, may_clear=clear_do_not_contact, agreed=agreed)

    def plan_redo(self, upload_id: str) -> Upload:
        """Plans bringing an undone upload back into effect; `.inverse` shows it. Changes nothing.

        Raises:
            Refusal: the upload is not undone (code `wrong-state`).
        """
        from contact_pipeline.pipeline import applying

        return applying.plan_turn(self.store, upload_id, "redo")

    def redo(self, upload_id: str, *, user: str | None = None, agreed: str | None = None) -> Upload:
        """Brings an undone upload back into effect, in one commit; one that is in effect stays as it is.

        Args:
            upload_id: the upload.
            user: login of who does it; unset: the operating system's.
            agreed: `inverse_sha256` of the upload that `plan_redo` returned; if the redo would by now write something
                else, it is refused.

        Raises:
            Refusal: the upload was never applied (code `wrong-state`), the role is missing, or the redo is not the
                agreed one (`changeset-differs`).
        """
        from contact_pipeline.pipeline import applying

        return applying.take_turn(self.store, upload_id, "redo", user, agreed=agreed)

    def cancel(self, upload_id: str, *, user: str | None = None) -> Upload:
        """Ends an upload that is not applied; only its ledger line stays.

        Raises:
            Refusal: the upload is applied or has ended otherwise (code `wrong-state`).
        """
        return uploads.cancel(self.store, upload_id, user)

    def expire(
        self,
        *,
        older_than: int | None = None,
        profile: str | None = None,
        kinds: Collection[Kind] | None = None,
        dry_run: bool = False,
        user: str | None = None,
        runs: Remover | None = None,
    ) -> Expired:
        """Deletes what has been kept for long enough of uploads whose life has ended: staged data, originals, reports.

        Ledger lines and history stay, so undo and redo still work. The deletion is recorded first, so if it is cut off,
        the next call finishes it.

        Args:
            older_than: days after which staged data and Dagster's records go, whatever profiles say; unset: each kind
                goes after the days that the upload's profile has now.
            profile: only uploads of this profile.
            kinds: only these of `staged_data`, `originals`, `reports`; with `older_than`, in place of staged data.
            dry_run: whether nothing is changed.
            user: login of who does it; unset: the operating system's.
            runs: deletes Dagster's records; given by the job `expire`.

        Raises:
            Usage: `older_than` is no number of days (code `days`), or a kind is unknown (`kind`).
            Refusal: there is no such profile, and no upload of it (code `profile-unknown`).
            StoreBusy: a database was in use by another program for longer than the settings allow.
        """
        from contact_pipeline.expire import expire

        profiles, _ = self.profiles()
        if profile is not None and profile not in profiles and not self.store.count_lines(profile=profile):
            load_profile(profile, self.settings.profiles_path)  # raises, and names the profiles
        return expire(
            self.store,
            profiles,
            uploads.login(user),
            older_than=older_than,
            profile=profile,
            kinds=kinds,
            dry_run=dry_run,
            runs=runs,
        )

    def expiries(self, upload_id: str) -> list[dict[str, Any]]:
        """What was deleted of an upload by age, oldest first: kind, files, rows, size, rule, actor, begun and finished.

        Raises:
            Refusal: there is no such upload (code `upload-unknown`).
        """
        from contact_pipeline.store.expiries import expiries_of

        line = self.store.line(upload_id)
        with self.store.open(read_only=True) as contacts:
            return expiries_of(contacts, line.upload_id)

    def verify(self) -> Verified:
        """Compares the whole home with what it should be: databases, staged files, originals, history and counts.

        Raises:
            StoreBusy: a database was in use by another program for longer than the settings allow.
        """
        from contact_pipeline.verify import verify

        return verify(self.store)

    def migrate_engine(self, to: Engine) -> Migrated:
        """Moves the contacts to an engine, and compares every row. Nobody else can write the home meanwhile.

        Args:
            to: `duckdb`, the home's own database, or `spark`, Delta tables at the location of the settings.

        Raises:
            Refusal: they lie there already (code `engine-same`).
            MachineFault: the settings name no engine that can be used (`engine-settings`, `engine-extra-missing`,
                `engine-url`, `engine-version`, `engine-unreachable`), it stopped (`engine-failed`), something else lies
                at the location (`location-used`), or a table reads differently there (`move-differs`). The home is as
                it was.
            StoreBusy: the contact database was in use for longer than the settings allow.
        """
        from contact_pipeline.store.engine import migrate_engine

        return migrate_engine(self.store, to)

    def notices(self, limit: int | None = None) -> list[Notice]:
        """The notices of uploads, sent or waiting, newest first.

        Args:
            limit: how many; unset: all of them.
        """
        from contact_pipeline.notices.queue import list_notices

        return list_notices(self.store, limit)

    def send_notices(self, *, seconds: float | None = None, due: bool = True, again: bool = False) -> Sending:
        """Sends the waiting notices. A notice that cannot be sent is tried again later; a sent one is never sent again.

        Commands call this after they change an upload's state, and `serve` calls it in between; programs have to.

        Args:
            seconds: time after which no further notice is begun; unset: no limit.
            due: whether to leave notices whose next try is later.
            again: whether to send also notices that failed, or that may have arrived.

        Raises:
            Refusal: `notices.yaml` is missing or cannot be used, or Apprise is not installed (codes `notices-missing`,
                `notices-broken`, `apprise-missing`).
            StoreBusy: the contact database was in use.
        """
        from contact_pipeline.notices.send import send

        return send(self.store, seconds=seconds, due=due, again=again)

    def check_notices(self) -> Rules:
        """The rules of `notices.yaml`, if this machine can use every part of it. No message is sent.

        Raises:
            Refusal: a part cannot be used (code `notices-broken`); all problems are listed. Or as `send_notices`.
        """
        from contact_pipeline.notices.send import check

        return check(self.settings)

    def test_notice(self, target: str) -> None:
        """Sends a test to one target of `notices.yaml`, now.

        Raises:
            Refusal: there is no such target (code `target-unknown`), or the test was not sent (`notice-not-sent`).
        """
        from contact_pipeline.notices.send import send_test

        send_test(self.settings, target)

    def feeds(self) -> list[FeedStatus]:
        """Every feed that the home knows of: its last run, its next one, and whether it is broken or overdue.

        Those of the home come first, by name; then those of Dagster projects that have run, or were looked at.
        """
        from contact_pipeline.feeds.status import list_feeds

        return list_feeds(self.store)

    def check_feed(self, name: str, *, described: Feed | None = None) -> Checked:
        """Tests that a feed can be used and its source reached, and lists what a run would fetch. Fetches nothing.

        Args:
            name: of the feed.
            described: the feed, where no file of the home describes it.

        Raises:
            Refusal: there is no such feed (code `feed-unknown`), its file, profile or options cannot be used
                (`feed-broken`), or as `run_feed`.
        """
        from contact_pipeline.feeds.source import check

        return check(self.store, name, described)

    def run_feed(
        self, name: str, *, stage: bool = False, again: bool = False, described: Feed | None = None
    ) -> FeedRun:
        """Fetches the new files of a feed and receives them. If there are any, it first waits until they have settled.

        A file that cannot be fetched does not stop the others. A server that is gone stops the run, and `problem` of
        the run says why. Every file received has its line in the ledger, whatever happens afterwards.

        Args:
            name: of the feed.
            stage: whether to stage the uploads, and apply them where their profile applies automatically; if not, the
                caller stages the `uploads` of the run.
            again: whether to fetch again files whose upload was refused, failed or was cancelled.
            described: the feed, where no file of the home describes it.

        Raises:
            Refusal: there is no such feed (code `feed-unknown`), its file, profile or options cannot be used
                (`feed-broken`), it runs already (`feed-running`), or its source cannot be reached or listed
                (`feed-login`, `feed-permission`, `feed-missing`, `feed-host-unknown`, `feed-certificate`,
                `feed-server-unknown`, `feed-server`, `feed-unreachable`, `feed-timeout`, `feed-cut`,
                `feed-extra-missing`, `feed-fault`).
        """
        from contact_pipeline.feeds.run import run_feed

        staged = self._stage_fetched if stage else None
        return run_feed(self.store, name, self.receive, staged, described=described, again=again)

    def _stage_fetched(self, upload: Upload) -> Upload:
        if upload.line.stage != "received" and not upload.staging.exists():
            return self.apply_automatic(self.plan_again(upload.upload_id, automatic=True).upload_id)
        return self.apply_automatic(planning.plan(self.store, upload, upload.user).upload_id)

    def missed_feeds(self) -> list[FeedStatus]:
        """The feeds whose file was due and has not come. One notice is made for each time that a file was due.

        One is made as well where the YAML file of a feed cannot be used any more. New feeds are recorded; their files
        are due from then on. Call this every few minutes.
        """
        from contact_pipeline.feeds.status import note_missed

        return [status for status in note_missed(self.store) if status.missed_at is not None]

    def show(self, upload_id: str) -> Upload:
        """The upload.

        Raises:
            Refusal: there is no such upload (code `upload-unknown`).
        """
        return uploads.show(self.store, upload_id)

    def uploads(
        self,
        limit: int | None = None,
        *,
        profile: str | None = None,
        states: Collection[State] = (),
        since: datetime | None = None,
        feed: str | None = None,
        waiting: bool = False,
        oldest_first: bool = False,
    ) -> list[Upload]:
        """The uploads, by default newest first.

        Args:
            limit: how many; unset: all of them.
            profile: only those of this profile.
            states: only those in one of these states.
            since: only those added then or later, in UTC.
            feed: only those that this feed fetched.
            waiting: only those that wait for somebody: for approval, another file, decisions on rows, or finalizing.
            oldest_first: in the order in which they came.
        """
        asked = {"profile": profile, "states": states, "since": since, "feed": feed, "waiting": waiting}
        lines = self.store.lines(limit, oldest_first=oldest_first, **asked)
        return [uploads.upload_of(self.store, line) for line in lines]

    def in_review(self, limit: int | None = None) -> list[dict[str, Any]]:
        """The rows that wait for somebody to decide them, of all uploads, the oldest upload first; masked.

        Args:
            limit: how many rows; unset: all of them.

        Returns:
            For each row upload_id, file, profile, feed and state of its upload; row_number, why, values (field →
            value), and candidates with shared fields and their values. An upload whose staged rows cannot be read has
            one line without a row_number; its why says so.
        """
        from contact_pipeline.reports.candidates import in_review_of_all

        waiting = [upload for upload in self.uploads(waiting=True, oldest_first=True) if upload.outcomes["review"]]
        return in_review_of_all(self.store, waiting, limit)

    def continued_by(self, upload_id: str) -> list[Upload]:
        """The uploads whose files bring rejected rows of this one, corrected; the oldest first."""
        return [uploads.upload_of(self.store, line) for line in self.store.continuing(upload_id)]

    def overview(self, **asked: Any) -> Overview:
        """The dashboard: the selected uploads, those that wait for somebody, and the results of profiles over time.

        Args:
            asked: profile, states, since and waiting, as for `uploads`; limit (50) and offset, for one page.
        """
        from contact_pipeline.store.overview import read_overview

        with self.store.open(read_only=True) as database:
            return read_overview(database, **asked)

    def tidy(self) -> None:
        """Completes or deletes files that dead processes left half received, and deletes staged data without upload.

        Keeps some room on the disk for `expire`.
        """
        from contact_pipeline.pipeline import receiving
        from contact_pipeline.store.reserve import keep_reserve

        self.tidy_arrivals()
        receiving.delete_orphaned_staging(self.store)
        keep_reserve(self.settings)
        self._tidied = True

    def tidy_arrivals(self) -> None:
        """Completes or deletes files that dead processes left half received."""
        from contact_pipeline.pipeline import receiving

        receiving.tidy_arrivals(self.store)

    def repairs(self, upload_id: str) -> pl.DataFrame:
        """Every repair of an upload (contracts.REPAIRS); sensitive values are not masked.

        Raises:
            Refusal: there is no such upload (code `upload-unknown`), or it has no staged data (`nothing-staged`).
        """
        from contact_pipeline.pipeline import stages

        return stages.list_repairs(self.store, self.store.line(upload_id))

    def review(self, upload_id: str, file: str | Path | None = None, *, overwrite: bool = False) -> Review:
        """Writes the review page of an upload: what it would change, what is wrong with it and how to go on.

        The page is one HTML file below 2 MB that needs nothing else; sensitive values are masked. If an upload is too
        large, all its rows and changes go into a .zip file of the same name. Nothing else in the home changes.

        Args:
            upload_id: the upload.
            file: the .html file to write; unset: `review.html` in the upload's folder, made anew each time.
            overwrite: whether an existing file is replaced.

        Raises:
            Refusal: there is no such upload (code `upload-unknown`), or nothing can be written there.
            StoreBusy: a database was in use by another program for longer than the settings allow.
        """
        from contact_pipeline.pages.review import write_review

        upload, path = self.show(upload_id), None if file is None else Path(file)
        return write_review(self.store, upload, partial(self._repairs_of, upload), path, overwrite=overwrite)

    def review_page(self, upload_id: str, **page: Any) -> str:
        """The review page as HTML, for servers; no file is written. `page` has what the page shows in addition."""
        from contact_pipeline.pages.review import review_page

        upload = self.show(upload_id)
        return review_page(self.store, upload, partial(self._repairs_of, upload), **page)

    def _repairs_of(self, upload: Upload, rows: Collection[int]) -> pl.DataFrame:
        from contact_pipeline.pipeline import stages

        return stages.list_repairs(self.store, upload.line, rows)

    def explain(self, upload_id: str, row_number: int) -> list[Step]:
        """Explains the outcome of a row: what each step did with the row, in words; sensitive values are masked.

        Raises:
            Refusal: there is no such upload (code `upload-unknown`), nothing of it is staged (`nothing-staged`), or its
                file has no such row (`row-unknown`).
        """
        from contact_pipeline.pipeline.explaining import explain

        return explain(self.store, self.store.line(upload_id), row_number)

    def sql(self, upload_id: str, query: str, *, unmasked: bool = False) -> pl.DataFrame:
        """The rows of a query of an upload's staged tables (contracts.STAGED), in DuckDB's SQL; nothing is written.

        Tables of the contact database are copied when the query names them: `base_contacts`, `base_contact_changes`,
        `base_accounts`, `base_account_changes`, `base_groups`, `base_memberships`, `base_links`, `base_commits`.

        Args:
            upload_id: the upload.
            query: one statement that reads.
            unmasked: whether sensitive values are shown.

        Raises:
            Refusal: there is no such upload (code `upload-unknown`), nothing of it is staged (`nothing-staged`), or the
                query cannot be answered (`sql`).
            StoreBusy: the contact database was in use for longer than the settings allow.
        """
        from contact_pipeline.pipeline.asking import ask

        return ask(self.store, self.store.line(upload_id), query, unmasked=unmasked)

    def sql_tables(self, upload_id: str) -> list[Asked]:
        """The tables that a query of an upload can name.

        Raises:
            Refusal: there is no such upload (code `upload-unknown`), or nothing of it is staged (`nothing-staged`).
        """
        from contact_pipeline.pipeline.asking import tables

        return tables(self.store, self.store.line(upload_id))

    def schema_of(self, upload: str | Upload, table: str) -> DataFrameSchema | None:
        """The schema of a staged frame (raw_rows, normalized_rows, rejections) of an upload; None: unknown."""
        from contact_pipeline.pipeline.frames import schema_of

        found = uploads.show(self.store, upload) if isinstance(upload, str) else upload
        return schema_of(found.line, found.staging, table)
