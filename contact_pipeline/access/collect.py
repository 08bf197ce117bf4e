"""Gathers everything that is held about a person; it is found the same way as when a person is erased.

Whatever is or may be somebody else's is left out: other contacts are given by id only, and a row that is not surely the
person's is reduced to the cells that hold one of their values.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from contact_pipeline.access.others import hide_others
from contact_pipeline.access.theirs import Known, belonging
from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.erase.book import find_quotes
from contact_pipeline.erase.extent import frozen_uploads, rows_of_person
from contact_pipeline.erase.files import find_kept, find_left
from contact_pipeline.erase.person import Person, find_person
from contact_pipeline.erase.previews import count_previews
from contact_pipeline.erase.staged import read_cells
from contact_pipeline.erase.staged_cells import Cell
from contact_pipeline.errors import Refusal
from contact_pipeline.store import LedgerLine, Store
from contact_pipeline.store.copies import find_copies
from contact_pipeline.store.erasures import ERASED, home_id
from contact_pipeline.store.expiries import expired
from contact_pipeline.store.facts import FileFacts
from contact_pipeline.store.history import contact_history, note_origins
from contact_pipeline.store.ledger import find_lines
from contact_pipeline.store.links import linked_with
from contact_pipeline.terms import CONSENT

TITLE = "What we hold about you"
VERSION = 1  # of the document

_ROWS: Final = ("raw_rows", "normalized_rows")


def collect(store: Store, contact_id: int, only: Collection[int] | None = None) -> dict[str, Any]:
    """Everything that is held about a person, as one JSON document.

    Args:
        store: of the home.
        contact_id: the contact.
        only: the contacts to include, `contact_id` among them; None: it and all that are linked with it.

    Raises:
        Refusal: there never was such a contact (code `contact-unknown`), or it was erased (`erased`).
        StoreBusy: a database was in use by another program for longer than the settings allow.
    """
    with store.open(read_only=True) as database:
        _must_be_there(database, contact_id)
        ids = sorted({*(linked_with(database, contact_id) if only is None else only)})
        person = find_person(database, ids)
        lines, home = find_lines(database), home_id(database)
        frozen = frozen_uploads(store, lines)
        rows, unreadable = rows_of_person(store, database, lines, person, frozen)
        contacts = [_contact(database, each) for each in ids]
        decisions, corrections = _decisions(database, person, rows), _corrections(database, person, rows)
        quotes = find_quotes(database, person)
        known = Known(person, _values(database, person))
        looked_at = [
            _look_at(store, database, line, person, rows.get(line.upload_id, set()), intact=line.upload_id in frozen)
            for line in lines
        ]
        for each in looked_at:
            known.learn(each.surely_theirs(ids))
        uploads = [_upload(each, known) for each in looked_at if each.is_concerned]
        document: dict[str, Any] = {
            "title": TITLE,
            "version": VERSION,
            "made_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "contact_ids": ids,
            "contacts": contacts,
            "uploads": uploads,
            "decisions": [_decision(each, known, ids) for each in decisions],
            "corrections": [_correction(each, known, uploads) for each in corrections],
            "other_places": _other_places(store, person, rows, quotes, ids, home),
            "shared_with": dict(person.shared),
            "not_searched": sorted(str(path.relative_to(store.settings.home)) for path in unreadable),
        }
        hidden: dict[str, Any] = hide_others(database, document, known, ids)
    return hidden


def _must_be_there(database: Tables, contact_id: int) -> None:
    known = "SELECT contact_id FROM contacts UNION SELECT contact_id FROM contact_changes"
    if not database.value(f"SELECT count(*) FROM ({known}) WHERE contact_id = {contact_id}"):
        raise Refusal(
            "contact-unknown", f"There is no contact {contact_id}.", "`contact-pipeline contacts find` finds people."
        )
    if database.value(f"SELECT count(*) FROM ({ERASED.format('')}) WHERE contact_id = {contact_id}"):
        raise Refusal("erased", f"Contact {contact_id} was erased: nothing is held but its number.", "")


def _contact(database: Tables, contact_id: int) -> dict[str, Any]:
    """One contact with its values, unmasked, and how each came to be."""
    fields = [name for (name,) in database.rows("SELECT name FROM fields")]
    now, published = (_stored_in(database, table, contact_id, fields) for table in ("contacts", "published_contacts"))
    about = database.records(
        f"SELECT address_book, active, revision, last_upload_id FROM contacts WHERE contact_id = {contact_id}"
    )
    changes = contact_history(database, contact_id, masked=False)
    for change in changes:
        change.pop("linked_to_name", None)  # another contact is named by its id alone
        change.pop("name", None)
    return {
        "contact_id": contact_id,
        **(about[0] if about else {"address_book": None, "active": None, "revision": None, "last_upload_id": None}),
        "is_kept": bool(about),
        "current": now,
        "published": published,
        "may_be_contacted": _consent(now, changes),
        "groups": _column(database, f"SELECT group_name FROM memberships WHERE contact_id = {contact_id}"),
        "published_groups": _column(
            database, f"SELECT group_name FROM published_memberships WHERE contact_id = {contact_id}"
        ),
        "accounts": database.records(
            f"""SELECT a.account_id, a.address_book, a.account_number, account_type, status
               FROM accounts AS a JOIN contacts AS c USING (address_book, account_number)
               WHERE c.contact_id = {contact_id} ORDER BY account_id"""
        ),
        "linked_contacts": _column(
            database,
            f"""SELECT CASE WHEN contact_id = {contact_id} THEN linked_to ELSE contact_id END FROM links
                WHERE contact_id = {contact_id} OR linked_to = {contact_id}""",
        ),
        "notes": note_origins(database, contact_id, masked=False),
        "changes": changes,
    }


def _stored_in(database: Tables, table: str, contact_id: int, fields: Iterable[str]) -> dict[str, Any]:
    names = ", ".join(map(quoted, fields))
    found = database.records(f"SELECT {names} FROM {table} WHERE contact_id = {contact_id}")
    return {name: value for name, value in (found[0] if found else {}).items() if value not in (None, "", [])}


def _column(database: Tables, sql: str) -> list[Any]:
    return [value for (value,) in database.rows(f"{sql} ORDER BY 1")]


def _consent(now: dict[str, Any], changes: list[dict[str, Any]]) -> dict[str, Any]:
    """Whether the person may be contacted, and the newest effective change that decided it."""
    touching = [change for change in changes if CONSENT in change["fields"]]
    value = now.get(CONSENT)
    origin = next(
        (
            change
            for change in reversed(touching)
            if change["fields"][CONSENT][1] == value and not change["undone"] and change["commit"] != "undo"
        ),
        None,
    )
    keys = ("at", "upload_id", "file_name", "row_number", "by")
    return {CONSENT: value, "said_by": None if origin is None else {key: origin[key] for key in keys}}


def _values(database: Tables, person: Person) -> set[str]:
    """Every text that the person's contacts hold or held, in any field."""
    found: set[str] = set()
    for table, sides in (("contacts", ("",)), ("contact_changes", ("before_", "after_"))):
        for name, kind in database.rows("SELECT name, kind FROM fields"):
            if kind == "boolean":
                continue
            for side in sides:
                column = quoted(f"{side}{name}")
                value = f"unnest({column})" if kind == "list" else column
                rows = database.rows(f"SELECT DISTINCT {value} FROM {table} WHERE contact_id IN ({person.ids})")
                found |= {text for (text,) in rows if text}
    return found


