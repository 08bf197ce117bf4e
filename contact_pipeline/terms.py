"""The words that everything shares: outcomes of rows, and the canonical fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

UNREAD: Final = "unread_"  # before a boolean field's name: the text that is neither yes nor no
ERROR: Final = "error_"  # before a field's name: the error that stands in its cell
FURTHER: Final = "further_"  # before a field's name: what the row holds for it besides the value that counts
COLUMN_OF: Final = "column_of_"  # before a field's name: the heading of its cell, where that is not in the first column
CONSENT: Final = "do_not_contact"
JOINED: Final = " ::: "  # between the values of a cell in which an export joined several

# Sheets of a template beside the one to fill in. Names survive whatever program saves the workbook again.
GUIDE_SHEET: Final = "How to fill in"
VALUES_SHEET: Final = "Values to pick"
ASIDE: Final = frozenset({GUIDE_SHEET.casefold(), VALUES_SHEET.casefold()})

Outcome = Literal[
    "created", "updated", "unchanged", "linked", "duplicate", "rejected", "review", "left_out", "blank",
]  # fmt: skip
OUTCOMES: Final[tuple[Outcome, ...]] = (
    "created", "updated", "unchanged", "linked", "duplicate", "rejected", "review", "left_out", "blank",
)  # fmt: skip
LEFT_OUT: Final[Outcome] = "left_out"
IMPORTED: Final[tuple[Outcome, ...]] = ("created", "updated", "linked")

FieldKind = Literal["text", "list", "boolean"]


@dataclass(frozen=True, slots=True)
class CanonicalField:
    """A field that every contact can have.

    Attributes:
        kind: how it is stored.
        form: the form of its values.
        sensitive: whether its values are masked wherever they are shown.
        identifies: whether a value belongs to one person, so that erasing looks for it everywhere.
        rare: whether few systems have it. Then, like a field of a profile's own, it gets its columns when an upload
            first brings it: a column that is null everywhere costs time in every commit.
    """

    kind: FieldKind
    form: str = ""
    sensitive: bool = False
    identifies: bool = False
    rare: bool = False


# A profile may declare more fields (text or list).
CANONICAL: Final[dict[str, CanonicalField]] = {
    "first_name": CanonicalField("text"),
    "last_name": CanonicalField("text"),
    "full_name": CanonicalField("text"),
    "email": CanonicalField("text", identifies=True),
    "phone": CanonicalField("text", "E.164, an extension as ;ext=", identifies=True),
    "date_of_birth": CanonicalField("text", "ISO 8601", sensitive=True),
    "ssn": CanonicalField("text", "123-45-6789", sensitive=True, identifies=True),
    "zip_code": CanonicalField("text"),
    "account_number": CanonicalField("text", identifies=True),
    "identifier": CanonicalField("text", identifies=True, rare=True),
    "contact_type": CanonicalField("text", rare=True),
    "qualifications": CanonicalField("list", rare=True),
    "company": CanonicalField("text", rare=True),
    "job_title": CanonicalField("text", rare=True),
    "address": CanonicalField("text", rare=True),
    "city": CanonicalField("text", rare=True),
    "region": CanonicalField("text", rare=True),
    "country": CanonicalField("text", "ISO 3166-1 alpha-2", rare=True),
    "do_not_contact": CanonicalField("boolean"),
    "notes": CanonicalField("list"),
    "lead_type": CanonicalField("text", rare=True),
    "module": CanonicalField("text", rare=True),
}
CONTACT_FIELDS: Final[dict[str, FieldKind]] = {name: field.kind for name, field in CANONICAL.items()}

ACCOUNT_FIELDS: Final[dict[str, FieldKind]] = {
    "account_number": "text",
    "account_name": "text",
    "account_type": "text",
    "portfolio": "text",  # the owner's login; empty: without portfolio
    "status": "text",
}
