"""What each of the first four stages found of a file, as the ledger keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a stage found. The fields are columns of the ledger; `contracts/ledger` says what each holds."""

    def as_line(self) -> dict[str, Any]:
        """Column of the ledger → value."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, kw_only=True)
class Read(Found):
    """Of stage 1."""

    file_type: str
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    data_rows: int
    continues: str | None
    mapping: dict[str, str]
    ignored: list[str]
    warnings: list[str]


@dataclass(frozen=True, kw_only=True)
class Normalized(Found):
    """Of stage 2."""

    mapping: dict[str, str] | None
    processed: int
    repairs: int
    corrections: int


@dataclass(frozen=True, kw_only=True)
class Validated(Found):
    """Of stage 3."""

    error_count: int
    row_warning_count: int


@dataclass(frozen=True, kw_only=True)
class Matched(Found):
    """Of stage 4. An upload with a reason why it may not be applied is blocked, and else staged.

    Attributes:
        outcomes: outcome → rows; each is a column of the ledger.
    """

    outcomes: Mapping[str, int]
    warnings: list[str]
    reason: dict[str, Any] | None
    changeset_sha256: str
    snapshot: int
    duplicates_of_existing: int
    duplicates_within_file: int
    deactivated: int
    contacts_created: int
    error_count: int
    row_warning_count: int
    staged_files: dict[str, str]

    def as_line(self) -> dict[str, Any]:
        """Column of the ledger → value."""
        values = super().as_line()
        return {**values.pop("outcomes"), **values, "state": "blocked" if self.reason else "staged"}
