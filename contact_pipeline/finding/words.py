"""Recognizes the form of a word without loading the code that reads values, which takes a quarter of a second."""

from __future__ import annotations

import re
from typing import Final

LARGEST_ID: Final = 2**63 - 1

_PHONE_SIGNS: Final = re.compile(r"[\d\s().\-/+＋‐-―]*(?:;?\s*(?:ext\.?|extension|x)\s*=?\s*\d+)?", re.IGNORECASE)


_SHEET_TEXT: Final = re.compile("^['\u2019](?=[+\\d(])")  # how spreadsheets mark a number that is text
_LINK: Final = re.compile(r"^(?:tel|callto|sms):(?://)?", re.IGNORECASE)
_MAIL_LINK: Final = re.compile(r"^mailto:", re.IGNORECASE)


def as_typed(text: str) -> str:
    """A word without what a spreadsheet or a link puts before it: an apostrophe, `tel:`, `mailto:`."""
    plain = _SHEET_TEXT.sub("", text.strip())
    if plain != (without := _MAIL_LINK.sub("", plain)):
        return without.partition("?")[0]
    return _LINK.sub("", plain)


def is_id(text: str) -> bool:
    """Whether a text can be the id of a contact."""
    return text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= LARGEST_ID


def looks_like_phone(text: str) -> bool:
    """Whether a text has the signs of a phone number and no others."""
    return bool(_PHONE_SIGNS.fullmatch(text)) and sum(sign.isdecimal() for sign in text) >= 6
