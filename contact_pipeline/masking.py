"""Masking: recognizes what looks like a social security number or a date of birth in any text, and hides it.

One set of patterns serves Python, Polars and DuckDB, and uses only what all three have. Without lookbehind, a boundary
is a character that the match includes, so patterns with a boundary on both sides are applied twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import polars as pl

_HIDDEN: Final = r"[^\W_]"  # every letter and digit
_HIDDEN_SQL: Final = r"[\p{L}\p{N}]"

_SIGNS: Final = "[ ._/\u00a0\u2000-\u2015\u202f\u2212\uff0d-]"  # between the groups of a number: "-", ".", " – "
_GAP: Final = f"{_SIGNS}{{1,3}}"
_YEAR: Final = r"(?:1[89]|20)\d\d"
_DAY: Final = r"(?:[12]\d|3[01]|0?[1-9])"  # or month
_MONTH: Final = (
    "(?:jan|ene|gen|feb|fev|fév|mar|mär|mrz|apr|abr|avr|may|mai|mag|jun|jui|giu|jul|lug|aug|ago|aoû|sep|set|oct|okt"
    r"|out|ott|nov|dec|dez|dic|déc)[^\W\d_]*\.?"
)
_OF: Final = r"(?:[-/_.,\s]{0,2}|\s(?:of|de|del)\s)"
_DATES: Final = (
    rf"{_YEAR}{_SIGNS}(?:{_DAY}|{_MONTH}){_SIGNS}{_DAY}(?:[T ]\d\d:\d\d[:.\d]*Z?)?",  # 1984-04-17, with a time or not
    rf"{_DAY}{_SIGNS}{_DAY}{_SIGNS}(?:{_YEAR}|\d\d)(?:,? \d\d:\d\d[:\d]*)?",  # 04/17/1984, 17.4.84
    rf"{_DAY}(?:st|nd|rd|th)?{_OF}{_MONTH}{_OF}(?:{_YEAR}|\d\d)",  # 17 April 1984
    rf"{_MONTH}[-/_.,\s]{{0,2}}{_DAY}(?:st|nd|rd|th)?[-/_.,\s]{{1,2}}(?:{_YEAR}|\d\d)",  # April 17, 1984
)
_DATE: Final = f"(?:{'|'.join(_DATES)})"
_TWO: Final = r"(?:0[1-9]|[12]\d|3[01])"
_EIGHT_DIGITS: Final = rf"(?:{_YEAR}{_TWO}{_TWO}|{_TWO}{_TWO}{_YEAR})"  # 19840417, 04171984
_BIRTH: Final = (
    r"(?:birth|(?:\b|_)born(?:\b|_)|\bb-?day|\bd\.?o\.?b(?:\b|_)|_dob(?:\b|_)|geburt|geboren|\bgeb\.|nascid|nascimento"
    r"|naissance|\bnée? le\b|nacid|nacimiento|nascita|nat[oa] il\b|födel|urodz)"
)
_SSN: Final = r"(?:ssn|\bss ?#|soc(?:ial|\.)?[ _-]{0,2}sec(?:urity|\.)?|tax(?:payer)?[ _-]?id)"

_INVISIBLE: Final = "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]"  # may hide within a number

# (pattern, replacement): $1 and so on stand for the groups of a match.
_GROUPS: Final = (rf"(^|\D)\d{{3}}({_GAP})\d\d({_GAP})\d{{4}}($|\D)", "$1***$2**$3****$4")
_TOLD: Final = (
    (rf"(\d){_INVISIBLE}+", "$1"),
    (rf"{_INVISIBLE}+(\d)", "$1"),
    _GROUPS,
    _GROUPS,
    (rf"(?i)({_SSN}[^\d\n]{{0,30}})\d(?:{_SIGNS}{{0,3}}\d){{8}}($|\D)", "$1***-**-****$2"),
    (rf"(?i)({_BIRTH}[^\d\n]{{0,30}}?)(?:{_DATE}|{_EIGHT_DIGITS})", "$1**/**/****"),
    (rf"(?i)(^|[\W_])(?:{_DATE}|{_EIGHT_DIGITS})([^\d\n]{{0,12}}{_BIRTH})", "$1**/**/****$2"),
)
_NUMBERS: Final = ((r"(^|[^\w+]|_)\d{9}($|[^\w@]|_)", "$1*********$2"),) * 2
_ANY_DATES: Final = ((rf"(?i)(^|[\W_]){_DATE}($|\D)", "$1**/**/****$2"),) * 2
_ALONE: Final = rf"(?i)^\s*(?:{_DATE}|{_EIGHT_DIGITS})\s*$"
_WORTH_A_LOOK: Final = rf"(?i)\d{{3}}{_GAP}\d\d{_SIGNS}|{_SSN}|{_BIRTH}|\d{_INVISIBLE}|{_INVISIBLE}\d"
_SOME_DIGITS: Final = r"\d\D*\d\D*\d"
_LONG_NUMBER: Final = r"\d[\d\-/ ().]{5,}\d"
_FEW: Final = 500  # texts


@dataclass(frozen=True, slots=True)
class Looks:
    """What counts as sensitive in a text, beside numbers written as 123-45-6789 and values by a label.

    Attributes:
        numbers: whether nine digits by themselves are a social security number.
        dates: which dates count as a date of birth: those by a label, also those that are the whole text, or any.
    """

    numbers: bool = False
    dates: Literal["labelled", "alone", "any"] = "labelled"


TOLD: Final = Looks()  # only what its form or a label tells; for any text
ALONE: Final = Looks(numbers=True, dates="alone")  # in a cell that should hold neither
ANY: Final = Looks(numbers=True, dates="any")  # in a text that quotes cells of unknown columns


def mask(text: str, looks: Looks = TOLD) -> str:
    """The text with everything that looks sensitive hidden."""
    if not _compiled(_SOME_DIGITS).search(text):
        return text
    if looks.dates == "alone" and _compiled(_ALONE).search(_compiled(_INVISIBLE).sub("", text)):
        return hide(text)
    if looks.dates != "any" and not _compiled(_suspect(looks)).search(text):
        return text
    for pattern, instead in _patterns(looks):
        text = _compiled(pattern).sub(re.sub(r"\$(\d)", r"\\g<\1>", instead), text)
    return text


def mask_within(content: Any, looks: Looks = TOLD) -> Any:
    """The same content with every text in its lists and mappings masked, names included."""
    match content:
        case str():
            return mask(content, looks)
        case Mapping():
            return {mask_within(name, looks): mask_within(value, looks) for name, value in content.items()}
        case list() | tuple():
            return [mask_within(part, looks) for part in content]
        case _:
            return content


def mask_value(value: Any, looks: Looks | None) -> Any:
    """A field's value, a text or list of texts, as it may be shown; looks None: all of it is hidden."""
    match value:
        case str():
            return hide(value) if looks is None else mask(value, looks)
        case list():
            return [mask_value(part, looks) for part in value]
        case _:
            return value


