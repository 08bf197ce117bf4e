"""What a file may be at most. What is beyond is refused, before anything is unpacked where it is a workbook."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings

_SMALL_PART: Final = 10_000_000  # bytes: a part that unpacks to less does no harm, however well it is packed


def check_file_size(path: Path, file_name: str, settings: Settings) -> None:
    """Refuses (`limit`) a file of more bytes than the settings allow."""
    size = path.stat().st_size
    if size > settings.max_file_bytes:
        raise _beyond(file_name, f"has {size:,} bytes", settings.max_file_bytes, "bytes", "max_file_bytes")


def check_unpacked_size(archive: zipfile.ZipFile, file_name: str, settings: Settings) -> None:
    """Refuses (`limit`) an archive that would unpack to more than the settings allow, in all or in one part."""
    parts = archive.infolist()
    size = sum(part.file_size for part in parts)
    if size > settings.max_unpacked_bytes:
        raise _beyond(file_name, f"unpacks to {size:,} bytes", settings.max_unpacked_bytes, "", "max_unpacked_bytes")
    for part in parts:
        if part.file_size > _SMALL_PART and part.file_size > settings.max_compression_ratio * part.compress_size:
            ratio = part.file_size // max(part.compress_size, 1)
            what = f"has a part that unpacks to {ratio:,} times its size"
            raise _beyond(file_name, what, settings.max_compression_ratio, "times", "max_compression_ratio")


def check_rows(rows: int, file_name: str, settings: Settings) -> None:
    """Refuses (`limit`) a file of more rows than the settings allow."""
    if rows > settings.max_rows:
        what = f"has more than {settings.max_rows:,} rows"
        raise _beyond(file_name, what, settings.max_rows, "rows", "max_rows")


def check_columns(columns: int, file_name: str, settings: Settings) -> None:
    """Refuses (`limit`) a file of more columns than the settings allow."""
    if columns > settings.max_columns:
        raise _beyond(file_name, f"has {columns:,} columns", settings.max_columns, "columns", "max_columns")


def check_cell(row_number: int, characters: int, file_name: str, settings: Settings) -> None:
    """Refuses (`limit`) a file with a cell of more characters than the settings allow."""
    if characters > settings.max_cell_characters:
        what = f"has a cell of {characters:,} characters in row {row_number}"
        raise _beyond(file_name, what, settings.max_cell_characters, "characters", "max_cell_characters", row_number)


def _beyond(file_name: str, what: str, most: int, unit: str, setting: str, row_number: int | None = None) -> Refusal:
    return Refusal(
        "limit",
        f"{file_name} {what}; {f'{most:,} {unit}'.strip()} is the most that is taken.",
        f"Check that it is a table of contacts; split it if it is, or set CONTACT_PIPELINE_{setting.upper()} higher.",
        file=file_name,
        row_number=row_number,
        details={"setting": setting, "limit": most},
    )
