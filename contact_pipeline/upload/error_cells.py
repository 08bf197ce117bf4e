"""Finds the cells of a workbook that hold an error such as #N/A; the reader of workbooks gives them as empty."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_CHUNK: Final = 1 << 20
_SHEET: Final = re.compile(r"<(?:\w+:)?sheet\s[^>]*?\w+:id=\"([^\"]+)\"")
_RELATION: Final = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")
_ERROR_CELL: Final = re.compile(
    rb'<(?:\w+:)?c\s(?=[^>]*\br="([A-Z]+)(\d+)")(?=[^>]*\bt="e")[^>]*>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<',
    re.S,
)


def find_error_cells(path: Path, sheet: int) -> list[tuple[int, int, str]]:
    """The error cells of the sheet at that position: row and column from 0, and the error as Excel shows it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return list(_error_cells(archive, _part_of(archive, sheet)))
    except (zipfile.BadZipFile, KeyError, IndexError, OSError):
        return []  # a workbook laid out in another way; the reader of workbooks has already judged it


def _part_of(archive: zipfile.ZipFile, sheet: int) -> str:
    relation = _SHEET.findall(archive.read("xl/workbook.xml").decode("utf-8", "replace"))[sheet]
    relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    targets = {_attribute(tag, "Id"): _attribute(tag, "Target") for tag in _RELATION.findall(relations)}
    target = html.unescape(targets[relation])
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return found.group(1) if found else ""


def _error_cells(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[int, int, str]]:
    with archive.open(part) as content:
        rest = b""
        while chunk := content.read(_CHUNK):
            rest += chunk
            end = rest.rfind(b"row>") + len(b"row>")
            if end >= len(b"row>"):
                yield from _in(rest[:end])
                rest = rest[end:]
        yield from _in(rest)


def _in(xml: bytes) -> Iterator[tuple[int, int, str]]:
    if b't="e"' not in xml:
        return
    for letters, row, error in _ERROR_CELL.findall(xml):
        column = 0
        for letter in letters:
            column = column * 26 + letter - 64
        yield int(row) - 1, column - 1, html.unescape(error.decode("utf-8", "replace"))
