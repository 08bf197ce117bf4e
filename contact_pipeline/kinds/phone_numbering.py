"""The world's telephone numbering plans, as libphonenumber describes them (ITU-T E.164), and its verdict on one number.

A regular expression made from its metadata settles nearly every number; what it leaves open, the library decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

import phonenumbers
import polars as pl
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

from contact_pipeline.kinds.distinct import fill_where

_TYPES: Final = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan",
    "voicemail",
)  # fmt: skip
_NOT_GEOGRAPHIC: Final = "001"
_EXTENSION: Final = "(?:;ext=[0-9]{1,7})?"
_EXTENSION_WORD: Final = re.compile(r"(?i)\b(?:ramal|poste)\b")
_ABROAD: Final = r"[ (]*(?:[+＋]|00|011)[ ().\-]*"  # dialled before a calling code
_ZEROS: Final = re.compile(r"[ (]*00[ ).\-]*(?=\(?[1-9])")
_NEVER: Final = "^!"  # no number begins so
_SHAPE: Final = rf"^\+[1-9][0-9]*{_EXTENSION}$"

_Judge = Callable[[pl.Expr, pl.Expr], pl.Expr]  # is a valid number, has an open start → verdict


@dataclass(frozen=True, slots=True)
class Plan:
    """How numbers are dialled inside one region; the patterns fit Polars, that is, Rust's regular expressions.

    Attributes:
        calling_code: digits of the country calling code.
        national: pattern of a whole national number.
        international_prefix: pattern of the digits dialled before a calling code.
        plain_international_prefix: the digits themselves, if they are always the same.
        trunk_prefix: digits dialled before a national number, if they can mean nothing else.
        starts_otherwise: pattern of digits at whose start a prefix may be taken off.
    """

    calling_code: str
    national: str
    international_prefix: str
    plain_international_prefix: str | None
    trunk_prefix: str | None
    starts_otherwise: str


@cache
def plan_of(region: str) -> Plan | None:
    """The dialling plan of a region (ISO 3166-1 alpha-2), or None where there is none."""
    metadata = PhoneMetadata.metadata_for_region(region, None)
    national = metadata.general_desc.national_number_pattern if metadata and metadata.general_desc else None
    if metadata is None or national is None:
        return None
    abroad = metadata.international_prefix or ""
    return Plan(
        calling_code=str(metadata.country_code),
        national=f"^(?:{_for_polars(national)})$",
        international_prefix=f"^(?:{_for_polars(abroad)})" if abroad else _NEVER,
        plain_international_prefix=abroad if abroad.isdigit() else None,
        trunk_prefix=_plain_trunk_prefix(metadata.national_prefix, metadata.national_prefix_for_parsing),
        starts_otherwise=_starts_otherwise(metadata),
    )


def is_certain(number: pl.Expr, region: str | None = None) -> pl.Expr:
    """Whether text such as `+12025550143` or `+12025550143;ext=12` is a valid number, in E.164, beyond doubt.

    False means that the library must be asked.

    Args:
        number: the texts.
        region: of most of them, which is faster; None: anywhere.
    """
    home = plan_of(region) if region else None

    def certain(values: pl.Series) -> pl.Series:
        if home is None:
            return _judged(values, _beyond_doubt)
        found = _of_code(values, home.calling_code, _beyond_doubt)
        abroad = ~found & ~values.str.starts_with(f"+{home.calling_code}")
        return fill_where(found, abroad, values, lambda some: _judged(some, _beyond_doubt))

    return number.map_batches(certain, return_dtype=pl.Boolean)


def is_wrong(number: pl.Expr) -> pl.Expr:
    """Whether text such as `+12025550143` or `+12025550143;ext=12` is beyond doubt no valid number."""
    may_be = number.map_batches(lambda values: _judged(values, _possible), return_dtype=pl.Boolean)
    return number.str.contains(_SHAPE) & ~may_be


@cache
def split_calling_code() -> str:
    """Pattern of text with a separator within what would be read as its calling code: `+8 495 123 45 67`.

    Its writer meant something else, such as the 8 that Russians dial before national and foreign numbers.
    """
    codes = {str(code) for code in COUNTRY_CODE_TO_REGION_CODE}
    starts = sorted({code[:length] for code in codes for length in (1, 2)} - codes)
    return rf"^{_ABROAD}(?:{'|'.join(starts)})[^0-9]"


def verdict(text: str, region: str | None) -> str | None:
    """The library's reading of one number: E.164 with `;ext=`, or None where it is not a valid number.

    Two more spellings are read: an extension after `ramal` or `poste`, and `00` for the plus where the number is not
    valid otherwise (ITU-T E.123: nearly everywhere it is the international prefix, and no national number begins so).
    A number whose calling code is written in two pieces is not valid.

    Args:
        text: the number as given.
        region: where a national number belongs; None: only international numbers are read.
    """
    text = _EXTENSION_WORD.sub("ext", text)
    number = _read(text, region) or (_read(_ZEROS.sub("+", text), None) if _ZEROS.match(text) else None)
    return None if number and _is_misread(text, number) else number


def _is_misread(text: str, number: str) -> bool:
    """Whether the number's calling code was put together of two pieces of the text."""
    if not re.match(split_calling_code(), text):
        return False
    digits = re.sub(r"\D", "", re.sub(f"^{_ABROAD}", "", text))
    return number.startswith(f"+{digits[:3]}")  # otherwise the library did not read the zeros as a prefix


