"""The words that everything shares: outcomes of rows, and the canonical fields."""

from __future__ import annotations

from typing import Final, Literal

UNREAD: Final = "unread_"  # before a boolean field's name: the text that is neither yes nor no
ERROR: Final = "error_"  # before a field's name: the error that stands in its cell
FURTHER: Final = "further_"  # before a field's name: what the row holds for it besides the value that counts
COLUMN_OF: Final = "column_of_"  # before a field's name: the heading of its cell, where that is not in the first column
CONSENT: Final = "do_not_contact"
JOINED: Final = " ::: "  # between the values of a cell in which an export joined several

Outcome = Literal["created", "updated", "unchanged", "linked", "duplicate", "rejected", "review", "blank"]
OUTCOMES: Final[tuple[Outcome, ...]] = (
    "created", "updated", "unchanged", "linked", "duplicate", "rejected", "review", "blank",
)  # fmt: skip
IMPORTED: Final[tuple[Outcome, ...]] = ("created", "updated", "linked")

FieldKind = Literal["text", "list", "boolean"]

# The canonical fields of a contact and how they are stored. A profile may declare more (text or list).
CONTACT_FIELDS: Final[dict[str, FieldKind]] = {
    "first_name": "text",
    "last_name": "text",
    "full_name": "text",
    "email": "text",
    "phone": "text",  # E.164, an extension as ;ext=
    "date_of_birth": "text",  # ISO 8601
    "ssn": "text",  # 123-45-6789
    "zip_code": "text",
    "account_number": "text",
    "identifier": "text",
    "contact_type": "text",
    "qualifications": "list",
    "company": "text",
    "job_title": "text",
    "address": "text",
    "city": "text",
    "region": "text",
    "country": "text",  # ISO 3166-1 alpha-2
    "do_not_contact": "boolean",
    "notes": "list",
    "lead_type": "text",
    "module": "text",
}

ACCOUNT_FIELDS: Final[dict[str, FieldKind]] = {
    "account_number": "text",
    "account_name": "text",
    "account_type": "text",
    "portfolio": "text",  # the owner's login; empty: without portfolio
    "status": "text",
}
