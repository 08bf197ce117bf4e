"""The names of contacts, shown to people beside an id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from contact_pipeline.engines import Tables
from contact_pipeline.masking import mask_value
from contact_pipeline.profiles import looks_in_contacts

NAME_FIELDS: Final = ("full_name", "first_name", "last_name")


def contact_names(database: Tables, contact_ids: Iterable[int]) -> dict[int, str]:
    """Id → name of each contact that exists, ordered by id; what looks sensitive is masked."""
    wanted = sorted({*contact_ids})
    if not wanted:
        return {}
    rows = database.rows(
        f"""SELECT contact_id, {", ".join(NAME_FIELDS)} FROM contacts
            WHERE contact_id IN (SELECT unnest({wanted})) ORDER BY contact_id"""
    )
    return {contact_id: name_of(*parts) for contact_id, *parts in rows}


def name_of(*parts: str | None) -> str:
    """The name of a contact, from its `NAME_FIELDS`; what looks sensitive is masked.

    Each field is masked alone: a misplaced day of birth is recognized when it is the whole value.
    """
    whole, *others = (
        mask_value(part, looks_in_contacts(name, sensitive=False)) or ""
        for name, part in zip(NAME_FIELDS, parts, strict=True)
    )
    return whole or " ".join(part for part in others if part)
