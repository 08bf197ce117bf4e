"""Columns of a file that people fill in and give back, in whatever form their program has saved it."""

import polars as pl
import pytest
import xlsxwriter

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings
from contact_pipeline.upload import read_columns

CELLS = [["row_number", "to", "why", "Straße"], ["2", "new", "ähnlich", "Hauptstraße 1"], ["3", "17", "ähnlich", "Zoë"]]


@pytest.fixture
def saved(tmp_path):
    """Saves rows as a spreadsheet program would."""

    def save(rows, *, delimiter=",", encoding="utf-8", name="f.csv"):
        path = tmp_path / name
        if path.suffix == ".xlsx":
            with xlsxwriter.Workbook(path) as book:
                sheet = book.add_worksheet()
                for number, row in enumerate(rows):
                    for place, cell in enumerate(row):
                        sheet.write(number, place, int(cell) if cell.isdigit() else cell)
        else:
            path.write_bytes("".join(delimiter.join(row) + "\r\n" for row in rows).encode(encoding))
        return path

    return save


@pytest.fixture
def read(tmp_path):
    def read_it(path, *names, **more):
        return read_columns(path, names or ("row_number", "to"), Settings(home=tmp_path / "home"), **more)

    return read_it


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"delimiter": ";"},
        {"delimiter": "\t", "encoding": "utf-16", "name": "f.txt"},
        {"delimiter": ";", "encoding": "cp1252"},
        {"delimiter": ";", "encoding": "mac-roman"},
        {"delimiter": ";", "encoding": "utf-8-sig"},
        {"delimiter": "\t", "name": "f.tsv"},
        {"delimiter": "|"},
        {"name": "f.xlsx"},
        {"encoding": "utf-16-le"},
    ],
    ids=str,
)
def test_a_filled_in_file_is_read_in_every_form(form, saved, read):
    assert read(saved(CELLS, **form)).rows() == [(2, "2", "new"), (3, "3", "17")]


def test_columns_are_found_wherever_they_stand_and_whatever_their_case(saved, read):
    rows = [["Name", "TO ", "Row_Number"], ["Ana", "skip", "9"]]
    assert read(saved(rows)).rows() == [(2, "9", "skip")]


def test_a_column_that_need_not_be_there_is_null(saved, read):
    assert read(saved(CELLS), "to", optional=["region"])["region"].to_list() == [None, None]


def test_rows_are_named_as_a_spreadsheet_shows_them(saved, read):
    rows = [CELLS[0], CELLS[1], ["", "", "", ""], CELLS[2]]
    assert read(saved(rows)).filter(pl.col("to") == "17")["place"].to_list() == [4]


@pytest.mark.parametrize(
    ("rows", "code", "said"),
    [
        ([["row_number", "who"], ["2", "new"]], "column-missing", "no column to"),
        ([["row_number", "to", "To"], ["2", "new", "skip"]], "column-twice", "several columns to"),
        ([["row_number", "to"], ["2", "new", "what is this"]], "row-unreadable", "Row 2"),
    ],
)
def test_what_cannot_be_meant_is_refused(rows, code, said, saved, read):
    with pytest.raises(Refusal) as refusal:
        read(saved(rows))
    assert (refusal.value.code, refusal.value.file, said in refusal.value.message) == (code, "f.csv", True)
