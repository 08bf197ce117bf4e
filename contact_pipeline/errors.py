"""Errors for people: what is wrong, where, and what to do about it.

A defect of a row is data (a rejection with a `Code`); what stops a whole upload or command is a `Refusal`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from contact_pipeline.masking import ANY, mask


class ContactPipelineError(Exception):
    """The base of every error that this library raises on purpose."""


class Refusal(ContactPipelineError):
    """A file, an option or a request that cannot be taken, in words for the person who sent it.

    Whatever looks like a social security number or a date of birth is masked in the words.

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
        self.code = code
        self.message = mask(message)
        self.fix = mask(fix)
        self.file = None if file is None else mask(file)
        super().__init__(f"{self.message} {self.fix}".strip())
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
            **{name: value for name, value in self.details.items() if name == "problems"},
        }


class Usage(Refusal):
    """A request that is refused before any file is looked at: the command line ends with status 2."""


class StoreBusy(ContactPipelineError):
    """The contact database stayed locked by another process for longer than the setting allows."""


class MachineFault(ContactPipelineError):
    """Disk, memory, permissions or a damaged file stopped the work; the data are not at fault.

    Attributes:
        code: stable name of the fault, for scripts.
        message: what happened, and to which file.
        fix: what to do about it.
    """

    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(code, message, fix)
        self.code = code
        self.message = message
        self.fix = fix

    @property
    def is_damage(self) -> bool:
        """Whether a file can never be read: it is damaged, missing, or no file."""
        return self.code.removeprefix("contacts-") in {"damaged", "missing", "not-a-file", "not-a-folder"}

    def __str__(self) -> str:
        return " ".join(part for part in (self.message, *where_it_stands(self), self.fix) if part)


def where_it_stands(error: BaseException) -> list[str]:
    """The notes of an error, which tell the state of the upload or person."""
    return list(dict.fromkeys(getattr(error, "__notes__", ())))


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


@contextmanager
def faults_masked() -> Iterator[None]:
    """Masks the text of an error that leaves the block: libraries may quote cells, and tracebacks show the text.

    Errors of this package are masked where they are made. A panic of a library in Rust, which Python would take for
    something like Ctrl-C, becomes an error as any other.
    """
    try:
        yield
    except Exception as fault:
        chain = chain_of(fault)
        masked = [_mask_fault(each) for each in chain]
        if all(masked):
            raise
        raise _masked_copy(fault) from None
    except BaseException as fault:
        if type(fault).__module__ != "pyo3_runtime":
            raise
        raise _masked_copy(fault) from None


def _masked_copy(fault: BaseException) -> RuntimeError:
    return RuntimeError(f"{type(fault).__name__}: {mask(str(fault), ANY)}").with_traceback(fault.__traceback__)


def chain_of(fault: BaseException) -> list[BaseException]:
    """An error and its causes."""
    chain: list[BaseException] = []
    following: BaseException | None = fault
    while following is not None and following not in chain:
        chain.append(following)
        following = following.__cause__ or following.__context__
    return chain


def _mask_fault(fault: BaseException) -> bool:
    """Masks the text of an error; returns whether that was possible."""
    if isinstance(fault, ContactPipelineError):
        return True
    if isinstance(fault, OSError):  # a path may hold a date
        if isinstance(fault.filename, str):
            fault.filename = mask(fault.filename)
        return True
    if mask(str(fault), ANY) != str(fault):
        fault.args = tuple(mask(part, ANY) if isinstance(part, str) else part for part in fault.args)
    return mask(str(fault), ANY) == str(fault)


def number_of(count: int, noun: str) -> str:
    """A count with its noun: 1 row, 2 rows."""
    if count == 1:
        return f"1 {noun}"
    several = f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{count:,} {several}"


def listed(names: object, limit: int = 8) -> str:
    """Names joined for a sentence: `a, b and 3 more`."""
    items = [str(name) for name in names]  # type: ignore[attr-defined]
    if len(items) <= limit:
        return ", ".join(items)
    return f"{', '.join(items[:limit])} and {len(items) - limit} more"
