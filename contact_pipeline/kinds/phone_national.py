"""Telephone numbers as their region writes them: a cell should not begin with a plus.

By the numbering plans of NANPA and Anatel.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contact_pipeline.profiles import Column, Profile

_NANP: Final = (
    (r"^\+1([2-9]\d\d)([2-9]\d\d)(\d{4})$", "(${1}) ${2}-${3}"),
    (r"^\+1([2-9]\d\d)([2-9]\d\d)(\d{4});ext=(\d+)$", "(${1}) ${2}-${3} ext. ${4}"),
)
_NATIONAL: Final = {
    "US": _NANP,
    "CA": _NANP,
    "BR": ((r"^\+55([1-9][1-9])([2-5]\d{3}|9\d{4})(\d{4})$", "(${1}) ${2}-${3}"),),
}


def national(number: pl.Expr, _column: Column, profile: Profile | None) -> pl.Expr:
    """Numbers of the profile's region in its own form; as they are stored where another column says the country."""
    if profile and "country" not in profile.column_of:
        for e164, form in _NATIONAL.get(profile.region or "", ()):
            number = number.str.replace(e164, form)
    return number
