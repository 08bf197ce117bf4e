"""Finds the field that a heading means by its words, or might mean by its spelling or by the cells below it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from contact_pipeline.headings.qualifiers import ADDRESS, order_of_places, part_of_address, place_of, rank_among
from contact_pipeline.headings.synonyms import folded, singular, synonyms
from contact_pipeline.headings.witness import FAINT, Content
from contact_pipeline.profiles.model import Column, Profile
from contact_pipeline.terms import CONSENT

_CLOSE: Final = 0.79  # of 1: the likeness of a heading with one typing error
_HALVES: Final = {"first_name": "last_name", "last_name": "first_name"}
_OF_WHAT: Final = re.compile(r"(\w+(?: - |: ))\S")  # before every heading of some exports: Person - Name
# Headings that mean the whole name, but beside a first or last name its other half: Vorname and Name.
_HALF_OR_WHOLE: Final = {"name", "nom", "nome", "nombre", "naam", "navn", "namn", "nimi", "nev", "nume"}


def recognize(
    headings: list[str], profile: Profile, fields: Mapping[int, str], denied: Collection[tuple[int, str]] = ()
) -> dict[int, str]:
    """Position → field, for headings that mean a field which `fields` does not fill; preferred ones first.

    A field gets every column whose heading the profile itself accepts; of telephone numbers, e-mail addresses, parts of
    addresses and wishes not to be contacted, every column that means one; of anything else, only the likeliest column.

    Args:
        headings: the headings of the file.
        profile: its fields, and the headings that it accepts.
        fields: position → field, where somebody decided.
        denied: position and field that the cells of a column contradict.
    """
    headings = _without_shared_prefix(headings)
    filled = set(fields.values())
    own = {n: meant for n, heading in enumerate(headings) if n not in fields and (meant := _own(heading, profile))}
    own = {n: (field, rank) for n, (field, rank) in own.items() if (n, field) not in denied}
    found: dict[int, str] = {}
    for column in profile.columns:
        field = column.field
        if field in filled:
            continue
        positions = sorted((rank, n) for n, (own_field, rank) in own.items() if own_field == field)
        found |= {n: field for _, n in positions}
        if field in ADDRESS:
            continue
        free = {n: headings[n] for n in range(len(headings)) if n not in {*fields, *own} and (n, field) not in denied}
        if field == CONSENT:
            found |= {n: field for n, heading in free.items() if n not in found and means(heading, field)}
        elif column.type in {"phone", "email"}:
            ranks = sorted((rank, n) for n, heading in free.items() if (rank := rank_among(heading, field)))
            found |= {n: field for _, n in ranks if n not in found}
        elif not positions and (position := _likeliest(free, field)) is not None and position not in found:
            found[position] = field
    return _halved(headings, profile, _with_addresses(headings, profile, fields, found), filled)


def places_of(headings: list[str], fields: Mapping[int, str]) -> dict[int, str]:
    """Position → place (home, work …), for the parts of addresses; the preferred places first.

    A place has each part once at most: a part that comes again belongs to a second place of that name. Parts without a
    named place and without a street complete the first place that lacks them.
    """
    places: dict[str, dict[str, int]] = {}
    for position, field in fields.items():
        if field in ADDRESS:
            place, count = place_of(headings[position]), 1
            while field in places.get(name := place if count == 1 else f"{place} {count}", {}):
                count += 1
            places.setdefault(name, {})[field] = position
    plain, rest = places.get("", {}), [parts for name, parts in places.items() if name]
    if plain and "address" not in plain and any("address" in parts for parts in rest):
        left = {field: n for field, n in plain.items() if all(field in parts for parts in rest)}
        for field in plain.keys() - left.keys():
            next(parts for parts in rest if field not in parts)[field] = plain[field]
        places = {name: parts for name, parts in places.items() if name} | ({"": left} if left else {})
    return {position: name for name, parts in places.items() for position in parts.values()}


def means(heading: str, field: str) -> bool:
    """Whether the words of a heading are known to mean a field."""
    return bool(singular(heading)) and singular(heading) in {singular(name) for name in synonyms().get(field, [])}


def is_known(heading: str) -> bool:
    """Whether the words of a heading mean any field."""
    known = {singular(name) for names in synonyms().values() for name in names}
    return bool(
        singular(heading) in known
        or part_of_address(heading)
        or any(rank_among(heading, field) for field in ("phone", "email"))
    )


def suggest(
    headings: list[str],
    free: Collection[int],
    profile: Profile,
    filled: Collection[str],
    holds: Mapping[int, Content],
) -> dict[int, str]:
    """Position → field that a free column might be meant for. A person has to confirm it."""
    open_columns = [column for column in profile.columns if column.field not in filled]
    found: dict[int, str] = {}
    for position in free:
        rest = [column for column in open_columns if column.field not in found.values()]
        content = holds.get(position)
        alike = next((column.field for column in rest if content in {column.type, column.field}), None)
        near = _close(headings[position], rest) if content != "honorific" else None
        alike = None if _is_named(content, filled) else alike
        field = near or alike if content in FAINT else alike or near
        if field:
            found[position] = field
    return found


def _is_named(content: Content | None, filled: Collection[str]) -> bool:
    """Whether people's names are mapped already: further names are of companies, cities and the like."""
    return content == "full_name" and any(half in filled for half in _HALVES)


