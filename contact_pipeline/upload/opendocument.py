"""What the reader of workbooks does not tell of an OpenDocument sheet: what its cells show where that says more."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from contact_pipeline.upload.sheet_facts import DAMAGED, SheetFacts, cells_of, column_letter

_TABLE: Final = re.compile(r"<table:table\s.*?</table:table>", re.S)
_COLUMN: Final = re.compile(r"<table:table-column\s[^>]*>")
_ROW: Final = re.compile(r"<table:table-row(\s[^>]*?)?(?:/>|>(.*?)</table:table-row>)", re.S)
_CELL: Final = re.compile(
    r"<table:(?:covered-)?table-cell(\s[^>]*?)?(?:/>|>(.*?)</table:(?:covered-)?table-cell>)", re.S
)
_SHOWN: Final = re.compile(r"<text:p[^>]*>(.*?)</text:p>", re.S)
_TELLING: Final = re.compile(r"#[A-Z0-9/!?]+|Err:\d+|TRUE|FALSE|0\d[\d\-/ ()]*")


def look_at_table(path: Path, sheet: int) -> SheetFacts:
    """The facts of the sheet at that position of an .ods workbook."""
    facts = SheetFacts()
    try:
        with zipfile.ZipFile(path) as archive:
            xml = archive.read("content.xml").decode("utf-8", "replace")
        table = _TABLE.findall(xml)[sheet]
    except DAMAGED:
        return facts  # the reader of workbooks judges that
    column = 0
    for tag in _COLUMN.findall(table):
        times = _times(tag, "columns")
        if 'table:visibility="collapse"' in tag:
            facts.hidden_columns.append(_span(column, column + times - 1))
        column += times
    row, shown = 0, []
    for tag, cells in _ROW.findall(table):
        times = _times(tag, "rows")
        if 'table:visibility="' in tag and cells:
            facts.hidden_rows += times
        found = list(_telling(cells, row, facts))
        shown += [(row + n, column, text) for n in range(times if found else 0) for _, column, text in found]
        row += times
    facts.cells = cells_of(shown)
    return facts


def _telling(cells: str, row: int, facts: SheetFacts) -> Iterator[tuple[int, int, str]]:
    column = 0
    for tag, content in _CELL.findall(cells):
        times = _times(tag, "columns")
        if "-spanned=" in tag:
            facts.merged.append(f"{column_letter(column)}{row + 1}")
        shown = _text(tag, content) if content else ""
        if shown:
            yield from ((row, column + n, shown) for n in range(times))
        column += times


def _text(tag: str, content: str) -> str:
    """What the cell shows, where its value does not tell it: an error, a truth value, a time, leading zeros."""
    time = re.search(r'office:time-value="PT(\d+)H(\d+)M(\d+)', tag)
    if time:
        return ":".join(part.zfill(2) for part in time.groups())
    if 'calcext:value-type="error"' not in tag and re.search(r'office:value-type="(?:string|date)"', tag):
        return ""
    found = _SHOWN.search(content)
    shown = html.unescape(re.sub(r"<[^>]*>", "", found.group(1))) if found else ""
    return shown if _TELLING.fullmatch(shown) else ""


def _times(tag: str, what: str) -> int:
    found = re.search(rf'table:number-{what}-repeated="(\d+)"', tag)
    return int(found.group(1)) if found else 1


def _span(first: int, last: int) -> str:
    return column_letter(first) if first == last else f"{column_letter(first)}:{column_letter(last)}"
