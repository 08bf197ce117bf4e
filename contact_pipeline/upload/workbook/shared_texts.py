"""Limits the text that the cells of an .xlsx sheet show together: a long text, stored once, can be in every cell."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import Final

from contact_pipeline.upload.workbook.sheet import TooMuchText
from contact_pipeline.upload.workbook.unpacked import unpacked

_MARKUP: Final = len("<si><t></t>")  # around a text
_LONGEST: Final = 16 << 20  # bytes; no text of a cell is longer
_CELL: Final = len('<c t="s"><v>0</v></c>')  # the shortest cell that shows a shared text
_END: Final = b"</si"
# A cell that shows a shared text, up to the number of that text.
_SHOWN: Final = re.compile(rb"""\st\s*=\s*["']s["'][^>]*>\s*<(?:\w+:)?v[^>]*>\s*([0-9]+)""")


class SharedTexts:
    """Estimates the shown text while the parts of a workbook are unpacked, and counts it where it may be too much."""

    def __init__(self, most: int) -> None:
        """Texts may have `most` bytes together in each sheet."""
        self._most = most
        self._texts: zipfile.ZipInfo | None = None
        self._opaque = False
        self._longest, self._rest = 1, b""
        self._sizes: dict[str, int] = {}

    def look(self, part: zipfile.ZipInfo, piece: bytes) -> None:
        """Takes in the next piece of a part."""
        if part.filename.lower().endswith("sharedstrings.xml"):
            self._texts = part
            self._opaque |= b"<!" in piece  # comments cannot be told from texts
            self._find_longest(self._rest + piece)
        else:
            self._sizes[part.filename] = self._sizes.get(part.filename, 0) + len(piece)

    def _find_longest(self, xml: bytes) -> None:
        """Finds the longest text. Jumps from end to end of texts, over several that together are no longer than it."""
        place = 0
        while place + self._longest + len(_END) <= len(xml):
            end = xml.rfind(_END, place + 1, place + self._longest + len(_END))
            if end < 0:
                end = xml.find(_END, place + 1)
                if end < 0:
                    break
                self._longest = end - place
            place = end
        self._rest = xml[place:]
        if len(self._rest) > _LONGEST:
            self._opaque, self._longest, self._rest = True, len(self._rest), b""

    def check(self, archive: zipfile.ZipFile) -> None:
        """Adds up the shown text of sheets where it could be too much.

        Raises:
            TooMuchText: it is too much.
        """
        longest = max(self._longest, len(self._rest))
        doubtful = [name for name, size in self._sizes.items() if size // _CELL * longest > self._most]
        if self._texts is None or not doubtful:
            return
        if self._opaque:
            raise TooMuchText
        lengths = list(_lengths(archive, self._texts))
        for name in doubtful:
            total = 0
            for numbers in _shown(archive, archive.getinfo(name)):
                total += sum(lengths[number] for number in numbers if number < len(lengths))
                if total > self._most:
                    raise TooMuchText


def _lengths(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[int]:
    for text in _up_to(_END, archive, part):
        yield from (max(len(each) - _MARKUP, 0) for each in text.split(_END)[:-1])


def _shown(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[map[int]]:
    for xml in _up_to(b"</", archive, part):
        yield map(int, _SHOWN.findall(xml))


def _up_to(end: bytes, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The unpacked part, in pieces that end with these bytes."""
    rest = b""
    for piece in unpacked(archive, part):
        rest += piece
        place = rest.rfind(end) + len(end)
        if place >= len(end):
            yield rest[:place]
            rest = rest[place:]
        rest = rest[-_LONGEST:]
