"""Finds the contact that one word of a command means: an id, an e-mail address, a phone number or a full name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contact_pipeline.engines import Tables, literal
from contact_pipeline.errors import Refusal
from contact_pipeline.finding.words import as_typed, is_id, looks_like_phone
from contact_pipeline.masking import mask
from contact_pipeline.profiles import find_profiles
from contact_pipeline.store import Store
from contact_pipeline.store.links import linked_with
from contact_pipeline.store.names import NAME_FIELDS, name_of

SHOWN: Final = 10  # candidates that a refusal names


@dataclass(frozen=True, slots=True)
class Fitting:
    """A contact that a word can mean, as it may be shown.

    Attributes:
        contact_id: its id.
        name: its name; empty where it has none.
        email: its e-mail address, if any.
        phone: its phone number, if any.
        address_book: where it belongs.
        active: whether it is active.
    """

    contact_id: int
    name: str
    email: str | None
    phone: str | None
    address_book: str | None
    active: bool

    def __str__(self) -> str:
        details = [self.email or self.phone, None if self.active else "deactivated"]
        shown = ", ".join(each for each in details if each)
        return f"{self.contact_id} {self.name}".strip() + (f" ({shown})" if shown else "")

    def as_dict(self) -> dict[str, Any]:
        """The contact as a JSON document."""
        return {name: getattr(self, name) for name in self.__slots__}


class SeveralFit(Refusal):
    """A word fits several contacts, and no person can be asked which is meant (code `contact-ambiguous`).

    Attributes:
        candidates: the contacts that fit.
    """

    def __init__(self, text: str, candidates: Sequence[Fitting]) -> None:
        named = "; ".join(map(str, candidates[:SHOWN]))
        more = f"; and {len(candidates) - SHOWN} more" if len(candidates) > SHOWN else ""
        super().__init__(
            "contact-ambiguous",
            f"{len(candidates)} contacts fit '{text}': {named}{more}.",
            "Give the id of the one that is meant.",
        )
        self.candidates = list(candidates)

    def as_dict(self) -> dict[str, object]:
        """The error with its candidates."""
        return super().as_dict() | {"candidates": [each.as_dict() for each in self.candidates]}


def who(
    store: Store,
    text: str,
    *,
    address_book: str | None = None,
    linked_are_one: bool = False,
) -> list[Fitting]:
    """The contacts that a word can mean, ordered by id.

    Digits that are the id of a contact mean that contact, even if only the history has it. Otherwise the text is
    compared as an import compares it: an e-mail address or a phone number in any field of its kind, a name as a whole.

    Args:
        store: of the home.
        text: the word.
        address_book: only contacts of this one; an id counts in any address book.
        linked_are_one: whether linked contacts count as one, the oldest of them.

    Raises:
        Refusal: nobody fits (code `contact-unknown`).
    """
    with store.open(read_only=True) as database:
        found = _fitting(database, store.settings.profiles_path, as_typed(" ".join(text.split())), address_book)
        if linked_are_one and len(found) > 1:
            linked = {*linked_with(database, found[0].contact_id)}
            found = found[:1] if linked.issuperset(each.contact_id for each in found) else found
    if not found:
        raise _nobody(text, address_book)
    return found


def must_be_one(text: str, found: Sequence[Fitting]) -> Fitting:
    """The one contact that fits.

    Raises:
        SeveralFit: there are more (code `contact-ambiguous`).
    """
    if len(found) > 1:
        raise SeveralFit(text, found)
    return found[0]


def _fitting(database: Tables, own_profiles: Path, text: str, address_book: str | None) -> list[Fitting]:
    if is_id(text):
        by_id = _contacts(database, f"contact_id = {int(text)}")
        if by_id:
            return by_id
        if database.value(f"SELECT count(*) FROM contact_changes WHERE contact_id = {int(text)}"):
            return [Fitting(int(text), "", None, None, None, active=False)]  # gone, but for its history
    where = _condition(database, own_profiles, text)
    if where is None:
        return []
    if address_book is not None:
        where += f" AND address_book = {literal(address_book)}"
    return _contacts(database, where)


def _condition(database: Tables, own_profiles: Path, text: str) -> str | None:
    """The SQL condition for a word that is no id; None where it can mean nobody."""
    from contact_pipeline.finding.find import is_named, name_key, typed

    columns = database.columns("contacts")
    profiles = find_profiles(own_profiles)[0].values()
    if "@" in text:
        how = typed(database, profiles, columns, "email", text, notes=False)
    elif looks_like_phone(text):
        how = typed(database, profiles, columns, "phone", text, notes=False)
    else:
        how = {"name": is_named(database, text, columns)} if name_key(database, text) else {}
    return f"({' OR '.join(how.values())})" if how else None


def _contacts(database: Tables, where: str) -> list[Fitting]:
    rows = database.rows(f"""
        SELECT contact_id, email, phone, address_book, active, {", ".join(NAME_FIELDS)}
        FROM contacts AS c WHERE {where} ORDER BY contact_id""")
    return [
        Fitting(contact_id, name_of(*name), email and mask(email), phone and mask(phone), book, bool(active))
        for contact_id, email, phone, book, active, *name in rows
    ]


def _nobody(text: str, address_book: str | None) -> Refusal:
    if is_id(text) and not looks_like_phone(text):
        message = f"There is no contact {text}."
    else:
        message = f"No contact {f'in address book {address_book} ' if address_book else ''}fits '{text}'."
    fix = "`contact-pipeline contacts find` finds people by parts of a name, and `contacts list` lists them."
    return Refusal("contact-unknown", message, fix)