def _read(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{e164};ext={number.extension}" if number.extension else e164


def _beyond_doubt(valid: pl.Expr, is_open: pl.Expr) -> pl.Expr:
    return valid & ~is_open


def _possible(valid: pl.Expr, is_open: pl.Expr) -> pl.Expr:
    return valid | is_open


def _judged(values: pl.Series, judge: _Judge) -> pl.Series:
    """The verdicts of `judge` on the texts, by calling code; false where a text has no calling code."""
    codes = values.str.extract(rf"^\+({calling_codes()})")
    judged = values.str.starts_with("+") & False
    for code in codes.drop_nulls().unique():
        judged = fill_where(judged, codes == code, values, partial(_of_code, code=code, judge=judge))
    return judged


def _of_code(values: pl.Series, code: str, judge: _Judge) -> pl.Series:
    number, valid, starts = pl.col("number"), _valid_numbers(int(code)), _open_starts(int(code))
    return values.to_frame("number").select(judge(number.str.contains(valid), number.str.contains(starts))).to_series()


@cache
def calling_codes() -> str:
    """The calling codes as alternatives of a pattern; none is the start of another."""
    return "|".join(map(str, COUNTRY_CODE_TO_REGION_CODE))


@cache
def _valid_numbers(code: int) -> str:
    """E.164 text whose national number has a number type in some region of the calling code."""
    regions = COUNTRY_CODE_TO_REGION_CODE[code]
    patterns = dict.fromkeys(pattern for region in regions for pattern in _patterns(code, region))
    return f"^\\+{code}(?:{_for_polars('|'.join(patterns))}){_EXTENSION}$"


def _patterns(code: int, region: str) -> list[str]:
    metadata = _metadata(code, region)
    descriptions = [getattr(metadata, kind) for kind in _TYPES]
    return [d.national_number_pattern for d in descriptions if d is not None and d.national_number_pattern]


@cache
def _open_starts(code: int) -> str:
    """Starts of E.164 text where a valid national number may still be read otherwise.

    Digits that look like a trunk prefix may be taken off; digits that belong to one region of a shared calling code
    make that region alone decide.
    """
    regions = COUNTRY_CODE_TO_REGION_CODE[code]
    main = _metadata(code, regions[0])
    if main.leading_digits:
        return f"^\\+{code}"
    digits = [_metadata(code, region).leading_digits for region in regions]
    known = [start for start in (main.national_prefix_for_parsing, *digits) if start]
    return f"^\\+{code}(?:{_for_polars('|'.join(known))})" if known else _NEVER


def _metadata(code: int, region: str) -> PhoneMetadata:
    """The metadata of a region that the library itself lists."""
    if region == _NOT_GEOGRAPHIC:
        return PhoneMetadata.metadata_for_nongeo_region(code)  # type: ignore[return-value]
    return PhoneMetadata.metadata_for_region(region)  # type: ignore[return-value]


def _starts_otherwise(metadata: PhoneMetadata) -> str:
    prefixes = (metadata.international_prefix, str(metadata.country_code), metadata.national_prefix_for_parsing)
    return f"^(?:{'|'.join(_for_polars(prefix) for prefix in prefixes if prefix)})"


def _plain_trunk_prefix(prefix: str | None, for_parsing: str | None) -> str | None:
    if not prefix or not for_parsing or not re.fullmatch(r"[\d|]+", for_parsing):
        return None
    starts = for_parsing.split("|")
    alone = not any(start != prefix and start.startswith(prefix) for start in starts)
    return prefix if prefix in starts and alone else None


def _for_polars(pattern: str) -> str:
    """ASCII digits only, where Rust would take those of all scripts, and no groups to capture, which is faster."""
    in_class = re.sub(r"\[[^\]]*\]", lambda found: found[0].replace(r"\d", "0-9"), pattern)
    return re.sub(r"\((?!\?)", "(?:", in_class.replace(r"\d", "[0-9]"))
