"""Which encoding a text file is in, and its text in blocks of whole lines. A guess is always said."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from contact_pipeline.errors import Refusal

ASSUMED: Final = "cp1252"
_BYTES_AT_A_TIME = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def find_encoding(path: Path, file_name: str, declared: str | None) -> tuple[str, list[str]]:
    """The encoding to read a file in, and what had to be assumed.

    A byte order mark decides; else the file is UTF-8 if it is so to the last byte, else Windows-1252 is assumed.

    Raises:
        Refusal: the declared encoding is unknown, or the file is not in it, or in none of those (`encoding`).
    """
    if declared is not None:
        name = _known(declared, file_name)
        _check(path, file_name, name)
        return name, []
    with path.open("rb") as file:
        start = file.read(4)
    for mark, name in _MARKS:
        if start.startswith(mark):
            _check(path, file_name, name)
            return name, []
    if _is_in(path, "utf-8"):
        return "utf-8", []
    _check(path, file_name, ASSUMED)
    line = _first_defect(path, "utf-8")
    warning = (
        f"{file_name} is not UTF-8 (line {line}); Windows-1252 was assumed. "
        "If letters with accents look wrong, declare the encoding."
    )
    return ASSUMED, [warning]


def text_blocks(path: Path, encoding: str, size: int) -> Iterator[str]:
    """The file's text in blocks of about `size` bytes, each of whole lines, without a byte order mark."""
    rest, first = "", True
    with path.open("rb") as file:
        decoder = codecs.getincrementaldecoder(encoding)()
        while data := file.read(size):
            text = rest + decoder.decode(data)
            if first and text:
                text, first = text.removeprefix("\ufeff"), False
            end = _end_of_lines(text)
            rest = text[end:]
            if end:
                yield text[:end]
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest


def _end_of_lines(text: str) -> int:
    """Where the last whole line ends. A carriage return at the very end may be half of a line end."""
    return (text.rfind("\n") + 1) or (text.rfind("\r", 0, len(text) - 1) + 1)


def _known(declared: str, file_name: str) -> str:
    try:
        codec = codecs.lookup(declared)
        codecs.getincrementaldecoder(codec.name)().decode(b"", final=True)
        "".encode(codec.name)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise Refusal(
            "encoding",
            f"'{declared}' is not an encoding.",
            "Declare one such as utf-8, utf-16, cp1252 or iso-8859-15.",
            file=file_name,
        ) from error
    return "utf-8" if codec.name in {"utf-8", "utf-8-sig"} else codec.name


def _check(path: Path, file_name: str, encoding: str) -> None:
    if not _is_in(path, encoding):
        line = _first_defect(path, encoding)
        raise Refusal(
            "encoding",
            f"{file_name} cannot be read as {encoding}: line {line} holds bytes that are no characters in it.",
            "Declare the encoding that the file was saved in, or save it again as CSV UTF-8.",
            file=file_name,
            details={"line_number": line, "encoding": encoding},
        )


def _is_in(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while data := file.read(_BYTES_AT_A_TIME):
                decoder.decode(data)
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True


def _first_defect(path: Path, encoding: str) -> int:
    """The line of the first byte that is not of that encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    with path.open("rb") as file:
        while data := file.read(_BYTES_AT_A_TIME):
            try:
                lines += decoder.decode(data).count("\n")
            except UnicodeError as error:
                good = error.object[: error.start] if isinstance(error, UnicodeDecodeError) else b""
                return lines + good.decode(encoding, "ignore").count("\n")
    return lines
