"""Decides which values of a column are sensitive: all, those that look so, or those with a label that says so."""

from __future__ import annotations

from typing import Final

from contact_pipeline.masking import ALONE, TOLD, Looks
from contact_pipeline.profiles.model import WITH_DAYS, Profile

# Fields of words: a number or a day alone in such a cell is in the wrong column.
_OF_WORDS: Final = frozenset({
    "first_name", "last_name", "full_name", "contact_type", "qualifications", "company", "job_title", "address", "city",
    "region", "country", "notes", "lead_type", "module", "account_name", "account_type", "status",
})  # fmt: skip
_OF_NUMBERS: Final = frozenset({"phone", "zip_code", "identifier"})  # types whose stored form does not look sensitive
_OF_TEN_DIGITS: Final = frozenset({"US", "CA"})  # regions where no telephone number has nine


def looks_in(profile: Profile, field: str | None, *, as_read: bool = False, is_rejected: bool = False) -> Looks | None:
    """What counts as sensitive in a column of an upload.

    Args:
        profile: the profile.
        field: the field that the column fills; None: none.
        as_read: whether the values are the file's text, where nine digits can be a zip code or a telephone number.
        is_rejected: whether the values failed the rules of the column.

    Returns:
        The looks for which a value is masked; None: it is always masked as a whole.
    """
    if field in profile.sensitive_fields:
        return None
    elsewhere = _out_of_place(profile)
    column = profile.column_of.get(field) if field else None
    if field is None or field in _OF_WORDS:
        return elsewhere
    if column is None or column.type in {"text", *WITH_DAYS, "login"}:
        return TOLD
    if column.type == "email":
        return elsewhere if is_rejected or as_read else TOLD  # text of the file may be no address
    if column.type in _OF_NUMBERS and as_read and not is_rejected:
        other = column.type == "phone" and profile.region in _OF_TEN_DIGITS
        return Looks(numbers=elsewhere.numbers and other, dates=elsewhere.dates)
    return elsewhere


def looks_in_contacts(field: str, *, sensitive: bool) -> Looks | None:
    """What counts as sensitive in a field of contacts or accounts, whatever profile wrote it; None: every value."""
    if sensitive:
        return None
    return ALONE if field in _OF_WORDS else TOLD


def looks_of_sender(profile: Profile) -> Looks:
    """What counts as sensitive in names that a sender gives: of a file, a heading, a group."""
    return Looks(numbers=_out_of_place(profile).numbers)


def _out_of_place(profile: Profile) -> Looks:
    """The looks of the profile's sensitive columns, for values that got into another column."""
    sensitive = [column for column in profile.columns if column.sensitive]
    return Looks(
        numbers=any(column.type == "ssn" for column in sensitive),
        dates="alone" if any(column.type == "date" for column in sensitive) else "labelled",
    )