@dataclass(frozen=True, slots=True)
class _LookedAt:
    """What an upload holds about the person."""

    line: LedgerLine
    is_concerned: bool
    rows_are_kept: bool
    cells: list[Cell]
    owners: dict[int, dict[str, Any]]
    headings: dict[str, str]
    fields: dict[str, str]

    def surely_theirs(self, contact_ids: Collection[int]) -> Iterator[str]:
        """The values in the rows that changed only the person's contacts."""
        mine = {row for row, owner in self.owners.items() if owner["contacts"] and owner["contacts"] <= {*contact_ids}}
        return (cell.value for cell in self.cells if cell.row_number in mine and cell.table in _ROWS)


def _look_at(
    store: Store, database: Tables, line: LedgerLine, person: Person, rows: set[int], *, intact: bool
) -> _LookedAt:
    staging = store.staging(line.upload_id)
    changed = database.value(
        f"""SELECT count(*) FROM contact_changes
            WHERE upload_id = {literal(line.upload_id)} AND contact_id IN ({person.ids})"""
    )
    cells = read_cells(staging.folder, person, store.settings, rows, intact=intact) if staging.folder.exists() else []
    is_concerned = bool(rows or cells or changed)
    facts = staging.facts() if is_concerned and staging.count("facts") else FileFacts()
    owners = _owners(store, database, line, rows)
    headings, fields = facts.heading_of, dict(facts.fields)
    return _LookedAt(line, is_concerned, staging.exists(), cells, owners, headings, fields)


