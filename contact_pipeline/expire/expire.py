"""Deletes what is older than its profile keeps it. If a run is cut off, the next one finishes it.

1. What an earlier run was cut off at is deleted: that is recorded already, and makes room on a full disk.
2. For a hundred uploads at a time, so that others can write in between:
   one transaction records an expiry for each upload and kind, and notes in the ledger that it is gone;
   only then the files are deleted, the staging database before the files that it reads;
   the expiries are marked as finished. The next run completes unfinished ones, whatever else it is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from contact_pipeline.contracts.expiry import KINDS, Kind
from contact_pipeline.errors import Usage, number_of
from contact_pipeline.expire.files import OriginalFiles, ReportFiles, StagedFiles
from contact_pipeline.profiles import Profile
from contact_pipeline.store import LedgerLine, Store
from contact_pipeline.store import expiries as book
from contact_pipeline.store.expiries import Amount, Expiry
from contact_pipeline.store.ledger import now
from contact_pipeline.store.reserve import reserve_given_up

MOST_DAYS: Final = 36_500
AT_ONCE: Final = 100  # uploads


class Remover(Protocol):
    """Finds and deletes one kind of data that uploads leave."""

    def find(self, line: LedgerLine) -> Amount | None:
        """The amount that there is of an upload; None: nothing."""
        ...

    def delete(self, upload_ids: Collection[str]) -> None:
        """Deletes this kind of an upload's data. It is no error if it is gone already."""
        ...


@dataclass(frozen=True, slots=True)
class Expired:
    """What was deleted, or would be.

    Attributes:
        dry_run: whether nothing was deleted.
        expiries: each with its upload, kind, rule and amount; the newest upload first.
        completed: upload and kind of expiries that an earlier run left unfinished and this one finished, or would.
        waiting: uploads that are old enough but keep everything, as somebody still has to act on them.
        unknown: unreadable profiles of finished uploads, for which it is not known how long data is kept.
    """

    dry_run: bool
    expiries: list[Expiry]
    completed: list[tuple[str, Kind]]
    waiting: list[LedgerLine]
    unknown: list[str]

    @property
    def size(self) -> int:
        """The total size of all files, in bytes."""
        return sum(each.amount.size or 0 for each in self.expiries)

    def as_dict(self) -> dict[str, Any]:
        """The result as a JSON document."""
        return {
            "dry_run": self.dry_run,
            "expired": [
                {
                    "upload_id": each.line.upload_id,
                    "profile": each.line.profile,
                    "file_name": each.line.file_name,
                    "state": each.line.state,
                    "kind": each.kind,
                    "ended_at": f"{each.ended_at:%Y-%m-%dT%H:%M:%SZ}",
                    "rule": each.rule,
                    "files": each.amount.files,
                    "rows": each.amount.rows,
                    "size": each.amount.size,
                }
                for each in self.expiries
            ],
            "completed": [{"upload_id": upload_id, "kind": kind} for upload_id, kind in self.completed],
            "waiting": [line.upload_id for line in self.waiting],
            "unknown_profiles": self.unknown,
        }


@dataclass(frozen=True, slots=True)
class _Limits:
    """How long each kind is kept, by the profile or by the request."""

    profiles: Mapping[str, Profile]
    older_than: int | None
    kinds: Collection[Kind]

    def rule(self, line: LedgerLine, kind: Kind, ended_at: datetime, at: datetime) -> str:
        """The rule by which a kind of an upload's data is deleted; empty: it stays."""
        if kind not in self.kinds:
            return ""
        days, rule = self.older_than, f"older than {number_of(self.older_than or 0, 'day')}, as was asked for"
        if days is None and line.profile in self.profiles:
            days = getattr(self.profiles[line.profile].keep_days, kind)
            rule = f"profile {line.profile} keeps {KINDS[kind]} for {number_of(days or 0, 'day')}"
        return rule if days is not None and at - ended_at >= timedelta(days=days) else ""


