"""Which field a heading means, by its words; and which it might mean, by its spelling or by what stands below it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from contact_pipeline.normalize.synonyms import folded, singular, synonyms
from contact_pipeline.normalize.witness import Content
from contact_pipeline.profiles.model import Column, Profile

_CLOSE: Final = 0.79  # of 1: what a slip of the finger leaves of a heading
_HALVES: Final = {"first_name": "last_name", "last_name": "first_name"}
# Headings that mean the whole name alone, and the other half of it beside a first or a last name: Vorname and Name.
_HALF_OR_WHOLE: Final = {"name", "nom", "nome", "nombre", "naam", "navn", "namn", "nimi", "nev", "nume"}


def recognize(headings: list[str], profile: Profile, fields: Mapping[int, str]) -> dict[int, str]:
    """Position → field, for the headings whose words mean one that `fields` does not fill.

    Several positions for one field are given where the profile itself accepts each; of synonyms only the likeliest.
    """
    filled = set(fields.values())
    found = {
        position: field
        for position, heading in enumerate(headings)
        if position not in fields and (field := _own(heading, profile)) and field not in filled
    }
    for field in profile.column_of:
        if field not in filled and field not in found.values():
            position = _likeliest(headings, field, {*fields, *found})
            if position is not None:
                found[position] = field
    return _halved(headings, profile, found, filled)


def suggest(
    headings: list[str],
    free: Collection[int],
    profile: Profile,
    filled: Collection[str],
    holds: Mapping[int, Content],
) -> dict[int, str]:
    """Position → field that a free column might be meant for: never taken silently."""
    open_columns = [column for column in profile.columns if column.field not in filled]
    found: dict[int, str] = {}
    for position in free:
        rest = [column for column in open_columns if column.field not in found.values()]
        field = next((column.field for column in rest if column.type == holds.get(position)), None)
        field = field or _close(headings[position], rest)
        if field:
            found[position] = field
    return found


def _own(heading: str, profile: Profile) -> str | None:
    """The field of which the heading is the profile's own or an accepted one."""
    for fold in (str.strip, folded, singular):
        wanted = fold(heading)
        for column in profile.columns:
            if wanted and any(fold(name) == wanted for name in (column.heading, *column.accepts)):
                return column.field
    return None


def _likeliest(headings: list[str], field: str, taken: Collection[int]) -> int | None:
    meaning = {singular(heading): n for n, heading in enumerate(headings) if n not in taken and singular(heading)}
    return next((meaning[word] for word in map(singular, synonyms().get(field, [])) if word in meaning), None)


def _halved(headings: list[str], profile: Profile, found: dict[int, str], filled: Collection[str]) -> dict[int, str]:
    """Makes a whole name beside one half of it the other half, where its heading can mean that."""
    mapped = {*filled, *found.values()}
    for half, other in _HALVES.items():
        if half in mapped and other not in mapped and other in profile.column_of:
            for position, field in found.items():
                if field == "full_name" and singular(headings[position]) in _HALF_OR_WHOLE:
                    return {**found, position: other}
    return found


def _close(heading: str, columns: list[Column]) -> str | None:
    names = {name: c.field for c in columns for name in (c.heading, *c.accepts, *synonyms().get(c.field, []))}
    best = process.extractOne(
        heading, list(names), scorer=OSA.normalized_similarity, processor=singular, score_cutoff=_CLOSE
    )
    return names[best[0]] if best and len(singular(heading)) > 3 else None
