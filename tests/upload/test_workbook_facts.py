"""What only the sheet's XML tells: errors, shown zeros, durations, merged and hidden cells; titles, and the sheet."""

import datetime as dt
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from contact_pipeline.errors import Refusal
from contact_pipeline.upload.modern_workbook import ModernWorkbook

LIBREOFFICE = Path(__file__).parents[1] / "corpus" / "libreoffice"


@pytest.fixture
def sheet(tmp_path):
    """Writes a workbook of one sheet with a function of the book and the sheet."""

    def write(fill, **options):
        with xlsxwriter.Workbook(tmp_path / "made.xlsx", options) as book:
            fill(book, book.add_worksheet())
        return tmp_path / "made.xlsx"

    return write


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (2139, "00000", "02139"),
        (21394307, "00000-0000", "02139-4307"),
        (1234567, r"000\-00\-0000", "001-23-4567"),
        (1234567, '000"-"00"-"0000', "001-23-4567"),
        (123456, "00000", "123456"),
        (12.5, "00000", "12.5"),
        (-5, "00000", "-5"),
        (0, "00000", "00000"),
        (2139, "0", "2139"),
        (2139, "#,##0.00", "2139"),
        (1.5, "[h]:mm", "36:00:00"),
        (0.25, "[h]:mm:ss", "06:00:00"),
        (0.5, "hh:mm", "12:00:00"),
    ],
)
def test_a_number_is_what_its_format_shows_where_that_says_more(read, sheet, value, code, expected):
    def fill(book, made):
        made.write_row(0, 0, ["Value", "Text"])
        made.write_number(1, 0, value, book.add_format({"num_format": code}))
        made.write_string(1, 1, "x")

    assert read(sheet(fill)).cells == [(expected, "x")]


@pytest.mark.parametrize("since_1904", [False, True])
def test_dates_and_times_are_right_in_either_epoch(read, sheet, since_1904):
    day, moment = map(dt.datetime.fromisoformat, ("2024-02-29", "1984-04-17T13:45:10"))
    time = dt.time(9, 30)

    def fill(book, made):
        made.write_row(0, 0, ["Day", "Moment", "Time"])
        for column, (value, code) in enumerate([(day, "d/m/yy"), (moment, "yyyy-mm-dd hh:mm:ss"), (time, "hh:mm")]):
            made.write_datetime(1, column, value, book.add_format({"num_format": code}))

    assert read(sheet(fill, date_1904=since_1904)).cells == [("2024-02-29", "1984-04-17T13:45:10", "09:30:00")]


def test_merged_and_hidden_cells_are_read_and_said(read, sheet):
    def fill(book, made):
        made.write_row(0, 0, ["Name", "Phone", "City", "Notes"])
        made.merge_range("A2:A3", "Ada")
        made.write_column(1, 1, ["1", "2", "3"])
        made.set_row(3, None, None, {"hidden": True})
        made.set_column("C:C", None, None, {"hidden": True})
        made.write_string("D2", "x")

    reading = read(sheet(fill))

    assert [row[:2] for row in reading.cells] == [("Ada", "1"), (None, "2"), (None, "3")]
    assert reading.upload.warnings == [
        "made.xlsx has merged cells (A2:A3): their value stands in the first one only.",
        "made.xlsx has a hidden row, which is read like the others.",
        "made.xlsx has hidden columns (C), read like the others.",
    ]


def test_titles_above_the_heading_are_no_rows(read, sheet):
    def fill(book, made):
        made.write(0, 0, "Contacts of May")
        made.write_row(2, 0, ["Name", "Phone", "City"])
        made.write_row(3, 0, ["Ada", "1"])
        made.write_row(4, 0, ["Grace", "2"])

    reading = read(sheet(fill))

    assert reading.upload.headings == ["Name", "Phone", "City"]
    assert reading.row_numbers == [4, 5]
    assert "the heading stands in row 3" in reading.upload.warnings[0]


