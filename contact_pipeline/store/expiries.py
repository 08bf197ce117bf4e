"""Deletion by age: which uploads have ended, and the records that are written before anything is deleted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl

from contact_pipeline.contracts.actors import identity
from contact_pipeline.contracts.expiry import KINDS, Kind
from contact_pipeline.contracts.ledger import LedgerLine
from contact_pipeline.contracts.states import LIFE_ENDED, PLANNED, RECEIVED
from contact_pipeline.engines import Database, Tables
from contact_pipeline.errors import Refusal, listed
from contact_pipeline.store.ledger import WAITS, find_lines


def _any_of(states: Collection[str]) -> str:
    return ", ".join(f"'{state}'" for state in sorted(states))


# Undone uploads with rows in review, which a redo would bring back for decision; and uploads whose rejected rows are
# being continued, as whoever corrects the rows looks at them.
_NEEDED: Final = f"""(state = 'undone' AND review > 0) OR upload_id IN (
    SELECT continues FROM uploads
    WHERE continues IS NOT NULL AND state IN ({_any_of(RECEIVED | PLANNED)}))"""
_HAS_ENDED: Final = f"state IN ({_any_of(LIFE_ENDED)}) AND NOT {WAITS} AND NOT ({_NEEDED})"

# The latest time at which an upload was applied, given up, finalized, undone or redone, or its rows were decided.
_ENDED_AT: Final = """
    SELECT upload_id, greatest(coalesce(finished_at, added_at), finalized_at, last) AS ended_at
    FROM uploads
    LEFT JOIN (SELECT upload_id, max(committed_at) AS last FROM commits GROUP BY upload_id) USING (upload_id)"""


_EXPIRING: Final = {
    "upload_id": pl.String, "kind": pl.String, "files": pl.Int64, "rows": pl.Int64, "size": pl.Int64,
    "ended_at": pl.Datetime, "rule": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is deleted.

    Attributes:
        files: files; for Dagster, runs.
        rows: rows of the upload's file in them; for Dagster, events. None: they hold no rows.
        size: bytes; None: unknown.
    """

    files: int
    rows: int | None
    size: int | None


@dataclass(frozen=True, slots=True)
class Expiry:
    """One kind of data of an upload that is deleted, or would be.

    Attributes:
        line: of the upload.
        kind: the kind of data.
        ended_at: when the upload's life ended (UTC).
        rule: the rule by which the data is deleted, in words.
        amount: how much is deleted.
    """

    line: LedgerLine
    kind: Kind
    ended_at: datetime
    rule: str
    amount: Amount


def ended(contacts: Database, upload_ids: Collection[str] | None = None) -> list[tuple[LedgerLine, datetime]]:
    """The uploads whose life has ended, each with the time; those that wait for somebody or are needed are left out.

    Args:
        contacts: the contact database.
        upload_ids: only these; unset: all.
    """
    if upload_ids is None:
        return _with_time(contacts, _HAS_ENDED)
    return _with_time(contacts, f"{_HAS_ENDED} AND list_contains(?, upload_id)", [[*upload_ids]])


def waiting(contacts: Database) -> list[tuple[LedgerLine, datetime]]:
    """The uploads that keep all their data, however old: planned ones, those that wait, and those that are needed."""
    return _with_time(contacts, f"NOT ({_HAS_ENDED})")


def _with_time(
    contacts: Database, condition: str, parameters: Sequence[object] = ()
) -> list[tuple[LedgerLine, datetime]]:
    times: dict[str, datetime] = dict(contacts.rows(_ENDED_AT))
    return [(line, times[line.upload_id]) for line in find_lines(contacts, condition, parameters)]


