"""What the reader of workbooks does not tell of a sheet, found in its XML without resolving any entity.

Cells that hold an error (it gives them as empty), numbers whose format shows leading zeros, durations beyond a day,
merged cells, hidden rows and columns; and, when asked, whether any text looks like a moment or a truth value.
"""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

# What a damaged archive, or one that is laid out in another way, raises.
DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
    ValueError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)
_CHUNK: Final = 4 << 20
_SHEET: Final = re.compile(r"<(?:\w+:)?sheet\s[^>]*?\w+:id=\"([^\"]+)\"")
_RELATION: Final = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")
_FORMAT: Final = re.compile(r"<(?:\w+:)?numFmt\s[^>]*>")
_STYLES: Final = re.compile(r"<(?:\w+:)?cellXfs[\s>].*?</(?:\w+:)?cellXfs>", re.S)
_STYLE: Final = re.compile(r"<(?:\w+:)?xf\s[^>]*>")
_MERGED: Final = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*ref="([A-Z0-9:]+)"')
_HIDDEN_ROW: Final = re.compile(rb'<(?:\w+:)?row\s[^>]*\bhidden="(?:1|true)"')
_HIDDEN_COLUMN: Final = re.compile(rb'<(?:\w+:)?col\s(?=[^>]*\bhidden="(?:1|true)")[^>]*>')
_MOMENT: Final = re.compile(rb">\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_CELLS: Final = {"row": pl.UInt32, "column": pl.UInt32, "text": pl.String}
_ELAPSED: Final = re.compile(r"\[(?:h+|m+|s+)\]", re.I)
_EXACT: Final = 2.0**53
_BUILT_IN: Final = {46: "[h]:mm:ss"}


@dataclass
class SheetFacts:
    """What is in a sheet beside its values.

    Attributes:
        cells: row and column from 0, and the text that Excel shows there.
        merged: ranges of merged cells.
        hidden_rows: how many rows are hidden.
        hidden_columns: letters of hidden columns, or ranges of them.
        path: the workbook, if its texts can be looked through.
        parts: the parts of it in which its texts stand.
    """

    cells: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_CELLS))
    merged: list[str] = field(default_factory=list)
    hidden_rows: int = 0
    hidden_columns: list[str] = field(default_factory=list)
    path: Path | None = None
    parts: list[str] = field(default_factory=list)

    def may_hold_text_like(self, kind: str) -> bool:
        """Whether some text of the workbook could be mistaken for a moment or a truth value; if not known, it may."""
        if self.path is None or kind not in {"datetime", "boolean"}:
            return True
        try:
            with zipfile.ZipFile(self.path) as archive:
                return any(_is_like(xml, kind) for part in self.parts for xml in _in_rows(archive, part, b"t>"))
        except DAMAGED:
            return True


def cells_of(cells: Iterable[tuple[int, int, str]]) -> pl.DataFrame:
    """Such cells as a frame."""
    return pl.DataFrame(list(cells), schema=_CELLS, orient="row")


def look_at_sheet(path: Path, sheet: int) -> SheetFacts:
    """The facts of the sheet at that position of an .xlsx or .xlsm workbook; of any other, none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _facts(archive, _part_of(archive, sheet))
    except DAMAGED:
        return SheetFacts()  # laid out in another way, or damaged: the reader of workbooks judges that


def column_letter(position: int) -> str:
    """The letter of a sheet's column, from its position from 0: A, Z, AA."""
    letters, number = "", position + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _facts(archive: zipfile.ZipFile, part: str) -> SheetFacts:
    facts = SheetFacts(path=Path(archive.filename or ""))
    formats = _formats(archive)
    signs = (b't="e"', *(b's="%d"' % style for style in formats))
    cells, has_texts = [facts.cells], False
    for xml in _in_rows(archive, part):
        if any(sign in xml for sign in signs):
            cells.append(_shown(xml.decode("utf-8", "replace"), formats))
        if b"hidden=" in xml:
            facts.hidden_rows += len(_HIDDEN_ROW.findall(xml))
            facts.hidden_columns += [_letters(tag) for tag in _HIDDEN_COLUMN.findall(xml)]
        if b"mergeCell" in xml:
            facts.merged += [found.decode() for found in _MERGED.findall(xml)]
        has_texts = has_texts or b'"inlineStr"' in xml or b'"str"' in xml
    facts.cells = pl.concat(cells)
    facts.parts = [name for name in archive.namelist() if name.lower() == "xl/sharedstrings.xml"]
    facts.parts += [part] if has_texts else []
    return facts


