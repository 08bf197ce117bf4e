"""The world's telephone numbering plans, as libphonenumber describes them (ITU-T E.164), and its verdict on one number.

A regular expression made from its metadata settles nearly every number; what it leaves open, the library decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import phonenumbers
import polars as pl
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

_TYPES: Final = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan",
    "voicemail",
)  # fmt: skip
_NOT_GEOGRAPHIC: Final = "001"
_EXTENSION: Final = "(?:;ext=[0-9]{1,7})?"
_EXTENSION_WORD: Final = re.compile(r"(?i)\b(?:ramal|poste)\b")
_ZEROS: Final = re.compile(r"[ (]*00[ ).\-]*(?=\(?[1-9])")
_SHAPE: Final = rf"^\+[1-9][0-9]*{_EXTENSION}$"


@dataclass(frozen=True, slots=True)
class Plan:
    """How numbers are dialled inside one region; the patterns fit Polars, that is, Rust's regular expressions.

    Attributes:
        calling_code: digits of the country calling code.
        national: pattern of a whole national number.
        international_prefix: pattern of what is dialled before a calling code.
        plain_international_prefix: the same, where it is always these digits.
        trunk_prefix: digits dialled before a national number, where nothing else can be meant by them.
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
        international_prefix=f"^(?:{_for_polars(abroad)})" if abroad else "^!",
        plain_international_prefix=abroad if abroad.isdigit() else None,
        trunk_prefix=_plain_trunk_prefix(metadata.national_prefix, metadata.national_prefix_for_parsing),
        starts_otherwise=_starts_otherwise(metadata),
    )


def is_certain(number: pl.Expr) -> pl.Expr:
    """Whether text such as `+12025550143` or `+12025550143;ext=12` is a valid number, in E.164, beyond doubt.

    False means that the library must be asked.
    """
    return number.str.contains(_valid_numbers()) & ~number.str.contains(_open_starts())


def is_wrong(number: pl.Expr) -> pl.Expr:
    """Whether text such as `+12025550143` or `+12025550143;ext=12` is beyond doubt no valid number."""
    shaped = number.str.contains(_SHAPE)
    return shaped & ~number.str.contains(_valid_numbers()) & ~number.str.contains(_open_starts())


def verdict(text: str, region: str | None) -> str | None:
    """The library's reading of one number: E.164 with `;ext=`, or None where it is not a valid number.

    Two spellings are read besides: an extension after `ramal` or `poste`, and `00` for the plus where the number is
    none otherwise (ITU-T E.123: it is the international prefix nearly everywhere, and no national number begins so).

    Args:
        text: the number as given.
        region: where a national number belongs; None: only international numbers are read.
    """
    text = _EXTENSION_WORD.sub("ext", text)
    return _read(text, region) or (_read(_ZEROS.sub("+", text), None) if _ZEROS.match(text) else None)


def _read(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{e164};ext={number.extension}" if number.extension else e164


@cache
def _valid_numbers() -> str:
    """E.164 text whose national number has a number type in some region of its calling code."""
    codes = []
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        patterns = dict.fromkeys(pattern for region in regions for pattern in _patterns(code, region))
        codes.append(f"{code}(?:{'|'.join(patterns)})")
    return f"^\\+(?:{_for_polars('|'.join(codes))}){_EXTENSION}$"


def _patterns(code: int, region: str) -> list[str]:
    metadata = _metadata(code, region)
    descriptions = [getattr(metadata, kind) for kind in _TYPES]
    return [d.national_number_pattern for d in descriptions if d is not None and d.national_number_pattern]


@cache
def _open_starts() -> str:
    """Starts of E.164 text where a valid national number may still be read otherwise.

    Digits that look like a trunk prefix may be taken off; digits that belong to one region of a shared calling code
    make that region alone decide.
    """
    starts = []
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        main = _metadata(code, regions[0])
        if main.leading_digits:
            starts.append(str(code))
            continue
        digits = [_metadata(code, region).leading_digits for region in regions]
        if known := [start for start in (main.national_prefix_for_parsing, *digits) if start]:
            starts.append(f"{code}(?:{'|'.join(known)})")
    return f"^\\+(?:{_for_polars('|'.join(starts))})"


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
