"""The rows in review beside the contacts that each could be: what they share, and what differs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from contact_pipeline.store import Store, Upload
from contact_pipeline.terms import CONTACT_FIELDS


def compare_candidates(store: Store, upload: Upload) -> list[dict[str, Any]]:
    """The rows in review, each with its values and those of its candidates; sensitive values are masked.

    Args:
        store: of the home.
        upload: whose rows they are.

    Returns:
        row_number, why, values (field → value) and candidates: contact_id (or account_id, or row_number of an earlier
        row), shares and, of a contact, name, active and values.
    """
    reviews: dict[int, list[str]] = defaultdict(list)
    for record in upload.staging.records("reviews"):
        reviews[record["row_number"]].append(record["why"])
    wanted = sorted(reviews)
    candidates: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for record in upload.staging.records("review_candidates"):
        candidates[record["row_number"]].append(record)
    ids = {
        each["candidate"]
        for row in wanted
        for each in candidates[row]
        if each["entity"] == "contact" and each["candidate"] is not None
    }
    contacts = {contact["contact_id"]: contact for contact in store.contacts(among=ids)} if ids else {}
    names = upload.names(ids)
    values = {
        record.pop("row_number"): _filled(record)
        for record in upload.rows_of("normalized_rows", wanted).iter_rows(named=True)
    }
    return [
        {
            "row_number": row,
            "why": "; ".join(reviews[row]),
            "values": values.get(row, {}),
            "candidates": [_candidate(each, contacts, names) for each in candidates[row]],
        }
        for row in wanted
    ]


def in_words(candidate: Mapping[str, Any]) -> str:
    """A candidate with its values in one line, those that it shares with the row marked."""
    who = next(f"{key} {candidate[key]}" for key in ("contact_id", "account_id", "row_number") if key in candidate)
    shares, values = candidate["shares"], candidate.get("values", {})
    said = [f"{name}: {_as_text(value)}{' (same)' if name in shares else ''}" for name, value in values.items()]
    said += [f"{name} (same)" for name in shares if name not in values]
    return ", ".join([who.replace("_id", "").replace("_number", ""), *said])


def _as_text(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def _candidate(
    record: Mapping[str, Any], contacts: Mapping[int, dict[str, Any]], names: Mapping[int, str]
) -> dict[str, Any]:
    if record["candidate"] is None:
        return {"row_number": record["other_row"], "shares": record["shares"]}
    found = {f"{record['entity']}_id": record["candidate"], "shares": record["shares"]}
    contact = contacts.get(record["candidate"]) if record["entity"] == "contact" else None
    if contact is None:
        return found
    name = names.get(record["candidate"], "")
    return found | {"name": name, "active": record["active"], "values": _filled(contact)}


def _filled(record: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical fields of a record that have a value, and further ones of a row."""
    ours: Sequence[str] = [name for name in record if name in CONTACT_FIELDS]
    return {name: record[name] for name in ours if record[name] not in (None, "", [])}
