"""Who does something, and how that is known: an authenticating proxy vouched for the login, or nobody did."""

from __future__ import annotations

import unicodedata
from typing import Final, Literal

Identity = Literal["verified", "claimed"]

IDENTITY: Final = "verified: an authenticating proxy vouched for the login; claimed: nobody did"


class Verified(str):
    """A login that an authenticating proxy has vouched for. Every other login is a claim."""

    __slots__ = ()


def is_same(one: str | None, other: str | None) -> bool:
    """Whether two logins are one person's: case, spaces and spelling in Unicode aside; false where one is missing."""
    return bool(one and other) and _plain(one or "") == _plain(other or "")


def _plain(login: str) -> str:
    return unicodedata.normalize("NFKC", login.strip()).casefold()


def identity(actor: str) -> Identity:
    """Whether a login is verified or claimed."""
    return "verified" if isinstance(actor, Verified) else "claimed"