def _without_shared_prefix(headings: list[str]) -> list[str]:
    prefixes = {found[1] if (found := _OF_WHAT.match(heading)) else "" for heading in headings if heading.strip()}
    prefix = prefixes.pop() if len(prefixes) == 1 and len(headings) > 1 else ""
    return [heading.removeprefix(prefix) for heading in headings]


def _own(heading: str, profile: Profile) -> tuple[str, int] | None:
    """The field that has this heading among its own or accepted ones, and the heading's place among them."""
    for fold in (str.strip, folded, singular):
        wanted = fold(heading)
        for column in profile.columns:
            for place, name in enumerate(column.known_headings):
                if wanted and fold(name) == wanted:
                    return column.field, place
    return None


def _likeliest(free: Mapping[int, str], field: str) -> int | None:
    meaning = {singular(heading): n for n, heading in reversed(list(free.items())) if singular(heading)}
    return next((meaning[word] for word in map(singular, synonyms().get(field, [])) if word in meaning), None)


def _with_addresses(
    headings: list[str], profile: Profile, chosen: Mapping[int, str], found: Mapping[int, str]
) -> dict[int, str]:
    """The columns found, and those of parts of addresses, one place after the other.

    Where a person chose a column for a part, the other parts are taken from the same place only.
    """
    wanted = [field for field in ADDRESS if field in profile.column_of and field not in chosen.values()]
    parts = {n: (field, place_of(headings[n]), -1) for n, field in found.items() if field in ADDRESS}
    for n, heading in enumerate(headings):
        part = part_of_address(heading)
        if part and part[0] in wanted and n not in found and n not in chosen:
            parts[n] = part
    decided = {place_of(headings[n]) for n, field in chosen.items() if field in ADDRESS}
    parts = {n: part for n, part in parts.items() if not decided or part[1] in decided}
    order = sorted(parts, key=lambda n: (order_of_places(parts[n][1]), parts[n][2], n))
    return {n: field for n, field in found.items() if field not in ADDRESS} | {n: parts[n][0] for n in order}


def _halved(headings: list[str], profile: Profile, found: dict[int, str], filled: Collection[str]) -> dict[int, str]:
    """Turns a whole name beside a first or last name into the other half, if its heading can mean that."""
    mapped = {*filled, *found.values()}
    for half, other in _HALVES.items():
        if half in mapped and other not in mapped and other in profile.column_of:
            for position, field in found.items():
                if field == "full_name" and singular(headings[position]) in _HALF_OR_WHOLE:
                    return {**found, position: other}
    return found


def _close(heading: str, columns: Iterable[Column]) -> str | None:
    names = {name: c.field for c in columns for name in (*c.known_headings, *synonyms().get(c.field, []))}
    best = process.extractOne(
        heading, list(names), scorer=OSA.normalized_similarity, processor=singular, score_cutoff=_CLOSE
    )
    return names[best[0]] if best and len(singular(heading)) > 3 else None