def begin(contacts: Database, expiries: Iterable[Expiry], actor: str, at: datetime) -> None:
    """Records what is about to be deleted, in the ledger too; call it in a transaction.

    Earlier deletions of an upload stay recorded as they were. Its staged files are no longer compared with the frozen
    ones.
    """
    lines = [
        (
            each.line.upload_id,
            each.kind,
            each.amount.files,
            each.amount.rows,
            each.amount.size,
            each.ended_at,
            each.rule,
        )
        for each in expiries
    ]
    contacts.see("expiring", pl.DataFrame(lines, schema=_EXPIRING, orient="row"))
    contacts.run(
        "INSERT INTO expiries BY NAME SELECT *, ? AS begun_at, ? AS actor, ? AS actor_as FROM expiring",
        [at, actor, identity(actor)],
    )
    contacts.run(
        """UPDATE uploads SET expired = json_merge_patch(news.said, coalesce(expired, '{}')),
                              staged_files = CASE WHEN news.staged THEN NULL ELSE staged_files END
           FROM (
               SELECT upload_id, json_group_object(kind, json_object('at', ?, 'rule', rule)) AS said,
                      bool_or(kind = 'staged_data') AS staged
               FROM expiring GROUP BY upload_id
           ) AS news WHERE uploads.upload_id = news.upload_id""",
        [f"{at:%Y-%m-%dT%H:%M:%SZ}"],
    )
    contacts.unsee("expiring")


def finish(contacts: Database, kind: Kind, upload_ids: Collection[str], at: datetime) -> None:
    """Records that the deletion is finished; call it in a transaction."""
    contacts.run(
        """UPDATE expiries SET finished_at = ?
           WHERE finished_at IS NULL AND kind = ? AND upload_id IN (SELECT unnest(?::VARCHAR[]))""",
        [at, kind, [*upload_ids]],
    )


def cut_off(contacts: Tables) -> list[tuple[str, Kind]]:
    """Upload and kind of deletions that were begun and not finished."""
    return contacts.rows(
        "SELECT DISTINCT upload_id, kind FROM expiries WHERE finished_at IS NULL ORDER BY upload_id, kind"
    )


def expiries_of(contacts: Database, upload_id: str) -> list[dict[str, Any]]:
    """The recorded deletions of an upload, the oldest first."""
    return contacts.records(
        """SELECT kind, files, rows, size, rule, actor, actor_as,
                  strftime(begun_at, '%Y-%m-%dT%H:%M:%SZ') AS begun_at,
                  strftime(finished_at, '%Y-%m-%dT%H:%M:%SZ') AS finished_at
           FROM expiries WHERE upload_id = ? ORDER BY expiries.begun_at, kind""",
        [upload_id],
    )


def expired(line: LedgerLine, kind: Kind = "staged_data") -> str:
    """The day and rule of a deletion by age, in words; empty: that kind was not deleted."""
    found = (line.expired or {}).get(kind)
    return f"deleted on {found['at'][:10]}: {found['rule']}" if found else ""


def what_expired(line: LedgerLine) -> list[str]:
    """The deletions of an upload by age, in words; kinds deleted together are one sentence."""
    together: dict[str, list[str]] = {}
    for kind, name in KINDS.items():
        if deletion := expired(line, kind):
            together.setdefault(deletion, []).append(name)
    return [f"{listed(names)} {deletion}" for deletion, names in together.items()]


def not_kept(line: LedgerLine, fix: str) -> Refusal:
    """The refusal of a call that needs staged rows that no longer exist.

    Args:
        line: of the upload.
        fix: what to do, if the rows were not deleted by age.
    """
    deletion = expired(line)
    if deletion:
        return Refusal(
            "expired",
            f"The staged rows of upload {line.upload_id} were {deletion}.",
            "Its ledger line and the history of its contacts stay; `contact-pipeline contacts find --upload "
            f"{line.upload_id}` lists whom it changed."
            if line.commit_number is not None
            else "Its ledger line stays.",
            file=line.file_name,
        )
    message = f"Upload {line.upload_id} is {line.state}, and its rows are not kept."
    return Refusal("nothing-staged", message, fix, file=line.file_name)
