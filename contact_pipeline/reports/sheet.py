"""An Excel sheet to fill in: required headings are red, and every cell is text, so that Excel changes no value.

The workbook may also have a sheet on how to fill it in, and one with the values of drop-down lists. Importing knows
these two by their names (`terms.ASIDE`) and never reads them as data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from contact_pipeline.kinds.kind import Other
from contact_pipeline.terms import GUIDE_SHEET, VALUES_SHEET
from contact_pipeline.visible import visible

LAST_ROW: Final = 1_048_575  # of an Excel sheet, from 0
_WIDEST_LIST: Final = 255  # characters that Excel takes for the choices of a cell
_LONGEST_MESSAGE: Final = 255  # characters that Excel shows beside a cell
_LONGEST_TITLE: Final = 32
_LONGEST_CELL: Final = 32_767
_GUIDE_WIDTHS: Final = (22, 10, 34, 44, 26, 44)


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a column of a sheet.

    Attributes:
        text: the heading.
        required: whether it is red.
        choices: the choices of the cells below it; empty: none.
        other: what Excel does with a value that is not among the choices.
        message: what Excel shows beside a selected cell below it; empty: nothing.
        wide: characters of the widest cell expected below it.
    """

    text: str
    required: bool = False
    choices: tuple[str, ...] = ()
    other: Other = "refuse"
    message: str = ""
    wide: int = 0

    @property
    def fits_in_cell(self) -> bool:
        """Whether Excel can keep the choices with the cell itself; longer ones have to be in cells."""
        joined = ",".join(self.choices)
        plain = not any({",", '"'} & {*choice} or choice != visible(choice).strip() for choice in self.choices)
        return plain and len(joined) <= _WIDEST_LIST


def write_sheet(
    headings: Sequence[Heading | None],
    file: IO[bytes],
    name: str | None = None,
    rows: Sequence[Sequence[str | None]] = (),
    guide: Sequence[Sequence[str]] = (),
) -> None:
    """Writes a workbook: the sheet and, if needed, the sheets on how to fill it in and with the values to pick.

    Args:
        headings: of the columns; None: an empty column.
        file: what to write to.
        name: of the sheet; unset: Excel's own.
        rows: a few rows below the headings.
        guide: the rows of the sheet on how to fill it in; the first is its heading.
    """
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        text = book.add_format({"num_format": "@"})
        plain = book.add_format({"num_format": "@", "bold": True, "bottom": 1})
        required = book.add_format({"num_format": "@", "bold": True, "bottom": 1, "font_color": "#C00000"})
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        if guide:
            wrapped = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
            _write_guide(book.add_worksheet(_not(name, GUIDE_SHEET)), guide, plain, wrapped)
        long = [heading for heading in headings if heading and heading.choices and not heading.fits_in_cell]
        values = _not(name, VALUES_SHEET)
        if long:
            _write_values(book.add_worksheet(values), long, plain, text)
        for place, heading in enumerate(headings):
            if heading is None:
                continue
            sheet.set_column(place, place, max(len(heading.text), heading.wide) + 3, text)
            sheet.write_string(0, place, heading.text, required if heading.required else plain)
            source: list[str] | str = list(heading.choices)
            if heading in long:
                column = xl_col_to_name(long.index(heading), col_abs=True)
                source = f"='{values}'!{column}$2:{column}${min(len(heading.choices), LAST_ROW) + 1}"
            if checks := _checks(heading, source):
                sheet.data_validation(1, place, LAST_ROW, place, checks)
        for number, row in enumerate(rows, start=1):
            for place, cell in enumerate(row):
                if cell:
                    sheet.write_string(number, place, cell, text)


def shortened(text: str, limit: int) -> str:
    """The text on one line, cut after so many characters, in UTF-16 units as Excel counts them."""
    line = visible(" ".join(text.split()))
    if _length(line) <= limit:
        return line
    while _length(line) >= limit:
        line = line[:-1]
    return f"{line}…"


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _not(taken: str | None, name: str) -> str:
    """The name of a further sheet; it gets a number if the first sheet has this name."""
    return f"{name} 2" if taken is not None and taken.strip().casefold() == name.casefold() else name


def _checks(heading: Heading, source: list[str] | str) -> dict[str, Any]:
    """The choices, message and checks of Excel for the cells below a heading."""
    checks: dict[str, Any] = {}
    if heading.message:
        title = shortened(heading.text, _LONGEST_TITLE)
        checks = {
            "validate": "any",
            "input_title": title,
            "input_message": shortened(heading.message, _LONGEST_MESSAGE),
        }
    if source:
        checks |= {"validate": "list", "source": source, "show_error": heading.other != "take"}
        checks |= {"error_type": "warning" if heading.other == "ask" else "stop"}
    return checks


def _write_guide(sheet: Worksheet, guide: Sequence[Sequence[str]], head: Format, text: Format) -> None:
    sheet.freeze_panes(1, 0)
    for place, width in enumerate(_GUIDE_WIDTHS):
        sheet.set_column(place, place, width, text)
    for number, row in enumerate(guide):
        for place, cell in enumerate(row):
            if cell:
                sheet.write_string(number, place, cell[:_LONGEST_CELL], text if number else head)


def _write_values(sheet: Worksheet, long: Sequence[Heading], head: Format, text: Format) -> None:
    sheet.freeze_panes(1, 0)
    for place, heading in enumerate(long):
        sheet.set_column(place, place, max(len(heading.text), *map(len, heading.choices)) + 3, text)
        sheet.write_string(0, place, heading.text, head)
        for number, choice in enumerate(heading.choices[:LAST_ROW], start=1):
            sheet.write_string(number, place, choice, text)
