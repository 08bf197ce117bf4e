"""How to fill in a profile's file: the meaning, format, example and values of each column, for people."""

from __future__ import annotations

from typing import Final

from contact_pipeline.kinds.registry import KINDS
from contact_pipeline.profiles import Column, Profile
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.reports.profiles import format_in_words, profile_facts
from contact_pipeline.reports.sheet import Heading
from contact_pipeline.terms import VALUES_SHEET

_HEADINGS: Final = ("Column", "Required", "Meaning", "Format", "Example", "Values")
_MOST_NAMED: Final = 12  # values in one cell; more are in a sheet of their own
_MEANINGS: Final = {
    "first_name": "Given name of the person.",
    "last_name": "Family name of the person.",
    "full_name": "Whole name of the person.",
    "email": "E-mail address of the person.",
    "phone": "Telephone number of the person.",
    "date_of_birth": "Day on which the person was born.",
    "ssn": "Social security number of the person.",
    "zip_code": "Postal code of the address.",
    "account_number": "Number of the account.",
    "identifier": "Number by which the person's account is found again.",
    "contact_type": "What the person does for the account.",
    "qualifications": "What the person is qualified for.",
    "company": "Company for which the person works.",
    "job_title": "Position in the company.",
    "address": "Street and number.",
    "city": "City or town.",
    "region": "State or province.",
    "country": "Country of the address.",
    "do_not_contact": "Whether the person wants no messages.",
    "notes": "Whatever else is to be known.",
    "account_name": "Name of the account.",
    "account_type": "Kind of the account.",
    "portfolio": "Login of the user who owns the account.",
    "status": "Whether the account is in use.",
}


def guided_heading(column: Column, profile: Profile, reference: Reference) -> Heading:
    """The heading of a column with the choices of its cells, and the message that Excel shows beside them.

    Args:
        column: of the profile.
        profile: the profile.
        reference: registered values and logins, as they are now.
    """
    kind = KINDS[column.type]
    values, other = kind.offered(column, reference)
    parts = (
        "Required." if column.required else "",
        f"Format: {format_in_words(column, profile)}." if len(values) <= _MOST_NAMED else "Pick from the list.",
        f"Several: separate them by '{column.separator}'." if kind.as_joined else "",
        f"Example: {column.example}" if column.example else "",
    )
    message = " ".join(part for part in parts if part)
    return Heading(column.heading, column.required, values, other, message, wide=len(column.example))


def guide_rows(columns: list[Column | None], profile: Profile, reference: Reference) -> list[tuple[str, ...]]:
    """The rows of the sheet on how to fill in the file: the heading, one row for each column, and the rules of rows."""
    rows = [
        (
            column.heading,
            "yes" if column.required else "no",
            _MEANINGS.get(column.field, ""),
            format_in_words(column, profile),
            column.example,
            _named(KINDS[column.type].offered(column, reference)[0]),
        )
        for column in columns
        if column is not None
    ]
    needed = profile_facts(profile).get("every row needs")
    return [_HEADINGS, *rows, *([(), ("Every row needs", "", needed)] if needed else [])]


def _named(values: tuple[str, ...]) -> str:
    if len(values) <= _MOST_NAMED:
        return "\n".join(values)
    return f"{len(values):,} values: see the list in each cell, or the sheet '{VALUES_SHEET}'."
