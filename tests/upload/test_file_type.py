import zipfile

import openpyxl
import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.profiles.model import FileFormat
from contact_pipeline.settings import Settings
from contact_pipeline.upload import ReadOptions, read_upload

CSV = FileFormat(types=["csv"], delimiter=None, encoding=None, sheet=None)
XLSX = FileFormat(types=["xlsx"], delimiter=None, encoding=None, sheet=None)
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


@pytest.fixture
def workbook_bytes(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Name"])
    book.active.append(["Ada"])
    book.save(tmp_path / "made.xlsx")
    return (tmp_path / "made.xlsx").read_bytes()


def test_a_csv_only_profile_takes_no_workbook(read, workbook_bytes):
    """E2: CSV only."""
    with pytest.raises(Refusal, match=r"contacts\.xlsx does not end in \.csv") as refused:
        read(workbook_bytes, name="contacts.xlsx", file=CSV)

    assert refused.value.code == "file-type"


def test_a_workbook_under_the_name_of_a_csv_file_is_refused(read, workbook_bytes):
    """E2: CSV only, whatever the name says."""
    with pytest.raises(Refusal, match=r"contacts\.csv holds an Excel workbook") as refused:
        read(workbook_bytes, name="contacts.csv", file=CSV)

    assert refused.value.code == "file-type"


def test_text_under_the_name_of_a_workbook_is_refused(read):
    with pytest.raises(Refusal, match="its content is text") as refused:
        read("Name\nAda\n", name="contacts.xlsx", file=XLSX)

    assert refused.value.code == "workbook-unreadable"


def test_without_a_profile_the_content_decides(read, workbook_bytes):
    assert read(workbook_bytes, name="contacts.csv").upload.file_type == "xlsx"


@pytest.mark.parametrize("name", ["contacts.xlsx", "contacts.csv"])
def test_a_protected_workbook_is_refused_in_words(read, name):
    content = COMPOUND + "EncryptedPackage".encode("utf-16-le")

    with pytest.raises(Refusal, match="protected by a password") as refused:
        read(content, name=name)

    assert refused.value.code == "workbook-unreadable"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (COMPOUND, "an old Office document"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"\x1f\x8b\x08\0", "a compressed file"),
    ],
)
def test_another_kind_of_file_is_refused_by_what_it_is(read, content, words):
    with pytest.raises(Refusal, match=words) as refused:
        read(content, file=CSV)

    assert refused.value.code == "file-type"


def test_an_archive_is_refused(read, tmp_path):
    with zipfile.ZipFile(tmp_path / "contacts.csv", "w") as archive:
        archive.writestr("contacts.csv", "Name\nAda\n")

    with pytest.raises(Refusal, match="a ZIP archive"):
        read(tmp_path / "contacts.csv", file=CSV)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(Refusal) as refused:
            read_upload(path, path.name, None, ReadOptions(), tmp_path / "staged", Settings())

        assert refused.value.code == "file-missing"
