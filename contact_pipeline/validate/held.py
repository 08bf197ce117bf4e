"""Why an upload is held whose rows alone cannot say how they are to be read."""

from __future__ import annotations

from typing import Any

from contact_pipeline.engines import Database


def held_because(database: Database, file_name: str) -> dict[str, Any] | None:
    """The reason, as the ledger holds it, where a column of dates can be read in two ways; else None.

    Args:
        database: the upload's staging database with rejections.
        file_name: of the upload.
    """
    found = database.rows("""
        SELECT "column", count(*), min(row_number), arg_min(message, row_number)
        FROM rejections WHERE code = 'date-ambiguous' GROUP BY "column" ORDER BY min(row_number)""")
    if not found:
        return None
    told = " ".join(
        f"{message} (row {row}{f' and {count - 1} more' if count > 1 else ''})." for _, count, row, message in found
    )
    return {
        "code": "dates-ambiguous",
        "message": f"{file_name}: {told.replace('. (', ' (')}",
        "fix": "Write the days as YYYY-MM-DD, or leave one format for the column in the profile, and import again.",
    }
