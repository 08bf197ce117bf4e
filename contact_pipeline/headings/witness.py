"""Guesses from its cells what a column holds. The guess supports or contradicts a heading; it never decides alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Literal

import polars as pl

from contact_pipeline.profiles.countries import code_of

Content = Literal["email", "phone", "honorific", "date_of_birth", "country", "zip_code", "full_name"]
CONTENTS: Final[dict[Content, str]] = {
    "email": "e-mail addresses",
    "phone": "telephone numbers",
    "honorific": "forms of address (Mr., Dr.)",
    "date_of_birth": "days long ago",
    "country": "countries",
    "zip_code": "postal codes",
    "full_name": "names of people",
}
FAINT: Final = frozenset({"date_of_birth", "country", "zip_code", "full_name"})  # only ever suggested, and last

_LOOKS: Final[dict[Content, str]] = {
    "email": r"^\s*[^@\s,;]+@[^@\s,;]+\.[^@\s,;]{2,}\s*$",
    "phone": r"^\s*(?:\+|00)?[0-9 ()./\-]*\([0-9]{2,4}\)[0-9 ()./\-]{5,}$|^\s*(?:\+|00)[0-9 ()./\-]{8,}$"
    r"|^\s*[0-9]{2,4}(?:[ ./\-][0-9]{2,4}){2,4}\s*$",
}
_DATE: Final = r"^\s*(?:\d{4}[./\-]\d{1,2}[./\-]\d{1,2}|\d{1,2}[./\-]\d{1,2}[./\-](?:\d{2}|\d{4}))\s*$"
# Forms of address that are no job titles, and titles that may stand beside them.
_HONORIFIC: Final = (
    r"(?i)^\s*(?:mr|mrs|ms|miss|mx|mister|sir|dame|madam|herrn?|frau|hr|fr|m|mme|mlle|monsieur|madame|mademoiselle"
    r"|sra?|srta|señora?|señorita|senhora?|don|doña|sig|sig\.ra|sig\.na|signora?|signorina|dhr|mevr|mw|meneer|mevrouw"
    r"|pan|pani|paní|fru|herra|rouva|bay|bayan|г-н|г-жа|господин|госпожа|κος|κα|様|さん|先生|女士)\.?\s*$"
)
_TITLE: Final = (
    r"(?i)^\s*(?:(?:herr|frau|hr|fr|mr|mrs|ms|m|mme)\.?\s+)?(?:(?:dr|dra|dott|prof|rev|hon|ing|mag|dipl\.?-?ing|med"
    r"|jur|phil|h\.?\s?c|doctor|doktor|professor|reverend)\.?\s*)+$"
)
_ABBREVIATED: Final = r"(?i)^\s*(?:dr|dra|dott|prof|rev|hon)\b\.?"
_YEAR: Final = r"\b(?:19|20)\d\d\b"
_LONG_AGO: Final = 12  # years: contracts and visits are younger than most people
# US, UK, Canada, Netherlands, Poland, Brazil, Czechia and Sweden; bare digits of other lengths say little.
_POSTAL: Final = (
    r"^(?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d{4} ?[A-Z]{2}|\d{2}-\d{3}"
    r"|\d{5}-\d{3}|\d{3} \d{2})$"
)
_NAME: Final = r"^\p{Lu}[\p{L}'’.\-]*(?: \p{Lu}[\p{L}'’.\-]*){1,3}$"
_NO_NAME: Final = r"(?i)\b(?:inc|ltd|llc|gmbh|ag|sa|srl|corp|co|company|street|st|road|avenue|new|san|los|united)\b"
_MANY_NAMES: Final = 0.8  # of the cells: hardly two are the same
_MOST: Final = 0.8  # of the cells that are filled
_ENOUGH: Final = 2  # cells
_ENOUGH_FOR_FAINT: Final = 3
_MOST_COUNTRIES: Final = 250


def what_columns_hold(rows: pl.DataFrame) -> dict[str, Content]:
    """Raw column → what most of its cells look like, for the columns where they look like something."""
    found: dict[str, Content] = {}
    for name in rows.columns:
        cells = rows[name].drop_nulls() if rows.schema[name] == pl.String else pl.Series(dtype=pl.String)
        for content, looks in _LOOKS.items():
            alike = cells.str.contains(looks) & ~cells.str.contains(_DATE)
            if cells.len() >= _ENOUGH and int(alike.sum()) >= _MOST * cells.len():
                found[name] = content
        if cells.len() and _are_honorifics(cells):
            found[name] = "honorific"
        if name not in found and cells.len() >= _ENOUGH_FOR_FAINT and (faint := _faint(cells.str.strip_chars())):
            found[name] = faint
    return found


def _faint(cells: pl.Series) -> Content | None:
    """The guess for cells that could also be many other things."""
    if _are_most(cells.str.contains(_DATE)):
        years = cells.str.extract(f"({_YEAR})").cast(pl.Int32).drop_nulls()
        newest = datetime.now(UTC).year - _LONG_AGO
        return "date_of_birth" if years.len() and _are_most(years < newest) else None
    if _are_most(cells.str.contains(_POSTAL)):
        return "zip_code"
    different = cells.unique()
    words = different.filter(different.str.len_chars() > 3)  # codes of two letters are states and languages as well
    if words.len() and different.len() <= _MOST_COUNTRIES:
        countries = [text for text in different if code_of(text)]
        if _are_most(cells.is_in(countries)) and words.is_in(countries).any():
            return "country"
    names = cells.str.contains(_NAME) & ~cells.str.contains(_NO_NAME)
    return "full_name" if _are_most(names) and different.len() >= _MANY_NAMES * cells.len() else None


def _are_most(found: pl.Series) -> bool:
    return int(found.sum()) >= _MOST * found.len()


def _are_honorifics(cells: pl.Series) -> bool:
    """Whether most cells are forms of address, and not all of them also jobs (Professor)."""
    honorific, title = cells.str.contains(_HONORIFIC), cells.str.contains(_TITLE)
    sure = honorific | (title & cells.str.contains(_ABBREVIATED))
    return bool(sure.any()) and int((honorific | title).sum()) >= _MOST * cells.len()
