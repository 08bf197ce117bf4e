"""Defects that matching finds. They have a table of their own until matching ends."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from contact_pipeline.engines import Tables, literal
from contact_pipeline.store.defects import defects

FOUND_BY_MATCHING: Final = (
    "account-unknown",
    "another-match",
    "consent-carried",
    "consent-kept",
    "consent-set",
    "duplicate-in-file",
    "erased-person",
    "skipped",
    "skipped-before",
    "would-clear-required",
)

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def begin_defects(database: Tables) -> None:
    """Deletes the defects of an earlier matching of the upload; makes an empty match_defects."""
    database.delete("rejections", f"code IN ({', '.join(map(literal, FOUND_BY_MATCHING))})")
    database.make("match_defects", "FROM rejections LIMIT 0")


def add_defects(
    database: Tables,
    name: str,
    rows: str,
    *,
    severity: Literal["error", "warning"] = "error",
    placeholders: Mapping[str, str] = _NOTHING,
    cell: Mapping[str, str] = _NOTHING,
) -> None:
    """Adds a defect to match_defects for every row of a query.

    Args:
        database: the staging database.
        name: the code of the defect.
        rows: the query, with row_number and the columns that the expressions name.
        severity: an error leaves the row out of what follows.
        placeholders: placeholder of the message and the fix → SQL expression of its value.
        cell: column, field and value of the cell in question → SQL expression; empty: the row as a whole.
    """
    database.append("match_defects", defects(name, rows, severity=severity, placeholders=placeholders, cell=cell))


def unite_defects(database: Tables) -> None:
    """Adds the defects of matching to those of validation."""
    database.append("rejections", "FROM match_defects")
