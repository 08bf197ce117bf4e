"""Takes lines of a text file to find its encoding by: some from everywhere, and some with every byte that occurs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

_BLOCK: Final = 1 << 20  # bytes
_BLOCKS: Final = 64  # spread over the file; lines are taken from them in any case
_OF_A_BLOCK: Final = 30  # lines
_TRIED: Final = 10  # times as many lines are read, to find some of either kind
_FIRST: Final = 500  # lines of the beginning
_UNLIKE: Final = 200  # lines that are not UTF-8
_ASCII: Final = bytes(range(128))
_LONGEST: Final = 2_000  # bytes of a line
_BEYOND_ASCII: Final = re.compile(rb"[\x80-\xFF][^\r\n]*")  # and the rest of its line
_SAFE_ENDS: Final = re.compile(rb"[,;\t \"]")  # bytes that no encoding of files uses within another character


@dataclass
class Sample:
    """Lines that hold more than ASCII.

    Attributes:
        is_utf_8: whether the whole file is.
        start: its first bytes.
        utf_8: lines that are UTF-8.
        others: lines that are not.
    """

    is_utf_8: bool
    start: bytes = b""
    utf_8: list[bytes] = field(default_factory=list)
    others: list[bytes] = field(default_factory=list)


def take_sample(path: Path) -> Sample:
    """Reads a file once; a block of pure ASCII costs next to nothing."""
    sample = Sample(is_utf_8=True)
    every = max(path.stat().st_size // _BLOCK // _BLOCKS, 1)
    known = _ASCII
    for number, block in enumerate(_blocks_of_lines(path)):
        if number == 0:
            sample.start = block[:4096]
        if block.isascii():
            continue
        most = _FIRST if len(sample.utf_8) + len(sample.others) < _FIRST else _OF_A_BLOCK
        new = b""
        if not _is_utf_8(block):
            sample.is_utf_8 = False
            most = max(most, _OF_A_BLOCK if len(sample.others) < _UNLIKE else 0)
            new = block.translate(None, known)
            known += bytes({*new})
        elif number % every:
            continue
        if most or new:
            _add(sample, block, most, {*new})
    return sample


def _add(sample: Sample, block: bytes, most: int, new: set[int]) -> None:
    """Adds the first lines of a block, `most` of either kind, and a line for each new byte."""
    wanted = {True: most, False: most}
    for line in islice(_lines_beyond_ascii(block), _TRIED * most):
        is_utf_8 = _is_utf_8(line)
        if wanted[is_utf_8]:
            wanted[is_utf_8] -= 1
            (sample.utf_8 if is_utf_8 else sample.others).append(_cut(line))
        if not wanted[is_utf_8] and (sample.is_utf_8 or not wanted[not is_utf_8]):
            break
    for byte in sorted(new):
        line = next(line for line in _lines_beyond_ascii(block) if byte in line)
        (sample.utf_8 if _is_utf_8(line) else sample.others).append(_cut(line))


def _lines_beyond_ascii(block: bytes) -> Iterator[bytes]:
    end = 0
    for found in _BEYOND_ASCII.finditer(block):
        start = max(block.rfind(b"\n", end, found.start()), block.rfind(b"\r", end, found.start())) + 1 or end
        end = found.end()
        yield block[start:end]


def _cut(line: bytes) -> bytes:
    if len(line) <= _LONGEST:
        return line
    ends = [found.start() for found in _SAFE_ENDS.finditer(line, 0, _LONGEST)]
    return line[: ends[-1]] if ends else line


def _is_utf_8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _blocks_of_lines(path: Path) -> Iterator[bytes]:
    """The file in blocks of whole lines; a line that is longer than a block is cut before a byte of ASCII."""
    rest = b""
    with path.open("rb") as file:
        while data := file.read(_BLOCK):
            data = rest + data
            end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
            if not end and len(data) > 16 * _BLOCK:
                end = len(data)
            yield from [data[:end]] if end else []
            rest = data[end:]
    if rest:
        yield rest
