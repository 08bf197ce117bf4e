"""A file beyond a limit is refused in words; a workbook before any part of it is unpacked."""

import io
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings
from tests.trust import record

LIBREOFFICE = Path(__file__).parents[1] / "corpus" / "libreoffice"


def refused(read, content, **limits):
    name = limits.pop("name", "contacts.csv")
    with pytest.raises(Refusal) as refusal:
        read(content, name=name, settings=Settings(**limits))
    assert refusal.value.code == "limit"
    assert f"CONTACT_PIPELINE_{next(iter(limits)).upper()}" in refusal.value.fix
    return refusal.value


def test_the_size_of_a_file(read):
    assert len(read("Name,Phone\nAda,123\n", settings=Settings(max_file_bytes=19)).cells) == 1
    assert "has 19 bytes; 18 bytes is the most" in refused(read, "Name,Phone\nAda,123\n", max_file_bytes=18).message


def test_the_rows_of_a_file(read):
    assert len(read("Name\nAda\nGrace\n", settings=Settings(max_rows=2)).cells) == 2
    assert "more than 2 rows" in refused(read, "Name\nAda\nGrace\nJoan\n", max_rows=2).message


def test_the_columns_of_a_file(read):
    assert read("a,b\n1,2\n", settings=Settings(max_columns=2)).cells == [("1", "2")]
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


