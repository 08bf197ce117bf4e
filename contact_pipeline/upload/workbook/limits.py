"""The limits of a workbook. A workbook beyond them is refused before a reader unpacks it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import Final

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings
from contact_pipeline.upload.column_letters import column_letter, column_number
from contact_pipeline.upload.limits import beyond
from contact_pipeline.upload.workbook.shared_texts import SharedTexts
from contact_pipeline.upload.workbook.sheet import TooMuchText
from contact_pipeline.upload.workbook.unpacked import unpacked

_SMALL_PART: Final = 10_000_000  # bytes; a part that unpacks to less is harmless at any compression ratio
# The place of a cell or a row in the XML of a sheet. Few are far out; only a sheet with a far one is tested closely.
_PLACE: Final = re.compile(rb"""r=["']([A-Za-z]{1,3})([0-9]{1,7})["']""")
_FAR: Final = re.compile(rb"""r=["'](?:([A-Za-z]{2,3})[0-9]|([0-9]{6,7})["'])""")
_NEAR_ROW, _NEAR_COLUMN = 99_999, 26
_LONGEST_PLACE: Final = 16


def check_unpacked_size(archive: zipfile.ZipFile, file_name: str, settings: Settings) -> None:
    """Refuses (`limit`) an archive that unpacks to more than the settings allow, or whose cells reach too far.

    Every part is unpacked piece by piece to count it, as the sizes in an archive's directory can be false.

    Raises:
        Refusal: it is beyond a limit.
        zipfile.BadZipFile: a part is damaged, packed as no workbook is, or not of the size that the directory gives.
    """
    total, texts = 0, SharedTexts(settings.max_text_bytes)
    for part in archive.infolist():
        size, rows, columns = 0, _NEAR_ROW, _NEAR_COLUMN
        for piece in unpacked(archive, part):
            texts.look(part, piece)
            size += len(piece)
            total += len(piece)
            _check_part(total, size, part, file_name, settings)
            for letters, row in _FAR.findall(piece):
                rows, columns = max(rows, int(row or 0)), max(columns, column_number(letters.decode()))
        if size != part.file_size:
            raise zipfile.BadZipFile(f"{part.filename} is not of the size that the directory gives")
        if rows * columns > settings.max_cells:
            _check_reach(archive, part, file_name, settings)
    try:
        texts.check(archive)
    except TooMuchText as error:
        raise too_much_text(file_name, settings) from error


def too_many_cells(last: str, file_name: str, settings: Settings) -> Refusal:
    """The refusal (`limit`) of a sheet with too much space between its cells; names its last cell."""
    what = f"has a sheet that reaches to {last}, with all the empty cells before it"
    return beyond(file_name, what, settings.max_cells, "cells", "max_cells")


def too_much_text(file_name: str, settings: Settings) -> Refusal:
    """The refusal (`limit`) of a sheet whose cells show too much text together, though it may be stored once."""
    most = settings.max_text_bytes
    return beyond(
        file_name, f"has a sheet whose cells show more than {most:,} bytes of text", most, "bytes", "max_text_bytes"
    )


def _check_reach(archive: zipfile.ZipFile, part: zipfile.ZipInfo, file_name: str, settings: Settings) -> None:
    """Refuses a sheet whose cells span too large an area."""
    rows = columns = 0
    for letters, row in _places(archive, part, _PLACE):
        rows, columns = max(rows, int(row)), max(columns, column_number(letters.decode()))
    if rows * columns > settings.max_cells:
        raise too_many_cells(f"{column_letter(columns - 1)}{rows}", file_name, settings)


def _places(
    archive: zipfile.ZipFile, part: zipfile.ZipInfo, pattern: re.Pattern[bytes]
) -> Iterator[tuple[bytes, bytes]]:
    rest = b""
    for piece in unpacked(archive, part):
        yield from pattern.findall(rest + piece)
        rest = piece[-_LONGEST_PLACE:]


def _check_part(total: int, size: int, part: zipfile.ZipInfo, file_name: str, settings: Settings) -> None:
    if total > settings.max_unpacked_bytes:
        most = settings.max_unpacked_bytes
        raise beyond(file_name, f"unpacks to more than {most:,} bytes", most, "bytes", "max_unpacked_bytes")
    if size > _SMALL_PART and size > settings.max_compression_ratio * part.compress_size:
        most = settings.max_compression_ratio
        what = f"has a part that unpacks to more than {most:,} times its size"
        raise beyond(file_name, what, most, "times", "max_compression_ratio")
