"""Workbooks that are laid out as few programs do it: parts in other places, other name spaces, other epochs."""

import datetime as dt
import re
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings

WORKBOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
ROW = ("Ada", "1984-04-17", "#N/A", "00007")
EXTENSION = b'<extLst><ext xmlns:x15="urn:x"><x15:workbookPr %s/></ext></extLst></workbook>'


@pytest.fixture
def laid_out(tmp_path):
    """Writes a workbook whose parts are called and hold what two functions of name and content make of them."""

    def write(called=lambda name: name, holds=lambda _, content: content, **options):
        with xlsxwriter.Workbook(tmp_path / "usual.xlsx", options) as book:
            sheet = book.add_worksheet("People")
            sheet.write_row(0, 0, ["Name", "Day", "Error", "Zip"])
            sheet.write_string(1, 0, "Ada")
            sheet.write_datetime(
                1, 1, dt.datetime.fromisoformat("1984-04-17"), book.add_format({"num_format": "d/m/y"})
            )
            sheet.write_formula(1, 2, "=NA()", None, "#N/A")
            sheet.write_number(1, 3, 7, book.add_format({"num_format": "00000"}))
        with zipfile.ZipFile(tmp_path / "usual.xlsx") as usual, zipfile.ZipFile(tmp_path / "odd.xlsx", "w") as odd:
            for name in usual.namelist():
                part = zipfile.ZipInfo()
                part.filename = called(name)
                odd.writestr(part, holds(name, usual.read(name)))
        return tmp_path / "odd.xlsx"

    return write


def exchanged(*changes):
    """Exchanges texts of parts: (part, old, new)."""

    def change(name, content):
        for part, old, new in changes:
            assert part != name or old in content, f"{part} does not hold {old}"
            content = content.replace(old, new) if part == name else content
        return content

    return change


def prefixed(name, content):
    if not re.fullmatch(r"xl/(?!theme).*\.xml", name):
        return content
    return re.sub(rb"<(/?)([A-Za-z])", rb"<\1x:\2", content).replace(b"xmlns=", b"xmlns:x=")


def in_single_quotes(name, content):
    return content.replace(b'"', b"'") if name.startswith("xl/") else content


def strict(_, content):
    office = b"http://schemas.openxmlformats.org/officeDocument/2006", b"http://purl.oclc.org/ooxml/officeDocument"
    sheets = b"http://schemas.openxmlformats.org/spreadsheetml/2006", b"http://purl.oclc.org/ooxml/spreadsheetml"
    return content.replace(*office).replace(*sheets)


def renamed(old, new):
    return lambda name: name.replace(old, new)


LAYOUTS = {
    "backslashes": (renamed("/", "\\"), None),
    "capitals": (str.upper, None),
    "another name of the workbook": (
        renamed("workbook.xml", "book.xml"),
        exchanged(("_rels/.rels", b"workbook.xml", b"book.xml")),
    ),
    "another folder": (renamed("xl/", "office/book/"), exchanged(("_rels/.rels", b"xl/", b"/office/book/"))),
    "another name of the texts": (
        renamed("sharedStrings", "texts"),
        exchanged((RELATIONS, b"sharedStrings.xml", b"texts.xml")),
    ),
    "another name of the styles": (renamed("styles", "looks"), exchanged((RELATIONS, b"styles.xml", b"looks.xml"))),
    "a sheet beside": (
        renamed("xl/worksheets/sheet1", "my data/first sheet"),
        exchanged((RELATIONS, b"worksheets/sheet1", b"../my%20data/first%20sheet")),
    ),
    "a sheet from the top": (str, exchanged((RELATIONS, b"worksheets/", b"/xl/worksheets/"))),
    "a sheet from here": (str, exchanged((RELATIONS, b"worksheets/", b"./worksheets/"))),
    "prefixes": (str, prefixed),
    "single quotes": (str, in_single_quotes),
    "the strict form": (str, strict),
}


@pytest.mark.parametrize(("called", "holds"), LAYOUTS.values(), ids=LAYOUTS)
def test_a_workbook_is_read_wherever_its_parts_lie(read, laid_out, called, holds):
    reading = read(laid_out(called, holds or (lambda _, content: content)))

    assert (reading.upload.file_type, reading.upload.sheet, reading.cells) == ("xlsx", "People", [ROW])
    assert [path.name for path in reading.folder.iterdir() if "raw" not in path.name] == ["unreadable.parquet"]


@pytest.mark.parametrize(
    "holds",
    [
        exchanged(),
        exchanged((WORKBOOK, b'date1904="1"', b'date1904="true"')),
        exchanged((WORKBOOK, b'date1904="1"', b"date1904='1'")),
        exchanged((WORKBOOK, b'"124226"/>', b'"124226"></workbookPr>')),
        exchanged((WORKBOOK, b"</workbook>", EXTENSION % b'chartTrackingRefBase="1"')),
        exchanged((WORKBOOK, b"</workbook>", EXTENSION % b'date1904="0"')),
        exchanged((WORKBOOK, b"</workbook>", (EXTENSION % b"").replace(b"x15:", b"").replace(b":x15", b""))),
        prefixed,
    ],
)
def test_days_count_from_1904_however_the_workbook_says_so(read, laid_out, holds):
    assert read(laid_out(holds=holds, date_1904=True)).cells == [ROW]


@pytest.mark.parametrize(
    "holds",
    [
        exchanged((WORKBOOK, b"<workbookPr ", b'<workbookPr date1904="false" ')),
        exchanged((WORKBOOK, b"<workbookPr ", b'<workbookPr date1904="0" ')),
        exchanged((WORKBOOK, b"</workbook>", EXTENSION % b'date1904="1"')),
    ],
)
def test_days_count_from_1900_where_the_workbook_itself_does_not_say_otherwise(read, laid_out, holds):
    assert read(laid_out(holds=holds)).cells == [ROW]


def test_texts_in_another_place_count_as_often_as_they_are_shown(read, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "usual.xlsx") as book:
        book.add_worksheet().write_column(0, 0, ["Name", *["x" * 1_000] * 400])
    with zipfile.ZipFile(tmp_path / "usual.xlsx") as usual, zipfile.ZipFile(tmp_path / "odd.xlsx", "w") as odd:
        for name in usual.namelist():
            content = usual.read(name).replace(b"sharedStrings.xml", b"texts.xml")
            odd.writestr(name.replace("sharedStrings", "texts"), content)

    with pytest.raises(Refusal, match="cells show more than 390,000 bytes"):
        read(tmp_path / "odd.xlsx", settings=Settings(max_text_bytes=390_000))

    assert read(tmp_path / "odd.xlsx").upload.data_rows == 400


@pytest.mark.parametrize("called", [renamed("/", "\\"), renamed("xl/", "book/"), renamed("sharedStrings", "texts")])
def test_the_parts_of_a_binary_workbook_are_found_likewise(read, tmp_path, called):
    path = next((Path(__file__).parents[1] / "corpus").rglob("*.xlsb"))
    with zipfile.ZipFile(path) as usual, zipfile.ZipFile(tmp_path / "odd.xlsb", "w") as odd:
        for name in usual.namelist():
            part, content = zipfile.ZipInfo(), usual.read(name)
            part.filename = called(name)
            if name.endswith(".rels"):
                content = content.replace(b'"xl/', f'"{called("xl/")}'.replace("\\", "/").encode())
                content = content.replace(b"sharedStrings.bin", called("sharedStrings.bin").encode())
            odd.writestr(part, content)

    assert read(tmp_path / "odd.xlsb").cells == read(path).cells
