"""Workbooks by four writers: xlsxwriter and openpyxl here, LibreOffice and SheetJS in files that lie beside this one.

make_libreoffice.py and make_sheetjs.js made those.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter

from contact_pipeline.upload import ReadOptions
from tests.corpus.case import HEADINGS, ROWS, Case

TABLE = [HEADINGS, *ROWS]
HERE = Path(__file__).parent
Cell = Any


def cases() -> Iterator[Case]:
    """Every workbook."""
    for writer, write in {"xlsxwriter": with_xlsxwriter, "openpyxl": with_openpyxl}.items():
        for case in _tables(write):
            yield Case(**{**case.__dict__, "name": f"{writer}-{case.name}"})
    yield from _values()
    yield from _layouts()
    yield from _refusals()
    yield from _libreoffice()
    yield from _sheetjs()


def with_xlsxwriter(sheets: dict[str, list[list[Cell]]]) -> Callable[[Path], object]:
    """What writes these sheets with xlsxwriter."""

    def write(path: Path) -> None:
        with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd", "strings_to_urls": False}) as book:
            for name, rows in sheets.items():
                sheet = book.add_worksheet(name)
                for number, row in enumerate(rows):
                    sheet.write_row(number, 0, row)

    return write


def with_openpyxl(sheets: dict[str, list[list[Cell]]]) -> Callable[[Path], object]:
    """What writes these sheets with openpyxl."""

    def write(path: Path) -> None:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
        book.save(path)

    return write


def _tables(write: Callable[[dict[str, list[list[Cell]]]], Callable[[Path], object]]) -> Iterator[Case]:
    yield Case("table.xlsx", write({"Contacts": TABLE}))
    yield Case("heading-only.xlsx", write({"Contacts": [HEADINGS]}), [])
    yield Case("title.xlsx", write({"A": [["Contacts of May"], [], *TABLE]}), first_row=4, says="row 3")
    blank = [ROWS[0], ["", "", "", ""], ROWS[1]]
    yield Case("blank-row.xlsx", write({"A": [HEADINGS, ROWS[0], [], ROWS[1]]}), blank)
    yield Case("blank-end.xlsx", write({"A": [*TABLE, [" "], [], [" ", " "]]}))
    yield Case("empty-second-sheet.xlsx", write({"A": TABLE, "Sheet2": [], "Sheet3": []}))
    notes = [["Please read"], ["and fill in"]]
    yield Case("sheet-by-headings.xlsx", write({"Notes": notes, "Data": TABLE}), known=HEADINGS)
    yield Case("sheet-declared.xlsx", write({"Notes": notes, "Data": TABLE}), options=ReadOptions(sheet="data"))
    yield Case("sheet-ambiguous.xlsx", write({"One": TABLE, "Two": TABLE}), refusal="sheet-ambiguous", says="One, Two")
    yield Case("sheet-unknown.xlsx", write({"One": TABLE}), refusal="sheet-unknown", options=ReadOptions(sheet="Two"))
    yield Case("nothing.xlsx", write({"One": []}), refusal="file-empty")
    days = [["Name", "Day"], ["Ada", dt.date.fromisoformat("1985-12-10")], ["Grace", "10.12.1985"]]
    yield Case("dates-and-text.xlsx", write({"A": days}), [["Ada", "1985-12-10"], ["Grace", "10.12.1985"]], days[0])
    mixed = [["Name", "Flag", "Number"], ["true", True, 1], ["false", False, 2.5], ["1", "true", "003"]]
    expected = [["true", "TRUE", "1"], ["false", "FALSE", "2.5"], ["1", "true", "003"]]
    yield Case("booleans-and-text.xlsx", write({"A": mixed}), expected, mixed[0])
    names = [["Näme", "邮箱"], ["José 😀", "a<b>&\"c'"], ["  x ", "two\nlines"]]
    yield Case("unicode.xlsx", write({"Größe": names}), names[1:], names[0])


def _values() -> Iterator[Case]:
    def number(value: float, code: str, shown: str) -> Case:
        def write(path: Path) -> None:
            with xlsxwriter.Workbook(path) as book:
                sheet = book.add_worksheet()
                sheet.write_row(0, 0, ["Name", "Value"])
                sheet.write_string(1, 0, "Ada")
                sheet.write_number(1, 1, value, book.add_format({"num_format": code}))

        name = "".join(sign if sign.isalnum() else "_" for sign in f"{value} as {code}")
        return Case(f"number {name}.xlsx", write, [["Ada", shown]], ["Name", "Value"])

    yield number(501, "00000", "00501")
    yield number(2139, "00000-0000", "00000-2139")
    yield number(21394307, "00000-0000", "02139-4307")
    yield number(1234567, "000-00-0000", "001-23-4567")
    yield number(447911123456, "General", "447911123456")
    yield number(447911123456, "0", "447911123456")
    yield number(123456789012345, "0", "123456789012345")
    yield number(0.1 + 0.2, "General", "0.3")
    yield number(1234.5, "#,##0.00", "1234.5")
    yield number(1.5, "[h]:mm", "36:00:00")
    yield number(0.75, "hh:mm", "18:00:00")
    yield number(45351, "dd/mm/yyyy", "2024-02-29")
    yield number(45351.5, "dd/mm/yyyy hh:mm", "2024-02-29T12:00:00")
    yield number(60, "0%", "60")


def _layouts() -> Iterator[Case]:
    def sheet(name: str, fill: Callable[[Any, Any], object], **expected: Any) -> Case:
        def write(path: Path) -> None:
            with xlsxwriter.Workbook(path) as book:
                made = book.add_worksheet()
                for number, row in enumerate(TABLE):
                    made.write_row(number, 0, row)
                fill(book, made)

        return Case(f"{name}.xlsx", write, **expected)

    yield sheet("hidden-row", lambda _, made: made.set_row(2, None, None, {"hidden": True}), says="a hidden row")
    yield sheet(
        "hidden-column", lambda _, made: made.set_column("C:D", 9, None, {"hidden": True}), says="columns (C:D)"
    )
    yield sheet("merged", lambda _, made: made.merge_range("F1:F2", ""), says="merged cells (F1:F2)")
    yield sheet("filtered", lambda _, made: made.autofilter("A1:D4"))
    yield sheet("frozen", lambda _, made: made.freeze_panes(1, 0))
    yield sheet("comment", lambda _, made: made.write_comment("A2", "Is she?"))
    yield sheet("formatted-beyond", lambda book, made: made.write_blank(90, 30, None, book.add_format({"bold": True})))
    error = [["Ada", "#N/A", *ROWS[0][2:]], *ROWS[1:]]
    yield sheet(
        "error",
        lambda _, made: made.write_formula("B2", "=NA()", None, "#N/A"),
        rows=error,
        errors=[(2, "Last name", "#N/A")],
        says="#N/A in row 2 of 'Last name'",
    )
    yield sheet("error-as-text", lambda _, made: made.write_string("B2", "#N/A"), rows=error)
    heading = ["First name", "#REF!", *HEADINGS[2:]]
    yield sheet("error-as-heading", lambda _, made: made.write_formula("B1", "=A0", None, "#REF!"), headings=heading)
    formula = [["Ada", "42", *ROWS[0][2:]], *ROWS[1:]]
    yield sheet("formula", lambda _, made: made.write_formula("B2", "=40+2", None, 42), rows=formula)
    yield sheet("formula-of-text", lambda _, made: made.write_formula("B2", '="Love"&"lace"', None, "Lovelace"))

    def low(path: Path) -> None:
        with xlsxwriter.Workbook(path) as book:
            made = book.add_worksheet()
            for number, row in enumerate(TABLE):
                made.write_row(number + 4, 2, row)

    rows, headings = [["", "", *row] for row in ROWS], ["", "", *HEADINGS]
    yield Case("not-at-the-corner.xlsx", low, rows, headings, first_row=6)
    yield Case("macros.xlsm", with_openpyxl({"A": TABLE}))
    yield Case("under-the-name-of-the-old-format.xls", with_openpyxl({"A": TABLE}))


def _refusals() -> Iterator[Case]:
    whole = io.BytesIO()
    with_openpyxl({"A": TABLE})(whole)  # type: ignore[arg-type]
    compound = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    for name, content, code, says in (
        ("cut", whole.getvalue()[:2_000], "workbook-unreadable", "damaged or incomplete"),
        ("password", compound + "EncryptedPackage".encode("utf-16-le"), "workbook-unreadable", "password"),
        ("old-document", compound, "workbook-unreadable", "an old Office document"),
        ("old-broken", compound + "Workbook".encode("utf-16-le"), "workbook-unreadable", "damaged or incomplete"),
        ("text", b"Name\nAda\n", "workbook-unreadable", "its content is text"),
        ("web-page", b"<html><table><tr><td>Name", "workbook-unreadable", "its content is text"),
        ("word", _archive("word/document.xml"), "workbook-unreadable", "a Word document"),
        ("archive", _archive("contacts.csv"), "workbook-unreadable", "a ZIP archive"),
        ("without-sheets", _archive("xl/workbook.xml"), "workbook-unreadable", "damaged or incomplete"),
        ("bomb", _archive("xl/workbook.xml", bytes(30_000_000)), "limit", "times its size"),
    ):
        yield Case(f"refused-{name}.xlsx", content, refusal=code, says=says)


def _archive(name: str, content: bytes = b"<x/>") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return made.getvalue()


def _libreoffice() -> Iterator[Case]:
    values = [["Ada", "00501", "1985-12-10", "18:00:00", "36:00:00", "TRUE", "#N/A", "1234.5"],
              ["Grace", "02139", "2024-02-29", "06:30:00", "01:30:00", "FALSE", "#DIV/0!", "0.3"]]  # fmt: skip
    headings = ["Name", "Zip", "Day", "Time", "Duration", "Flag", "Error", "Number"]
    for ending in ("xlsx", "xls", "ods"):
        yield Case(f"libreoffice-table.{ending}", _tracked(f"libreoffice/table.{ending}"))
        yield Case(f"libreoffice-template.{ending}", _tracked(f"libreoffice/template.{ending}"))
        yield Case(f"libreoffice-title.{ending}", _tracked(f"libreoffice/title.{ending}"), first_row=4, says="row 3")
        yield Case(f"libreoffice-sheets.{ending}", _tracked(f"libreoffice/sheets.{ending}"), known=HEADINGS)
        yield Case(
            f"libreoffice-sheets-ambiguous.{ending}",
            _tracked(f"libreoffice/sheets.{ending}"),
            refusal="sheet-ambiguous",
        )
        for name in ("values", "since_1904"):
            errors = [(2, "Error", "#N/A"), (3, "Error", "#DIV/0!")]
            yield Case(
                f"libreoffice-{name}.{ending}",
                _tracked(f"libreoffice/{name}.{ending}"),
                values,
                headings,
                errors=errors,
            )
    yield Case("libreoffice-hidden.xlsx", _tracked("libreoffice/hidden.xlsx"), says="a hidden row")
    yield Case("libreoffice-hidden.ods", _tracked("libreoffice/hidden.ods"), says="hidden columns (C)")
    yield Case("libreoffice-hidden.xls", _tracked("libreoffice/hidden.xls"), says="hidden columns (C)")
    yield Case("libreoffice.csv", _tracked("libreoffice/table.csv"))


def _sheetjs() -> Iterator[Case]:
    headings = ["Name", "Zip", "Day", "Time", "Duration", "Flag", "Error", "Number", "Formula"]
    values = [["Ada", "00501", "1985-12-10", "18:00:00", "36:00:00", "TRUE", "#N/A", "1234.5", "x"],
              ["Grace", "02139", "2024-02-29T12:00:00", "06:30:00", "01:30:00", "FALSE", "#DIV/0!", "0.3", "42"],
              ["José 山田 😀", "447911123456", "", "", "", "", "#REF!", "-0.07", "TRUE"]]  # fmt: skip
    later = [
        [*row[:2], day, *row[3:]] for row, day in zip(values, ["1989-12-11", "2028-03-01T12:00:00", ""], strict=True)
    ]
    errors = [(2, "Error", "#N/A"), (3, "Error", "#DIV/0!"), (4, "Error", "#REF!")]
    for ending in ("xlsx", "xls", "xlsb"):
        file = f"sheetjs/{{}}.{ending}".format
        yield Case(f"sheetjs-table.{ending}", _tracked(file("table")))
        yield Case(f"sheetjs-title.{ending}", _tracked(file("title")), first_row=4, says="row 3")
        yield Case(f"sheetjs-sheets.{ending}", _tracked(file("sheets")), known=HEADINGS)
        yield Case(
            f"sheetjs-ambiguous.{ending}", _tracked(file("sheets")), refusal="sheet-ambiguous", says="Notes, Data"
        )
        yield Case(f"sheetjs-hidden.{ending}", _tracked(file("hidden")), says="hidden columns (C)")
        yield Case(f"sheetjs-merged.{ending}", _tracked(file("hidden")), says="merged cells (F2:G3)")
        yield Case(f"sheetjs-values.{ending}", _tracked(file("values")), values, headings, errors=errors)
    for ending in ("xlsx", "xls"):  # the numbers of the days are the same, counted from another one
        yield Case(f"sheetjs-1904.{ending}", _tracked(f"sheetjs/since_1904.{ending}"), later, headings, errors=errors)
    yield Case("sheetjs-hidden-row.xlsb", _tracked("sheetjs/hidden.xlsb"), says="a hidden row")
    yield Case("sheetjs-table-long.xlsb", _tracked("sheetjs/table_long.xlsb"))
    yield Case("sheetjs-values-long.xlsb", _tracked("sheetjs/values_long.xlsb"), values, headings, errors=errors)


def _tracked(name: str) -> Callable[[Path], object]:
    return lambda path: path.write_bytes((HERE / name).read_bytes())
