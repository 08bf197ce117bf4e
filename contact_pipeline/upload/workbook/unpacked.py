"""Unpacks a part of an archive piece by piece, without trust in the sizes in the archive's directory."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

_PIECE: Final = 4 << 20  # bytes


def unpacked(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The unpacked part, in pieces. Unlike zipfile, it reads to the end of the packed data."""
    file = archive.fp
    if file is None or part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise zipfile.BadZipFile(f"{part.filename} is packed as no workbook is")
    file.seek(part.header_offset)
    header = file.read(30)
    if len(header) < 30 or not header.startswith(b"PK\3\4"):
        raise zipfile.BadZipFile(f"{part.filename} is not where the directory says")
    file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:], "little"), os.SEEK_CUR)
    left, inflate = part.compress_size, zlib.decompressobj(-zlib.MAX_WBITS)
    while left and (packed := file.read(min(left, _PIECE))):
        left -= len(packed)
        if part.compress_type == zipfile.ZIP_STORED:
            yield packed
        while part.compress_type == zipfile.ZIP_DEFLATED and packed and not inflate.eof:
            yield inflate.decompress(packed, _PIECE)
            packed = inflate.unconsumed_tail
