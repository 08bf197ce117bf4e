"""A finding: something wrong with a home, and what to do about it. No finding quotes a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        code: stable name of what is wrong, for scripts.
        where: the file, upload, contact or account.
        message: what is wrong.
        fix: what to do about it.
    """

    code: str
    where: str
    message: str
    fix: str
