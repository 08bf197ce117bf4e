"""Asks about unknown fields of a profile whose names resemble a known field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from contact_pipeline.headings.synonyms import singular, synonyms
from contact_pipeline.profiles import Profile, find_profiles
from contact_pipeline.profiles.problems import Place
from contact_pipeline.terms import ACCOUNT_FIELDS, CONTACT_FIELDS

_CLOSE: Final = 0.79  # of 1: the likeness of a word with one typing error
_SHORTEST: Final = 4  # letters


def ask_about_fields(profile: Profile) -> Iterator[tuple[Place, str]]:
    """Each custom field that may be meant for a known one, and the question.

    A column with `kind` is a custom field on purpose.
    """
    known = ACCOUNT_FIELDS if profile.target == "account" else CONTACT_FIELDS
    shipped, _ = find_profiles()
    elsewhere = {column.field for each in shipped.values() for column in each.columns}
    names = {_sound(name): field for field in known for name in (*synonyms().get(field, []), field)}
    for number, column in enumerate(profile.columns):
        if column.field in known or column.field in elsewhere or column.kind is not None:
            continue
        word = _sound(column.field)
        best = process.extractOne(word, list(names), scorer=OSA.normalized_similarity, score_cutoff=_CLOSE)
        if best and (best[1] == 1 or len(word) >= _SHORTEST):
            field, kind = names[best[0]], profile.row_fields[column.field]
            question = f"'{column.field}' is a field that no system knows; did you mean '{field}'?"
            yield ("columns", number, "field"), f"{question} If it is one of your own, say so: kind: {kind}"


def _sound(name: str) -> str:
    """The folded name, with ph and f alike."""
    return singular(name).replace("ph", "f")