def _is_like(xml: bytes, kind: str) -> bool:
    if kind == "boolean":
        return b">true<" in xml or b">false<" in xml
    return _MOMENT.search(xml) is not None


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


def _shown(xml: str, formats: dict[int, str]) -> pl.DataFrame:
    """The cells with an error, and those whose number format shows more than their number."""
    wanted = "|".join(['\\bt="e"', *(f'\\bs="{style}"' for style in formats)])
    formula = r"(?:<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>))?"
    cell = rf"<(?:\w+:)?c\s[^>]*(?:{wanted})[^>]*>{formula}<(?:\w+:)?v>[^<]*<"
    tags = pl.Series("tag", [xml]).str.extract_all(cell).explode(empty_as_null=False).to_frame()
    held = tags.select(
        pl.col("tag").str.extract(r'\sr="([A-Z]+)\d').alias("letters"),
        pl.col("tag").str.extract(r'\sr="[A-Z]+(\d+)"').cast(pl.UInt32, strict=False).alias("row") - 1,
        pl.col("tag").str.extract(r'\ss="(\d+)"').cast(pl.Int64, strict=False).alias("style"),
        pl.col("tag").str.extract(r'^[^>]*\st="(\w+)"').fill_null("n").alias("kind"),
        pl.col("tag").str.extract(r"v>([^<]*)<$").alias("text"),
    )
    errors = held.filter(pl.col("kind") == "e").with_columns(pl.col("text").str.replace_all("&amp;", "&", literal=True))
    numbers = held.filter(pl.col("kind") == "n").with_columns(value=pl.col("text").cast(pl.Float64, strict=False))
    parts = [errors.drop("kind", "style")]
    for style, code in formats.items():
        some = numbers.filter(pl.col("style") == style, pl.col("value") >= 0)
        parts.append(_formatted(some, code).drop("kind", "style", "value"))
    found = pl.concat(parts).drop_nulls()
    if found.is_empty():
        return cells_of(())
    columns = {letters: _column(letters) for letters in found["letters"].unique()}
    column = pl.col("letters").replace_strict(columns, return_dtype=pl.UInt32).alias("column")
    return found.select("row", column, "text")


def _formatted(numbers: pl.DataFrame, code: str) -> pl.DataFrame:
    """The numbers as the format shows them: hours, minutes and seconds, or a whole number with its zeros and signs."""
    if _ELAPSED.search(code):
        seconds = (pl.col("value") * 86_400).round().cast(pl.Int64)
        parts = [(seconds // 3600), (seconds // 60 % 60), (seconds % 60)]
        return numbers.with_columns(text=pl.concat_str([pl.format("{}", n).str.zfill(2) for n in parts], separator=":"))
    zeros = _zeros(code)
    whole = numbers.filter(pl.col("value") == pl.col("value").floor(), pl.col("value") < _EXACT)
    digits = pl.format("{}", pl.col("value").cast(pl.Int64)).str.zfill(zeros.count("0"))
    more = digits.str.len_chars() - zeros.count("0")
    shown, taken = [digits.str.slice(0, more)], 0
    for sign in zeros:
        shown.append(digits.str.slice(more + taken, 1) if sign == "0" else pl.lit(sign))
        taken += sign == "0"
    text = pl.concat_str(shown) if set(zeros) != {"0"} else digits
    return whole.with_columns(text=text)


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
