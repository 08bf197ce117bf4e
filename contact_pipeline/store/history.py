"""The history of contacts: every change with its upload, and the contacts as they were at an earlier time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final, Literal

from contact_pipeline.engines import Tables, literal, quoted
from contact_pipeline.masking import mask_value, mask_within
from contact_pipeline.profiles import looks_in_contacts
from contact_pipeline.store.changes import kept_fields, newest
from contact_pipeline.store.effective import EFFECTIVE
from contact_pipeline.store.names import contact_names
from contact_pipeline.terms import CONTACT_FIELDS

# The first of two approvals; the second is by the actor of the commit.
_FIRST: Final = """CASE WHEN commits.action = 'apply' THEN first_approved_by END AS first_by,
               CASE WHEN commits.action = 'apply' THEN first_approved_as END AS first_as"""


def contact_history(database: Tables, contact_id: int, *, masked: bool = True) -> list[dict[str, Any]]:
    """Every change to a contact, oldest first: when, by which upload, row and person, and fields before → after.

    Each names the contact (`contact_id`, `name`); a link names also the other one (`linked_to`, `linked_to_name`).
    If two people approved, `first_approved_by` and `first_approved_as` are of the first, `by` and `by_as` of the
    second. `commit` is apply, undo, redo or erase; `undone` tells whether it was undone since. Sensitive values are
    masked by default.
    """
    sensitive = {name for (name,) in database.rows("SELECT name FROM fields WHERE sensitive")}
    records = database.records(
        f"""
        SELECT commits.* EXCLUDE (action), commits.action AS done, change.action AS change, file_name, {_FIRST},
               change.* EXCLUDE (commit_number, upload_id, contact_id, base_revision, action)
        FROM contact_changes AS change JOIN commits USING (commit_number)
        LEFT JOIN uploads ON uploads.upload_id = commits.upload_id
        WHERE contact_id = {contact_id} ORDER BY commit_number"""
    )
    others = database.records(
        f"""
        SELECT commits.* EXCLUDE (action), commits.action AS done, change.action AS change, row_number, target, detail,
               file_name, {_FIRST}, other
        FROM (
            SELECT commit_number, row_number, action, 'membership' AS target, group_name AS detail, NULL AS other
            FROM membership_changes WHERE contact_id = {contact_id}
            UNION ALL
            SELECT commit_number, row_number, action, 'link', 'contact ' || linked_to, linked_to
            FROM link_changes WHERE contact_id = {contact_id}
            UNION ALL
            SELECT commit_number, row_number, action, 'link', 'contact ' || contact_id, contact_id
            FROM link_changes WHERE linked_to = {contact_id}
        ) AS change JOIN commits USING (commit_number) LEFT JOIN uploads ON uploads.upload_id = commits.upload_id
        ORDER BY commit_number"""
    )
    fields = kept_fields(database, "contact_changes")
    entries = [
        _entry(
            record,
            "contact",
            {name: _sides(record, name, sensitive, masked=masked) for name in fields if _touches(record, name)},
        )
        for record in records
    ]
    entries += [
        _entry(record, record["target"], {record["target"]: _joined(record, masked=masked)})
        | ({"linked_to": record["other"]} if record["other"] is not None else {})
        for record in others
    ]
    names = contact_names(database, [contact_id, *(record["other"] for record in others if record["other"])])
    for entry in entries:
        entry |= {"contact_id": contact_id, "name": names.get(contact_id, "")}
        if "linked_to" in entry:
            entry["linked_to_name"] = names.get(entry["linked_to"], "")
    return sorted(entries, key=lambda entry: entry["commit_number"])


def last_commit(database: Tables, upload_id: str) -> dict[str, Any] | None:
    """The newest commit of an upload: its action (apply, undo, redo), committed_at and actor; None without one."""
    found = database.records(
        f"SELECT * FROM commits WHERE upload_id = {literal(upload_id)} ORDER BY commit_number DESC LIMIT 1"
    )
    return found[0] if found else None


def made_of_fields(
    database: Tables, entity: Literal["contact", "account"], upload_id: str, ids: Collection[int]
) -> dict[tuple[int, str], dict[str, Any]]:
    """The values before and after an upload in fields of contacts or accounts, and now; sensitive values are masked.

    Returns:
        Id and field → before and after (in the upload's changes, undone or not) and now.
    """
    if not ids:
        return {}
    identity, fields = f"{entity}_id", kept_fields(database, f"{entity}_changes")
    sensitive = {name for (name,) in database.rows("SELECT name FROM fields WHERE sensitive")}
    now = ", ".join(f"there.{quoted(name)} AS {quoted('now_' + name)}" for name in fields)
    records = database.records(
        f"""
        SELECT change.*, {now}
        FROM {entity}_changes AS change JOIN commits USING (commit_number)
        LEFT JOIN {entity}s AS there USING ({identity})
        WHERE commits.upload_id = {literal(upload_id)} AND commits.action = 'apply'
              AND {identity} IN ({", ".join(map(str, sorted(ids)))})
        ORDER BY commit_number"""
    )
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for record in records:
        for name in (name for name in fields if _touches(record, name)):
            looks = looks_in_contacts(name, sensitive=name in sensitive)
            sides = {side: mask_value(record[f"{side}_{name}"], looks) for side in ("before", "after", "now")}
            earlier = found.get((record[identity], name))  # a row decided later changed it again
            found[record[identity], name] = sides | ({"before": earlier["before"]} if earlier else {})
    return found


def note_origins(database: Tables, contact_id: int, *, masked: bool = True) -> list[dict[str, Any]]:
    """The origin of each note of a contact: the newest effective change that added it, with its upload and time."""
    records = database.records(
        f"""
        WITH added AS (
            SELECT max(commit_number) AS commit_number, arg_max(row_number, commit_number) AS row_number, note
            FROM (
                SELECT commit_number, row_number, unnest(list_filter(
                    after_notes, lambda note: NOT list_contains(coalesce(before_notes, []), note))) AS note
                FROM contact_changes SEMI JOIN ({EFFECTIVE.format("")}) USING (commit_number)
                WHERE contact_id = {contact_id}
            ) GROUP BY note
        ),
        there AS (
            SELECT unnest(notes) AS note, generate_subscripts(notes, 1) AS place FROM contacts
            WHERE contact_id = {contact_id}
        )
        SELECT note, committed_at, upload_id, file_name, row_number
        FROM there LEFT JOIN added USING (note) LEFT JOIN commits USING (commit_number)
        LEFT JOIN uploads USING (upload_id) ORDER BY place"""
    )
    return [
        {
            "note": mask_value(record["note"], looks_in_contacts("notes", sensitive=False))
            if masked
            else record["note"],
            "at": f"{record['committed_at']:%Y-%m-%dT%H:%M:%SZ}" if record["committed_at"] else None,
            **{name: record[name] for name in ("upload_id", "file_name", "row_number")},
        }
        for record in records
    ]


def contacts_as_of(database: Tables, at: datetime) -> list[dict[str, Any]]:
    """The contacts as they were at a time, rebuilt from the changes committed until then; masked."""
    fields = database.rows("SELECT name, sensitive FROM fields")
    values = ", ".join(f"{newest(name)} AS {quoted(name)}" for name in ["active", *(name for name, _ in fields)])
    records = database.records(
        f"""
        SELECT contact_id, arg_max(address_book, commit_number) AS address_book, {values}
        FROM contact_changes JOIN commits USING (commit_number)
        WHERE committed_at <= {literal(at.isoformat())}::TIMESTAMP
        GROUP BY contact_id
        HAVING arg_max(contact_changes.action, commit_number)
               FILTER (contact_changes.action IN ('create', 'remove')) = 'create'
        ORDER BY contact_id"""
    )
    for record in records:
        mask_contact(record, fields)
        record["notes"] = record["notes"] or []
        record.update({name: None for name in CONTACT_FIELDS if name not in record})  # used by no profile yet
    return records


def mask_contact(record: dict[str, Any], fields: Iterable[tuple[str, bool]]) -> None:
    """Masks a contact, or an account: its sensitive fields, and what looks sensitive in the others.

    Args:
        record: its fields.
        fields: name and whether it is sensitive.
    """
    for name, is_sensitive in fields:
        record[name] = mask_value(record[name], looks_in_contacts(name, sensitive=is_sensitive))


def _entry(record: dict[str, Any], target: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "commit_number": record["commit_number"],
        "at": f"{record['committed_at']:%Y-%m-%dT%H:%M:%SZ}",
        "upload_id": record["upload_id"],
        "file_name": record["file_name"],
        "row_number": record["row_number"],
        "by": record["actor"],
        "by_as": record["actor_as"],
        "first_approved_by": record["first_by"],
        "first_approved_as": record["first_as"],
        "target": target,
        "action": record["change"],
        "commit": record["done"],
        "undone": record["undone_by"] is not None,
        "fields": fields,
    }


def _touches(record: dict[str, Any], name: str) -> bool:
    return bool(record[f"before_{name}"] != record[f"after_{name}"])


def _sides(record: dict[str, Any], name: str, sensitive: set[str], *, masked: bool) -> list[Any]:
    sides = [record[f"before_{name}"], record[f"after_{name}"]]
    if not masked:
        return sides
    return [mask_value(side, looks_in_contacts(name, sensitive=name in sensitive)) for side in sides]


def _joined(record: dict[str, Any], *, masked: bool) -> list[Any]:
    detail = mask_within(record["detail"]) if masked else record["detail"]
    return [None, detail] if record["change"] == "create" else [detail, None]