def _upload(found: _LookedAt, known: Known) -> dict[str, Any]:
    """An upload, with the rows that are the person's or mention them."""
    line = found.line
    by_row: dict[int | None, list[Cell]] = defaultdict(list)
    for cell in found.cells:
        by_row[cell.row_number].append(cell)
    shown = [
        _row(row, by_row.pop(row, []), owner, known, found.headings, found.fields)
        for row, owner in sorted(found.owners.items())
    ]
    elsewhere = sorted({cell.value for cells in by_row.values() for cell in cells if known.is_known(cell.value)})
    return {
        "upload_id": line.upload_id,
        "file_name": line.file_name,
        "profile": line.profile,
        "state": line.state,
        "added_at": f"{line.added_at:%Y-%m-%dT%H:%M:%SZ}",
        "added_by": line.user_login,
        "first_approved_by": line.first_approved_by if line.first_approval else None,
        "approved_by": line.approved_by,
        "rows_are_kept": found.rows_are_kept,
        "rows_expired": expired(line) or None,
        "rows": shown,
        "mentioned_elsewhere": elsewhere,
    }


def _owners(store: Store, database: Tables, line: LedgerLine, rows: set[int]) -> dict[int, dict[str, Any]]:
    """Row → its outcome, the contacts that it changed, and its candidates."""
    found: dict[int, dict[str, Any]] = {row: {"outcome": None, "contacts": set(), "candidates": set()} for row in rows}
    for row, contact_id in database.rows(
        f"""SELECT row_number, contact_id FROM contact_changes
            WHERE upload_id = {literal(line.upload_id)} AND row_number IS NOT NULL"""
    ):
        if row in found:
            found[row]["contacts"].add(contact_id)
    staging = store.staging(line.upload_id)
    if not rows or not staging.exists():
        return found
    mine = ", ".join(map(str, sorted(rows)))
    with staging.open(read_only=True) as staged:
        if staged.has("outcome_rows"):
            for row, outcome, *ids in staged.rows(f"""
                SELECT row_number, outcome, contact_id, duplicate_of_contact FROM outcome_rows
                WHERE row_number IN ({mine})"""):
                found[row]["outcome"] = outcome
                found[row]["contacts"] |= {each for each in ids if each is not None}
        if staged.has("review_candidates"):
            for row, candidate in staged.rows(f"""
                SELECT row_number, candidate FROM review_candidates
                WHERE row_number IN ({mine}) AND entity = 'contact' AND candidate IS NOT NULL"""):
                found[row]["candidates"].add(candidate)
    return found


def _row(
    row: int,
    cells: list[Cell],
    owner: dict[str, Any],
    known: Known,
    headings: dict[str, str],
    fields: dict[str, str],
) -> dict[str, Any]:
    """A row as it stands in the file and as it was read; if it may be somebody else's, only the person's values."""
    raw = [cell for cell in cells if cell.table == "raw_rows"]
    whose = belonging(owner["contacts"], known, {cell.column: cell.value for cell in raw}, fields)
    visible = [cell for cell in cells if whose == "theirs" or known.is_known(cell.value)]
    shown = {(cell.table, cell.column, cell.value) for cell in visible}
    original = {headings.get(cell.column, cell.column) or cell.column: cell.value for cell in raw if cell in visible}
    read = {cell.column: cell.value for cell in visible if cell.table == "normalized_rows"}
    seen = {*original.values(), *read.values()}
    further = sorted({(table, column, value) for table, column, value in shown if value not in seen})
    others = sorted((owner["contacts"] | owner["candidates"]) - {*known.contact_ids})
    return {
        "row_number": row,
        "outcome": owner["outcome"],
        "whose": whose,
        "cells": original,
        "read_as": read,
        "further": [
            {"table": table, "column": column, "value": value}
            for table, column, value in further
            if table != "raw_rows" and not (table == "normalized_rows" and column in read)
        ],
        "other_contacts": others,
        "withheld": sorted(
            {headings.get(cell.column, cell.column) or cell.column for cell in raw if cell not in visible}
        ),
    }


