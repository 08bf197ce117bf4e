"""The repairs of an upload on the page: how many, and the first rows for every set of columns repaired together."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Final

from contact_pipeline.pages.review.room import cut, fitting, in_turn
from contact_pipeline.reports.repairs import repairs_shown
from contact_pipeline.store import Upload

if TYPE_CHECKING:
    import polars as pl

_ROWS: Final = 600
_ROOM: Final = 90_000  # bytes
_OF_A_KIND: Final = 200

# The repairs of some rows (contracts.REPAIRS), not masked.
RepairsOf = Callable[[Collection[int]], "pl.DataFrame"]


def gather_repairs(upload: Upload, repairs_of: RepairsOf) -> dict[str, Any]:
    """The repairs that the page has: how many there are, and rows of row_number, column, before, after and why."""
    if not upload.repairs:
        return {"count": 0, "repairs": []}
    with upload.staging.look() as database:
        if database is None or not database.has("normalized_rows"):
            return {"count": upload.repairs, "repairs": []}
        found = (
            database.rows(f"""
            SELECT repaired, min(row_number, {_OF_A_KIND}) FROM normalized_rows WHERE repaired <> 0
            GROUP BY repaired ORDER BY repaired""")
        )  # the columns that are repaired in a row, and rows in which they are
        wanted = in_turn([some for _, some in found])[:_ROWS]
    shown = repairs_shown(upload, repairs_of(wanted))
    rows = shown.select("row_number", "column", "before", "after", "why").rows()
    return {"count": upload.repairs, "repairs": fitting(cut([[*row] for row in rows]), _ROOM)}
