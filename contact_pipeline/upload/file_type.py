"""The type of a file, by its first bytes; the ending of its name must agree with the content and the profile."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final, Literal

from contact_pipeline.errors import Refusal
from contact_pipeline.profiles.model import FileFormat
from contact_pipeline.settings import Settings
from contact_pipeline.upload.limits import check_file_size
from contact_pipeline.upload.workbook.limits import check_unpacked_size
from contact_pipeline.upload.workbook.package import DAMAGED, find_workbook

FileType = Literal["csv", "xlsx", "xlsb", "xls", "ods"]

_WORKBOOKS: Final = {"xlsx", "xlsm", "xlsb", "xls", "ods"}  # endings accepted by a profile for xlsx
_DELIMITED: Final = {"tsv", "tab", "txt"}  # endings accepted by a profile for csv
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_OTHERS: Final = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x1f\x8b", "a compressed file"),
    (b"7z\xbc\xaf", "a compressed file"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\0", "a database"),
    (b"\x7fELF", "a program"),
)
_WORKBOOKS_OF_PARTS: Final = {"xlsx": "an Excel workbook", "xlsb": "a binary Excel workbook (.xlsb)"}
_PARTS: Final[tuple[tuple[str, FileType | None, str], ...]] = (
    ("xl/workbook.xml", "xlsx", "an Excel workbook"),
    ("xl/workbook.bin", "xlsb", "a binary Excel workbook (.xlsb)"),
    ("word/document.xml", None, "a Word document"),
    ("content.xml", "ods", "an OpenDocument file"),
)
_BOOK: Final = "Workbook".encode("utf-16-le")
_COLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # compound file: .xls, and workbooks with a password


def find_file_type(path: Path, file_name: str, file: FileFormat | None, settings: Settings) -> FileType:
    """The type of a file, by its content; an .xlsm is an `xlsx`.

    Raises:
        Refusal: the file is missing, empty, of another type than the profile or its name says, a workbook that cannot
            be opened, or too large (`file-missing`, `file-empty`, `file-unreadable`, `file-type`,
            `workbook-unreadable`, `limit`).
    """
    start = _first_bytes(path, file_name)
    check_file_size(path, file_name, settings)
    ending = Path(file_name).suffix.lower().removeprefix(".")
    if file is not None and not _is_taken(ending, file):
        raise _other_type(file_name, file, f"{file_name} does not end in {_endings(file)}")
    found: FileType | None
    if start.startswith(b"PK"):
        found, content = _zipped(path, file_name, settings)
    elif start.startswith(_COLE):
        found, content = _compound(path, file_name)
    else:
        content = next((words for sign, words in _OTHERS if start.startswith(sign)), "text")
        found = "csv" if content == "text" else None
    if ending in _WORKBOOKS and found in {"csv", None}:
        raise Refusal(
            "workbook-unreadable",
            f"{file_name} is not an Excel workbook: its content is {content}.",
            "Open it in Excel and save it as an Excel workbook (.xlsx).",
            file=file_name,
        )
    if found is None or (file is not None and not _is_taken(found, file)):
        raise _other_type(file_name, file, f"{file_name} holds {content}")
    return found


def _first_bytes(path: Path, file_name: str) -> bytes:
    if not path.is_file():
        raise Refusal(
            "file-missing", f"There is no file {file_name}.", "Check the name and the folder.", file=file_name
        )
    try:
        with path.open("rb") as opened:
            start = opened.read(4096)
    except OSError as error:
        raise unreadable(file_name, error) from error
    if not start:
        raise Refusal("file-empty", f"{file_name} is empty.", "Send a file with a heading and rows.", file=file_name)
    return start


def unreadable(file_name: str, error: OSError) -> Refusal:
    """The refusal (`file-unreadable`) of a file that cannot be opened for reading."""
    return Refusal(
        "file-unreadable",
        f"{file_name} cannot be read: {error.strerror}.",
        "Check that the user who runs this command may read it, and send it again.",
        file=file_name,
    )


def _zipped(path: Path, file_name: str, settings: Settings) -> tuple[FileType | None, str]:
    """The type of a ZIP archive, and its content in words."""
    try:
        with zipfile.ZipFile(path) as archive:
            check_unpacked_size(archive, file_name, settings)
            found, names = find_workbook(archive), set(archive.namelist())
    except DAMAGED:
        return None, "damaged or incomplete"
    if found is not None:
        return found[0], _WORKBOOKS_OF_PARTS[found[0]]
    return next(((kind, words) for name, kind, words in _PARTS if name in names), (None, "a ZIP archive"))


def _compound(path: Path, file_name: str) -> tuple[FileType | None, str]:
    content = path.read_bytes()
    if _ENCRYPTED in content:
        raise Refusal(
            "workbook-unreadable",
            f"{file_name} is protected by a password.",
            "Remove the password in Excel (File, Info, Protect Workbook) and save it again.",
            file=file_name,
        )
    if _BOOK in content:
        return "xls", "an old Excel workbook (.xls)"
    return None, "an old Office document"


def _is_taken(kind: str, file: FileFormat) -> bool:
    return (
        kind in file.types
        or (kind in _WORKBOOKS and "xlsx" in file.types)
        or (kind in _DELIMITED and "csv" in file.types)
    )


def _endings(file: FileFormat) -> str:
    return " or ".join(f".{kind}" for kind in file.types)


def _other_type(file_name: str, file: FileFormat | None, found: str) -> Refusal:
    taken = _endings(file) if file is not None else ".csv or .xlsx"
    return Refusal(
        "file-type",
        f"{found}; {taken} is taken here.",
        f"Save it as {taken} and send it again.",
        file=file_name,
    )
