"""The limits of any file, and the refusal of files beyond them. Workbooks have further limits of their own."""

from __future__ import annotations

from pathlib import Path

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings


def check_file_size(path: Path, file_name: str, settings: Settings) -> None:
    """Refuses (`limit`) a file of more bytes than the settings allow."""
    size = path.stat().st_size
    if size > settings.max_file_bytes:
        raise beyond(file_name, f"has {size:,} bytes", settings.max_file_bytes, "bytes", "max_file_bytes")


def check_rows(rows: int, file_name: str, settings: Settings) -> None:
    """Refuses (`limit`) a file of more rows than the settings allow."""
    if rows > settings.max_rows:
        what = f"has more than {settings.max_rows:,} rows"
        raise beyond(file_name, what, settings.max_rows, "rows", "max_rows")


def check_columns(columns: int, file_name: str, settings: Settings) -> None:
    """Refuses (`limit`) a file of more columns than the settings allow."""
    if columns > settings.max_columns:
        raise beyond(file_name, f"has {columns:,} columns", settings.max_columns, "columns", "max_columns")


def check_cell(row_number: int, characters: int, file_name: str, settings: Settings) -> None:
    """Refuses (`limit`) a file with a cell of more characters than the settings allow."""
    if characters > settings.max_cell_characters:
        what = f"has a cell of {characters:,} characters in row {row_number}"
        raise beyond(file_name, what, settings.max_cell_characters, "characters", "max_cell_characters", row_number)


def beyond(file_name: str, what: str, most: int, unit: str, setting: str, row_number: int | None = None) -> Refusal:
    """The refusal (`limit`) of a file beyond a setting, with the size that the file has and the most allowed."""
    return Refusal(
        "limit",
        f"{file_name} {what}; {f'{most:,} {unit}'.strip()} is the most that is taken.",
        f"Check that it is a table of contacts; split it if it is, or set CONTACT_PIPELINE_{setting.upper()} higher.",
        file=file_name,
        row_number=row_number,
        details={"setting": setting, "limit": most},
    )
