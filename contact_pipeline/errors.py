"""Errors for people: what is wrong, where, and what to do about it.

A defect of a row is data (a rejection with a `Code`); what stops a whole upload or command is a `Refusal`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


class ContactPipelineError(Exception):
    """The base of every error that this library raises on purpose."""


class Refusal(ContactPipelineError):
    """A file, an option or a request that cannot be taken, in words for the person who sent it.

    Attributes:
        code: stable name of the defect, for scripts.
        message: what is wrong and where.
        fix: what to do about it.
        file: name of the file concerned, if any.
        row_number: row concerned, as a spreadsheet counts it, if any.
        details: further machine-readable facts (names, counts), never sensitive values.
    """

    def __init__(
        self,
        code: str,
        message: str,
        fix: str,
        *,
        file: str | None = None,
        row_number: int | None = None,
        details: dict[str, object] | None = None,
    ) -> None:
        super().__init__(f"{message} {fix}".strip())
        self.code = code
        self.message = message
        self.fix = fix
        self.file = file
        self.row_number = row_number
        self.details = details or {}

    def as_dict(self) -> dict[str, object]:
        """The error as the command line's JSON and the ledger hold it."""
        return {
            "code": self.code,
            "message": self.message,
            "fix": self.fix,
            "file": self.file,
            "row_number": self.row_number,
        }


class Usage(Refusal):
    """A request that is refused before any file is looked at: the command line ends with status 2."""


class StoreBusy(ContactPipelineError):
    """The contact database stayed locked by another process for longer than the setting allows."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a rejection's code means and what to do; message and fix may use {column}, {value}, {expected}.

    Attributes:
        severity: an error rejects the row (or, by profile, only the cell); a warning lets both through.
    """

    meaning: str
    message: str
    fix: str
    example: str = field(default="")
    severity: Literal["error", "warning"] = "error"


def listed(names: object, limit: int = 8) -> str:
    """Names set out for a sentence: `a, b and 3 more`."""
    items = [str(name) for name in names]  # type: ignore[attr-defined]
    if len(items) <= limit:
        return ", ".join(items)
    return f"{', '.join(items[:limit])} and {len(items) - limit} more"
