"""Blocks an upload that has a column of dates with two possible readings."""

from __future__ import annotations

from typing import Any

from contact_pipeline.engines import Tables
from contact_pipeline.profiles import Profile, calendar


def blocked_by_dates(database: Tables, profile: Profile, file_name: str) -> dict[str, Any] | None:
    """The reason, as the ledger keeps it, where a column of dates can be read in two ways; else None.

    Args:
        database: the upload's staging database with rejections.
        profile: the columns with their formats.
        file_name: of the upload.
    """
    found = database.rows("""
        SELECT field, count(*), min(row_number), arg_min(message, row_number)
        FROM rejections WHERE code = 'date-ambiguous' GROUP BY field ORDER BY min(row_number)""")
    if not found:
        return None
    columns_in_words = " ".join(
        f"{message} (row {row}{f' and {count - 1} more' if count > 1 else ''})." for _, count, row, message in found
    )
    columns = (profile.column_of[field] for field, *_ in found)
    options = " ".join(f'--date-format "{column.heading}={calendar.in_words(column.formats[0])}"' for column in columns)
    return {
        "code": "dates-ambiguous",
        "message": f"{file_name}: {columns_in_words.replace('. (', ' (')}",
        "fix": f"Import again and say the format, such as {options}; or write the days as YYYY-MM-DD.",
    }
