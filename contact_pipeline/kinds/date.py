"""Dates in ISO 8601, read from ISO 8601, from Excel's date cells, and by the formats that a column declares.

A text that two declared formats read as different days is ambiguous and stays as given.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import polars as pl

from contact_pipeline.kinds.cell_rules import CellRule, Passes, unless
from contact_pipeline.kinds.distinct import change_where, fill_where, map_distinct
from contact_pipeline.kinds.kind import Context, Kind
from contact_pipeline.profiles import Column, Profile, calendar

_ISO_DAY: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_BIRTH: Final = "date_of_birth"
_FIRST_BIRTH: Final = "1900-01-01"
_TIME: Final = "[0-9]:[0-9]{2}"
_ZONE: Final = r"(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?"
_MIDNIGHT: Final = rf"(?i)^(.*[0-9]{{2}})(?:[T ]0{{1,2}}:00(?::00(?:[.,]0+)?)?{_ZONE}|,? 12:00(?::00)? ?a\.?m\.?)$"


def _normalize(text: pl.Expr, column: Column, *_: object) -> pl.Expr:
    """The date as ISO text where it is one and can be read in one way only, else the text as given."""

    def read(values: pl.Series) -> pl.Series:
        return _read(values, column.formats, column.pivot)

    def read_distinct(values: pl.Series) -> pl.Series:  # a file has far fewer days than rows
        return change_where(values, ~values.str.contains(calendar.EVERY_YEAR), lambda some: map_distinct(some, read))

    return text.map_batches(read_distinct, return_dtype=pl.String)


def _repaired(before: pl.Expr, *_: object) -> pl.Expr:
    """Whether a declared format was used."""
    return ~_day_of(before).str.contains(_ISO_DAY)


def _why(before: pl.Expr, after: pl.Expr, column: Column) -> pl.Expr:
    """Names the first of the formats by which the text is that day."""
    readings = [
        pl.when(calendar.reading(_day_of(before), declared, column.pivot) == after).then(pl.lit(declared))
        for declared in column.formats
    ]
    return pl.format("read as {}", pl.coalesce(readings)) if readings else pl.lit("read as a date")


def _read(values: pl.Series, formats: Sequence[str], pivot: int | None) -> pl.Series:
    text = pl.col("text")
    given, values = values, without_midnight(values)
    readings = {f"day {declared}": calendar.day(text, declared, pivot) for declared in formats}
    nothing = pl.Series("iso", [None], dtype=pl.Date).new_from_index(0, values.len())
    iso = fill_where(nothing, values.str.contains(_ISO_DAY), values, _whole_day)
    days = values.to_frame("text").select("text", iso, **readings)
    declared = [pl.col(name) for name in readings]
    only = pl.when(~calendar.differ(declared)).then(pl.coalesce(declared)) if declared else pl.lit(None, pl.Date)
    is_day = pl.coalesce(["iso", *declared]).is_not_null()  # where `only` is null, formats read different days
    read = pl.coalesce(pl.coalesce("iso", only).dt.strftime(calendar.ISO), pl.when(is_day).then(text))
    return days.select(read).to_series().fill_null(given)


def without_midnight(values: pl.Series) -> pl.Series:
    """Texts without the midnight that programs write beside a day; another time of day stays."""
    return values.to_frame("text").select(_day_of(pl.col("text"))).to_series()


def _day_of(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.contains(":00", literal=True)).then(text.str.replace(_MIDNIGHT, "${1}")).otherwise(text)


def _whole_day(values: pl.Series) -> pl.Series:
    return values.to_frame("text").select(calendar.day(pl.col("text"), calendar.ISO)).to_series()


def _rules(column: Column, _: Context, today: date) -> list[CellRule]:
    return [*_rules_of_days(column), *(_rules_of_births(today) if column.field == _BIRTH else [])]


def _quick_rule(column: Column, _: Context, today: date) -> Passes:
    if column.field != _BIRTH:
        return _is_plain_day
    by = today.isoformat()
    return lambda value: _is_plain_day(value) & (value >= _FIRST_BIRTH) & (value <= by)


def _rules_of_days(column: Column) -> list[CellRule]:
    formats = _formats_in_words(column)
    rules = [CellRule("date-format", unless(_is_plain_day, _is_a_day), formats)]
    if len(column.formats) < 2:
        return rules

    def has_one_reading(value: pl.Expr) -> pl.Expr:
        days = [calendar.day(value, declared, column.pivot) for declared in column.formats]
        return ~calendar.differ(days).fill_null(False)

    return [CellRule("date-ambiguous", unless(_is_plain_day, has_one_reading), formats), *rules]


def _formats_in_words(column: Column) -> str:
    return " or ".join(calendar.in_words(declared) for declared in [*column.formats, calendar.ISO])


def _is_a_day(value: pl.Expr) -> pl.Expr:
    return value.str.contains(_ISO_DAY) & value.str.to_date("%Y-%m-%d", strict=False).is_not_null()


def _is_plain_day(value: pl.Expr) -> pl.Expr:
    return value.str.contains(calendar.EVERY_YEAR)


def _expected(code: str, named: pl.Series, column: Column, *_: object) -> pl.Expr | None:
    if code == "date-format":
        is_moment = pl.lit(named.str.contains(_TIME).fill_null(False))
        hint = pl.when(is_moment).then(pl.lit(", without the time of day, which a column of type moment takes"))
        return pl.concat_str(pl.lit(_formats_in_words(column)), hint.otherwise(pl.lit("")))
    if code != "date-ambiguous" or column.sensitive:
        return None
    return both_readings(named, column)


def both_readings(named: pl.Series, column: Column) -> pl.Expr:
    """The days that an ambiguous text can be, each with its format in words."""
    value = pl.lit(named)
    readings = [
        pl.format(f"{{}} ({calendar.in_words(declared)})", calendar.reading(value, declared, column.pivot))
        for declared in column.formats
    ]
    return pl.concat_str(readings, separator=" or ", ignore_nulls=True)


def _rules_of_births(today: date) -> list[CellRule]:
    # ISO dates sort as text, so no date has to be parsed again, and most texts pass at once.
    by = today.isoformat()

    def is_no_day(value: pl.Expr) -> pl.Expr:
        return ~value.str.contains(_ISO_DAY)

    return [
        CellRule("date-future", unless(lambda value: value <= by, is_no_day)),
        CellRule("date-before-1900", unless(lambda value: value >= _FIRST_BIRTH, is_no_day)),
    ]


def _in_its_format(value: pl.Expr, column: Column, _profile: Profile | None) -> pl.Expr:
    """Days in the only format of the column, if it has one that tells the century."""
    if len(column.formats) != 1 or "%y" in column.formats[0]:
        return value
    day = value.str.to_date(calendar.ISO, strict=False)
    return pl.coalesce(day.dt.strftime(column.formats[0]), value)


DATE: Final = Kind(
    normalize=_normalize,
    fast_path=lambda texts, *_: (texts, texts.str.contains(calendar.EVERY_YEAR)),
    repaired=_repaired,
    why=_why,
    dashed=True,
    day_part=without_midnight,
    as_cell=_in_its_format,
    rules=_rules,
    quick_rule=_quick_rule,
    expected=_expected,
)
