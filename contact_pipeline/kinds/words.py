"""Describes the values of each kind, for people who fill in a file.

This module must not load Polars: commands that only describe a profile do without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from contact_pipeline.profiles import Column, Profile, calendar
from contact_pipeline.profiles.model import FieldType


def in_words(column: Column, profile: Profile) -> str:
    """What a value of a column looks like."""
    return _WORDS[column.type](column, profile)


def moment_in_words(column: Column) -> str:
    """What a moment of a column looks like."""
    days = " or ".join(f"{each} HH:MM" for each in ["YYYY-MM-DD", *map(calendar.in_words, column.formats)])
    zone = (
        f", time of {column.zone} or with an offset such as +01:00"
        if column.zone
        else ", and an offset if known, such as +01:00"
    )
    return days + zone


def _phone(_: Column, profile: Profile) -> str:
    national = f" or as dialled in {profile.region}" if profile.region else ""
    return f"international with + and country code{national}"


def _identifier(column: Column, profile: Profile) -> str:
    if not column.identifiers_by:
        return _any_of(column.identifiers)
    headings = {other.field: other.heading for other in profile.columns}
    deciding = headings.get(column.identifiers_column or "", column.identifiers_column)
    kinds = (f"{value}: {_any_of(found)}" for value, found in column.identifiers_by.items())
    return f"by {deciding}, {', '.join(kinds)}"


def _any_of(identifiers: Iterable[str]) -> str:
    return " or ".join(each.upper() for each in identifiers)


def _allowed(column: Column) -> str:
    return f"the vocabulary '{column.vocabulary}'" if column.vocabulary else ", ".join(column.choices)


_WORDS: Final[Mapping[FieldType, Callable[[Column, Profile], str]]] = {
    "text": lambda column, _: f"text, up to {column.max_length} characters",
    "name": lambda column, _: f"a name, up to {column.max_length} characters",
    "email": lambda *_: "name@example.com",
    "phone": _phone,
    "date": lambda column, _: " or ".join(["YYYY-MM-DD", *map(calendar.in_words, column.formats)]),
    "moment": lambda column, _: moment_in_words(column),
    "ssn": lambda *_: "nine digits, 123-45-6789",
    "zip_code": lambda *_: "12345 or 12345-6789; of another country as it is written there",
    "country": lambda *_: "US, USA, or a name in any language",
    "identifier": _identifier,
    "choice": lambda column, _: f"one of {_allowed(column)}",
    "list": lambda column, _: f"values of {_allowed(column)}, separated by '{column.separator}'",
    "login": lambda *_: "login of a loaded user",
    "boolean": lambda column, _: _allowed(column) if column.choices else "yes or no",
}
