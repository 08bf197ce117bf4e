"""Finds the encoding of a text file, and reads its text in blocks of whole lines. Guesses become warnings or doubts."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from contact_pipeline.errors import Refusal
from contact_pipeline.upload.raw import Doubt
from contact_pipeline.upload.text.code_pages import NAMES, Reading, compare_readings, reads_better
from contact_pipeline.upload.text.letters import words_of
from contact_pipeline.upload.text.sample import Sample, take_sample

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
_SIGNS: Final = ",;\t|"  # nearly every table has one of them
_LOOKED_AT: Final = 20_000  # characters
_NEVER_WRITTEN: Final = frozenset({"Cc", "Cn", "Co", "Cs"})
_WRITTEN: Final = frozenset("\t\n\r\x1a")
_LINES_COMPARED: Final = 200
_FEWEST_TWICE: Final = 100  # if one word in so many is encoded twice, it is no accident
_READ_BY_MISTAKE: Final = (
    *("cp1252", "latin-1", "cp1250", "cp1251", "cp1254", "cp1253", "cp1257"),
    *("mac-roman", "cp850", "cp437"),
)
_NOT_CONTROL: Final = bytes(sorted({*range(256)} - {*range(32), 127} | {*b"\t\n\r\f\x1a"}))


@dataclass(frozen=True)
class Found:
    """The encoding to read a file in.

    Attributes:
        name: Python's name.
        warnings: assumptions, in sentences.
        doubt: why a person should check the text.
    """

    name: str
    warnings: list[str] = field(default_factory=list)
    doubt: Doubt | None = None


def find_encoding(path: Path, file_name: str, declared: str | None, known: Collection[str] = ()) -> Found:
    """The encoding to read a file in, with assumptions and doubts.

    A byte order mark decides. Without one, zero bytes beside ASCII characters show UTF-16; else the file is UTF-8 if
    all of it is valid UTF-8; else it is read in every code page, and the best reading counts.

    Args:
        path: the file.
        file_name: the sender's name for it.
        declared: the encoding, where it was declared: then nothing is doubtful.
        known: expected headings, folded.

    Raises:
        Refusal: the declared encoding is unknown, or the file is not in it, or in none of those (`encoding`).
    """
    if declared is not None:
        return Found(_declared(path, file_name, _known(declared, file_name)))
    with path.open("rb") as file:
        start = file.read(_BYTES_AT_A_TIME)
    for mark, name in _MARKS:
        if start.startswith(mark):
            _check(path, file_name, name)
            sample = take_sample(path) if name == "utf-8" else Sample(is_utf_8=False)
            return Found(name, [], _twice_encoded(sample, file_name))
    wide = _without_mark(start)
    if wide and _is_in(path, wide):
        return Found(wide, [f"{file_name} has no byte order mark; UTF-16 was assumed, because it looks so."])
    sample = take_sample(path)
    warnings = _control_characters(path, file_name)
    if sample.is_utf_8:
        return Found("utf-8", warnings, _twice_encoded(sample, file_name))
    found = _best_code_page(path, file_name, sample, known)
    return Found(found.name, [*found.warnings, *warnings], found.doubt)


def _declared(path: Path, file_name: str, name: str) -> str:
    if name == "utf-16":
        with path.open("rb") as file:
            start = file.read(_BYTES_AT_A_TIME)
        if not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            name = _without_mark(start) or "utf-16-le"
    _check(path, file_name, name)
    return name


def text_blocks(path: Path, encoding: str, size: int) -> Iterator[bytes]:
    """The file's text as UTF-8, in blocks of whole lines from about `size` bytes of it, without a byte order mark.

    The last line gets a line end like the others. Reading stops within a line that is longer than any line of a table.
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
    """UTF-16 in the byte order that gives lines, few control characters, and the most ASCII characters; else None."""
    if b"\0" not in start:
        return None
    found = {name: _ascii_characters(start, name) for name in ("utf-16-le", "utf-16-be")}
    name = max(found, key=lambda name: found[name])
    return name if found[name] else None


