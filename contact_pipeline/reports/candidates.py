"""Rows compared: rows in review with their candidates, and duplicates with what they duplicate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contact_pipeline.errors import MachineFault, number_of
from contact_pipeline.store import Store, Upload
from contact_pipeline.terms import ACCOUNT_FIELDS, CONTACT_FIELDS


def compare_candidates(store: Store, upload: Upload, limit: int | None = None) -> list[dict[str, Any]]:
    """The rows in review, each with its values and those of its candidates; sensitive values are masked.

    Args:
        store: of the home.
        upload: the upload with the rows.
        limit: how many rows are given, the first ones; unset: all of them.

    Returns:
        row_number, why, values (field → value) and candidates: contact_id (or account_id, or row_number of an earlier
        row), shares and, of a contact, name, active and values; of a row, values.

    Raises:
        MachineFault: the staged files have changed, and cannot be read (code `damaged`).
    """
    with upload.reading():
        return _compared(store, upload, limit)


def _compared(store: Store, upload: Upload, limit: int | None) -> list[dict[str, Any]]:
    reviews: dict[int, list[str]] = defaultdict(list)
    for row, why in _records(
        upload, "reviews", f"SELECT DISTINCT row_number, why FROM reviews {_first('reviews', limit)}"
    ):
        reviews[row].append(why)
    wanted = sorted(reviews)
    candidates: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for record in upload.rows_of("review_candidates", wanted).iter_rows(named=True) if wanted else ():
        candidates[record["row_number"]].append(record)
    every = [each for row in wanted for each in candidates[row]]
    ids = {each["candidate"] for each in every if each["entity"] == "contact" and each["candidate"] is not None}
    contacts, names = _contacts(store, upload, ids)
    values = _values(upload, {*wanted, *(each["other_row"] for each in every if each["candidate"] is None)})
    return [
        {
            "row_number": row,
            "why": "; ".join(reviews[row]),
            "values": values.get(row, {}),
            "candidates": [_candidate(each, contacts, names, values) for each in candidates[row]],
        }
        for row in wanted
    ]


def in_review_of_all(store: Store, uploads: Iterable[Upload], limit: int | None = None) -> list[dict[str, Any]]:
    """The rows in review of several uploads, upload by upload.

    Args:
        store: of the home.
        uploads: the uploads, in the order of the result.
        limit: how many rows are given, the first ones; unset: all of them.

    Returns:
        upload_id, file, profile, feed and state of the upload, and the row as `compare_candidates` gives it. An upload
        whose staged data is gone or damaged has one line without a row_number; its why says so.
    """
    rows: list[dict[str, Any]] = []
    for upload in uploads:
        if limit is not None and len(rows) >= limit:
            break
        line = upload.line
        of = {
            "upload_id": line.upload_id, "file": line.file_name, "profile": line.profile, "feed": line.feed,
            "state": line.state,
        }  # fmt: skip
        left = None if limit is None else limit - len(rows)
        rows += (of | row for row in _of_readable(store, upload, left))
    return rows


def _of_readable(store: Store, upload: Upload, limit: int | None) -> list[dict[str, Any]]:
    """The result of `compare_candidates`, or one line that tells that the upload cannot be read."""
    try:
        if upload.staging.exists():
            return compare_candidates(store, upload, limit)
        problem = "What is staged of it is missing."
    except MachineFault as fault:
        problem = fault.message
    why = f"{number_of(upload.line.review, 'row')} in review cannot be read. {problem}"
    return [{"row_number": None, "why": why, "values": {}, "candidates": []}]


def compare_duplicates(store: Store, upload: Upload, limit: int) -> list[dict[str, Any]]:
    """The rows that duplicate another row or a contact, each with its values and those of the other; masked.

    Args:
        store: of the home.
        upload: the upload with the rows.
        limit: how many rows of either kind are given, the first ones.

    Returns:
        row_number, outcome, values; and other_row, or contact_id and name, of what it duplicates, with its values as
        other.
    """
    found = _records(
        upload,
        "outcome_rows",
        " UNION ALL ".join(
            f"""(SELECT row_number, outcome, {row} AS other_row, {contact} AS contact_id
                 FROM outcome_rows WHERE {kept} ORDER BY row_number LIMIT {limit})"""
            for row, contact, kept in (
                ("duplicate_of_row", "NULL", "duplicate_of_row IS NOT NULL"),
                ("NULL", "duplicate_of_contact", "duplicate_of_row IS NULL AND duplicate_of_contact IS NOT NULL"),
            )
        ),
    )
    contacts, names = _contacts(store, upload, {contact for *_, contact in found if contact is not None})
    values = _values(upload, {number for row, _, other, _ in found for number in (row, other) if number is not None})
    compared = []
    for row, outcome, other_row, contact_id in sorted(found):
        known = {"row_number": row, "outcome": outcome, "values": values.get(row, {})}
        if other_row is not None:
            known |= {"other_row": other_row, "other": values.get(other_row, {})}
        else:
            contact = contacts.get(contact_id, {})
            known |= {"contact_id": contact_id, "name": names.get(contact_id, ""), "other": _filled(contact)}
        compared.append(known)
    return compared


def in_words(candidate: Mapping[str, Any]) -> str:
    """A candidate with its values in one line; values that it shares with the row are marked."""
    who = next(f"{key} {candidate[key]}" for key in ("contact_id", "account_id", "row_number") if key in candidate)
    shares, values = candidate["shares"], candidate.get("values", {})
    parts = [f"{name}: {_as_text(value)}{' (same)' if name in shares else ''}" for name, value in values.items()]
    parts += [f"{name} (same)" for name in shares if name not in values]
    return ", ".join([who.replace("_id", "").replace("_number", ""), *parts])


def _as_text(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def _records(upload: Upload, table: str, query: str) -> list[tuple[Any, ...]]:
    with upload.staging.look() as database:
        return database.rows(query) if database is not None and database.has(table) else []


def _first(table: str, limit: int | None) -> str:
    """The condition that a row is among the first of a staged table."""
    within = f"SELECT DISTINCT row_number FROM {table} ORDER BY row_number LIMIT {limit}"
    return "" if limit is None else f"WHERE row_number IN ({within})"


def _contacts(store: Store, upload: Upload, ids: set[int]) -> tuple[dict[int, dict[str, Any]], dict[int, str]]:
    """The contacts that exist, masked, and their names, by id."""
    if not ids:
        return {}, {}
    return {contact["contact_id"]: contact for contact in store.contacts(among=ids)}, upload.names(ids)


def _values(upload: Upload, rows: set[int]) -> dict[int, dict[str, Any]]:
    """Row → its values by field, masked."""
    found = upload.rows_of("normalized_rows", rows) if rows else None
    return {} if found is None else {record["row_number"]: _filled(record) for record in found.iter_rows(named=True)}


def _candidate(
    record: Mapping[str, Any],
    contacts: Mapping[int, dict[str, Any]],
    names: Mapping[int, str],
    values: Mapping[int, dict[str, Any]],
) -> dict[str, Any]:
    if record["candidate"] is None:
        other = record["other_row"]
        return {"row_number": other, "shares": record["shares"], "values": values.get(other, {})}
    found = {f"{record['entity']}_id": record["candidate"], "shares": record["shares"]}
    contact = contacts.get(record["candidate"]) if record["entity"] == "contact" else None
    if contact is None:
        return found
    name = names.get(record["candidate"], "")
    return found | {"name": name, "active": record["active"], "values": _filled(contact)}


def _filled(record: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical fields of a record that have a value."""
    ours: Sequence[str] = [name for name in record if name in CONTACT_FIELDS or name in ACCOUNT_FIELDS]
    return {name: record[name] for name in ours if record[name] not in (None, "", [])}