def mask_heading(heading: str) -> str:
    """A heading, or a message that quotes one, with long numbers hidden: a file may begin with a row of data."""
    return re.sub(_LONG_NUMBER, lambda number: hide(number[0]), mask(heading, ANY))


def mask_file_name(name: str, looks: Looks = TOLD) -> str:
    """The name of a file with what looks sensitive replaced by x, as not every file system allows an asterisk."""
    shown = mask(name, looks)
    return name if shown == name else shown.replace("*", "x")


def mask_column(value: pl.Expr, looks: Looks | None) -> pl.Expr:
    """The Polars expression for a column of texts as `mask` shows them; looks None: all is hidden."""
    import polars as pl

    if looks is None:
        return hide_column(value)
    return value.map_batches(partial(_mask_series, looks=looks), return_dtype=pl.String, is_elementwise=True)


def _mask_series(values: pl.Series, looks: Looks) -> pl.Series:
    """A column's texts as `mask` shows them. A few texts are masked in Python: compiling takes Polars 10 ms."""
    import polars as pl

    texts = values.cast(pl.String)
    if len(texts) > _FEW:
        places = texts.to_frame("value").select(_may_be_masked(pl.col("value"), looks).arg_true()).to_series()
    else:
        places = texts.is_not_null().arg_true()
    found = texts.gather(places)
    if len(found) > _FEW:
        shown = found.to_frame("value").select(_mask_expr(pl.col("value"), looks)).to_series()
    else:
        shown = pl.Series([mask(text, looks) for text in found], dtype=pl.String)
    return texts.clone().scatter(places, shown) if len(found) else texts


