"""Tells a person's numbers and addresses apart by headings: `Home Phone 2`, `Rue (bureau)`, `Address 1 - City`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from contact_pipeline.headings.synonyms import singular, synonyms, words_of
from contact_pipeline.yaml_text import read_yaml

ADDRESS: Final = ("address", "city", "region", "zip_code", "country")  # fields that belong to one place
_TABLE: Final = Path(__file__).with_name("qualifiers.yaml")
_PLAIN: Final = "main"
_SAME_PLACE: Final = {"business": "work", "company": "work", "main": ""}
_OF_ADDRESS: Final = frozenset(
    {"address", "adresse", "adres", "adresi", "direccion", "indirizzo", "endereco", "adress", "адрес"}
)


@dataclass(frozen=True, slots=True, order=True)
class Rank:
    """Sorts the columns of one field by preference; the least comes first.

    Attributes:
        kind: place of the kind (mobile, home …) in qualifiers.yaml; no kind comes first.
        number: as in `E-mail 2`; 1 where there is none.
        word: place of the heading's words in headings.yaml.
    """

    kind: int
    number: int
    word: int


def rank_among(heading: str, field: str) -> Rank | None:
    """The rank of a heading that means the field, with or without qualifier and number; None: it does not mean it."""
    words, meant = _apart(heading), _places(field)
    kinds = {kind for word in words if (kind := _kinds().get(word))}
    numbers = [int(word) for word in words if word.isdecimal()]
    without_number = [word for word in words if not word.isdecimal()]
    bare = [word for word in without_number if word not in _kinds()]
    for spelled in (words, without_number, bare):
        place = meant.get(singular(" ".join(spelled)))
        if place is not None and len(numbers) < 2:
            return Rank(_order(kinds), numbers[0] if numbers else 1, place)
    return None


def is_label(text: str, field: str) -> bool:
    """Whether a text beside a value is only a label of the field: `Work`, `Tel. (bureau)`."""
    words = words_of(text)
    return rank_among(text, field) is not None or (
        all(word in _kinds() for word in words) and not _joining().issuperset(words)
    )


def part_of_address(heading: str) -> tuple[str, str, int] | None:
    """Field, place (`home`, `1` …; empty: none is named) and rank of a column that holds a part of an address."""
    words = words_of(heading)
    if len(words) > 2 and words[0] in _OF_ADDRESS and words[1].isdecimal():
        return _meaning(words[2:], words[1])
    place = place_of(heading)
    bare = [word for word in words if not _kind_at_address(word)]
    within = [word for word in bare if word not in _OF_ADDRESS]
    for spelled in (words, bare, within):
        if found := _meaning(spelled, place):
            return found
    return None


def place_of(heading: str) -> str:
    """The place that a heading of an address names; empty: none."""
    words = words_of(heading)
    if len(words) > 2 and words[0] in _OF_ADDRESS and words[1].isdecimal():
        return words[1]
    kinds = [kind for word in words if (kind := _kind_at_address(word))]
    places = [place for place in (_SAME_PLACE.get(kind, kind) for kind in kinds) if place]
    return places[0] if places else ""


def order_of_places(place: str) -> tuple[int, int]:
    """Sorts places: none named, numbered ones, then in the order of qualifiers.yaml."""
    if not place:
        return (0, 0)
    if place.isdecimal():
        return (1, int(place))
    return (2, _order({place}))


def _kind_at_address(word: str) -> str | None:
    """The kind of a word in a heading of an address. There CEP is a postal code, not a Turkish mobile phone."""
    return None if word in _places("zip_code") else _kinds().get(word)


def _apart(heading: str) -> list[str]:
    """The words of a heading, with digits split from letters: Phone2."""
    return [part for word in words_of(heading) for part in re.findall(r"\d+|\D+", word)]


def _meaning(words: list[str], place: str) -> tuple[str, str, int] | None:
    spelled = singular(" ".join(words))
    for field in ADDRESS:
        if spelled in _places(field):
            return field, place, _places(field)[spelled]
    return None


def _order(kinds: set[str]) -> int:
    order = list(_table())
    return min((order.index(kind) for kind in kinds if kind != _PLAIN), default=-1)


@cache
def _places(field: str) -> dict[str, int]:
    """Folded heading → its place in headings.yaml, for those that mean the field."""
    places: dict[str, int] = {}
    for place, heading in enumerate(synonyms().get(field, [])):
        for word in (heading, " ".join(word for word in words_of(heading) if not word.isdecimal())):
            places.setdefault(singular(word), place)
    return places


@cache
def _by_language() -> dict[str, dict[str, list[str]]]:
    table: dict[str, dict[str, list[str]]] = read_yaml(_TABLE.read_text(encoding="utf-8"))
    return table


@cache
def _table() -> dict[str, list[str]]:
    return {kind: [word for words in found.values() for word in words] for kind, found in _by_language().items()}


@cache
def _joining() -> frozenset[str]:
    """Words that only join others."""
    return frozenset(_by_language()[_PLAIN]["joining"])


@cache
def _kinds() -> dict[str, str]:
    """Folded word → kind."""
    kinds: dict[str, str] = {}
    for kind, words in _table().items():
        for word in words:
            kinds.setdefault("".join(words_of(word)), kind)
    return kinds
