"""Facts of an .xlsx sheet that the reader of workbooks lacks, found in its XML without resolving any entity.

These are cells with an error or a formula without a result (the reader returns them as empty), numbers whose format
shows leading zeros, durations beyond a day, merged cells, hidden rows and columns; and whether any text looks like a
moment or a truth value.
"""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from contact_pipeline.upload.column_letters import column_number, column_span
from contact_pipeline.upload.workbook.number_formats import BUILT_IN, as_shown, is_elapsed, is_moment, zeros_of
from contact_pipeline.upload.workbook.package import DAMAGED, attributes, find_workbook, part_of, relations_of
from contact_pipeline.upload.workbook.sheet import SheetFacts, places

_CHUNK: Final = 4 << 20
_SHEET: Final = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
_CALCULATION: Final = re.compile(r"<(?:\w+:)?calcPr\s[^>]*>")
_FORMAT: Final = re.compile(r"<(?:\w+:)?numFmt\s[^>]*>")
_STYLES: Final = re.compile(r"<(?:\w+:)?cellXfs[\s>].*?</(?:\w+:)?cellXfs>", re.S)
_STYLE: Final = re.compile(r"<(?:\w+:)?xf\s[^>]*>")
_MERGED: Final = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*ref="([A-Z0-9:]+)"')
_HIDDEN_ROW: Final = re.compile(rb'<(?:\w+:)?row\s[^>]*\bhidden="(?:1|true)"')
_NUMBER: Final = re.compile(rb'<row\s[^>]*?\br="(\d+)"')
_HIDDEN_COLUMN: Final = re.compile(rb'<(?:\w+:)?col\s(?=[^>]*\bhidden="(?:1|true)")[^>]*>')
_MOMENT: Final = re.compile(rb"-\d\d \d\d:\d\d:\d\d")
_FORMULA: Final = (b"<f", b":f>", b":f ")
_QUOTED: Final = re.compile(rb"=\s*'([^'\"<>]*)'")  # an attribute as few writers quote it


@dataclass
class XmlFacts(SheetFacts):
    """The facts of a sheet of XML.

    Attributes:
        text_like: those of "datetime" and "boolean" that some text of the sheet may look like.
    """

    text_like: set[str] = field(default_factory=lambda: {"datetime", "boolean"})