def _ascii_characters(start: bytes, name: str) -> int:
    """The number of ASCII characters in this byte order; 0 if the text is implausible."""
    text = start[: len(start) // 2 * 2].decode(name, "ignore")
    few = sum(sign.isascii() for sign in text)
    odd = sum(unicodedata.category(sign) in _NEVER_WRITTEN and sign not in _WRITTEN for sign in text[:_LOOKED_AT])
    is_table = any(end in text for end in "\n\r") and any(sign in text for sign in _SIGNS)
    meant = is_table and 50 * odd <= len(text[:_LOOKED_AT]) and 2 * few >= start.count(0)
    return few if meant else 0


def _best_code_page(path: Path, file_name: str, sample: Sample, known: Collection[str]) -> Found:
    lines = [*sample.others, *sample.utf_8]
    readings = compare_readings(lines, sample.start, known)
    pages = ((n, page.name) for n, reading in enumerate(readings) for page in reading.pages)
    place, name = next(((n, page) for n, page in pages if _is_in(path, page)), (None, ""))
    if place is None:
        raise _in_no_encoding(path, file_name)
    best, others = readings[place], [*readings[:place], *readings[place + 1 :]]
    doubt = _partly_utf_8(sample, name, file_name) or _doubtful(best, others, file_name)
    line = _first_defect(path, "utf-8")
    shown = "It looks wrong: declare the encoding that the file was saved in."
    if doubt is None:
        shown = "If letters with accents look wrong, declare the encoding."
    elif best.is_plausible:
        shown = "It could be another: declare the encoding that the file was saved in."
    return Found(name, [f"{file_name} is not UTF-8 (line {line}); {NAMES[name]} was assumed. {shown}"], doubt)


def _doubtful(best: Reading, others: Sequence[Reading], file_name: str) -> Doubt | None:
    """The doubt where another reading comes near, or the best one looks wrong."""
    near = [other for other in others if not best.is_clear([other])]
    if near:
        names = " or ".join(reading.page.title for reading in (best, *near[:2]))
        message = f"{file_name} could be in {names}: its letters do not tell."
    elif not best.is_plausible:
        message = f"{file_name} looks wrong in every encoding that was tried, least so in {best.page.title}."
    else:
        return None
    readings = [best, *(near or others)][:3]
    return Doubt(message, _differing([reading.words for reading in readings]))


def _differing(readings: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Each word in all readings, the chosen reading first; only words that differ."""
    if any(len(words) != len(readings[0]) for words in readings):  # the readings split into different words
        readings = readings[:1]
    alike = (tuple(dict.fromkeys(words)) for words in zip(*readings, strict=True))
    return [words for words in alike if len(words) > 1 or len(readings) == 1]


def _partly_utf_8(sample: Sample, name: str, file_name: str) -> Doubt | None:
    """The doubt where lines of UTF-8 stand among other lines, and read better as UTF-8."""
    found = []
    for line in sample.utf_8[:_LINES_COMPARED]:
        as_page = line.decode(name, "replace")
        if reads_better(line.decode(), as_page):
            found += list(zip(words_of(as_page), words_of(line.decode()), strict=False))
    message = f"{file_name} is partly UTF-8 and partly in another encoding, such as {NAMES[name]}."
    return Doubt(message, list(dict.fromkeys(found))) if found else None


def _twice_encoded(sample: Sample, file_name: str) -> Doubt | None:
    """The doubt where UTF-8 was read as a code page and saved as UTF-8 again."""
    words = list(dict.fromkeys(word for line in sample.utf_8 for word in words_of(line.decode())))
    found: list[tuple[str, ...]] = [(word, meant) for word in words if (meant := _encoded_once(word))]
    if _FEWEST_TWICE * len(found) < len(words) or not found:
        return None
    return Doubt(f"{file_name} was encoded in UTF-8 twice: letters stand as two or more signs.", found)


def _encoded_once(word: str) -> str | None:
    """The word before it was read in a code page and encoded again; None if that did not happen."""
    for page in _READ_BY_MISTAKE:
        try:
            meant = b"".join(_byte_of(sign, page) for sign in word).decode()
        except UnicodeError:
            continue
        if not meant.isascii() and reads_better(meant, word):
            return meant
    return None


def _byte_of(sign: str, page: str) -> bytes:
    """The bytes of a sign in a page. Programs keep a byte without a sign as a control character."""
    try:
        return sign.encode(page)
    except UnicodeEncodeError:
        if "\x80" <= sign <= "\x9f":
            return sign.encode("latin-1")
        raise


def _in_no_encoding(path: Path, file_name: str) -> Refusal:
    return Refusal(
        "encoding",
        f"{file_name} is in no encoding that was tried; line {_first_defect(path, 'utf-8')} is not UTF-8.",
        "Declare the encoding that the file was saved in, or save it again as CSV UTF-8.",
        file=file_name,
    )


def _control_characters(path: Path, file_name: str) -> list[str]:
    """The warning about control characters, which are invisible, and are taken out of values."""
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
    where = f"the first in line {_line_at(path, first)}"
    return [f"{file_name} holds {what}, {where}; values are stored without, which is listed as a repair."]


def _line_at(path: Path, place: int) -> int:
    """The line of a byte."""
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
