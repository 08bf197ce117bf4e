"""Names and values as SQL has them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PLACE: Final = "rowid"  # of a row in its table, to order by; rows that were added later have a higher one


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | Path | None) -> str:
    """The value as an SQL text literal; NULL for None."""
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"