def look_at_sheet(path: Path, sheet: int) -> XmlFacts:
    """The facts of the sheet at a position of an .xlsx or .xlsm workbook; none for any other file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _facts(archive, sheet)
    except DAMAGED:
        return XmlFacts()  # another layout, or damaged: the reader of workbooks reports that


def _facts(archive: zipfile.ZipFile, sheet: int) -> XmlFacts:
    found = find_workbook(archive)
    if found is None:
        return XmlFacts()
    relations, workbook = relations_of(archive, found[1]), archive.read(found[1]).decode("utf-8", "replace")
    part = relations[attributes(_SHEET.findall(workbook)[sheet])["id"]].part
    calculation = attributes("".join(_CALCULATION.findall(workbook)))
    no_result = r"(?:0(?:\.0+)?)?" if calculation.get("fullCalcOnLoad") in {"1", "true"} else ""
    facts, codes = XmlFacts(text_like=set()), _formats(archive, part_of(relations, "styles"))
    formats = {style: code for style, code in enumerate(codes) if is_elapsed(code) or zeros_of(code)}
    signs = (b't="e"', *(b's="%d"' % style for style in formats))
    errors, shown, uncalculated = [places()], [places()], [places()]
    there = {"datetime"} if any(is_moment(code) for code in codes) else set[str]()
    texts = {name for name in [part_of(relations, "sharedStrings")] if name is not None}
    for xml in _in_rows(archive, part):
        if any(sign in xml for sign in signs):
            cells = _telling_cells(xml.decode("utf-8", "replace"), formats)
            errors.append(_errors(cells))
            shown += [_shown(cells, style, code) for style, code in formats.items()]
        if any(sign in xml for sign in _FORMULA):
            uncalculated.append(_uncalculated(xml.decode("utf-8", "replace"), no_result))
        if b"hidden=" in xml:
            facts.hidden_rows += len(_HIDDEN_ROW.findall(xml))
            facts.hidden_columns += [_letters(tag) for tag in _HIDDEN_COLUMN.findall(xml)]
        if b"mergeCell" in xml:
            facts.merged += [found.decode() for found in _MERGED.findall(xml)]
        there |= {"boolean"} if b't="b"' in xml else set()
        texts |= {part} if b'"inlineStr"' in xml or b'"str"' in xml else set()
        facts.last_row = max(facts.last_row, _last_row(xml))
    facts.errors, facts.shown, facts.uncalculated = pl.concat(errors), pl.concat(shown), pl.concat(uncalculated)
    facts.text_like = {
        kind
        for kind in ("datetime", "boolean")
        if kind not in there or any(_is_like(xml, kind) for name in texts for xml in _in_rows(archive, name, b"t>"))
    }
    return facts


def _is_like(xml: bytes, kind: str) -> bool:
    if kind == "boolean":
        return b">true<" in xml or b">false<" in xml
    return _MOMENT.search(xml) is not None


def _last_row(xml: bytes) -> int:
    """The number of the last row of a piece that has a value."""
    value = len(xml)
    while (value := xml.rfind(b"</v>", 0, value)) > 0 and xml[value - 1 : value] == b">":
        pass
    row = xml.rfind(b"<row ", 0, max(value, 0))
    found = _NUMBER.match(xml, row) if row >= 0 else None
    return int(found.group(1)) if found else 0


def _formats(archive: zipfile.ZipFile, part: str | None) -> list[str]:
    """The number format of each style of a cell."""
    if part is None:
        return []
    xml = archive.read(part).decode("utf-8", "replace")
    codes = dict(BUILT_IN)
    for given in map(attributes, _FORMAT.findall(xml)):
        codes[int(given.get("numFmtId") or 0)] = given.get("formatCode", "")
    styles = _STYLES.search(xml)
    tags = _STYLE.findall(styles.group() if styles else "")
    return [codes.get(int(attributes(tag).get("numFmtId") or 0), "") for tag in tags]


def _telling_cells(xml: str, formats: dict[int, str]) -> pl.DataFrame:
    """The cells with an error or with one of the formats: row and column from 0, style, kind, text."""
    wanted = "|".join(['\\bt="e"', *(f'\\bs="{style}"' for style in formats)])
    space = _name_space(xml)
    formula = rf"(?:<{space}f(?:\s[^>]*)?(?:/>|>[^<]*</{space}f>))?"
    cell = rf"<{space}c\s[^>]*(?:{wanted})[^>]*>{formula}<{space}v>[^<]*<"
    return _cells(xml, cell, text=r"v>([^<]*)<$")


def _uncalculated(xml: str, no_result: str) -> pl.DataFrame:
    """The cells with a formula without a result, or with the placeholder of a writer that does not calculate.

    A text as the result, even an empty one, is marked (`t="str"`), and counts as a result.
    """
    space = _name_space(xml)
    formula = rf"<{space}f(?:\s[^>]*)?(?:/>|>[^<]*</{space}f>)"
    result = rf"(?:<{space}v\s*/>|<{space}v>\s*{no_result}\s*</{space}v>)?"
    cell = rf"<{space}c(?:\s[^>]*)?>\s*{formula}\s*{result}\s*</{space}c>"
    found = _cells(xml, cell, text=r"f(?:\s[^>]*)?>([^<]*)</").filter(pl.col("kind") != "str")
    texts = {text: f"={html.unescape(text)}" for text in found["text"].unique()}
    return found.select("row", "column", pl.col("text").replace_strict(texts, return_dtype=pl.String))


def _name_space(xml: str) -> str:
    """The pattern of the name space before a tag; hardly any writer uses one."""
    return "" if "<row" in xml else r"(?:\w+:)?"


def _cells(xml: str, cell: str, *, text: str) -> pl.DataFrame:
    """The cells that the expression `cell` finds, each with the text that `text` finds in it, else empty."""
    tag = pl.col("tag")
    found = pl.Series("tag", [xml]).str.extract_all(cell).explode(empty_as_null=False).to_frame().select(
        tag.str.extract(r'\sr="([A-Z]+)\d').alias("letters"),
        tag.str.extract(r'\sr="[A-Z]+(\d+)"').cast(pl.UInt32, strict=False).alias("row") - 1,
        tag.str.extract(r'\ss="(\d+)"').cast(pl.Int64, strict=False).alias("style"),
        tag.str.extract(r'^[^>]*\st="(\w+)"').fill_null("n").alias("kind"),
        tag.str.extract(text).fill_null("").alias("text"),
    )  # fmt: skip
    columns = {letters: column_number(letters) - 1 for letters in found["letters"].drop_nulls().unique()}
    column = pl.col("letters").replace_strict(columns, default=None, return_dtype=pl.UInt32).alias("column")
    return found.with_columns(column).drop_nulls(["row", "column"])


def _errors(cells: pl.DataFrame) -> pl.DataFrame:
    errors = cells.filter(pl.col("kind") == "e")
    return errors.select("row", "column", pl.col("text").str.replace_all("&amp;", "&", literal=True))


def _shown(cells: pl.DataFrame, style: int, code: str) -> pl.DataFrame:
    """The numbers of a style as its format shows them, where that says more."""
    numbers = cells.filter(pl.col("kind") == "n", pl.col("style") == style)
    text = as_shown(pl.col("text").cast(pl.Float64, strict=False), code)
    return numbers.select("row", "column", text.alias("text")).drop_nulls()


def _in_rows(archive: zipfile.ZipFile, part: str, end_of: bytes = b"row>") -> Iterator[bytes]:
    """The XML in pieces that end with a row."""
    with archive.open(part) as content:
        rest = b""
        while chunk := content.read(_CHUNK):
            rest += _QUOTED.sub(rb'="\1"', chunk) if b"='" in chunk else chunk
            end = rest.rfind(end_of) + len(end_of)
            if end >= len(end_of):
                yield rest[:end]
                rest = rest[end:]
        yield rest


def _letters(tag: bytes) -> str:
    given = attributes(tag.decode("utf-8", "replace"))
    return column_span(int(given.get("min") or 1) - 1, int(given.get("max") or 1) - 1)
