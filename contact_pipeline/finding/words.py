"""What a word looks like, before anything that reads values is loaded: that takes a quarter of a second."""

from __future__ import annotations

import re
from typing import Final

LARGEST_ID: Final = 2**63 - 1

_PHONE_SIGNS: Final = re.compile(r"[\d\s().\-/+＋‐-―]*(?:;?\s*(?:ext\.?|extension|x)\s*=?\s*\d+)?", re.IGNORECASE)


def is_id(text: str) -> bool:
    """Whether a text can be the id of a contact."""
    return text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= LARGEST_ID


def looks_like_phone(text: str) -> bool:
    """Whether a text has the signs of a phone number and no others."""
    return bool(_PHONE_SIGNS.fullmatch(text)) and sum(sign.isdecimal() for sign in text) >= 6
