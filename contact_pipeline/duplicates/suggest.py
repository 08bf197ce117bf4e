"""Suggests near contacts of the base for the new rows of an upload. Nothing is decided by them.

They are computed on request, for a bounded number of rows, so that planning stays fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from contact_pipeline.duplicates.compared import compared_fields, comparing, contact_part, copy_contacts, workspace
from contact_pipeline.duplicates.find import shown_contacts
from contact_pipeline.duplicates.near import AT_LEAST, find_near, make_near_keys, why
from contact_pipeline.engines import Tables, quoted
from contact_pipeline.match.keys import key_column, keyed
from contact_pipeline.match.part import Part
from contact_pipeline.store import Store, Upload
from contact_pipeline.store.expiries import expired, not_kept

MOST_ROWS: Final = 1000  # that are looked at


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Near contacts for new rows.

    Attributes:
        rows: for each row that is near somebody: row_number and suggestions, the nearest first, each with contact
            (as `shown_contacts` gives it), score (of 100) and why.
        looked_at: how many new rows were looked at, the first ones.
        new: how many new rows the upload has.
    """

    rows: list[dict[str, Any]]
    looked_at: int
    new: int

    def as_dict(self) -> dict[str, Any]:
        """The suggestions as a JSON document."""
        return {"new": self.new, "looked_at": self.looked_at, "rows": self.rows}


def suggest(store: Store, upload: Upload, *, at_least: float = AT_LEAST, most: int = MOST_ROWS) -> Suggestions:
    """Finds near contacts for the rows that an upload makes new contacts of.

    Args:
        store: of the home.
        upload: what is staged for it is read.
        at_least: how like a contact must be, of 100.
        most: how many new rows to look at, the first ones.

    Raises:
        Refusal: what was staged was deleted by age (code `expired`).
    """
    if expired(upload.line):
        raise not_kept(upload.line, "")
    profile = upload.resolved_profile
    if profile is None or not upload.staging.count("contact_changes"):
        return Suggestions([], 0, 0)
    part = contact_part(profile)
    fields = compared_fields(part)
    with workspace(store) as database:
        new = _copy_new(database, upload, part, most, store.settings.lock_wait_seconds)
        looked_at = min(new, most)
        if not looked_at:
            return Suggestions([], 0, new)
        copy_contacts(database, store, profile, part)
        among = " OR ".join(f"{key_column(name)} IN (SELECT {key_column(name)} FROM new_rows)" for name in fields)
        created = "SELECT contact_id FROM created"
        database.make("sharing_keys", f"SELECT * FROM all_keys WHERE ({among}) AND contact_id NOT IN ({created})")
        make_near_keys(database, "sharing_keys", fields, "near_keys")
        make_near_keys(database, "new_rows", fields, "row_keys")
        pairs = find_near(database, fields, at_least, ones="row_keys", others="near_keys")
        found: dict[int, list[dict[str, Any]]] = {}
        known = shown_contacts(store, {*pairs["other"]})
        for pair in pairs.iter_rows(named=True):
            suggestion = {"contact": known[pair["other"]], "score": round(pair["score"], 1), "why": why(pair, fields)}
            found.setdefault(pair["one"], []).append(suggestion)
    rows = [{"row_number": row, "suggestions": found[row]} for row in sorted(found)]
    return Suggestions(rows, looked_at, new)


def _copy_new(database: Tables, upload: Upload, part: Part, most: int, wait: float) -> int:
    """Makes new_rows (row_number and keys) of the first rows that make a contact, and created; how many rows do."""
    with database.attached(upload.staging.path, "staged", wait_seconds=wait):
        made = "staged.contact_changes"
        columns = [name.removeprefix("after_") for name in database.columns(made) if name.startswith("after_")]
        created = f"SELECT row_number, contact_id FROM {made} WHERE action = 'create' AND row_number IS NOT NULL"
        database.make("created", created)
        named = ", ".join(f"{quoted(f'after_{name}')} AS {quoted(name)}" for name in columns)
        database.make(
            "new_values",
            f"""
            SELECT row_number, {named} FROM {made} WHERE action = 'create' AND row_number IS NOT NULL
            ORDER BY row_number LIMIT {most}""",
        )
        new: int = database.value("SELECT count(*) FROM created")
    database.make("new_rows", keyed(comparing(part), "new_values", columns, "row_number::BIGINT AS row_number"))
    return new
