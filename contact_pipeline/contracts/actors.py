"""How it is known who does something: an authenticating proxy has vouched for the login, or nobody has."""

from __future__ import annotations

import unicodedata
from typing import Final, Literal

Identity = Literal["verified", "claimed"]

IDENTITY: Final = "verified: an authenticating proxy vouched for the login; claimed: nobody did"


class Verified(str):
    """A login that an authenticating proxy has vouched for. Every other login is a claim."""

    __slots__ = ()


def is_same(one: str | None, other: str | None) -> bool:
    """Whether two logins are one person's, as far as logins tell; nobody is nobody else."""
    return bool(one and other) and _plain(one or "") == _plain(other or "")


def _plain(login: str) -> str:
    """A login without case, spaces around it, and ways of writing the same signs."""
    return unicodedata.normalize("NFKC", login.strip()).casefold()


def identity(actor: str) -> Identity:
    """How it is known who somebody is."""
    return "verified" if isinstance(actor, Verified) else "claimed"
