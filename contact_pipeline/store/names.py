"""What contacts are called, for people who see an id and want to know whose it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from contact_pipeline.engines import Tables
from contact_pipeline.masking import mask_value
from contact_pipeline.profiles import looks_in_contacts

NAME_FIELDS: Final = ("full_name", "first_name", "last_name")


def contact_names(database: Tables, contact_ids: Iterable[int]) -> dict[int, str]:
    """Id → name of each contact that is there, by id; what looks sensitive in it is masked."""
    wanted = sorted({*contact_ids})
    if not wanted:
        return {}
    rows = database.rows(
        f"""SELECT contact_id, {", ".join(NAME_FIELDS)} FROM contacts
            WHERE contact_id IN (SELECT unnest({wanted})) ORDER BY contact_id"""
    )
    return {contact_id: name_of(*parts) for contact_id, *parts in rows}


def name_of(*parts: str | None) -> str:
    """The name of a contact of its `NAME_FIELDS`, what looks sensitive in each of them masked.

    Each is masked alone: a day of birth that came into a column of names is all that stands in it.
    """
    whole, *others = (
        mask_value(part, looks_in_contacts(name, sensitive=False)) or ""
        for name, part in zip(NAME_FIELDS, parts, strict=True)
    )
    return whole or " ".join(part for part in others if part)
