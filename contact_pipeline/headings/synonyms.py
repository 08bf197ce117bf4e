"""Folds headings, so that spellings compare equal, and reads the table of synonyms in headings.yaml."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

from contact_pipeline.profiles.model import Profile
from contact_pipeline.yaml_text import read_yaml

_TABLE = Path(__file__).with_name("headings.yaml")
_APART = re.compile(r"[\W_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def folded(heading: str) -> str:
    """The heading without case, spacing, punctuation and accents."""
    return "".join(words_of(heading))


def singular(heading: str) -> str:
    """The folded heading with every word in the singular, as far as a final s shows the plural."""
    return "".join(_without_plural(word) for word in words_of(heading))


def words_of(heading: str) -> list[str]:
    """The words of a heading, without case, punctuation and accents."""
    plain = unicodedata.normalize("NFKD", _HUMP.sub(" ", heading)).casefold()
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign)).replace("ı", "i").replace("ł", "l")
    return [word for word in _APART.split(bare) if word]


@cache
def synonyms() -> dict[str, list[str]]:
    """Field → headings that mean it, the likeliest first."""
    table: dict[str, dict[str, list[str]]] = read_yaml(_TABLE.read_text(encoding="utf-8"))
    return {field: [name for names in by_source.values() for name in names] for field, by_source in table.items()}


def expected_headings(profile: Profile) -> list[str]:
    """Every heading that is known to mean a field of the profile."""
    names = [name for column in profile.columns for name in column.known_headings]
    if profile.headings == "mapped":
        names += [name for column in profile.columns for name in synonyms().get(column.field, [])]
    return names


def _without_plural(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith("sses") else word[:-1]
