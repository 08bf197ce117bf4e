"""What the cells of a column look like: a witness to what its heading means, never a verdict."""

from __future__ import annotations

from typing import Final, Literal

import polars as pl

Content = Literal["email", "phone", "honorific"]
CONTENTS: Final[dict[Content, str]] = {
    "email": "e-mail addresses",
    "phone": "telephone numbers",
    "honorific": "forms of address (Mr., Dr.)",
}

_LOOKS: Final[dict[Content, str]] = {
    "email": r"^\s*[^@\s,;]+@[^@\s,;]+\.[^@\s,;]{2,}\s*$",
    "phone": r"^\s*(?:\+|00)?[0-9 ()./\-]*\([0-9]{2,4}\)[0-9 ()./\-]{5,}$|^\s*(?:\+|00)[0-9 ()./\-]{8,}$"
    r"|^\s*[0-9]{2,4}(?:[ ./\-][0-9]{2,4}){2,4}\s*$",
}
_DATE: Final = r"^\s*(?:\d{4}[./\-]\d{1,2}[./\-]\d{1,2}|\d{1,2}[./\-]\d{1,2}[./\-](?:\d{2}|\d{4}))\s*$"
# Forms of address that are nobody's job, and those that may stand beside them.
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
_MOST: Final = 0.8  # of the cells that are filled
_ENOUGH: Final = 2  # cells


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
    return found


def _are_honorifics(cells: pl.Series) -> bool:
    """Whether most cells are forms of address, and not all of them words that are jobs as well (Professor)."""
    honorific, title = cells.str.contains(_HONORIFIC), cells.str.contains(_TITLE)
    sure = honorific | (title & cells.str.contains(_ABBREVIATED))
    return bool(sure.any()) and int((honorific | title).sum()) >= _MOST * cells.len()
