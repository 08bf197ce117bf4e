"""What the ledger and the notices count, for whoever watches over a home; by one look, and nothing of anybody in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contact_pipeline.engines import Tables
from contact_pipeline.store.ledger import chosen
from contact_pipeline.terms import OUTCOMES


@dataclass(frozen=True, slots=True)
class UploadsOfState:
    """What the uploads of a profile that are in one state come to.

    Attributes:
        uploads: how many there are.
        outcomes: outcome → their rows with it, in the order of the glossary.
        errors: their defects that are no warnings.
        of_existing: their duplicates of a contact that is left as it is.
        within_file: their duplicates of another row of the file.
        waiting: how many of them wait for somebody.
        oldest: when the oldest of those was received, in UTC; None: none waits.
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
    """What is counted of a home.

    Attributes:
        uploads: by profile and state.
        unsent: state → notices that were not sent, or of which nobody knows.
    """

    uploads: Sequence[UploadsOfState]
    unsent: dict[str, int]


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


_WAITS: Final = chosen(waiting=True)[0]
_UPLOADS: Final = f"""
    SELECT profile, state, count(*), {", ".join(f"sum({name})::BIGINT" for name in OUTCOMES)},
           sum(error_count)::BIGINT, sum(duplicates_of_existing)::BIGINT, sum(duplicates_within_file)::BIGINT,
           count(*) FILTER (WHERE {_WAITS}), min(added_at) FILTER (WHERE {_WAITS})
    FROM uploads GROUP BY profile, state ORDER BY profile, state"""
_UNSENT: Final = f"""
    SELECT state, count(*) FROM notices
    WHERE state IN ({", ".join(f"'{state}'" for state in UNSENT)}) GROUP BY state"""