def _may_be_masked(value: pl.Expr, looks: Looks) -> pl.Expr:
    """Whether a text may need masking: a quick test that excludes most texts."""
    some = value.str.contains(_SOME_DIGITS)
    if looks.dates == "any":
        return some
    told = value.str.contains(_suspect(looks))
    if looks.dates == "alone":
        told |= value.str.replace_all(_INVISIBLE, "").str.contains(_ALONE)
    return some & told


def _mask_expr(value: pl.Expr, looks: Looks) -> pl.Expr:
    import polars as pl

    shown = value
    for pattern, instead in _patterns(looks):
        replacement = re.sub(r"\$(\d)", r"$${\1}", instead).replace("$$", "$")
        shown = shown.str.replace_all(pattern, replacement)
    if looks.dates == "alone":
        shown = (
            pl.when(value.str.replace_all(_INVISIBLE, "").str.contains(_ALONE))
            .then(hide_column(value))
            .otherwise(shown)
        )
    return shown


def mask_sql(value: str, looks: Looks | None) -> str:
    """The SQL expression for a text as `mask` shows it; looks None: all is hidden."""
    if looks is None:
        return hide_sql(value)
    shown = value
    for pattern, instead in _patterns(looks):
        replacement = re.sub(r"\$(\d)", r"\\\1", instead)
        shown = f"regexp_replace({shown}, {_literal(_sql(pattern))}, {_literal(replacement)}, 'g')"
    if looks.dates == "any":
        return shown
    bare = f"regexp_replace({value}, {_literal(_INVISIBLE)}, '', 'g')"
    hidden = f"WHEN {_matches(bare, _ALONE)} THEN {hide_sql(value)}" if looks.dates == "alone" else ""
    return f"CASE {hidden} WHEN {_matches(value, _suspect(looks))} THEN {shown} ELSE {value} END"


def hide(text: str) -> str:
    """The text with every letter and digit hidden, so that only its shape shows."""
    return _compiled(_HIDDEN).sub("*", text)


def hide_column(value: pl.Expr) -> pl.Expr:
    """The Polars expression for what `hide` shows."""
    return value.str.replace_all(_HIDDEN_SQL, "*")


def hide_sql(value: str) -> str:
    """The SQL expression for what `hide` shows."""
    return f"regexp_replace({value}, {_literal(_HIDDEN_SQL)}, '*', 'g')"


def is_label(heading: str) -> bool:
    """Whether a heading is a label of social security numbers or dates of birth."""
    return bool(_compiled(rf"(?i){_SSN}|{_BIRTH}").search(heading))


@cache
def _patterns(looks: Looks) -> tuple[tuple[str, str], ...]:
    more = _NUMBERS if looks.numbers else ()
    return (*_TOLD, *more, *(_ANY_DATES if looks.dates == "any" else ()))


def _suspect(looks: Looks) -> str:
    """A quick pattern: if it does not match, no other pattern does."""
    return rf"{_WORTH_A_LOOK}|\d{{9}}" if looks.numbers else _WORTH_A_LOOK


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _sql(pattern: str) -> str:
    """The pattern for RE2, in which the classes of digits know ASCII only."""
    return pattern.replace(r"\D", r"\PN").replace(r"[^\d", r"[^\pN").replace(r"\d", r"\pN")


def _matches(value: str, pattern: str) -> str:
    return f"regexp_matches({value}, {_literal(_sql(pattern))})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
