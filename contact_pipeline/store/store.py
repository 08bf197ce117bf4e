"""The contact database: opens it as briefly as possible, and looks things up in it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from contact_pipeline.contracts.ledger import LedgerLine
from contact_pipeline.engines import Database, open_database
from contact_pipeline.errors import MachineFault, Refusal
from contact_pipeline.headings.naming import labels
from contact_pipeline.masking import mask_within
from contact_pipeline.owner_only import mend, owner_only
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.settings import Settings
from contact_pipeline.store.copies import keep_copy, newest_copy
from contact_pipeline.store.corrections import InEffect, corrections_in_effect
from contact_pipeline.store.erasures import ERASED
from contact_pipeline.store.history import contact_history, contacts_as_of, last_commit, mask_contact, note_origins
from contact_pipeline.store.ledger import Glance, chosen, find_lines, glances
from contact_pipeline.store.links import merged
from contact_pipeline.store.names import contact_names
from contact_pipeline.store.reference_data import (
    User,
    every_user,
    find_user,
    keep_users,
    keep_vocabulary,
    read_reference,
    read_users,
    read_vocabulary,
)
from contact_pipeline.store.schema import MIGRATIONS, migrate, pending_migrations
from contact_pipeline.store.staging import Staging
from contact_pipeline.store.value_mappings import meanings_for
from contact_pipeline.terms import ACCOUNT_FIELDS, CONTACT_FIELDS


class Store:
    """The contact database of one home. Every method opens it, does one thing and closes it again."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.was_written = False  # by this process
        self._up_to_date = False
        self._mended: set[bool] = set()  # how file permissions were mended, False: at the top, True: file by file

    @contextmanager
    def open(self, *, read_only: bool = False, staged: Path | None = None) -> Iterator[Database]:
        """Opens the contact database, waiting while another process has locked it.

        Args:
            read_only: whether nothing is written.
            staged: a staging database to attach as `staged`; it is opened first.

        Raises:
            StoreBusy: it stayed locked for longer than the settings allow.
            MachineFault: it is damaged (code `contacts-damaged`), or gone though the home has uploads
                (`contacts-missing`), or disk, memory or permissions are missing.
        """
        try:
            with self._opened(read_only=read_only, staged=staged) as database:
                self.was_written |= not read_only
                yield database
        except MachineFault as fault:
            path = self.settings.contacts_path
            if fault.code in {"damaged", "missing"} and path.name in fault.message:
                raise self._lost(f"contacts-{fault.code}", fault.message) from fault
            raise

    @contextmanager
    def _opened(self, *, read_only: bool, staged: Path | None) -> Iterator[Database]:
        if (whole := not read_only) not in self._mended:
            mend(self.settings.home, whole=whole)
            self._mended |= {whole, False}
        path, beside = self.settings.contacts_path, {"staged": staged} if staged else {}
        if path.exists():
            with open_database(path, self.settings, read_only=read_only, beside=beside) as database:
                pending = [] if self._up_to_date else pending_migrations(database)
                if not pending:
                    self._up_to_date = True
                    yield database
                    return
            if len(pending) < len(MIGRATIONS):
                keep_copy(self.settings, f"before {pending[0]}")
        self._bring_up_to_date(path)
        with open_database(path, self.settings, read_only=read_only, beside=beside) as database:
            yield database

    def _bring_up_to_date(self, path: Path) -> None:
        if not path.exists() and self._holds_uploads():
            raise self._lost("contacts-missing", f"{path} is missing, though the home holds uploads.")
        with owner_only():
            path.parent.mkdir(parents=True, exist_ok=True)
        with open_database(path, self.settings) as database:
            migrate(database)
        self._up_to_date = True

    def _holds_uploads(self) -> bool:
        """Whether the home has data of uploads; files that are just arriving (hidden) do not count."""
        folders = (self.settings.home / name for name in ("uploads", "staging", "backups"))
        return any(any(folder.glob("[!.]*")) for folder in folders)

    def _lost(self, code: str, message: str) -> MachineFault:
        """The fault of a contact database that is gone or damaged, naming the newest copy of it."""
        path, copy = self.settings.contacts_path, newest_copy(self.settings)
        fix = "`contact-pipeline restore BACKUP --replace` puts a backup in the place of the home."
        if copy is not None:
            fix += (
                f" Without one, {copy} is the newest copy: move {path.name} and {path.name}.wal away, copy it to "
                f"{path}, and import again what was applied since."
            )
        return MachineFault(code, message, fix)

    @contextmanager
    def change(self) -> Iterator[Database]:
        """Opens the contact database for one transaction."""
        with self.open() as database, database.transaction():
            yield database

    def staging(self, upload_id: str) -> Staging:
        """The staged tables of an upload."""
        return Staging(self.settings, upload_id)

    def line(self, upload_id: str) -> LedgerLine:
        """An upload's ledger line.

        Raises:
            Refusal: there is no such upload (code `upload-unknown`).
        """
        line = self.find_line(upload_id)
        if line is None:
            raise Refusal(
                "upload-unknown", f"There is no upload '{upload_id}'.", "`contact-pipeline uploads` lists them."
            )
        return line

    def find_line(self, upload_id: str) -> LedgerLine | None:
        """An upload's ledger line; None: there is no such upload."""
        with self.open(read_only=True) as database:
            return next(iter(find_lines(database, "upload_id = ?", [upload_id])), None)

    def continuing(self, upload_id: str) -> list[LedgerLine]:
        """The ledger lines of the uploads that continue this one, the oldest first."""
        with self.open(read_only=True) as database:
            return find_lines(database, "continues = ?", [upload_id])[::-1]

    def lines_with_rejected_rows(self, profile: str, *, before: int) -> list[LedgerLine]:
        """The ledger lines of planned uploads of a profile that have rejected rows, newest first.

        Args:
            profile: its name.
            before: the number of an upload; only earlier ones are given.
        """
        with self.open(read_only=True) as database:
            condition = "profile = ? AND number < ? AND rejected > 0 AND stage = 'matched'"
            return find_lines(database, condition, [profile, before])

    def lines(self, limit: int | None = None, *, oldest_first: bool = False, **asked: Any) -> list[LedgerLine]:
        """The uploads' ledger lines, by default newest first; `limit` unset: all of them.

        `asked` has the arguments of `ledger.chosen`.
        """
        with self.open(read_only=True) as database:
            return find_lines(database, *chosen(**asked), limit=limit, oldest_first=oldest_first)

    def glances(self) -> list[Glance]:
        """A glance at every upload that is more than received, the oldest first."""
        with self.open(read_only=True) as database:
            return glances(database)

    def count_lines(self, **asked: Any) -> int:
        """How many uploads are selected, as for `lines`."""
        condition, parameters = chosen(**asked)
        with self.open(read_only=True) as database:
            count: int = database.value(f"SELECT count(*) FROM uploads WHERE {condition}", parameters)
        return count

    def last_commit(self, upload_id: str) -> dict[str, Any] | None:
        """The newest commit of an upload: its action (apply, undo, redo), committed_at and actor; None without one."""
        with self.open(read_only=True) as database:
            return last_commit(database, upload_id)

    def reference(self) -> Reference:
        """Users and vocabularies, as normalization and validation compare with them."""
        with self.open(read_only=True) as database:
            return read_reference(database)

    def known_for(self, line: LedgerLine) -> tuple[Reference, InEffect]:
        """What stage 2 needs for an upload: reference data with remembered values, and corrections."""
        with self.open(read_only=True) as database:
            meanings = meanings_for(database, line.profile, line.added_at)
            return read_reference(database, meanings), corrections_in_effect(database, line.upload_id)

    def contacts(self, *, published: bool = False, among: Collection[int] | None = None) -> list[dict[str, Any]]:
        """Contacts with their canonical fields, groups and links; sensitive values masked.

        Args:
            published: only what is not held.
            among: only those with these ids.
        """
        view = "published_" if published else ""
        table = f"{view}contacts"
        where = "true" if among is None else "contact_id IN (SELECT unnest(?::BIGINT[]))"
        with self.open(read_only=True) as database:
            fields = database.rows("SELECT name, sensitive FROM fields")
            names = ", ".join(f'contact."{name}"' for name, _ in fields)
            records = database.records(
                f"""
                WITH member AS (SELECT contact_id, list(group_name ORDER BY group_name) AS groups
                                FROM {view}memberships GROUP BY contact_id),
                linked AS (SELECT contact_id, list(other ORDER BY other) AS links
                           FROM (SELECT contact_id, linked_to AS other FROM {view}links
                                 UNION ALL SELECT linked_to, contact_id FROM {view}links)
                           GROUP BY contact_id),
                merged AS ({merged(view)})
                SELECT contact_id, address_book, active, revision, last_upload_id, {names},
                       coalesce(groups, []) AS groups, coalesce(links, []) AS links, merged_into,
                       contact_id IN ({ERASED.format("")}) AS erased
                FROM {table} AS contact LEFT JOIN member USING (contact_id) LEFT JOIN linked USING (contact_id)
                LEFT JOIN merged USING (contact_id) WHERE {where} ORDER BY contact_id""",
                [] if among is None else [[*among]],
            )
        for record in records:
            mask_contact(record, fields)
            record["groups"] = mask_within(record["groups"])
            record["notes"] = record["notes"] or []
            record.update({name: None for name in CONTACT_FIELDS if name not in record})  # used by no profile yet
        return records

    def contacts_as_of(self, at: datetime) -> list[dict[str, Any]]:
        """The contacts as they were at a time (UTC), rebuilt from the changesets; sensitive values masked."""
        with self.open(read_only=True) as database:
            return contacts_as_of(database, at)

    def history(self, contact_id: int) -> list[dict[str, Any]]:
        """Every change to a contact, oldest first; the contact may be gone.

        Raises:
            Refusal: there never was such a contact (code `contact-unknown`).
        """
        with self.open(read_only=True) as database:
            changes = contact_history(database, contact_id)
        return changes or [self.contact(contact_id)]

    def contact(self, contact_id: int) -> dict[str, Any]:
        """One contact.

        Raises:
            Refusal: there is no such contact (code `contact-unknown`).
        """
        found = self.contacts(among=[contact_id])
        if not found:
            raise Refusal(
                "contact-unknown", f"There is no contact {contact_id}.", "`contact-pipeline contacts list` lists them."
            )
        return found[0]

    def names(self, contact_ids: Iterable[int]) -> dict[int, str]:
        """Id → name of contacts: the full name, or else first and last name; empty if they have none."""
        with self.open(read_only=True) as database:
            return contact_names(database, contact_ids)

    def is_made(self, contact_id: int) -> bool:
        """Whether the creation of the contact is effective; a contact that is only named by others has none."""
        with self.open(read_only=True) as database:
            sql = "SELECT count(created_commit) FROM contacts WHERE contact_id = ?"
            return bool(database.value(sql, [contact_id]))

    def note_origins(self, contact_id: int) -> list[dict[str, Any]]:
        """The origin of each note of a contact: note, at, upload_id, file_name and row_number."""
        with self.open(read_only=True) as database:
            return note_origins(database, contact_id)

    def accounts(self, account_number: str | None = None) -> list[dict[str, Any]]:
        """Accounts, each with the ids of its contacts."""
        where = "true" if account_number is None else "account_number = ?"
        with self.open(read_only=True) as database:
            records = database.records(
                f"""
                WITH people AS (SELECT address_book, account_number, list(contact_id ORDER BY contact_id) AS contacts
                                FROM contacts WHERE account_number IS NOT NULL GROUP BY ALL)
                SELECT account_id, address_book, account_number, account_name, account_type, portfolio, status,
                       revision, last_upload_id, coalesce(contacts, []) AS contacts
                FROM accounts LEFT JOIN people USING (address_book, account_number)
                WHERE {where} ORDER BY account_id""",
                [] if account_number is None else [account_number],
            )
        for record in records:
            mask_contact(record, [(name, False) for name in ACCOUNT_FIELDS])
        return records

    def account(self, account_number: str) -> dict[str, Any]:
        """One account.

        Raises:
            Refusal: there is no such account (code `account-unknown`).
        """
        found = self.accounts(account_number)
        if not found:
            raise Refusal(
                "account-unknown",
                f"There is no account '{account_number}'.",
                "`contact-pipeline accounts list` lists them.",
            )
        return found[0]

    def groups(self) -> list[dict[str, Any]]:
        """Groups with the number of their contacts."""
        with self.open(read_only=True) as database:
            records = database.records("""
                SELECT g.address_book, g.group_name AS "group", count(m.contact_id) AS contacts
                FROM groups AS g LEFT JOIN memberships AS m USING (address_book, group_name)
                GROUP BY ALL ORDER BY ALL""")
        return [record | {"group": mask_within(record["group"])} for record in records]

    def load_users(self, path: Path) -> list[User]:
        """Replaces the users by those of a YAML file: a list of {login, name, roles, can_import}.

        Raises:
            Refusal: the file cannot be read or an entry is wrong (code `users-file`), naming entry and key.
        """
        users = read_users(path)
        with self.change() as database:
            keep_users(database, users)
        return users

    def users(self) -> list[User]:
        """Every user."""
        with self.open(read_only=True) as database:
            return every_user(database)

    def user(self, login: str) -> User | None:
        """The user of that login, compared without regard to case; None when there is none."""
        with self.open(read_only=True) as database:
            return find_user(database, login)

    def load_vocabulary(self, name: str, path: Path) -> list[str]:
        """Replaces a vocabulary by the lines of a text file, blank ones and repetitions left out.

        Raises:
            Refusal: the file cannot be read or holds no value (code `vocabulary-file`).
        """
        values = read_vocabulary(path)
        with self.change() as database:
            keep_vocabulary(database, name, values)
        return values

    def vocabularies(self) -> dict[str, list[str]]:
        """Vocabulary → its values in order."""
        return {name: list(values) for name, values in sorted(self.reference().vocabularies.items())}

    def save_mapping(self, profile: str, headings: list[str], fields: dict[str, str], columns: list[str]) -> None:
        """Keeps a mapping (raw column → field) for files of the profile that have the same headings."""
        heading = dict(zip(columns, labels(headings), strict=True))
        mapping = {heading[column]: field for column, field in fields.items()}
        key = json.dumps(sorted(headings), ensure_ascii=False)
        with self.change() as database:
            database.run("DELETE FROM mappings WHERE profile = ? AND headings = ?", [profile, key])
            database.run("INSERT INTO mappings VALUES (?, ?, ?)", [profile, key, json.dumps(mapping)])

    def saved_mapping(self, profile: str, headings: list[str]) -> dict[str, str]:
        """The saved mapping (heading → field) for files of the profile with these headings; empty if there is none."""
        key = json.dumps(sorted(headings), ensure_ascii=False)
        with self.open(read_only=True) as database:
            found = database.value("SELECT mapping FROM mappings WHERE profile = ? AND headings = ?", [profile, key])
        return {} if found is None else dict(json.loads(found))
