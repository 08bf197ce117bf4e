import datetime as dt
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from contact_pipeline.contracts.frames import RAW_ROWS
from contact_pipeline.errors import Refusal
from contact_pipeline.profiles.model import FileFormat
from contact_pipeline.settings import Settings
from contact_pipeline.upload import ReadOptions, raw_paths
from contact_pipeline.upload.workbook.binary import BinaryWorkbook
from contact_pipeline.upload.workbook.modern import ModernWorkbook
from contact_pipeline.upload.workbook.old import OldWorkbook
from contact_pipeline.upload.workbook.workbook import read_workbook

AFTERNOON = dt.datetime.fromisoformat("2024-02-29T13:45")
XLSX = FileFormat(types=["xlsx"], delimiter=None, encoding=None, sheet=None)


@pytest.fixture
def workbook(tmp_path):
    """Writes a workbook with openpyxl: the sheets by name, each a list of rows."""

    def write(sheets: dict[str, list[list[object]]], name: str = "contacts.xlsx") -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        book.save(tmp_path / name)
        return tmp_path / name

    return write


def test_rows_are_numbered_as_the_sheet_shows_them(read, workbook):
    reading = read(workbook({"Contacts": [["Name", "Phone"], ["Ada", "1"], [], ["Grace", "2"]]}))

    assert reading.upload.file_type == "xlsx"
    assert (reading.upload.sheet, reading.upload.sheets) == ("Contacts", ["Contacts"])
    assert reading.row_numbers == [2, 3, 4]
    assert reading.cells == [("Ada", "1"), (None, None), ("Grace", "2")]
    assert reading.upload.data_rows == 3
    RAW_ROWS.validate(reading.rows)


def test_a_table_that_does_not_begin_at_the_top_left_keeps_its_places(read, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "low.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row("C4", ["Name", "Phone"])
        sheet.write_row("C5", ["Ada", "1"])

    reading = read(tmp_path / "low.xlsx")

    assert reading.upload.headings == ["", "", "Name", "Phone"]
    assert reading.upload.heading_row == 4
    assert reading.row_numbers == [5]


def test_formatted_rows_and_columns_without_values_are_not_read(read, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "formatted.xlsx") as book:
        sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
        sheet.write_row(0, 0, ["Name", "Phone"])
        sheet.write_row(1, 0, ["Ada", "1"])
        for row in range(50):
            sheet.write_blank(row, 5, None, bold)
            sheet.write_string(row + 2, 1, " ")

    reading = read(tmp_path / "formatted.xlsx")

    assert reading.upload.headings == ["Name", "Phone"]
    assert reading.row_numbers == [2]


@pytest.mark.parametrize(
    ("value", "number_format", "expected"),
    [
        ("00123", None, "00123"),
        ("1.0", None, "1.0"),
        ("true", None, "true"),
        ("2024-02-29 00:00:00", None, "2024-02-29 00:00:00"),
        ("  spaced\nout ", None, "  spaced\nout "),
        (447911123456, None, "447911123456"),
        (123.0, None, "123"),
        (0.1 + 0.2, None, "0.3"),
        (1 / 3, None, "0.333333333333333"),
        (12345.678, None, "12345.678"),
        (999999999999999, None, "999999999999999"),
        (4111111111111110, None, "4.11111111111111E+15"),
        (-4111111111111110, None, "-4.11111111111111E+15"),
        (10**15, None, "1E+15"),
        (4111111111111110, "0000000000000000", "4.11111111111111E+15"),
        ("4111111111111111", None, "4111111111111111"),
        (123456789012345678901, None, "1.23456789012346E+20"),
        (True, None, "TRUE"),
        (False, None, "FALSE"),
        (dt.date(2024, 2, 29), None, "2024-02-29"),
        (AFTERNOON, None, "2024-02-29T13:45:00"),
        (dt.time(13, 45, 10), None, "13:45:10"),
        (dt.date(1984, 4, 17), "dd/mm/yyyy", "1984-04-17"),
        ("#N/A", None, "#N/A"),
    ],
)
def test_every_cell_is_the_text_that_stands_for_it(read, tmp_path, value, number_format, expected):
    book = openpyxl.Workbook()
    book.active.append(["Value", "Text"])
    book.active.append([value, "true"])
    if number_format:
        book.active["A2"].number_format = number_format
    book.active.append(["text among other types", "2024-02-29 00:00:00"])
    book.save(tmp_path / "values.xlsx")

    reading = read(tmp_path / "values.xlsx")

    assert reading.cells == [(expected, "true"), ("text among other types", "2024-02-29 00:00:00")]


def test_a_formula_is_its_last_value_and_an_error_is_not_a_blank(read, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "formulas.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Sum", "Lookup"])
        sheet.write_formula(1, 0, "=40+2", None, 42)
        sheet.write_formula(1, 1, "=VLOOKUP(1,A1:B2,2)", None, "#N/A")

    reading = read(tmp_path / "formulas.xlsx")

    assert reading.cells == [("42", "#N/A")]


