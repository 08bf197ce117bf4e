"""The proposal for each column of a draft: its field, its type, and why. It holds no cells except choices."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any, Final

import polars as pl

from contact_pipeline.headings.synonyms import words_of
from contact_pipeline.kinds.boolean import boolean
from contact_pipeline.kinds.date import without_midnight
from contact_pipeline.kinds.moment import days, have_offsets, have_times
from contact_pipeline.masking import ANY, is_label, mask
from contact_pipeline.profiles import calendar
from contact_pipeline.profiles.contradictions import is_reserved

_FORMATS: Final = (
    "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d %b %Y", "%d %B %Y",
    "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%b-%y", "%d-%b-%Y",
)  # fmt: skip
_SHAPES: Final = r"^\d{1,4}[-/. ](?:\d{1,2}|\p{L}{3,9})[-/. ]\d{2,4}$"
_MOST: Final = 0.9  # of the cells that are filled
_ENOUGH: Final = 3  # cells
_MOST_CHOICES: Final = 8
_REPEATED: Final = 3  # times that each choice stands in the file, at least
_CATEGORY: Final = r"^\p{L}[\p{L}\-/&]*(?: [\p{Ll}&/][\p{L}\-/&]*){0,3}$"  # names of people have two capitals
_OF_PEOPLE: Final = {
    "owner",
    "manager",
    "by",
    "user",
    "agent",
    "rep",
    "contact",
    "person",
    "name",
    "assigned",
    "vendor",
}
_SSN: Final = r"^\d{3}-\d{2}-\d{4}$"
_NO_NAME: Final = re.compile(r"[^a-z0-9]+")


@dataclass
class Proposal:
    """One field of a draft.

    Attributes:
        field: its name.
        headings: of the columns that fill it, in order of preference.
        columns: their raw columns.
        keys: the other keys of the column in the profile, as YAML has them.
        why: comments, a sentence each.
        own: whether the field is not canonical.
    """

    field: str
    headings: list[str]
    columns: list[str]
    keys: dict[str, Any] = attribute(default_factory=dict)
    why: list[str] = attribute(default_factory=list)
    own: bool = False

    @property
    def type(self) -> str:
        """The type of the column."""
        return str(self.keys.get("type", "text"))

    def content(self) -> dict[str, Any]:
        """The column as the profile has it."""
        more = {"headings": self.headings} if len(self.headings) > 1 else {}
        return {"field": self.field, "heading": self.headings[0], **more, **self.keys}


def own_name(heading: str, position: int, taken: Collection[str]) -> str:
    """A name for a field that only this profile has, made of its heading."""
    plain = unicodedata.normalize("NFKD", heading).casefold()
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign)).replace("ł", "l").replace("ı", "i")
    base = _NO_NAME.sub("_", bare).strip("_")[:50]
    if not base or not base[0].isalpha() or sum(map(str.isalnum, base)) * 2 < len(heading.strip()):
        base = f"column_{position}"
    base = f"own_{base}" if is_reserved(base) else base
    name, count = base, 1
    while name in taken:
        count += 1
        name = f"{base}_{count}"
    return name


def see_dates(proposal: Proposal, cells: pl.Series, *, month_first: bool, this_year: int) -> bool:
    """Gives a column the type date if nearly all of its cells are days. Returns whether it did."""
    return _see_days(proposal, without_midnight(cells.str.strip_chars()), "date", month_first, this_year)


def see_moments(proposal: Proposal, cells: pl.Series, *, month_first: bool, this_year: int) -> bool:
    """Gives a column the type moment if nearly all cells are moments, some with a time. Returns whether it did."""
    texts = cells.str.replace_all(r"\s+", " ").str.strip_chars()
    if not have_times(without_midnight(texts)).any() or not _see_days(
        proposal, days(texts), "moment", month_first, this_year
    ):
        return False
    timed = int(have_times(texts).sum())
    without = timed - int(have_offsets(texts).sum())
    if without:
        proposal.why.append(
            f"{_of(without, timed)} times say no offset from UTC: they are kept as the clock showed them, "
            "unless you say its zone (zone: Europe/Berlin)"
        )
    return True


def _see_days(proposal: Proposal, texts: pl.Series, kind: str, month_first: bool, this_year: int) -> bool:
    cells, written = texts, "days" if kind == "date" else "moments whose day is"
    known = texts.str.contains(r"^\d{4}-\d{2}-\d{2}$")
    other = texts.filter(~known)
    shaped = int(known.sum()) + int(other.str.contains(_SHAPES).sum())
    if cells.len() < _ENOUGH or shaped < _MOST * cells.len():
        return False
    if other.is_empty():
        proposal.keys["type"] = kind
        proposal.why.append(f"{_of(cells.len(), cells.len())} cells are {written} written YYYY-MM-DD")
        return True
    different = other.unique().to_frame("text")
    read = different.select(
        calendar.day(pl.col("text"), each, this_year).is_not_null().alias(each) for each in _FORMATS
    )
    counts = {each: int(read[each].sum()) for each in _FORMATS}
    most = max(counts.values())
    fitting = [each for each in _FORMATS if counts[each] == most]
    if most < _MOST * different.height:
        return False
    if len(fitting) > 1:
        fitting.sort(key=lambda each: each.startswith("%m") != month_first)
    proposal.keys["type"] = kind
    proposal.keys["formats"] = [calendar.in_words(fitting[0])]
    proposal.why.append(
        f"{most} of {different.height} different texts are {written} written {calendar.in_words(fitting[0])}"
        + (
            f"; {' and '.join(map(calendar.in_words, fitting[1:]))} fits as many: ASSUMED, please check"
            * (len(fitting) > 1)
        )
    )
    if "%y" in fitting[0]:
        proposal.keys["pivot"] = this_year
        proposal.why.append(f"two-digit years up to {this_year:02} are ASSUMED to be of this century")
    return True


def see_own(proposal: Proposal, cells: pl.Series) -> None:
    """Gives an own field its type: yes and no, a few words that repeat, or text."""
    filled = cells.len()
    answers = cells.to_frame("text").select(boolean(pl.col("text").str.strip_chars())).to_series()
    if filled >= _ENOUGH and answers.null_count() == 0 and not cells.str.contains(r"^\d+$").any():
        proposal.keys |= {"type": "boolean", "kind": "boolean"}
        proposal.why.append(f"{_of(filled, filled)} cells say yes or no")
        return
    proposal.keys["kind"] = "text"
    ssn = int(cells.str.contains(_SSN).sum())
    if is_label(proposal.headings[0]) or ssn > filled / 2:
        proposal.keys["sensitive"] = True
        proposal.why.append("masked wherever it is shown: it looks like somebody's number or day of birth")
        return
    choices = _choices(proposal.headings[0], cells)
    if choices:
        proposal.keys |= {"type": "choice", "choices": choices}
        proposal.why.append(f"{len(choices)} different values in {filled} cells; others would be rejected")


def _choices(heading: str, cells: pl.Series) -> list[str]:
    """The few words that repeat, if they are categories and not people."""
    if _OF_PEOPLE & {*words_of(heading)}:
        return []
    counts = cells.str.strip_chars().value_counts()
    values: Sequence[str] = counts[cells.name].to_list()
    if not 2 <= len(values) <= _MOST_CHOICES or counts["count"].min() < _REPEATED:  # type: ignore[operator]
        return []
    folded = {value.casefold() for value in values}
    plain = counts[cells.name].str.contains(_CATEGORY).all() and counts[cells.name].str.len_chars().max() <= 30  # type: ignore[operator]
    if not plain or len(folded) < len(values) or any(mask(value, ANY) != value for value in values):
        return []
    return sorted(values)


def _of(part: int, whole: int) -> str:
    return f"all {whole:,}" if part == whole else f"{part:,} of {whole:,}"