def two_sheets(tmp_path, first, second):
    with xlsxwriter.Workbook(tmp_path / "two.xlsx") as book:
        for name, rows in (("Read me", first), ("Data", second)):
            made = book.add_worksheet(name)
            for number, row in enumerate(rows):
                made.write_row(number, 0, row)
    return tmp_path / "two.xlsx"


def test_the_sheet_with_the_headings_is_read(read, tmp_path):
    path = two_sheets(tmp_path, [["How to", "fill it in"]], [["First name", "E-mail"], ["Ada", "a@example.com"]])

    reading = read(path, known=["First Name", "Email", "E-mail"])

    assert (reading.upload.sheet, reading.cells) == ("Data", [("Ada", "a@example.com")])


def test_the_only_sheet_that_holds_anything_is_read(read, tmp_path):
    assert read(two_sheets(tmp_path, [], [["Name", "Phone"], ["Ada", "1"]])).upload.sheet == "Data"


def test_two_sheets_with_the_headings_are_refused_with_the_list(read, tmp_path):
    rows = [["First name", "Email"], ["Ada", "a@example.com"]]

    with pytest.raises(Refusal, match="Read me, Data") as refused:
        read(two_sheets(tmp_path, rows, rows), known=["First name", "Email"])

    assert refused.value.code == "sheet-ambiguous"


EXTERNAL = '<!ENTITY leak SYSTEM "file://{}">'
WITHIN = '<!ENTITY a "secretsecret"><!ENTITY leak "&a;&a;&a;&a;&a;&a;&a;&a;{}">'


@pytest.mark.parametrize("entity", [EXTERNAL, WITHIN])
@pytest.mark.parametrize(
    ("made_by", "part", "root", "text"),
    [
        ("xlsx", "xl/sharedStrings.xml", "<sst", ">Ada<"),
        ("xlsx", "xl/workbook.xml", "<workbook", '"Sheet1"'),
        ("xlsx", "xl/worksheets/sheet1.xml", "<worksheet", "<v>#N/A<"),
        ("xlsx", "xl/styles.xml", "<styleSheet", '"00000"'),
        ("ods", "content.xml", "<office:document-content", ">#N/A<"),
        ("ods", "content.xml", "<office:document-content", ">Ada<"),
    ],
)
def test_no_entity_of_a_document_is_resolved(read, sheet, tmp_path, entity, made_by, part, root, text):
    def fill(book, made):
        made.write_column(0, 0, ["Name", "Ada"])
        made.write_formula(1, 1, "=NA()", None, "#N/A")
        made.write_number(1, 2, 7, book.add_format({"num_format": "00000"}))

    (tmp_path / "secret.txt").write_text("secret")
    path = sheet(fill) if made_by == "xlsx" else LIBREOFFICE / "values.ods"
    hostile = tmp_path / f"hostile.{made_by}"
    declared = f"<!DOCTYPE x [{entity.format(tmp_path / 'secret.txt')}]>{root}"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(hostile, "w") as copy:
        for name in whole.namelist():
            content = whole.read(name)
            if name == part:
                assert root.encode() in content
                assert text.encode() in content
                with_entity = text[0] + "&leak;" + text[-1] if text[0] in '">' else text.replace("#N/A", "&leak;")
                content = content.replace(root.encode(), declared.encode(), 1).replace(
                    text.encode(), with_entity.encode()
                )
            copy.writestr(name, content)

    try:
        reading = read(hostile, name=hostile.name)
        found = str((reading.cells, reading.upload))
    except Refusal as refused:
        found = str(refused)

    assert "secret" not in found


def test_rows_are_counted_apart_from_the_reader(read, sheet, monkeypatch):
    """X1: a row that the reader loses refuses the file."""
    path = sheet(lambda _, made: made.write_column(0, 0, ["Name", "Ada", "Grace", "Joan"]))
    whole = ModernWorkbook._load
    monkeypatch.setattr(ModernWorkbook, "_load", lambda *args: whole(*args)[:-1])

    with pytest.raises(Refusal) as refused:
        read(path)

    assert refused.value.code == "workbook-unreadable"