def test_slices_hold_the_rows_in_sheet_order(read, workbook):
    rows = [["Name", "Number"], *([f"Name {n}", n] for n in range(2_500))]

    reading = read(workbook({"Contacts": rows}), settings=Settings(slice_rows=1_000))

    assert len(raw_paths(reading.folder)) == 3
    assert reading.row_numbers == list(range(2, 2_502))
    assert reading.cells[-1] == ("Name 2499", "2499")


def test_the_declared_sheet_is_read_whatever_its_case(read, workbook):
    path = workbook({"Notes": [["x"]], "Contacts": [["Name"], ["Ada"]]})

    reading = read(path, options=ReadOptions(sheet="contacts"))

    assert reading.upload.sheet == "Contacts"
    assert reading.cells == [("Ada",)]


def test_the_profiles_sheet_is_read(read, workbook):
    file = FileFormat(types=["xlsx"], delimiter=None, encoding=None, sheet="Contacts")

    reading = read(workbook({"Notes": [["x"]], "Contacts": [["Name"], ["Ada"]]}), file=file)

    assert reading.upload.sheet == "Contacts"


@pytest.mark.parametrize(("sheet", "code"), [(None, "sheet-ambiguous"), ("Kontakte", "sheet-unknown")])
def test_a_sheet_that_cannot_be_told_is_refused_with_the_list(read, workbook, sheet, code):
    path = workbook({"Notes": [["x"]], "Contacts": [["Name"], ["Ada"]]})

    with pytest.raises(Refusal, match="Notes, Contacts") as refused:
        read(path, options=ReadOptions(sheet=sheet))

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("rows", "code"), [([], "file-empty"), ([["Name"]], "file-header-only"), ([[" "]], "file-empty")]
)
def test_a_sheet_without_rows_is_refused(read, workbook, rows, code):
    path = workbook({"Contacts": rows})

    with pytest.raises(Refusal) as refused:
        read(path, file=XLSX)

    assert refused.value.code == code


def test_a_damaged_workbook_is_refused_in_words(read, workbook):
    path = workbook({"Contacts": [["Name"], ["Ada"]]})
    path.write_bytes(path.read_bytes()[:2_000])

    with pytest.raises(Refusal, match="damaged or incomplete") as refused:
        read(path, file=XLSX)

    assert refused.value.code == "workbook-unreadable"


def test_a_workbook_whose_sheet_is_garbage_is_refused_in_words(read, workbook, tmp_path):
    import zipfile

    path = workbook({"Contacts": [["Name"], ["Ada"]]})
    broken = tmp_path / "garbage.xlsx"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(broken, "w") as copy:
        for name in whole.namelist():
            content = whole.read(name)
            copy.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)

    with pytest.raises(Refusal, match="damaged or incomplete") as refused:
        read(broken, file=XLSX)

    assert refused.value.code == "workbook-unreadable"


@pytest.mark.parametrize(
    "file", ["libreoffice/table.xls", "sheetjs/table.xlsb", "libreoffice/table.ods", "sheetjs/table.xlsx"]
)
def test_a_row_that_the_reader_loses_is_seen_by_another_witness(monkeypatch, tmp_path, file):
    """Rows are counted apart from the reader of the cells: in the file's XML, or by another reader."""
    for book in (OldWorkbook, BinaryWorkbook, ModernWorkbook):

        def loses_the_last(self, sheet, read=book.read):
            cells, facts = read(self, sheet)
            return cells[:-1], facts

        monkeypatch.setattr(book, "read", loses_the_last)
    path = Path(__file__).parents[1] / "corpus" / file

    with pytest.raises(Refusal) as refusal:
        read_workbook(
            path, path.name, path.suffix[1:], sheet=None, known=(), folder=tmp_path, settings=Settings(home=tmp_path)
        )

    assert refusal.value.code == "workbook-unreadable"
