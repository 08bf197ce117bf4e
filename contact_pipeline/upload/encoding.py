"""Which encoding a text file is in, and its text in blocks of whole lines. A guess is always said."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from contact_pipeline.errors import Refusal
from contact_pipeline.upload.code_pages import ASSUMED, NAMES, guess_code_page

LONGEST_LINE: Final = 16 << 20  # bytes
_BYTES_AT_A_TIME = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OF_NO_FILE: Final = {"utf-7", "punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined"}
_END_OF_FILE: Final = b"\x1a"  # on the last line of some files from DOS
_SIGNS: Final = b"\n\r,;\t|"  # that stand in every table
_NOT_CONTROL: Final = bytes(sorted({*range(256)} - {*range(32), 127} | {*b"\t\n\r\f\x1a"}))


def find_encoding(path: Path, file_name: str, declared: str | None) -> tuple[str, list[str]]:
    """The encoding to read a file in, and what had to be assumed.

    A byte order mark decides; without one, UTF-16 shows by the zero bytes beside its delimiters and line ends; else the
    file is UTF-8 if it is so to the last byte; else a code page is assumed, Windows-1252 unless that looks wrong.

    Raises:
        Refusal: the declared encoding is unknown, or the file is not in it, or in none of those (`encoding`).
    """
    if declared is not None:
        return _declared(path, file_name, _known(declared, file_name))
    with path.open("rb") as file:
        start = file.read(_BYTES_AT_A_TIME)
    for mark, name in _MARKS:
        if start.startswith(mark):
            _check(path, file_name, name)
            return name, []
    wide = _without_mark(start)
    if wide and _is_in(path, wide):
        return wide, [f"{file_name} has no byte order mark; UTF-16 was assumed, because it looks so."]
    if _is_in(path, "utf-8"):
        return "utf-8", _control_characters(path, file_name)
    return _assume_code_page(path, file_name)


def _declared(path: Path, file_name: str, name: str) -> tuple[str, list[str]]:
    if name == "utf-16":
        with path.open("rb") as file:
            start = file.read(_BYTES_AT_A_TIME)
        if not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            name = _without_mark(start) or "utf-16-le"
    _check(path, file_name, name)
    return name, []


def text_blocks(path: Path, encoding: str, size: int) -> Iterator[bytes]:
    """The file's text as UTF-8, in blocks of whole lines from about `size` bytes of it, without a byte order mark.

    The last line ends like the others. A line that is longer than any line of a table is not waited for.
    """
    rest, first = b"", True
    for data in _as_utf_8(path, encoding, size):
        text = rest + data
        if first and text:
            text, first = text.removeprefix(codecs.BOM_UTF8), False
        end = _end_of_lines(text)
        rest = text[end:]
        if end:
            yield text[:end]
        if len(rest) > LONGEST_LINE:
            break
    if rest and rest != _END_OF_FILE:
        yield rest + b"\n"


def _as_utf_8(path: Path, encoding: str, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        if encoding == "utf-8":
            while data := file.read(size):
                yield data
            return
        decoder = codecs.getincrementaldecoder(encoding)()
        while data := file.read(size):
            yield decoder.decode(data).encode()
        yield decoder.decode(b"", final=True).encode()


def _end_of_lines(text: bytes) -> int:
    """Where the last whole line ends. A carriage return at the very end may be half of a line end."""
    return (text.rfind(b"\n") + 1) or (text.rfind(b"\r", 0, len(text) - 1) + 1)


def _without_mark(start: bytes) -> str | None:
    """UTF-16 in the byte order in which nearly every delimiter and line end has a zero byte at its side."""
    if b"\0" not in start:
        return None
    for name, signs, zeros in (("utf-16-le", start[::2], start[1::2]), ("utf-16-be", start[1::2], start[::2])):
        places = [n for n, byte in enumerate(signs[: len(zeros)]) if byte in _SIGNS]
        wide = sum(zeros[n] == 0 for n in places)
        if wide and 10 * wide >= 9 * (len(places) + sum(byte in _SIGNS for byte in zeros)):
            return name
    return None


def _assume_code_page(path: Path, file_name: str) -> tuple[str, list[str]]:
    line, sample = _lines_beyond_ascii(path)
    name, looks_right = guess_code_page(sample)
    if not _is_in(path, name):
        name, looks_right = ASSUMED, False
    _check(path, file_name, name)
    shown = "If letters with accents look wrong, declare the encoding."
    if not looks_right:
        shown = "It looks wrong: declare the encoding that the file was saved in."
    warning = f"{file_name} is not UTF-8 (line {line}); {NAMES.get(name, name)} was assumed. {shown}"
    return name, [warning, *_control_characters(path, file_name)]


def _lines_beyond_ascii(path: Path, most: int = 500) -> tuple[int, bytes]:
    """The first line that is not UTF-8, and lines from there on that hold more than ASCII."""
    found: list[bytes] = []
    first = _first_defect(path, "utf-8")
    with path.open("rb") as file:
        for line in file:
            if not line.isascii():
                found.append(line[:2_000])
            if len(found) >= most:
                break
    return first, b"".join(found)


def _control_characters(path: Path, file_name: str) -> list[str]:
    """The warning that there are characters which nobody can see; they stay as they are."""
    count, read, first = 0, 0, None
    with path.open("rb") as file:
        while data := file.read(_BYTES_AT_A_TIME):
            controls = data.translate(None, _NOT_CONTROL)
            if controls and first is None:
                first = read + min(data.index(byte) for byte in {*controls})
            count += len(controls)
            read += len(data)
    if first is None:
        return []
    what = "a control character" if count == 1 else f"{count:,} control characters"
    return [f"{file_name} holds {what}, the first in line {_line_at(path, first)}; they are kept as they stand."]


def _line_at(path: Path, place: int) -> int:
    """The line that a byte stands in."""
    line = 1
    with path.open("rb") as file:
        while place and (data := file.read(min(place, _BYTES_AT_A_TIME))):
            line += data.count(b"\n")
            place -= len(data)
    return line


def _known(declared: str, file_name: str) -> str:
    name = _codec(declared)
    if name is None:
        raise Refusal(
            "encoding",
            f"'{declared}' is not an encoding.",
            "Declare one such as utf-8, utf-16, cp1252 or iso-8859-15.",
            file=file_name,
        )
    return "utf-8" if name == "utf-8-sig" else name


def _codec(declared: str) -> str | None:
    """The name that Python has for an encoding of text files; None where it is none."""
    try:
        name = codecs.lookup(declared).name
        codecs.getincrementaldecoder(name)().decode(b"", final=True)
        "".encode(name)
    except (LookupError, TypeError, AttributeError, ValueError):
        return None
    return None if name in _OF_NO_FILE else name


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
