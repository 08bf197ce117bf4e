"""What is beyond a limit is refused in words; a workbook before anything of it is unpacked."""

import zipfile

import openpyxl
import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings


def refused(read, content, **limits):
    name = limits.pop("name", "contacts.csv")
    with pytest.raises(Refusal) as refusal:
        read(content, name=name, settings=Settings(**limits))
    assert refusal.value.code == "limit"
    assert f"CONTACT_PIPELINE_{next(iter(limits)).upper()}" in refusal.value.fix
    return refusal.value


def test_the_size_of_a_file(read):
    assert "has 19 bytes; 18 bytes is the most" in refused(read, "Name,Phone\nAda,123\n", max_file_bytes=18).message


def test_the_rows_of_a_file(read):
    assert len(read("Name\nAda\nGrace\n", settings=Settings(max_rows=2)).cells) == 2
    assert "more than 2 rows" in refused(read, "Name\nAda\nGrace\nJoan\n", max_rows=2).message


def test_the_columns_of_a_file(read):
    assert "has 3 columns" in refused(read, "a,b,c\n1,2,3\n", max_columns=2).message


@pytest.mark.parametrize("cell", ["x" * 11, '"' + "x\n" * 6 + '"', "é" * 11])
def test_the_length_of_a_cell(read, cell):
    read("Name,Note\nAda,0123456789\nGrace," + "é" * 10 + "\n", settings=Settings(max_cell_characters=10))

    refusal = refused(read, f"Name,Note\nAda,1\nGrace,{cell}\n", max_cell_characters=10)
    assert "in row 3" in refusal.message
    assert refusal.row_number == 3


@pytest.fixture
def workbook(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Name", "Note", "Phone"])
    book.active.append(["Ada", "x" * 50, "1"])
    book.active.append(["Grace", "x", "2"])
    book.save(tmp_path / "made.xlsx")
    return (tmp_path / "made.xlsx").read_bytes()


@pytest.mark.parametrize("limit", [{"max_rows": 1}, {"max_columns": 2}, {"max_cell_characters": 20}])
def test_the_limits_of_a_sheet(read, workbook, limit):
    refused(read, workbook, name="contacts.xlsx", **limit)


def test_the_size_to_which_a_workbook_unpacks(read, workbook):
    assert "unpacks to" in refused(read, workbook, name="contacts.xlsx", max_unpacked_bytes=1_000).message


def test_a_part_that_is_packed_beyond_belief(read, workbook, tmp_path):
    (tmp_path / "bomb.xlsx").write_bytes(workbook)
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.png", bytes(20_000_000))

    refusal = refused(read, tmp_path / "bomb.xlsx", max_compression_ratio=200)
    assert "times its size" in refusal.message
