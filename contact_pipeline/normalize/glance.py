"""Values that are told at a glance: texts in canonical form, or one step from it, which are tidy and no repair.

A glance is one regular expression where the whole way is many; only what it leaves open goes that way.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import polars as pl

from contact_pipeline.kinds import identifier, phone, text
from contact_pipeline.kinds.email import PLAIN as PLAIN_ADDRESS
from contact_pipeline.kinds.postal_code import US_PLAIN
from contact_pipeline.profiles import Column, Profile, calendar

_NAME: Final = r"^[A-Z]?[a-z]+(?:[ '\-][A-Z]?[a-z]+)*$"
_AS_THEY_STAND: Final = {"email": PLAIN_ADDRESS, "date": calendar.EVERY_YEAR}


def at_a_glance(texts: pl.Series, column: Column, profile: Profile, *, by_country: bool) -> tuple[pl.Series, pl.Series]:
    """What the texts become, and whether that is beyond doubt; where it is not, what they become says nothing.

    Args:
        texts: cells as they were read.
        column: what they hold.
        profile: its region, and the words that mean nothing.
        by_country: whether the form depends on the country of the row.
    """
    if column.type == "phone" and not by_country:
        values, certain = phone.at_a_glance(texts, profile.region)
    elif column.type == "ssn":
        values, certain = identifier.ssn_at_a_glance(texts)
    elif column.type == "text" or (column.type == "name" and not column.title_case):
        values, certain = texts, text.are_tidy(texts)
    elif pattern := _pattern(column, profile, by_country=by_country):
        values, certain = texts, texts.str.contains(pattern)
    else:
        return texts, pl.Series([False]).new_from_index(0, texts.len())
    blanks = profile.blanks_in(column)
    blanks = replace(blanks, words=blanks.words | {(column.nothing or "").lower()}, pattern=None)
    return values, certain.fill_null(False) & ~text.are_blanks(texts, blanks)


def _pattern(column: Column, profile: Profile, *, by_country: bool) -> str | None:
    if column.type == "name":
        return _NAME
    if column.type == "zip_code":
        return US_PLAIN if profile.region in {None, "US"} and not by_country else None
    return _AS_THEY_STAND.get(column.type)