def _decisions(database: Tables, person: Person, rows: dict[str, set[int]]) -> list[dict[str, Any]]:
    """The decisions about the person's rows, and those that a row is the person."""
    return [
        decision
        for decision in database.records("""
            SELECT upload_id, file_name, row_number, choice, contact_id, other_row, decided_by,
                   strftime(decided_at, '%Y-%m-%dT%H:%M:%SZ') AS decided_at, withdrawn, keys
            FROM decisions LEFT JOIN (SELECT upload_id, file_name FROM uploads) USING (upload_id)
            ORDER BY decisions.decided_at, row_number""")
        if decision["contact_id"] in person.contact_ids
        or decision["row_number"] in rows.get(decision["upload_id"], ())
        or person.values_in(decision["keys"])
    ]


def _decision(decision: dict[str, Any], known: Known, ids: Collection[int]) -> dict[str, Any]:
    """A decision and the keys that recognize later rows; if its row is somebody else's, only the person's keys."""
    keys = dict(each.partition("=")[::2] for each in decision.pop("keys").split("\x1f") if each)
    theirs = decision["contact_id"] in ids
    return decision | {"recognized_by": {name: key for name, key in keys.items() if theirs or known.is_known(key)}}


def _corrections(database: Tables, person: Person, rows: dict[str, set[int]]) -> list[dict[str, Any]]:
    """The corrections in the person's rows, and those from or to one of their values."""
    return [
        correction
        for correction in database.records("""
            SELECT upload_id, file_name, row_number, "column", before, after, corrected_by,
                   strftime(corrected_at, '%Y-%m-%dT%H:%M:%SZ') AS corrected_at, withdrawn
            FROM corrections LEFT JOIN (SELECT upload_id, file_name FROM uploads) USING (upload_id)
            WHERE kind = 'cell' ORDER BY corrections.corrected_at, row_number, "column\"""")
        if correction["row_number"] in rows.get(correction["upload_id"], ())
        or any(person.values_in(correction[side] or "") for side in ("before", "after"))
    ]


def _correction(correction: dict[str, Any], known: Known, uploads: list[dict[str, Any]]) -> dict[str, Any]:
    """A correction; if its row may be somebody else's, only the person's values."""
    sure = any(
        upload["upload_id"] == correction["upload_id"]
        and row["row_number"] == correction["row_number"]
        and row["whose"] == "theirs"
        for upload in uploads
        for row in upload["rows"]
    )
    shown = {
        side: correction[side] if sure or known.is_known(correction[side] or "") else None
        for side in ("before", "after")
    }
    return correction | shown


def _other_places(
    store: Store,
    person: Person,
    rows: dict[str, set[int]],
    quotes: list[tuple[str, str, list[str]]],
    ids: list[int],
    home: str,
) -> dict[str, Any]:
    """The places besides contacts, history and rows that hold the person's values: what erasing would redact."""
    settings = store.settings
    pattern = re.compile(person.pattern) if person.pattern else None
    previews = count_previews(settings, pattern, rows)
    kept = find_kept(settings, pattern, rows, ids)
    erased = {str(path.relative_to(settings.home)) for path in (*kept, *previews)}
    return {
        "files": [str(path.relative_to(settings.home)) for path in kept],
        "copies": [str(path.relative_to(settings.home)) for path in find_copies(settings)],
        "left_by_erasing": [name for name in find_left(settings, pattern, ids, home) if name not in erased],
        "previews": sum(previews.values()),
        "names": [{"table": table, "column": column, "values": values} for table, column, values in quotes],
    }
