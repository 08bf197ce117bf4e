"""Writes and reads date formats, and tells which texts they read as different days.

A format is strftime's (`%d/%m/%Y`), or as people write it (`DD/MM/YYYY`). Polars takes time to load, so it is imported
only where texts are read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

ISO: Final = "%Y-%m-%d"

# Days that exist in every year, as ISO text: all but 29 February.
EVERY_YEAR: Final = (
    "^[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))$"
)

_WORDS: Final = {"%Y": "YYYY", "%y": "YY", "%m": "MM", "%B": "Month", "%b": "Mon", "%d": "DD"}
_DIRECTIVE: Final = re.compile("%.?|" + "|".join(_WORDS.values()))  # the longer words first


def in_words(declared: str) -> str:
    """A strftime format as people write it: %m/%d/%Y is MM/DD/YYYY."""
    return re.sub("%.", lambda found: _WORDS.get(found[0], found[0]), declared)


def from_words(text: str) -> str:
    """The strftime format that a text is or means: %d/%m/%Y, or DD/MM/YYYY.

    Raises:
        ValueError: the text does not consist of one year, one month and one day, with signs between them.
    """
    directive = {word: name for name, word in _WORDS.items()} | {name: name for name in _WORDS}
    used = [directive.get(found) for found in _DIRECTIVE.findall(text)]
    if sorted({"%Y": "y", "%y": "y", "%d": "d"}.get(name, "m") if name else "?" for name in used) != ["d", "m", "y"]:
        raise ValueError(f"'{text}' is no date format: write one such as DD/MM/YYYY, MM/DD/YY or %d %b %Y")
    return _DIRECTIVE.sub(lambda found: str(directive[found[0]]), text)


def reading(text: pl.Expr, declared: str, pivot: int | None = None) -> pl.Expr:
    """The day that a format (strftime) reads in the text, as ISO text; null where it reads none.

    Args:
        text: tidied text.
        declared: the format.
        pivot: last two-digit year of this century; greater ones belong to the last century.
    """
    return day(text, declared, pivot).dt.strftime(ISO)


def day(text: pl.Expr, declared: str, pivot: int | None = None) -> pl.Expr:
    """The same as a date."""
    import polars as pl

    found = text.str.to_date(declared, strict=False, cache=False)  # the texts are distinct already
    if "%y" not in declared:
        # A four-digit year is meant: without this, 04/17/84 would be a day of the year 84.
        return pl.when(found.is_between(pl.date(1000, 1, 1), pl.date(9999, 12, 31))).then(found)
    century = (
        pl.when(found.dt.year() % 100 <= (68 if pivot is None else pivot)).then(pl.lit("20")).otherwise(pl.lit("19"))
    )
    written = pl.concat_str(century, found.dt.strftime("%y-%m-%d"))
    return written.str.to_date(ISO, strict=False)  # 29 February may not be in that century's year


def differ(days: Sequence[pl.Expr]) -> pl.Expr:
    """Whether two of the readings of a text are different days."""
    import polars as pl

    first = pl.coalesce(days)
    return pl.any_horizontal((day != first).fill_null(False) for day in days[1:]) if len(days) > 1 else pl.lit(False)


def fitting(values: pl.Series, formats: Sequence[str], pivot: int | None = None) -> list[str]:
    """The formats by which a whole column can be read: those that read every text that any of them reads.

    Where no format reads them all, every format is returned, and each text is read by itself.

    Args:
        values: tidied text of the column.
        formats: the declared formats.
        pivot: last of the two-digit years that belong to this century.
    """
    import polars as pl

    days = values.drop_nulls().unique().to_frame("text")
    read = days.select(
        day(pl.col("text"), declared, pivot).is_not_null().alias(declared) for declared in dict.fromkeys(formats)
    )
    read = read.filter(pl.any_horizontal(pl.all()))
    whole = [declared for declared in dict.fromkeys(formats) if read[declared].all()]
    return whole or list(formats)


def is_zone(name: str) -> bool:
    """Whether a time zone is known: a name of the IANA database, or an offset such as +02:00."""
    import polars as pl

    try:
        pl.Series([], dtype=pl.Datetime).dt.replace_time_zone(name)
    except (pl.exceptions.PolarsError, TypeError, ValueError):
        return False
    return bool(name)