def expire(
    store: Store,
    profiles: Mapping[str, Profile],
    actor: str,
    *,
    older_than: int | None = None,
    profile: str | None = None,
    kinds: Collection[Kind] | None = None,
    dry_run: bool = False,
    runs: Remover | None = None,
) -> Expired:
    """Deletes what finished uploads leave, if it has been kept long enough.

    Args:
        store: of the home.
        profiles: name → current profile, which gives the days that each kind is kept.
        actor: login of the person who deletes.
        older_than: days after which the kinds are deleted, whatever the profiles say.
        profile: only uploads with the profile of this name.
        kinds: only these; unset: all kinds that have a remover, or, with `older_than`, staged data and runs.
        dry_run: whether nothing is changed.
        runs: the remover of what Dagster keeps.

    Raises:
        Usage: `older_than` is no number of days (code `days`), or a kind is unknown (`kind`).
        StoreBusy: the contact database stayed locked for longer than the settings allow.
    """
    removers: dict[Kind, Remover] = {
        "staged_data": StagedFiles(store),
        "originals": OriginalFiles(store.settings),
        "reports": ReportFiles(store.settings),
        **({"runs": runs} if runs else {}),
    }
    limits = _Limits(profiles, older_than, _kinds_of(kinds, older_than, removers))
    at = now()
    with store.open(read_only=True) as contacts:
        left = [(upload_id, kind) for upload_id, kind in book.cut_off(contacts) if kind in removers]
        lines = [(line, ended) for line, ended in book.ended(contacts) if profile in {None, line.profile}]
        kept = [line for line, since in book.waiting(contacts) if profile in {None, line.profile}
                and any(limits.rule(line, kind, since, at) for kind in removers)]  # fmt: skip
    found = [each for each in _due(lines, limits, removers, at) if (each.line.upload_id, each.kind) not in left]
    unknown = sorted({line.profile for line, _ in lines if line.resolved_profile and line.profile not in profiles})
    if older_than is not None:
        unknown = []
    if not dry_run and (found or left):
        with reserve_given_up(store.settings):
            _delete(store, removers, left)
            found = [each for part in _parts(found) for each in _expire(store, removers, part, actor)]
    return Expired(dry_run, found, left, kept, unknown)


def _parts(found: list[Expiry]) -> Iterator[list[Expiry]]:
    """The expiries of a number of uploads at a time."""
    ids = list(dict.fromkeys(each.line.upload_id for each in found))
    for start in range(0, len(ids), AT_ONCE):
        part = {*ids[start : start + AT_ONCE]}
        yield [each for each in found if each.line.upload_id in part]


def _expire(store: Store, removers: Mapping[Kind, Remover], part: list[Expiry], actor: str) -> list[Expiry]:
    """Records expiries, deletes what they say, and marks them as finished; returns those for which that was done.

    What somebody has taken up meanwhile stays, and what somebody else is deleting is theirs.
    """
    ids = [each.line.upload_id for each in part]
    with store.change() as contacts:
        now_is = {line.upload_id: (since, line.expired) for line, since in book.ended(contacts, ids)}
        part = [each for each in part if now_is.get(each.line.upload_id) == (each.ended_at, each.line.expired)]
        book.begin(contacts, part, actor, now())
    _delete(store, removers, [(each.line.upload_id, each.kind) for each in part])
    return part


def _delete(store: Store, removers: Mapping[Kind, Remover], recorded: Collection[tuple[str, Kind]]) -> None:
    """Deletes what is recorded, and marks it as finished."""
    for kind, remover in removers.items():
        ids = [upload_id for upload_id, of in recorded if of == kind]
        if ids:
            remover.delete(ids)
            with store.change() as contacts:
                book.finish(contacts, kind, ids, now())


def _kinds_of(kinds: Collection[Kind] | None, older_than: int | None, removers: Collection[Kind]) -> list[Kind]:
    if older_than is not None and not 0 <= older_than <= MOST_DAYS:
        raise Usage("days", f"{older_than} is no number of days from 0 to {MOST_DAYS:,}.", "Give one.")
    if kinds is None:
        return [kind for kind in removers if older_than is None or kind in {"staged_data", "runs"}]
    for kind in kinds:
        if kind not in removers:
            what = f"'{kind}' is nothing that can be deleted here."
            only = " Only the job `expire` in Dagster deletes runs." if kind == "runs" else ""
            raise Usage("kind", what, f"Give one of: {', '.join(removers)}.{only}")
    return [*kinds]


def _due(
    lines: list[tuple[LedgerLine, datetime]], limits: _Limits, removers: Mapping[Kind, Remover], at: datetime
) -> Iterator[Expiry]:
    for line, ended_at in lines:
        for kind, remover in removers.items():
            rule = limits.rule(line, kind, ended_at, at)
            amount = remover.find(line) if rule else None
            if amount is not None:
                yield Expiry(line, kind, ended_at, rule, amount)
