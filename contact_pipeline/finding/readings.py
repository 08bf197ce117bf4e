"""Reads a text as an e-mail address or a phone number: into the canonical values that an import could make of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, Literal

import polars as pl

from contact_pipeline.engines import Tables
from contact_pipeline.normalize import normalize
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.reference import Reference

Typed = Literal["email", "phone"]

_SIGN: Final = {"email": "@", "phone": "+"}  # a value without it was not read
_ANCHOR: Final = "anchor"  # a cell that is never blank, so that the row is not blank


def readings(text: str, kind: Typed, profiles: Iterable[Profile], countries: Collection[str]) -> list[str]:
    """The canonical values of a text, as the profiles read it; empty where it is no such value.

    A national number means a different one in each country, so it is read for each country that occurs.

    Args:
        text: as somebody writes it.
        kind: which of the two to read it as.
        profiles: those of the home.
        countries: further countries of which the home has contacts (two letters).
    """
    found: dict[str, None] = {}
    tried: set[tuple[str, str | None]] = set()
    for profile in profiles:
        column = next((each for each in profile.columns if each.type == kind), None)
        if column is None:
            continue
        for region in (profile.region, *(countries if kind == "phone" else ())):
            if (kind, region) in tried:
                continue
            tried.add((kind, region))
            alone = profile.model_copy(update={"columns": [column], "rules": [], "region": region})
            raw = pl.DataFrame({"row_number": [2], "line_number": [2], "value": [text], _ANCHOR: ["there"]})
            rows, _ = normalize(raw, {"value": column.field}, alone, Reference(), {"value": column.heading})
            found.update(dict.fromkeys(each for each in rows[column.field] if each and _SIGN[kind] in each))
    return list(found)


def countries_of(database: Tables) -> list[str]:
    """The countries that contacts have, two letters each."""
    if "country" not in database.columns("contacts"):
        return []
    rows = database.rows("SELECT DISTINCT upper(country) AS code FROM contacts WHERE length(country) = 2 ORDER BY code")
    return [code for (code,) in rows if code.isascii() and code.isalpha()]


def fields_of(kind: Typed, profiles: Iterable[Profile], columns: Collection[str]) -> list[str]:
    """The fields of contacts that hold such values: the canonical one, and further ones such as `phone_2`."""
    typed = {column.field for profile in profiles for column in profile.columns if column.type == kind}
    return [name for name in columns if name == kind or name in typed or name.startswith(f"{kind}_")]
