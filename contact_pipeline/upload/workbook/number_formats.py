"""Formats numbers as a sheet shows them where the number alone does not tell: days, durations, leading zeros."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

# The formats that a workbook names by number only (ECMA-376, 18.8.30), as far as they say more than the number.
BUILT_IN: Final = {
    **dict.fromkeys((14, 15, 16, 17, *range(27, 37), *range(50, 59)), "yyyy-mm-dd"),
    **dict.fromkeys((18, 19, 20, 21, 45, 47), "hh:mm:ss"),
    22: "yyyy-mm-dd hh:mm:ss",
    46: "[h]:mm:ss",
}
_ELAPSED: Final = re.compile(r"\[(?:h+|m+|s+)\]", re.I)
_NOT_SHOWN: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|general', re.I)
LEAST_ROUNDED: Final = 1e15  # of numbers with more digits than the 15 that Excel keeps
_DAY_0: Final = {False: "1899-12-30", True: "1904-01-01"}
_FEBRUARY_29: Final = 60  # the day that 1900 lacked, but the older epoch counts
_LAST_DAY: Final = 2_958_466  # 9999-12-31 and a day


def is_elapsed(code: str) -> bool:
    """Whether a format shows hours, minutes or seconds beyond a day, an hour or a minute."""
    return _ELAPSED.search(code) is not None


def is_moment(code: str) -> bool:
    """Whether a format shows a day or a time."""
    return re.search("[ymdhs]", _NOT_SHOWN.sub("", code.split(";")[0]), re.I) is not None


def zeros_of(code: str) -> str:
    """The zeros of a format that pads a whole number, with the signs between them as shown; empty for any other."""
    first = re.sub(r"\[[^\]]*\]", "", code).split(";")[0]
    shown = re.sub(r'["\\]', "", first)
    return shown if re.fullmatch(r"[0\-/ ()]*", shown) and shown.count("0") > 1 else ""


def as_shown(value: pl.Expr, code: str) -> pl.Expr:
    """A number as shown by a format that pads with zeros or shows a duration; null for other formats."""
    if is_elapsed(code):
        return pl.when(value >= 0).then(_elapsed(value))
    zeros = zeros_of(code)
    return _padded(value, zeros) if zeros else pl.lit(None, pl.String)


def as_moment(value: pl.Expr, *, since_1904: bool) -> pl.Expr:
    """The day, the time or both that a number stands for, in ISO 8601; null where it stands for none."""
    days = value if since_1904 else value + (value < _FEBRUARY_29).cast(pl.Float64)
    is_time = (value >= 0) & (value < 1)
    first = pl.lit(_DAY_0[since_1904]).str.to_datetime("%Y-%m-%d", time_unit="us")
    seconds = (days * 86_400).round()  # a number does not hold parts of a second exactly
    moment = first + pl.duration(microseconds=(seconds * 1_000_000).cast(pl.Int64, strict=False))
    at_midnight = seconds % 86_400 == 0
    text = (
        pl.when(is_time if not since_1904 else is_time & (value > 0)).then(moment.dt.to_string("%H:%M:%S"))
        .when(at_midnight).then(moment.dt.to_string("%Y-%m-%d"))
        .otherwise(moment.dt.to_string("%Y-%m-%dT%H:%M:%S"))
    )  # fmt: skip
    return pl.when((value >= 0) & (value < _LAST_DAY)).then(text)


def as_number(value: pl.Expr) -> pl.Expr:
    """The number to the 15 digits that Excel keeps, a whole one without decimals."""
    whole = (value == value.floor()) & (value.abs() < LEAST_ROUNDED)
    fifteen = value.map_elements(lambda number: f"{number:.15G}", return_dtype=pl.String)
    return pl.when(whole).then(value.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(fifteen)


def _elapsed(value: pl.Expr) -> pl.Expr:
    seconds = (value * 86_400).round().cast(pl.Int64, strict=False)
    parts = [seconds // 3600, seconds // 60 % 60, seconds % 60]
    return pl.concat_str([pl.format("{}", part).str.zfill(2) for part in parts], separator=":")


def _padded(value: pl.Expr, zeros: str) -> pl.Expr:
    """A whole number with its zeros and the signs between them."""
    width = zeros.count("0")
    digits = value.cast(pl.Int64, strict=False).cast(pl.String).str.zfill(width)
    more = digits.str.len_chars() - width
    shown, taken = [digits.str.slice(0, more)], 0
    for sign in zeros:
        shown.append(digits.str.slice(more + taken, 1) if sign == "0" else pl.lit(sign))
        taken += sign == "0"
    text = pl.concat_str(shown) if set(zeros) != {"0"} else digits
    return pl.when((value == value.floor()) & (value >= 0) & (value < LEAST_ROUNDED)).then(text)
