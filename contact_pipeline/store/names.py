"""What contacts are called, for people who see an id and want to know whose it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from contact_pipeline.engines import Database
from contact_pipeline.masking import mask
from contact_pipeline.profiles import looks_in_contacts

NAME_OF: Final = "coalesce(nullif(full_name, ''), concat_ws(' ', first_name, last_name))"  # SQL, of a contact


def contact_names(database: Database, contact_ids: Iterable[int]) -> dict[int, str]:
    """Id → name of each contact that is there, by id; what looks sensitive in it is masked."""
    wanted = sorted({*contact_ids})
    if not wanted:
        return {}
    rows = database.rows(
        f"SELECT contact_id, {NAME_OF} FROM contacts WHERE contact_id IN (SELECT unnest(?::BIGINT[])) ORDER BY 1",
        [wanted],
    )
    looks = looks_in_contacts("full_name", sensitive=False)
    return {contact_id: mask(name, looks) for contact_id, name in rows if looks is not None}
