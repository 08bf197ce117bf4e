"""Makes the workbooks of LibreOffice that lie in libreoffice/; it needs `soffice` (Debian: libreoffice-calc-nogui).

python -m tests.corpus.make_libreoffice
"""

from __future__ import annotations

import datetime as dt
import subprocess
import tempfile
from pathlib import Path

import xlsxwriter

from contact_pipeline.reports.sheet import Heading, write_sheet
from tests.corpus.case import HEADINGS, ROWS

HERE = Path(__file__).with_name("libreoffice")
ENDINGS = ("xlsx", "xls", "ods")


def main() -> None:
    """Writes each source with xlsxwriter, and has LibreOffice save it in its own way."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sources(folder)
        for ending in (*ENDINGS, "csv"):
            sources = sorted(folder.glob("*.xlsx" if ending != "csv" else "table.xlsx"))
            command = ["soffice", "--headless", "--convert-to", ending, "--outdir", str(HERE), *map(str, sources)]
            subprocess.run(command, check=True, capture_output=True)


def write_sources(folder: Path) -> None:
    """The workbooks before LibreOffice opens them."""
    table = [HEADINGS, *ROWS]
    for name, rows in {"table": table, "title": [["Contacts of May"], [], *table]}.items():
        with xlsxwriter.Workbook(folder / f"{name}.xlsx") as book:
            fill(book.add_worksheet(), rows)
    with xlsxwriter.Workbook(folder / "sheets.xlsx") as book:
        fill(book.add_worksheet("Notes"), [["Please read"], ["and fill in"]])
        fill(book.add_worksheet("Data"), table)
    with (folder / "template.xlsx").open("w+b") as file:
        long = Heading(
            HEADINGS[0], True, tuple(f"A first name, number {n}" for n in range(40)), "take", "A first name."
        )
        headings = [long, *(Heading(heading, message="As it is known.") for heading in HEADINGS[1:])]
        write_sheet(headings, file, None, ROWS, [("Column", "Required"), *((heading, "no") for heading in HEADINGS)])
    with xlsxwriter.Workbook(folder / "hidden.xlsx") as book:
        sheet = book.add_worksheet()
        fill(sheet, table)
        sheet.set_row(2, None, None, {"hidden": True})
        sheet.set_column("C:C", 9, None, {"hidden": True})
    for name, epoch in {"values": False, "since_1904": True}.items():
        with xlsxwriter.Workbook(folder / f"{name}.xlsx", {"date_1904": epoch}) as book:
            values(book)


def fill(sheet: xlsxwriter.worksheet.Worksheet, rows: list[list[str]]) -> None:
    """Writes text cells."""
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            sheet.write_string(number, column, text)


def values(book: xlsxwriter.Workbook) -> None:
    """A sheet with a value of each kind."""
    sheet = book.add_worksheet()
    fill(sheet, [["Name", "Zip", "Day", "Time", "Duration", "Flag", "Error", "Number"]])
    zeros, day, time, elapsed = (
        book.add_format({"num_format": code}) for code in ("00000", "dd/mm/yyyy", "hh:mm", "[h]:mm")
    )
    rows = [("Ada", 501, "1985-12-10", 0.75, 1.5, True, "#N/A", 1234.5),
            ("Grace", 2139, "2024-02-29", 6.5 / 24, 1.5 / 24, False, "#DIV/0!", 0.1 + 0.2)]  # fmt: skip
    for number, (name, zip_code, date, clock, hours, flag, error, plain) in enumerate(rows, start=1):
        sheet.write_string(number, 0, name)
        sheet.write_number(number, 1, zip_code, zeros)
        sheet.write_datetime(number, 2, dt.datetime.fromisoformat(date), day)
        sheet.write_number(number, 3, clock, time)
        sheet.write_number(number, 4, hours, elapsed)
        sheet.write_boolean(number, 5, flag)
        sheet.write_formula(number, 6, "=NA()" if error == "#N/A" else "=1/0", None, error)
        sheet.write_number(number, 7, plain)


if __name__ == "__main__":
    main()
