"""An Excel sheet to fill in: required headings are red, and every cell is text, so that Excel changes none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Final

import xlsxwriter

LAST_ROW: Final = 1_048_575  # of an Excel sheet, from 0
_WIDEST_LIST: Final = 255  # characters that Excel takes for the choices of a cell


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a column of a sheet.

    Attributes:
        text: the heading.
        required: whether it is red.
        choices: what the cells below it offer to choose from; empty: nothing.
        wide: characters of the widest cell that is expected below it.
    """

    text: str
    required: bool = False
    choices: tuple[str, ...] = ()
    wide: int = 0


def write_sheet(
    headings: Sequence[Heading | None],
    file: IO[bytes],
    name: str | None = None,
    rows: Sequence[Sequence[str | None]] = (),
) -> None:
    """Writes a workbook of one sheet.

    Args:
        headings: of the columns; None: an empty column.
        file: what to write to.
        name: of the sheet; unset: Excel's own.
        rows: a few rows below the headings.
    """
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        text = book.add_format({"num_format": "@"})
        plain = book.add_format({"num_format": "@", "bold": True, "bottom": 1})
        required = book.add_format({"num_format": "@", "bold": True, "bottom": 1, "font_color": "#C00000"})
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for place, heading in enumerate(headings):
            if heading is None:
                continue
            sheet.set_column(place, place, max(len(heading.text), heading.wide) + 3, text)
            sheet.write_string(0, place, heading.text, required if heading.required else plain)
            if heading.choices and len(",".join(heading.choices)) <= _WIDEST_LIST:
                offered = {"validate": "list", "source": list(heading.choices)}
                sheet.data_validation(1, place, LAST_ROW, place, offered)
        for number, row in enumerate(rows, start=1):
            for place, cell in enumerate(row):
                if cell:
                    sheet.write_string(number, place, cell, text)
