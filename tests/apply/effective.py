"""The meaning of the tables, one change at a time in plain Python; the SQL of the store must agree with it.

A change counts while its upload is applied and not undone. Changes are in the order of the commits
in which they were first applied. Erased contacts are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from contact_pipeline.engines import Database
from contact_pipeline.store.changes import kept_fields
from contact_pipeline.terms import ACCOUNT_FIELDS

Id = int | tuple[Any, ...]
Row = dict[str, Any]

PAIRS = {"membership": ("group_name", "contact_id"), "link": ("contact_id", "linked_to")}
KNOWN = ("address_book", "created_commit", "last_upload_id")


@dataclass(frozen=True)
class Change:
    """What a commit did to one target.

    Attributes:
        target: contact, account, membership or link.
        id: of the contact or account; (group, contact) or (contact, linked to).
        action: create, update, deactivate, reactivate or remove.
        fields: those that it touches, each before and after.
    """

    target: Literal["contact", "account", "membership", "link"]
    id: Any
    action: str
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def contacts(self) -> tuple[int, ...]:
        """The contacts that the change names."""
        if self.target == "membership":
            return self.id[1:]
        return self.id if self.target == "link" else (self.id,) if self.target == "contact" else ()


@dataclass(frozen=True)
class Commit:
    """One commit in which changes of an upload were applied."""

    number: int
    upload_id: str
    address_book: str
    changes: list[Change]


@dataclass
class Tables:
    """The tables; a contact or account has its fields and what is known of it beside them (KNOWN)."""

    contacts: dict[int, Row] = field(default_factory=dict)
    accounts: dict[int, Row] = field(default_factory=dict)
    memberships: set[tuple[str, str, int]] = field(default_factory=set)
    links: set[tuple[int, int]] = field(default_factory=set)
    groups: dict[tuple[str, str], str] = field(default_factory=dict)

    def as_published(self) -> Tables:
        """The published part of the tables: contacts, memberships and links."""
        contacts = {
            key: {name: value for name, value in row.items() if name != "created_commit"}
            for key, row in self.contacts.items()
        }
        return Tables(contacts, {}, self.memberships, self.links)


def effective_tables(
    commits: Iterable[Commit], counting: Collection[str], erased: Collection[int], fields: Iterable[str]
) -> Tables:
    """The tables without those who were erased.

    Args:
        commits: every commit that applied something.
        counting: the uploads that count.
        erased: the contacts that were erased.
        fields: of the contacts.
    """
    ordered = sorted(commits, key=lambda commit: commit.number)
    tables = Tables()
    for commit in ordered:
        if commit.upload_id in counting:
            for change in commit.changes:
                _take(tables, commit, change, [*fields, "active"])
    for contact in tables.contacts.values():
        contact["active"] = contact["created_commit"] is not None and bool(contact["active"])
        _tell_last_upload(contact)
    for contact_id in erased:
        tables.contacts.pop(contact_id, None)
    tables.memberships = {pair for pair in tables.memberships if pair[2] not in erased}
    tables.links = {pair for pair in tables.links if not {*pair} & {*erased}}
    _keep_named_accounts(tables, ordered, counting, erased)
    return tables


def _take(tables: Tables, commit: Commit, change: Change, fields: list[str]) -> None:
    """Applies one more change to the tables."""
    for contact_id in change.contacts:
        contact = tables.contacts.setdefault(contact_id, _nobody(commit, fields))
        contact["named_by"] = contact["named_by"] or commit.upload_id
    there = tables.memberships if change.target == "membership" else tables.links
    if change.target in PAIRS:
        pair = (commit.address_book, *change.id) if change.target == "membership" else change.id
        (there.add if change.action == "create" else there.discard)(pair)
        if change.target == "membership" and change.action == "create":
            tables.groups.setdefault((commit.address_book, change.id[0]), commit.upload_id)
        return
    if change.target == "contact":
        target, makes = tables.contacts[change.id], change.fields.get("active") == (None, True)
    else:
        target = tables.accounts.setdefault(change.id, _nobody(commit, ACCOUNT_FIELDS))
        makes = change.action == "create"
    target |= {name: after for name, (_, after) in change.fields.items()} | {"changed_by": commit.upload_id}
    if "status" in change.fields:
        target["says_status"] = True
    if makes and target["created_commit"] is None:
        target["created_commit"] = commit.number


def _nobody(commit: Commit, fields: Iterable[str]) -> Row:
    known = {"address_book": commit.address_book, "created_commit": None, "changed_by": None, "named_by": None}
    return known | dict.fromkeys(fields)


def _keep_named_accounts(
    tables: Tables, commits: list[Commit], counting: Collection[str], erased: Collection[int]
) -> None:
    """An account whose number a contact was given stays for it; its number is what it is known by, whatever counts."""
    known = [*_numbers(commits, "account")]
    for naming, contact_id, number in _numbers(commits, "contact"):
        for made, account_id, of_account in known if naming.upload_id in counting and contact_id not in erased else ():
            if (naming.address_book, number) == (made.address_book, of_account):
                account = tables.accounts.setdefault(account_id, _nobody(made, ACCOUNT_FIELDS))
                account["named_by"] = account["named_by"] or naming.upload_id
    for account_id, account in tables.accounts.items():
        first = next(number for _, known_id, number in known if known_id == account_id)
        account["account_number"] = account["account_number"] or first
        if account["created_commit"] is None and not account.pop("says_status", False):
            account["status"] = "INACTIVE"
        account.pop("says_status", None)
        _tell_last_upload(account)


def _numbers(commits: list[Commit], target: str) -> Iterator[tuple[Commit, int, str]]:
    """The account numbers that contacts or accounts were given."""
    for commit in commits:
        for change in commit.changes:
            if change.target == target and "account_number" in change.fields:
                yield commit, change.id, change.fields["account_number"][1]


def _tell_last_upload(row: Row) -> None:
    """The newest upload that changed the contact; if none did, the first that names it."""
    changed_by, named_by = row.pop("changed_by"), row.pop("named_by")
    row["last_upload_id"] = changed_by or named_by


def read_tables(database: Database, *, published: bool = False) -> Tables:
    """The tables as they are stored, or their published part."""
    prefix = "published_" if published else ""
    fields = ["active", *(name for (name,) in database.rows("SELECT name FROM fields"))]
    known = [name for name in KNOWN if not (published and name == "created_commit")]
    tables = Tables(
        contacts=_rows(database, f"{prefix}contacts", "contact_id", [*known, *fields]),
        memberships=_set(database, f"SELECT address_book, group_name, contact_id FROM {prefix}memberships"),
        links=_set(database, f"SELECT contact_id, linked_to FROM {prefix}links"),
    )
    if not published:
        tables.accounts = _rows(database, "accounts", "account_id", [*KNOWN, *ACCOUNT_FIELDS])
        groups = database.rows("SELECT address_book, group_name, upload_id FROM groups")
        tables.groups = {(book, name): upload for book, name, upload in groups}
    return tables


def _rows(database: Database, table: str, identity: str, columns: list[str]) -> dict[int, Row]:
    rows = database.rows(f"SELECT {identity}, {', '.join(columns)} FROM {table}")
    found = {key: dict(zip(columns, values, strict=True)) for key, *values in rows}
    assert len(found) == len(rows), f"{table} has somebody twice"
    return found


def _set(database: Database, query: str) -> set[Any]:
    rows = database.rows(query)
    assert len(rows) == len({*rows}), f"twice the same: {query}"
    return {*rows}


def read_commits(database: Database) -> Iterator[Commit]:
    """The commits that applied something, as the history has them."""
    changes: dict[int, list[Change]] = {}
    for target in ("contact", "account"):
        fields = kept_fields(database, f"{target}_changes")
        for row in database.records(f"FROM {target}_changes"):
            sides = {name: (row[f"before_{name}"], row[f"after_{name}"]) for name in fields}
            touched = {name: pair for name, pair in sides.items() if pair[0] != pair[1]}
            change = Change(target, row[f"{target}_id"], row["action"], touched)  # type: ignore[arg-type]
            changes.setdefault(row["commit_number"], []).append(change)
    for target, columns in PAIRS.items():
        for number, action, *pair in database.rows(
            f"SELECT commit_number, action, {', '.join(columns)} FROM {target}_changes"
        ):
            changes.setdefault(number, []).append(Change(target, tuple(pair), action))  # type: ignore[arg-type]
    for number, upload_id, book in database.rows(
        "SELECT commit_number, upload_id, address_book FROM commits WHERE action = 'apply'"
    ):
        yield Commit(number, upload_id, book, changes.get(number, []))


def deviations(database: Database) -> list[str]:
    """The differences between the tables of a contact database, published ones included, and its history's meaning."""
    commits = [*read_commits(database)]
    fields = [name for (name,) in database.rows("SELECT name FROM fields")]
    undone = {upload for (upload,) in database.rows("SELECT upload_id FROM commits WHERE undone_by IS NOT NULL")}
    held = {upload for (upload,) in database.rows("SELECT upload_id FROM uploads WHERE held AND state = 'applied'")}
    erased = {contact for (contact,) in database.rows("SELECT contact_id FROM erasures")}
    counting = {commit.upload_id for commit in commits} - undone
    found = []
    for published, uploads in ((False, counting), (True, counting - held)):
        stored, meant = read_tables(database, published=published), effective_tables(commits, uploads, erased, fields)
        stored.contacts = {key: row for key, row in stored.contacts.items() if key not in erased}
        found += differences(stored, meant.as_published() if published else meant)
    return found


def differences(stored: Tables, meant: Tables) -> list[str]:
    """The differences between the tables and their meaning."""
    found = []
    for table in ("contacts", "accounts", "groups"):
        have, want = getattr(stored, table), getattr(meant, table)
        found += [
            f"{table} {key}: {have.get(key)} instead of {want.get(key)}"
            for key in sorted(have.keys() | want.keys())
            if have.get(key) != want.get(key)
        ]
    for table in ("memberships", "links"):
        have, want = getattr(stored, table), getattr(meant, table)
        found += [f"{table}: {pair} too many" for pair in sorted(have - want)]
        found += [f"{table}: {pair} is missing" for pair in sorted(want - have)]
    return found
