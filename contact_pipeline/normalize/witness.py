"""What the cells of a column look like: a witness to what its heading means, never a verdict."""

from __future__ import annotations

from typing import Final, Literal

import polars as pl

Content = Literal["email", "phone"]
CONTENTS: Final[dict[Content, str]] = {"email": "e-mail addresses", "phone": "telephone numbers"}

_LOOKS: Final[dict[Content, str]] = {
    "email": r"^\s*[^@\s,;]+@[^@\s,;]+\.[^@\s,;]{2,}\s*$",
    "phone": r"^\s*(?:\+|00)?[0-9 ()./\-]*\([0-9]{2,4}\)[0-9 ()./\-]{5,}$|^\s*(?:\+|00)[0-9 ()./\-]{8,}$"
    r"|^\s*[0-9]{2,4}(?:[ ./\-][0-9]{2,4}){2,4}\s*$",
}
_DATE: Final = r"^\s*(?:\d{4}[./\-]\d{1,2}[./\-]\d{1,2}|\d{1,2}[./\-]\d{1,2}[./\-](?:\d{2}|\d{4}))\s*$"
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
    return found
