"""Changes by hand: a contact is typed in, activated or deactivated; contacts join or leave a group.

A contact that is typed in becomes a file of one row. All other changes are changesets without a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

from contact_pipeline.apply import stage_activation, stage_memberships
from contact_pipeline.engines import Database
from contact_pipeline.errors import Refusal, listed
from contact_pipeline.masking import mask_within
from contact_pipeline.match import hash_changeset
from contact_pipeline.pipeline import committing, uploads
from contact_pipeline.pipeline.uploads import BY_HAND
from contact_pipeline.profiles import load_profile
from contact_pipeline.settings import Settings
from contact_pipeline.store import LedgerLine, Store, Upload
from contact_pipeline.store.erasures import ERASED
from contact_pipeline.store.facts import FileFacts
from contact_pipeline.store.groups import find_group, known_group
from contact_pipeline.store.ledger import add_line, now
from contact_pipeline.store.staging import keep_facts
from contact_pipeline.temporary import temporary_folder

Membership = Literal["add", "remove"]

_LIST_CONTACTS: Final = "`contact-pipeline contacts list` lists them."
_ANEW: Final = "Enter the person anew, if that is meant."


@contextmanager
def contact_as_file(profile_name: str, values: Mapping[str, str], settings: Settings) -> Iterator[Path]:
    """A file with a single contact, which exists as long as the block lasts.

    Args:
        profile_name: name of the profile.
        values: field → value, as it would stand in a file.
        settings: of the home.

    Raises:
        Refusal: there is no such profile (`profile-unknown`), or it has no such field (`field-unknown`).
    """
    from contact_pipeline.reports.template import write_template

    profile = load_profile(profile_name, settings.profiles_path)
    for field in values:
        if field not in profile.column_of:
            raise Refusal(
                "field-unknown",
                f"Profile {profile_name} has no field '{field}'.",
                f"Its fields: {listed(profile.column_of, limit=30)}.",
            )
    with TemporaryDirectory(dir=temporary_folder(settings.home)) as folder:
        name = f"{profile_name}_by_hand.{profile.file.types[0]}"
        yield write_template(profile, Path(folder) / name, values=values)


def set_active(store: Store, contact_id: int, user: str | None, *, active: bool) -> Upload:
    """Activates or deactivates one contact: stages the changeset and commits it.

    Raises:
        Refusal: there is no such contact (`contact-unknown`), it has that state already (`nothing-to-do`), or it was
            erased (`erased`).
    """
    actor = uploads.login(user)
    contact = store.contact(contact_id)
    if contact["erased"]:
        raise Refusal("erased", f"Contact {contact_id} was erased.", _ANEW)
    if contact["active"] == active:
        raise Refusal("nothing-to-do", f"Contact {contact_id} is {'' if active else 'in'}active already.", "")
    is_made = store.is_made(contact_id)
    line = stage_changeset(
        store,
        lambda database: stage_activation(database, contact_id, contact["revision"], active=active, is_made=is_made),
        address_book=contact["address_book"],
        file_name=f"{'reactivate' if active else 'deactivate'} contact {contact_id}",
        user_login=actor,
        deactivated=0 if active else 1,
    )
    return uploads.upload_of(store, committing.commit(store, line, actor))


def plan_memberships(
    store: Store, group: str, contact_ids: Collection[int], action: Membership, user: str | None
) -> Upload:
    """Stages that contacts join a group, which may be new, or leave it; contacts without a change are left out.

    Raises:
        Refusal: some contacts are unknown (`contact-unknown`), erased (`erased`) or of different address books
            (`address-books`); the group has no name (`group-missing`) or, to remove from, is not there
            (`group-unknown`); or all of them are in it, or out of it, already (`nothing-to-do`).
    """
    actor = uploads.login(user)
    name = " ".join(group.split())
    if not name:
        raise Refusal("group-missing", "The name of the group is blank.", "Give the name of a group.")
    if not contact_ids:
        raise Refusal("nothing-to-do", "No contact is given.", "Give the ids of contacts.")
    given, adds = sorted({*contact_ids}), action == "add"
    with store.open(read_only=True) as database:
        address_book = one_address_book(database, given)
        known = find_group(database, address_book, name)
        called = known_group(database, address_book, name)
        members = _members(database, address_book, called, given)
    if known is None and not adds:
        message = f"Address book {address_book} has no group '{mask_within(name)}'."
        raise Refusal("group-unknown", message, "`contact-pipeline groups list` lists the groups.")
    changing = [contact_id for contact_id in given if (contact_id in members) != adds]
    so_already = f"in the group '{called}' already" if adds else f"not in the group '{called}'"
    if not changing:
        who = f"Contact {given[0]} is" if len(given) == 1 else f"All of the {len(given):,} contacts are"
        raise Refusal("nothing-to-do", f"{who} {mask_within(so_already)}.", "")
    warnings = [] if known else [f"The group '{called}' is new in the address book {address_book}."]
    if left_out := len(given) - len(changing):
        warnings.append(f"{left_out:,} of {len(given):,} contacts {'is' if left_out == 1 else 'are'} {so_already}.")
    who = f"contact {changing[0]}" if len(changing) == 1 else f"{len(changing):,} contacts"
    line = stage_changeset(
        store,
        lambda database: stage_memberships(database, called, changing, "create" if adds else "remove"),
        address_book=address_book,
        file_name=f"{action} {who} {'to' if adds else 'from'} group {called}",
        group_name=called,
        user_login=actor,
        warnings=warnings,
    )
    return uploads.upload_of(store, line)


def _members(database: Database, address_book: str, group: str, among: list[int]) -> set[int]:
    rows = database.rows(
        """SELECT contact_id FROM memberships
           WHERE address_book = ? AND group_name = ? AND contact_id IN (SELECT unnest(?))""",
        [address_book, group, among],
    )
    return {contact_id for (contact_id,) in rows}


def one_address_book(database: Database, contact_ids: list[int]) -> str:
    """The one address book that has all these contacts.

    Raises:
        Refusal: some are unknown (`contact-unknown`), erased (`erased`) or of different address books
            (`address-books`).
    """
    found = database.rows(
        f"""SELECT contact_id, address_book, contact_id IN ({ERASED.format("")}) FROM contacts
            WHERE contact_id IN (SELECT unnest(?)) ORDER BY ALL""",
        [contact_ids],
    )
    unknown = sorted({*contact_ids} - {contact_id for contact_id, *_ in found})
    if unknown:
        raise Refusal("contact-unknown", f"There is no contact {listed(unknown)}.", _LIST_CONTACTS)
    erased = [contact_id for contact_id, _, is_erased in found if is_erased]
    if erased:
        raise Refusal("erased", f"Contact {listed(erased)} was erased.", _ANEW)
    books: dict[str, list[int]] = {}
    for contact_id, book, _ in found:
        books.setdefault(book, []).append(contact_id)
    if len(books) > 1:
        where = "; ".join(f"{book} has {listed(ids)}" for book, ids in books.items())
        message = f"The contacts are of {len(books)} address books: {where}."
        raise Refusal("address-books", message, "A group is of one address book: give the contacts of one at a time.")
    return next(iter(books))


def stage_changeset(
    store: Store, make: Callable[[Database], None], *, snapshot: int | None = None, **line: Any
) -> LedgerLine:
    """Stages a changeset that has no file, and adds its ledger line.

    Args:
        store: of the home.
        make: makes the tables of the changeset in the staging database.
        snapshot: number of the newest commit that the changeset has seen; unset: the newest of all.
        line: other values of the ledger line.
    """
    upload_id = uploads.new_id()
    staging = store.staging(upload_id)
    staging.make()
    with staging.open() as database:
        make(database)
        keep_facts(database, FileFacts())
        sha256 = hash_changeset(database)
    with store.change() as contacts:
        if snapshot is None:
            snapshot = contacts.value("SELECT coalesce(max(commit_number), 0) FROM commits")
        known: dict[str, Any] = {
            "profile": BY_HAND,
            "file_size": 0,
            "sha256": hashlib.sha256(b"").hexdigest(),
            "state": "staged",
            "stage": "matched",
            "added_at": now(),
            "changeset_sha256": sha256,
            "staged_files": staging.digests(),
            "snapshot": snapshot,
        }
        return add_line(contacts, upload_id=upload_id, **(known | line))