def forged(content, name, size):
    """The archive with a directory and a header that give a part this size, and the sum of its first bytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        part, start = archive.getinfo(name), zlib.crc32(archive.read(name)[:size])
    true, lie = (struct.pack("<III", *numbers) for numbers in (
        (part.CRC, part.compress_size, part.file_size), (start, part.compress_size, size),
    ))  # fmt: skip
    assert content.count(true) == 2
    return content.replace(true, lie)


def test_a_directory_that_lies_about_the_size_is_not_believed(read, workbook, tmp_path):
    (tmp_path / "bomb.xlsx").write_bytes(workbook)
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.png", bytes(20_000_000))
    bomb = forged((tmp_path / "bomb.xlsx").read_bytes(), "xl/media/image1.png", 1_000)
    with zipfile.ZipFile(io.BytesIO(bomb)) as archive:
        assert len(archive.read("xl/media/image1.png")) == 1_000  # who goes by the directory sees no more

    assert "times its size" in refused(read, bomb, name="bomb.xlsx", max_compression_ratio=200).message
    assert "unpacks to" in refused(read, bomb, name="bomb.xlsx", max_unpacked_bytes=5_000_000).message


def test_a_directory_that_is_not_right_is_no_workbooks(read, workbook):
    name = "xl/worksheets/sheet1.xml"

    with pytest.raises(Refusal, match="damaged or incomplete") as refusal:
        read(forged(workbook, name, 100), name="contacts.xlsx")

    assert refusal.value.code == "workbook-unreadable"


def test_a_part_that_is_packed_in_another_way_is_no_workbooks(read, workbook, tmp_path):
    (tmp_path / "odd.xlsx").write_bytes(workbook)
    with zipfile.ZipFile(tmp_path / "odd.xlsx", "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("xl/media/image1.png", bytes(1_000))

    with pytest.raises(Refusal, match="damaged or incomplete"):
        read(tmp_path / "odd.xlsx")


def far_xlsx(path):
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_column(0, 0, ["Name", "Ada"])
        sheet.write(1_048_575, 16_383, "lost")


def far_ods(path):
    """A sheet of LibreOffice in which one cell is repeated to the end, in a row that is, too."""
    with zipfile.ZipFile(LIBREOFFICE / "table.ods") as whole, zipfile.ZipFile(path, "w") as copy:
        for name in whole.namelist():
            content = whole.read(name)
            if name == "content.xml":
                cell = b'<table:table-row table:number-rows-repeated="1000000"><table:table-cell'
                cell += b' table:number-columns-repeated="16384" office:value-type="string"><text:p>x</text:p>'
                cell += b"</table:table-cell></table:table-row></table:table>"
                content = content.replace(b"</table:table>", cell, 1)
            copy.writestr(name, content)


@pytest.mark.parametrize("make", [far_xlsx, far_ods])
def test_cells_so_far_apart_that_the_space_between_them_fills_the_memory(read, tmp_path, make):
    path = tmp_path / f"far.{make.__name__.removeprefix('far_')}"
    make(path)

    refusal = refused(read, path, max_cells=100_000_000)

    assert "reaches to XFD" in refusal.message


def shared_xlsx(path, cells, text):
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet().write_column(0, 0, ["Name", *[text] * cells])


def repeated_ods(path, cells, text):
    row = f'<table:table-row table:number-rows-repeated="{cells}"><table:table-cell office:value-type="string">'
    row += f"<text:p>{text}</text:p></table:table-cell></table:table-row>"
    with zipfile.ZipFile(LIBREOFFICE / "table.ods") as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in whole.namelist():
            content = whole.read(name)
            if name == "content.xml":
                content = content.replace(b"</table:table-row>", b"</table:table-row>" + row.encode(), 1)
            copy.writestr(name, content)


@pytest.mark.parametrize("make", [shared_xlsx, repeated_ods])
def test_a_text_that_many_cells_share_counts_for_each_of_them(read, tmp_path, make):
    path = tmp_path / f"shared.{make.__name__.rpartition('_')[2]}"
    make(path, 400, "x" * 1_000)

    assert "cells show more than" in refused(read, path, max_text_bytes=390_000).message
    assert read(path, settings=Settings(max_text_bytes=420_000)).upload.data_rows >= 400


def test_cells_that_share_other_texts_than_the_longest_are_taken(read, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "notes.xlsx") as book:
        book.add_worksheet().write_column(0, 0, ["Name", "x" * 30_000, *["Ada"] * 10_000])

    assert read(tmp_path / "notes.xlsx", settings=Settings(max_text_bytes=100_000)).upload.data_rows == 10_001


@pytest.mark.parametrize("hidden", [b"<!--</si>-->", b"<![CDATA[</si>]]>"])
def test_shared_texts_that_cannot_be_told_apart_are_not_taken_on_trust(read, tmp_path, hidden):
    shared_xlsx(tmp_path / "plain.xlsx", 400, "x" * 1_000)
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as whole, zipfile.ZipFile(tmp_path / "odd.xlsx", "w") as copy:
        for name in whole.namelist():
            copy.writestr(name, whole.read(name).replace(b"x" * 1_000, (b"x" * 10 + hidden) * 100))

    refused(read, tmp_path / "odd.xlsx", max_text_bytes=20_000)


@pytest.mark.parametrize("ending", ["xls", "xlsb"])
def test_the_text_of_a_binary_workbook(read, ending):
    path = next((Path(__file__).parents[1] / "corpus").rglob(f"*.{ending}"))
    refused(read, path, max_text_bytes=10)


def test_thirty_thousand_cells_that_share_one_long_text_take_no_memory(tmp_path):
    """They took 3 GB."""
    shared_xlsx(tmp_path / "long.xlsx", 30_000, "x" * 32_767)
    script = (
        "import re, sys; from contact_pipeline.cli.app import run; status = run(['inspect', sys.argv[1]])\n"
        "print(status, int(re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())[1]) // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "long.xlsx")],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    status, megabytes = map(int, done.stdout.split())
    record("memory-of-shared-texts", tried=1, failed=int(megabytes > 500), where="inspect")
    assert status == 1
    assert "cells show more than 500,000,000 bytes" in done.stderr
    assert megabytes < 500


def test_a_cell_that_is_far_in_one_direction_is_read(read, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "wide.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_column(0, 0, ["Name", "Ada"])
        sheet.write_row(0, 16_000, ["Note"])
    with xlsxwriter.Workbook(tmp_path / "long.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_column(0, 0, ["Name", "Ada"])
        sheet.write(120_000, 27, "x")

    assert refused(read, tmp_path / "wide.xlsx", max_columns=1_000)
    assert read(tmp_path / "long.xlsx").upload.data_rows == 120_000
