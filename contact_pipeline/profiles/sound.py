"""Finds impossible combinations of keys in a profile, when the profile is loaded and not only when a file comes."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterator
from typing import Final

from contact_pipeline.profiles.base import why_no_delimiter
from contact_pipeline.profiles.model import STORED_AS, YES_NO, BlankPolicy, Column, FieldType, Matched, Profile
from contact_pipeline.profiles.problems import Place
from contact_pipeline.profiles.rules import InOrder
from contact_pipeline.terms import ACCOUNT_FIELDS, CONSENT, CONTACT_FIELDS

# The canonical fields whose values have one form in all contacts, whichever profile writes them.
_TYPES: Final[dict[str, tuple[FieldType, ...]]] = {
    "email": ("email",),
    "phone": ("phone",),
    "date_of_birth": ("date",),
    "ssn": ("ssn",),
    "zip_code": ("zip_code", "text"),
    "country": ("country",),
    "do_not_contact": ("boolean",),
    "first_name": ("name", "text"),
    "last_name": ("name", "text"),
    "full_name": ("name", "text"),
}

# Types that `blank_means` can have. Values of other types depend on the row's country, or belong to one person.
_MEANT_BY_BLANKS: Final[tuple[FieldType, ...]] = ("text", "choice", "list", "login", "boolean")


def find_unsound(profile: Profile) -> Iterator[tuple[Place, str]]:
    """Each key that cannot be as it is, and the reason."""
    for number, column in enumerate(profile.columns):
        for place, reason in _of_column(column, profile):
            yield ("columns", number, *place), reason
    for number, rule in enumerate(profile.rules):
        for name in (rule.start, rule.end) if isinstance(rule, InOrder) else ():
            if name in profile.column_of and profile.column_of[name].type != "date":
                yield ("rules", number), f"'{name}' is compared as a date, but its column is of another type"
    if profile.file.encoding is not None and not _is_encoding(profile.file.encoding):
        yield ("file", "encoding"), f"'{profile.file.encoding}' is no encoding that is known"
    if profile.file.delimiter is not None and (why := why_no_delimiter(profile.file.delimiter)):
        yield ("file", "delimiter"), why
    yield from _of_account_contacts(profile)
    if profile.options.clear_do_not_contact:
        why = why_none_clears(profile, {profile.matched, *profile.options.rule}, profile.options.blank)
        if why is not None:
            yield ("options", "clear_do_not_contact"), f"does nothing: {why}"


def why_none_clears(
    profile: Profile, matched: Collection[Matched], policies: Collection[BlankPolicy] = ()
) -> str | None:
    """Why no row could take back a wish not to be contacted, even if permitted; None if one could.

    Args:
        profile: the columns, and what a row is.
        matched: the possible treatments of a row that matches.
        policies: blank policies that may be chosen in place of the profile's.
    """
    if profile.target != "contact" or CONSENT not in profile.column_of:
        return f"no column of contacts fills '{CONSENT}'"
    if not {"update", "merge"} & {*matched}:
        return f"contacts that match are left as they are (matched: {' or '.join(sorted(matched))})"
    if {profile.blank_of(CONSENT), *policies} == {"fill"}:
        return f"'{CONSENT}' is written only where it is blank (blank: fill)"
    return None


def _of_column(column: Column, profile: Profile) -> Iterator[tuple[Place, str]]:
    canonical = ACCOUNT_FIELDS if profile.target == "account" else CONTACT_FIELDS
    kind, types = STORED_AS.get(column.type, "text"), _TYPES.get(column.field, ())
    if types and column.type not in types:
        yield ("type",), f"the canonical field '{column.field}' is of type {types[0]}, not {column.type}"
    elif column.field in canonical and canonical[column.field] != (column.kind or kind):
        stored = canonical[column.field]
        yield ("type",), f"the canonical field '{column.field}' is stored as {stored}, not as {column.kind or kind}"
    elif column.kind is not None and column.kind != kind:
        yield ("kind",), f"a column of type {column.type} is stored as {kind}, not as {column.kind}"
    if column.type == "list" and not column.separator:
        yield ("separator",), "is empty; give what separates the values of the list"
    if column.lists is not None and (column.kind or canonical.get(column.field) or kind) != "list":
        yield ("lists",), "is for columns of lists"
    if column.lists == "replace" and "merge" in (profile.matched, *profile.options.rule):
        yield ("lists",), "is replace, but where rows are merged into contacts, lists are united"
    if column.identifiers_column is not None and column.identifiers_column not in profile.column_of:
        yield ("identifiers_column",), f"'{column.identifiers_column}' is a field that no column fills"
    yield from _of_own_values(column)


def _of_own_values(column: Column) -> Iterator[tuple[Place, str]]:
    """Problems of the values that the profile itself gives: choices, defaults and meanings of blanks."""
    for key, value in (("default", column.default), ("blank_means", column.blank_means)):
        if column.choices and value is not None and value not in column.choices:
            yield (key,), f"'{value}' is not one of the choices"
    if column.type == "boolean" and not {*column.choices} <= YES_NO.keys():
        yield ("choices",), "of a boolean are yes and no"
    if column.blank_means is None:
        return
    if column.type not in _MEANT_BY_BLANKS:
        yield ("blank_means",), f"is for columns of type {', '.join(_MEANT_BY_BLANKS)}, not {column.type}"
    elif column.type == "boolean" and column.blank_means not in YES_NO:
        yield ("blank_means",), f"'{column.blank_means}' is neither yes nor no"
    if column.required or column.default is not None:
        yield ("blank_means",), "goes with neither required nor default: no value is ever missing"


def _of_account_contacts(profile: Profile) -> Iterator[tuple[Place, str]]:
    people = profile.account_contacts
    if people is None:
        return
    for key, names in (("fields", people.fields.values()), ("present", people.present)):
        for name in names:
            if name not in profile.column_of:
                yield ("account_contacts", key), f"'{name}' is a field that no column fills"
    kinds = profile.row_fields
    for field, name in people.fields.items():
        stored = CONTACT_FIELDS.get(field, "text")
        if kinds.get(name, stored) != stored:
            yield ("account_contacts", "fields"), f"'{field}' is stored as {stored}, and '{name}' is {kinds[name]}"
    for name in (name for rule in people.match for name in rule.fields):
        if name not in people.fields and name != "name":
            yield ("account_contacts", "match"), f"a rule uses '{name}', which account_contacts.fields does not fill"


def _is_encoding(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True
