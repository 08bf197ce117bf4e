"""Finds the delimiter of a text file: the declared one if the file splits by it, else the one its lines agree on."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import polars as pl

from contact_pipeline.errors import Refusal
from contact_pipeline.profiles.model import masked
from contact_pipeline.upload.heading import LOOKED_AT, find_heading, known_headings
from contact_pipeline.upload.text.records import Grammar, find_records

CANDIDATES: Final = (",", ";", "\t", "|")
_NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "space"}
_SPELLINGS: Final = {"\\t": "\t", **{name: sign for sign, name in _NAMES.items()}}
_NAME: Final = re.compile(r"[^\W\d_][\w .\-/()#*]*")
_SAMPLE: Final = 200_000  # characters
_SAMPLE_LINES: Final = 500
_SHOWN: Final = 120  # characters of a line
_DECLARATION: Final = re.compile(r'"?sep=(?P<sign>[^\r\n"]?)"?(?:\r\n|\r|\n)', re.I)


@dataclass(frozen=True)
class Layout:
    """The layout of a text.

    Attributes:
        delimiter: its delimiter.
        heading_row: row_number of the heading.
        above: how many filled rows stand above the heading.
        is_declared: whether the delimiter was declared.
    """

    delimiter: str
    heading_row: int = 1
    above: int = 0
    is_declared: bool = False


@dataclass(frozen=True)
class _Fit:
    """How the first lines of a file split by one delimiter."""

    delimiter: str
    heading: list[str]
    heading_row: int
    above: int
    records: int
    agreeing: int
    known: int

    @property
    def width(self) -> int:
        return len(self.heading)

    @property
    def share(self) -> float:
        """The share of the records that have as many values as the heading."""
        return self.agreeing / self.records if self.records else 1.0

    @property
    def rank(self) -> tuple[int, float, int]:
        """The greater, the better. Two known headings count more than any rows, which can hold lists and notes."""
        return (self.known if self.known > 1 else 0, self.share, self.width)

    @property
    def convincing(self) -> bool:
        """Whether it splits the heading into plausible names, and most records like the heading."""
        names = [name.strip().casefold() for name in self.heading]
        named = all(_NAME.fullmatch(name) for name in names) and len(set(names)) == len(names)
        return self.width > 1 and named and self.records > 0 and self.share > 0.5

    def layout(self, *, is_declared: bool = False) -> Layout:
        return Layout(self.delimiter, self.heading_row, self.above, is_declared)


def delimiter_name(delimiter: str) -> str:
    """The delimiter in words: `semicolon`, or the sign in quotes."""
    return _NAMES.get(delimiter, f"'{delimiter}'")


def take_declaration(text: str) -> tuple[str | None, str]:
    """What the first line declares as delimiter (`sep=;`, which spreadsheets neither show nor count), and the rest."""
    found = _DECLARATION.match(text)
    return (found["sign"], text[found.end() :]) if found else (None, text)


def find_layout(text: str, file_name: str, declared: str | None, known: Collection[str] = ()) -> Layout:
    """The layout of a file that begins with that text.

    Args:
        text: the beginning of the file.
        file_name: the sender's name for it.
        declared: the delimiter, where it was declared.
        known: expected headings, folded.

    The delimiter that gives the most known headings in one row is taken, if they are two or more; else the one that
    splits most rows like the heading.

    Raises:
        Refusal: the declared sign is no delimiter or does not split the file, or two fit equally well (`delimiter`).
    """
    sample = _sample(text)
    if declared is not None:
        delimiter = _known(declared, file_name)
        return _must_split(sample, delimiter, file_name, known).layout(is_declared=True)
    tried = [_try(sample, sign, known) for sign in CANDIDATES]
    fits = sorted((fit for fit in tried if fit.width > 1), key=lambda fit: fit.rank, reverse=True)
    if not fits:
        return tried[0].layout()
    best, *others = fits
    if others and best.rank == others[0].rank:
        raise ambiguous(file_name, best.delimiter, others[0].delimiter, f"both give {best.width} columns", sample)
    return best.layout()


def ambiguous(file_name: str, one: str, other: str, why: str, line: str) -> Refusal:
    """The refusal of a file that two delimiters split. Of the line, only the shape is shown."""
    return Refusal(
        "delimiter",
        f"{file_name} could be separated by {delimiter_name(one)} or by {delimiter_name(other)}: {why}, "
        f"as in this line: {masked(line.strip().splitlines()[0][:_SHOWN])}",
        "Declare the delimiter.",
        file=file_name,
        details={"candidates": [one, other]},
    )


def _sample(text: str) -> str:
    lines = text[:_SAMPLE].splitlines(keepends=True)
    if len(text) > _SAMPLE and len(lines) > 1:
        lines = lines[:-1]
    return "".join(lines[:_SAMPLE_LINES])


def _known(declared: str, file_name: str) -> str:
    sign = _SPELLINGS.get(declared.lower(), declared)
    if len(sign) != 1 or sign.isalnum() or sign in "\"\r\n\\'":
        raise Refusal(
            "delimiter",
            f"'{declared}' cannot be a delimiter.",
            "Give one sign such as , ; | or tab.",
            file=file_name,
        )
    return sign


def _try(sample: str, delimiter: str, known: Collection[str]) -> _Fit:
    grammar = Grammar(delimiter)
    # The sample's end can cut a record in two; only the records before it count.
    found = find_records(sample.encode(), grammar).records
    records = found.filter(~pl.col("text").str.contains(grammar.blank))
    if records.is_empty():
        return _Fit(delimiter, [], 1, 0, 0, 0, 0)
    first = grammar.split(records["text"].head(LOOKED_AT))
    place = find_heading(first, known)
    widths = records[place + 1 :].select(grammar.fields(pl.col("text")).list.len()).to_series()
    row, agreeing = int(records["row_number"][place]), int((widths == len(first[place])).sum())
    headings = known_headings(first[place], known)
    return _Fit(delimiter, first[place], row, place, widths.len(), agreeing, headings)


def _must_split(sample: str, delimiter: str, file_name: str, known: Collection[str]) -> _Fit:
    fit = _try(sample, delimiter, known)
    if fit.width > 1 and (fit.agreeing or not fit.records):
        return fit
    others = (_try(sample, sign, known) for sign in CANDIDATES if sign != delimiter)
    better = max((other for other in others if other.convincing), key=lambda other: other.share, default=None)
    if better is None:
        return fit
    found = "one column" if fit.width == 1 else f"{fit.width} columns, but none of the rows looked at"
    raise Refusal(
        "delimiter",
        f"{file_name} does not split by {delimiter_name(delimiter)}: that gives its heading {found}. It seems to be "
        f"separated by {delimiter_name(better.delimiter)}, which gives {better.width} columns.",
        f"Choose {delimiter_name(better.delimiter)}, or save the file separated by {delimiter_name(delimiter)}.",
        file=file_name,
        details={"delimiter": delimiter, "seen": better.delimiter, "columns": better.width},
    )
