"""Which delimiter a text file has: the declared one if the file splits by it, else the one that its lines agree on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import polars as pl

from contact_pipeline.errors import Refusal
from contact_pipeline.upload.records import Grammar, UnclosedQuote, find_records, join_lines

CANDIDATES: Final = (",", ";", "\t", "|")
_NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "space"}
_SPELLINGS: Final = {"\\t": "\t", **{name: sign for sign, name in _NAMES.items()}}
_NAME: Final = re.compile(r"[^\W\d_][\w .\-/()#*]*")
_SAMPLE: Final = 200_000  # characters
_SAMPLE_LINES: Final = 500


@dataclass(frozen=True)
class _Fit:
    """How the first lines of a file split by one delimiter."""

    delimiter: str
    heading: list[str]
    records: int
    agreeing: int

    @property
    def width(self) -> int:
        return len(self.heading)

    @property
    def share(self) -> float:
        """How many of the records have as many values as the heading."""
        return self.agreeing / self.records if self.records else 1.0

    @property
    def convincing(self) -> bool:
        """Whether it splits the heading into names that could be meant, and most records like it."""
        names = [name.strip().casefold() for name in self.heading]
        named = all(_NAME.fullmatch(name) for name in names) and len(set(names)) == len(names)
        return self.width > 1 and named and self.records > 0 and self.share > 0.5


def delimiter_name(delimiter: str) -> str:
    """The delimiter in words: `semicolon`, or the sign in quotes."""
    return _NAMES.get(delimiter, f"'{delimiter}'")


def find_delimiter(text: str, file_name: str, declared: str | None) -> str:
    """The delimiter of a file that begins with that text.

    Raises:
        Refusal: the declared one is none, the file does not split by it, or two fit equally well (`delimiter`).
    """
    sample = _sample(text)
    if declared is not None:
        delimiter = _known(declared, file_name)
        _must_split(sample, delimiter, file_name)
        return delimiter
    fits = sorted(
        (fit for fit in (_try(sample, sign) for sign in CANDIDATES) if fit.width > 1),
        key=lambda fit: (fit.share, fit.width),
        reverse=True,
    )
    if not fits:
        return ","
    if len(fits) > 1 and (fits[0].share, fits[0].width) == (fits[1].share, fits[1].width):
        one, other = (delimiter_name(fit.delimiter) for fit in fits[:2])
        raise Refusal(
            "delimiter",
            f"{file_name} could be separated by {one} or by {other}: both give {fits[0].width} columns.",
            "Declare the delimiter.",
            file=file_name,
            details={"candidates": [fit.delimiter for fit in fits[:2]]},
        )
    return fits[0].delimiter


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


def _try(sample: str, delimiter: str) -> _Fit:
    grammar = Grammar(delimiter)
    widths: list[int] = []
    heading: list[str] = []
    try:
        for lines in find_records([sample], grammar):
            records = join_lines(lines.filter(~lines["text"].str.contains(grammar.blank)))
            widths += records.select(grammar.fields(pl.col("text")).list.len()).to_series().to_list()
            heading = heading or (grammar.split(records["text"][0]) if records.height else [])
    except UnclosedQuote:
        pass  # the sample's end can cut a record in two; what was read before it counts
    return _Fit(delimiter, heading, len(widths[1:]), sum(width == len(heading) for width in widths[1:]))


def _must_split(sample: str, delimiter: str, file_name: str) -> None:
    fit = _try(sample, delimiter)
    if fit.width > 1 and (fit.agreeing or not fit.records):
        return
    others = (_try(sample, sign) for sign in CANDIDATES if sign != delimiter)
    better = max((other for other in others if other.convincing), key=lambda other: other.share, default=None)
    if better is None:
        return
    seen = "one column" if fit.width == 1 else f"{fit.width} columns, but none of the rows looked at"
    raise Refusal(
        "delimiter",
        f"{file_name} does not split by {delimiter_name(delimiter)}: that gives its heading {seen}. It seems to be "
        f"separated by {delimiter_name(better.delimiter)}, which gives {better.width} columns.",
        f"Choose {delimiter_name(better.delimiter)}, or save the file separated by {delimiter_name(delimiter)}.",
        file=file_name,
        details={"delimiter": delimiter, "seen": better.delimiter, "columns": better.width},
    )
