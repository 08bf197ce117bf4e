"""Counts of the ledger, notices and contacts for monitoring. They contain nothing personal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contact_pipeline.engines import Tables
from contact_pipeline.store.erasures import ERASED
from contact_pipeline.store.ledger import chosen
from contact_pipeline.terms import OUTCOMES


@dataclass(frozen=True, slots=True)
class UploadsOfState:
    """The counts of a profile's uploads in one state.

    Attributes:
        uploads: number of uploads.
        outcomes: outcome → rows, in the order of the glossary.
        errors: defects that are no warnings.
        of_existing: duplicates of a contact that is left as it is.
        within_file: duplicates of another row of the file.
        waiting: uploads that wait for somebody.
        oldest: when the oldest waiting upload was received, in UTC; None: none waits.
    """

    profile: str
    state: str
    uploads: int
    outcomes: dict[str, int]
    errors: int
    of_existing: int
    within_file: int
    waiting: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Measures:
    """The counts of a home.

    Attributes:
        uploads: by profile and state.
        unsent: state → notices that were not sent, or perhaps not.
    """

    uploads: Sequence[UploadsOfState]
    unsent: dict[str, int]


@dataclass(frozen=True, slots=True)
class BookTotals:
    """How many contacts an address book has, active and not, and how many accounts and groups."""

    name: str
    active: int
    inactive: int
    accounts: int
    groups: int


UNSENT: Final = ("waiting", "sending", "failed", "unsure")


def measure(database: Tables) -> Measures:
    """Counts the uploads and the notices of a home.

    Args:
        database: the contact database.
    """
    count = len(OUTCOMES)
    uploads = [
        UploadsOfState(profile, state, number, dict(zip(OUTCOMES, counts[:count], strict=True)), *counts[count:])
        for profile, state, number, *counts in database.rows(_UPLOADS)
    ]
    unsent = dict.fromkeys(UNSENT, 0) | dict(database.rows(_UNSENT))
    unsent["waiting"] += database.value("SELECT count(*) FROM news WHERE NOT taken")
    return Measures(uploads, unsent)


def count_books(database: Tables) -> list[BookTotals]:
    """Counts the contacts (without the erased), accounts and groups of each address book, by name.

    Args:
        database: the contact database.
    """
    return [BookTotals(*counts) for counts in database.rows(_BOOKS)]


def newest_commit(database: Tables) -> int | None:
    """The number of the newest commit of a contact database; None: there is none."""
    newest: int | None = database.value("SELECT max(commit_number) FROM commits")
    return newest


_BOOKS: Final = f"""
    SELECT address_book, sum(active)::BIGINT, sum(inactive)::BIGINT, sum(accounts)::BIGINT, sum(groups)::BIGINT FROM (
        SELECT address_book, CASE WHEN active THEN 1 ELSE 0 END AS active,
               CASE WHEN active THEN 0 ELSE 1 END AS inactive, 0 AS accounts, 0 AS groups
        FROM contacts WHERE contact_id NOT IN ({ERASED.format("")})
        UNION ALL SELECT address_book, 0, 0, 1, 0 FROM accounts
        UNION ALL SELECT address_book, 0, 0, 0, 1 FROM groups
    ) AS counted GROUP BY address_book ORDER BY address_book"""
_WAITS: Final = chosen(waiting=True)[0]
_UPLOADS: Final = f"""
    SELECT profile, state, count(*), {", ".join(f"sum({name})::BIGINT" for name in OUTCOMES)},
           sum(error_count)::BIGINT, sum(duplicates_of_existing)::BIGINT, sum(duplicates_within_file)::BIGINT,
           count(*) FILTER (WHERE {_WAITS}), min(added_at) FILTER (WHERE {_WAITS})
    FROM uploads GROUP BY profile, state ORDER BY profile, state"""
_UNSENT: Final = f"""
    SELECT state, count(*) FROM notices
    WHERE state IN ({", ".join(f"'{state}'" for state in UNSENT)}) GROUP BY state"""
