"""What the reader of workbooks does not tell of a sheet, found in its XML without resolving any entity.

Cells that hold an error (it gives them as empty), numbers whose format shows leading zeros, durations beyond a day,
merged cells, hidden rows and columns, and whether any text looks like a moment or a truth value.
"""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

TextKind = Literal["datetime", "boolean"]

_CHUNK: Final = 4 << 20
_SHEET: Final = re.compile(r"<(?:\w+:)?sheet\s[^>]*?\w+:id=\"([^\"]+)\"")
_RELATION: Final = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")
_FORMAT: Final = re.compile(r"<(?:\w+:)?numFmt\s[^>]*>")
_STYLES: Final = re.compile(r"<(?:\w+:)?cellXfs[\s>].*?</(?:\w+:)?cellXfs>", re.S)
_STYLE: Final = re.compile(r"<(?:\w+:)?xf\s[^>]*>")
_MERGED: Final = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*ref="([A-Z0-9:]+)"')
_HIDDEN_ROW: Final = re.compile(rb'<(?:\w+:)?row\s[^>]*\bhidden="(?:1|true)"')
_HIDDEN_COLUMN: Final = re.compile(rb'<(?:\w+:)?col\s(?=[^>]*\bhidden="(?:1|true)")[^>]*>')
_TEXTS: Final[dict[TextKind, re.Pattern[bytes]]] = {
    "datetime": re.compile(rb">\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
    "boolean": re.compile(rb">(?:true|false)<"),
}
_ELAPSED: Final = re.compile(r"\[(?:h+|m+|s+)\]", re.I)
_BUILT_IN: Final = {46: "[h]:mm:ss"}


@dataclass
class SheetFacts:
    """What is in a sheet beside its values.

    Attributes:
        cells: row and column from 0, and the text that Excel shows there.
        merged: ranges of merged cells.
        hidden_rows: how many rows are hidden.
        hidden_columns: letters of hidden columns, or ranges of them.
        texts: kinds of value as which some text of the workbook could be mistaken; None: not known.
    """

    cells: list[tuple[int, int, str]] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    hidden_rows: int = 0
    hidden_columns: list[str] = field(default_factory=list)
    texts: set[TextKind] | None = None


def look_at_sheet(path: Path, sheet: int) -> SheetFacts:
    """The facts of the sheet at that position of an .xlsx or .xlsm workbook; of any other, none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _facts(archive, _part_of(archive, sheet))
    except (zipfile.BadZipFile, KeyError, IndexError, OSError, EOFError):
        return SheetFacts()  # laid out in another way, or damaged: the reader of workbooks judges that


def column_letter(position: int) -> str:
    """The letter of a sheet's column, from its position from 0: A, Z, AA."""
    letters, number = "", position + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _facts(archive: zipfile.ZipFile, part: str) -> SheetFacts:
    facts = SheetFacts(texts=set())
    formats = _formats(archive)
    cell = _cells_of(formats)
    for xml in _in_rows(archive, part):
        _look_for_texts(xml, facts)
        if any(sign in xml for sign in (b't="e"', *(b's="%d"' % style for style in formats))):
            facts.cells += _shown(cell, xml, formats)
        if b"hidden=" in xml:
            facts.hidden_rows += len(_HIDDEN_ROW.findall(xml))
            facts.hidden_columns += [_letters(tag) for tag in _HIDDEN_COLUMN.findall(xml)]
        facts.merged += [found.decode() for found in _MERGED.findall(xml)]
    if "xl/sharedStrings.xml" in archive.namelist():
        for xml in _in_rows(archive, "xl/sharedStrings.xml", b"t>"):
            _look_for_texts(xml, facts)
    return facts


def _look_for_texts(xml: bytes, facts: SheetFacts) -> None:
    if facts.texts is not None:
        facts.texts |= {kind for kind, text in _TEXTS.items() if kind not in facts.texts and text.search(xml)}


def _formats(archive: zipfile.ZipFile) -> dict[int, str]:
    """Style of a cell → its number format, for the formats that show what the number alone does not tell."""
    if "xl/styles.xml" not in archive.namelist():
        return {}
    xml = archive.read("xl/styles.xml").decode("utf-8", "replace")
    codes = dict(_BUILT_IN)
    for tag in _FORMAT.findall(xml):
        codes[int(_attribute(tag, "numFmtId") or 0)] = html.unescape(_attribute(tag, "formatCode"))
    styles = _STYLES.search(xml)
    used = [
        codes.get(int(_attribute(tag, "numFmtId") or 0), "") for tag in _STYLE.findall(styles.group() if styles else "")
    ]
    return {style: code for style, code in enumerate(used) if _ELAPSED.search(code) or _zeros(code)}


def _zeros(code: str) -> str:
    """The zeros of a format that pads a whole number, with the signs between them as shown; empty for any other."""
    first = re.sub(r"\[[^\]]*\]", "", code).split(";")[0]
    shown = re.sub(r'["\\]', "", first)
    return shown if re.fullmatch(r"[0\-/ ()]*", shown) and shown.count("0") > 1 else ""


def _cells_of(formats: dict[int, str]) -> re.Pattern[bytes]:
    styles = b"".join(b'|\\bs="%d"' % style for style in formats)
    return re.compile(
        rb'<(?:\w+:)?c\s(?=[^>]*(?:\bt="e"' + styles + rb"))([^>]*[^/>])>"
        rb"(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<",
        re.S,
    )


def _shown(cell: re.Pattern[bytes], xml: bytes, formats: dict[int, str]) -> Iterator[tuple[int, int, str]]:
    for attributes, value in cell.findall(xml):
        tag, held = f" {attributes.decode('utf-8', 'replace')}", html.unescape(value.decode("utf-8", "replace"))
        place = re.fullmatch(r"([A-Z]{1,3})(\d{1,7})", _attribute(tag, "r"))
        kind = _attribute(tag, "t")
        shown = (
            held if kind == "e" else _formatted(held, formats[int(_attribute(tag, "s"))]) if kind in {"", "n"} else ""
        )
        if place and shown:
            yield int(place[2]) - 1, _column(place[1]), shown


def _formatted(number: str, code: str) -> str:
    """The number as the format shows it; empty where it shows no more than the number itself."""
    try:
        value = float(number)
    except ValueError:
        return ""
    if _ELAPSED.search(code):
        seconds = round(value * 86_400)
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}" if value >= 0 else ""
    zeros = _zeros(code)
    if value < 0 or not value.is_integer():
        return ""
    digits = f"{value:.0f}".zfill(zeros.count("0"))
    more = len(digits) - zeros.count("0")
    rest = iter(digits[more:])
    return digits[:more] + "".join(next(rest) if sign == "0" else sign for sign in zeros)


def _in_rows(archive: zipfile.ZipFile, part: str, end_of: bytes = b"row>") -> Iterator[bytes]:
    """The XML in pieces that end with a row."""
    with archive.open(part) as content:
        rest = b""
        while chunk := content.read(_CHUNK):
            rest += chunk
            end = rest.rfind(end_of) + len(end_of)
            if end >= len(end_of):
                yield rest[:end]
                rest = rest[end:]
        yield rest


def _part_of(archive: zipfile.ZipFile, sheet: int) -> str:
    relation = _SHEET.findall(archive.read("xl/workbook.xml").decode("utf-8", "replace"))[sheet]
    relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    targets = {_attribute(tag, "Id"): _attribute(tag, "Target") for tag in _RELATION.findall(relations)}
    target = html.unescape(targets[relation])
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return found.group(1) if found else ""


def _letters(tag: bytes) -> str:
    first, last = (int(_attribute(tag.decode("utf-8", "replace"), name) or 1) - 1 for name in ("min", "max"))
    return column_letter(first) if first == last else f"{column_letter(first)}:{column_letter(last)}"


def _column(letters: str) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column - 1
