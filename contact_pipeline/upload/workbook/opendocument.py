"""Facts of an OpenDocument sheet that the reader of workbooks lacks: shown texts that say more than the value."""

from __future__ import annotations

import html
import re
import zipfile
from pathlib import Path
from typing import Final

from contact_pipeline.settings import Settings
from contact_pipeline.upload.column_letters import column_letter, column_span
from contact_pipeline.upload.workbook.package import DAMAGED
from contact_pipeline.upload.workbook.sheet import SheetFacts, TooMuchText, check_area, places

_TABLE: Final = re.compile(r"<table:table\s.*?</table:table>", re.S)
_COLUMN: Final = re.compile(r"<table:table-column\s[^>]*>")
_ROW: Final = re.compile(r"<table:table-row(\s[^>]*?)?(?:/>|>(.*?)</table:table-row>)", re.S)
_CELL: Final = re.compile(
    r"<table:(?:covered-)?table-cell(\s[^>]*?)?(?:/>|>(.*?)</table:(?:covered-)?table-cell>)", re.S
)
_SHOWN: Final = re.compile(r"<text:p[^>]*>(.*?)</text:p>", re.S)
_SHOWN_VALUE: Final = re.compile(r'office:value-type="[^>]*>\s*<text:p[^>]*>[^<\s]')
_ERROR: Final = re.compile(r"#[A-Z0-9/!?]+|Err:\d+")
_MARKUP: Final = len("<text:p></text:p>")  # around the text of a cell
_Shown = tuple[int, int, str]
_MOST_COLUMNS: Final = 1 << 14  # of a sheet
_TELLING: Final = re.compile(r"TRUE|FALSE|0\d[\d\-/ ()]*")


def look_at_tables(path: Path, settings: Settings) -> list[SheetFacts]:
    """The facts of each sheet of an .ods workbook.

    Raises:
        TooManyCells: the cells of a sheet lie further apart than the settings allow.
        TooMuchText: the cells show too much text; a small file can repeat one cell very often.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            xml = archive.read("content.xml").decode("utf-8", "replace")
    except DAMAGED:
        return []  # the reader of workbooks reports that
    return [_look_at_table(table, settings) for table in _TABLE.findall(xml)]


def _look_at_table(table: str, settings: Settings) -> SheetFacts:
    facts, column, room = SheetFacts(), 0, settings.max_text_bytes
    for tag in _COLUMN.findall(table):
        times = _times(tag, "columns")
        if 'table:visibility="collapse"' in tag:
            facts.hidden_columns.append(column_span(column, column + times - 1))
        column += times
    row, last_column = 0, 0
    errors, shown, uncalculated = list[_Shown](), list[_Shown](), list[_Shown]()
    for tag, cells in _ROW.findall(table):
        times = _times(tag, "rows")
        if 'table:visibility="' in tag and cells:
            facts.hidden_rows += times
        width, length, telling = _look_at_row(cells, row, facts)
        if width:
            last_column = max(last_column, width - 1)
            check_area(row + times - 1, last_column, settings.max_cells)
            room -= times * length
            if room < 0:
                raise TooMuchText
        if _SHOWN_VALUE.search(cells):
            facts.last_row = row + times
        for column, text in telling:
            found = uncalculated if text.startswith("=") else errors if _ERROR.fullmatch(text) else shown
            found += [(row + n, column, text) for n in range(times)]
        row += times
    facts.errors, facts.shown, facts.uncalculated = places(errors), places(shown), places(uncalculated)
    return facts


def _look_at_row(cells: str, row: int, facts: SheetFacts) -> tuple[int, int, list[tuple[int, str]]]:
    """The number of columns up to the last filled cell, the length of their text, and the cells that show more."""
    column, width, length, telling = 0, 0, 0, list[tuple[int, str]]()
    for tag, content in _CELL.findall(cells):
        times = _times(tag, "columns")
        if "-spanned=" in tag:
            facts.merged.append(f"{column_letter(column)}{row + 1}")
        if content or "office:value" in tag or "table:formula" in tag:
            width = column + times
            length += times * max(len(content) - _MARKUP, 0)
            check_area(row, width - 1, _MOST_COLUMNS * (row + 1))
            shown = _text(tag, content)
            telling += [(column + n, shown) for n in range(times if shown else 0)]
        column += times
    return width, length, telling


def _text(tag: str, content: str) -> str:
    """The text that a cell shows, if the value lacks it: an error, a truth value, a time, leading zeros.

    For a formula that was never calculated, the formula.
    """
    formula = re.search(r'table:formula="(?:\w+:)?=?([^"]*)"', tag)
    if formula and not content and "office:value-type" not in tag:
        return f"={html.unescape(formula.group(1))}"
    time = re.search(r'office:time-value="PT(\d+)H(\d+)M(\d+)', tag)
    if time:
        return ":".join(part.zfill(2) for part in time.groups())
    is_formula = "table:formula=" in tag or 'calcext:value-type="error"' in tag
    if not is_formula and re.search(r'office:value-type="(?:string|date)"', tag):
        return ""
    found = _SHOWN.search(content)
    shown = html.unescape(re.sub(r"<[^>]*>", "", found.group(1))) if found else ""
    is_text = 'office:value-type="string"' in tag
    return shown if _ERROR.fullmatch(shown) or (not is_text and _TELLING.fullmatch(shown)) else ""


def _times(tag: str, what: str) -> int:
    found = re.search(rf'table:number-{what}-repeated="(\d+)"', tag)
    return int(found.group(1)) if found else 1
