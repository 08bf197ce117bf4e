"""What only the sheet's XML tells: errors, shown zeros, durations, merged and hidden cells; titles, and the sheet."""

import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from contact_pipeline.errors import Refusal
from contact_pipeline.upload.workbook.modern import ModernWorkbook

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


LONG = "836791242738237440"


@pytest.mark.parametrize("text", [LONG, "0" * 16 + "1", f"-{LONG}", f"{LONG}.5", "3.123456789", "-0.100000000"])
def test_digits_that_are_stored_as_text_stay_as_they_stand(read, sheet, text):
    def fill(_, made):
        made.write_column(0, 0, ["Value", text, "x", text])
        made.write_number(4, 0, float(LONG))
        made.write_number(5, 0, 3.123456789123)

    cells = [cell for (cell,) in read(sheet(fill)).cells]

    assert cells == [text, "x", text, "8.36791242738237E+17", "3.123456789123"]


def test_digits_that_are_text_beside_the_texts_of_others_stay_too(read, tmp_path):
    """As openpyxl writes them, into the cell itself."""
    book = openpyxl.Workbook()
    book.active.append(["Name", "Id"])
    book.active.append(["Ada", LONG])
    book.active.append(["Grace", int(LONG)])
    book.save(tmp_path / "ids.xlsx")

    assert read(tmp_path / "ids.xlsx").cells == [("Ada", LONG), ("Grace", "8.36791242738237E+17")]


def sheet_of(tmp_path, rows, *, calculated=""):
    """A workbook whose sheet holds these rows of XML below a heading of two columns."""
    with xlsxwriter.Workbook(tmp_path / "plain.xlsx") as book:
        book.add_worksheet().write_row(0, 0, ["Name", "Email"])
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as plain, zipfile.ZipFile(tmp_path / "made.xlsx", "w") as made:
        for name in plain.namelist():
            content = plain.read(name).replace(b' fullCalcOnLoad="1"', calculated.encode())
            made.writestr(name, content.replace(b"</sheetData>", f"{rows}</sheetData>".encode()))
    return tmp_path / "made.xlsx"


FORMULA = '<f>LOWER("Ada")&amp;"@example.com"</f>'


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (f'<c r="B2">{FORMULA}</c>', '=LOWER("Ada")&"@example.com"'),
        (f'<c r="B2">{FORMULA}<v/></c>', '=LOWER("Ada")&"@example.com"'),
        (f'<c r="B2" s="0">{FORMULA}<v></v></c>', '=LOWER("Ada")&"@example.com"'),
        (f'<c r="B2" t="n">{FORMULA} <v></v> </c>', '=LOWER("Ada")&"@example.com"'),
        ('<c r="B2"><f t="shared" si="0"/></c>', "="),
        ('<c r="B2"><f t="array" ref="B2">A2</f><v/></c>', "=A2"),
        (f"<c r='B2'>{FORMULA}</c>", '=LOWER("Ada")&"@example.com"'),
    ],
)
def test_a_formula_that_was_never_calculated_is_named(read, tmp_path, cell, shown):
    row = f'<row r="2"><c r="A2" t="inlineStr"><is><t>Ada</t></is></c>{cell}</row>'

    reading = read(sheet_of(tmp_path, row))

    assert reading.cells == [("Ada", shown)]
    assert reading.upload.cell_errors.select("row_number", "column", "text").rows() == [(2, "Email", shown)]
    assert "a cell holds a formula that was never calculated (row 2 of 'Email')" in reading.upload.warnings[0]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (f'<c r="B2" t="str">{FORMULA}<v></v></c>', None),  # an empty text
        (f'<c r="B2" t="str">{FORMULA}<v>ada@example.com</v></c>', "ada@example.com"),
        ('<c r="B2"><f>1-1</f><v>0</v></c>', "0"),
        ('<c r="B2"><v></v></c>', None),
    ],
)
def test_a_formula_with_a_result_is_its_result(read, tmp_path, cell, shown):
    row = f'<row r="2"><c r="A2" t="inlineStr"><is><t>Ada</t></is></c>{cell}</row>'

    reading = read(sheet_of(tmp_path, row))

    assert (reading.cells, reading.upload.cell_errors.height) == ([("Ada", shown)], 0)


def test_the_zero_of_a_program_that_leaves_calculating_to_excel_is_no_result(read, sheet):
    def fill(_, made):
        made.write_row(0, 0, ["Name", "Email"])
        made.write_string(1, 0, "Ada")
        made.write_formula(1, 1, "=A2")
        made.write_string(2, 0, "Grace")
        made.write_formula(2, 1, "=A3", None, "grace@example.com")

    assert read(sheet(fill)).cells == [("Ada", "=A2"), ("Grace", "grace@example.com")]


def test_rows_of_nothing_but_such_formulas_are_not_lost(read, tmp_path):
    book = openpyxl.Workbook()
    for row in (["Name", "Email"], ["=Other!A2", "=Other!B2"], ["=Other!A3", "=Other!B3"]):
        book.active.append(row)
    book.save(tmp_path / "linked.xlsx")

    reading = read(tmp_path / "linked.xlsx")

    assert reading.cells == [("=Other!A2", "=Other!B2"), ("=Other!A3", "=Other!B3")]
    assert reading.upload.cell_errors.height == 4


def test_such_a_formula_of_an_opendocument_sheet_is_named(read, tmp_path):
    cell = b'<table:table-cell table:formula="of:=[.B2]&amp;&quot;x&quot;"/>'
    row = b"<table:table-row>" + cell + b"</table:table-row></table:table>"
    with (
        zipfile.ZipFile(LIBREOFFICE / "table.ods") as whole,
        zipfile.ZipFile(tmp_path / "formula.ods", "w") as copy,
    ):
        for name in whole.namelist():
            copy.writestr(name, whole.read(name).replace(b"</table:table>", row, 1))

    reading = read(tmp_path / "formula.ods")

    assert reading.upload.cell_errors["text"].to_list() == ['=[.B2]&"x"']
    assert reading.cells[-1][0] == '=[.B2]&"x"'


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
