"""Moments: a day with a time of day, in ISO 8601, in UTC where its offset from UTC is known.

In `2023-03-26T09:12:00Z` the file gave the offset, or the profile the zone; `2023-03-26T11:12:00` is the time of some
local clock. A day without a time stays a day. As with dates, days are read by the formats that the column declares.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Final

import polars as pl

from contact_pipeline.kinds.cell_rules import CellRule, Passes, unless
from contact_pipeline.kinds.date import both_readings
from contact_pipeline.kinds.distinct import change_where, map_distinct
from contact_pipeline.kinds.kind import Context, Kind
from contact_pipeline.kinds.words import moment_in_words
from contact_pipeline.profiles import Column, Profile, calendar

_CLOCK: Final = "%Y-%m-%dT%H:%M:%S"
_UTC: Final = f"{_CLOCK}Z"
_FIRST_YEAR, _LAST_YEAR = 1900, 2199
_YEAR_ONE: Final = "^0[0-9]{3}-[0-9]{2}-[0-9]{2}(?:[^0-9]|$)"  # programs write it for an unknown moment
_ISO_DAY: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_ISO: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}Z?)?$"
# Passes the fast path: days that exist in every year, so that no calendar is needed.
_PLAIN: Final = calendar.EVERY_YEAR.replace("^[0-9]{4}", "^(?:19|2[01])[0-9]{2}").removesuffix("$")
_PLAIN_TIME: Final = "(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]{})?$"

_TIME: Final = (
    r"(?i)^(?<day>.+?)(?:T|,? at |,? )(?<hour>[01]?[0-9]|2[0-3]):(?<minute>[0-5][0-9])"
    r"(?::(?<second>[0-5][0-9])(?:[.,](?<fraction>[0-9]{1,9}))?)?(?: ?(?<half>[ap])\.? ?m\.?)?"
)
_OFFSET: Final = (
    r"(?: ?(?<offset>Z|(?:UTC|GMT)?(?<sign>[+-])(?<hours>[0-9]{2})(?::?(?<minutes>[0-5][0-9]))?"
    r"|(?:UTC|GMT)(?<short_sign>[+-])(?<short_hours>[0-9])|UTC|GMT))?$"
)
_READ: Final = _TIME + _OFFSET
_NAMED_ZONE: Final = _TIME + r" ?[(\[]?(?:(?-i:[A-Z]{2,5})|[A-Z]+(?:/[A-Z_+0-9-]+)+)[)\]]?$"
_FROM_TO: Final = r"(?i) [0-9]{1,2}:[0-9]{2}(?: ?[ap]\.? ?m\.?)?-[0-9]{2}:[0-9]{2}$"  # from nine to ten, or an offset
_HOURS_BEFORE, _HOURS_AFTER = -12, 14  # the least and the greatest offset in use


def days(texts: pl.Series) -> pl.Series:
    """The day part of each text: the whole text where it has no time of day."""
    return texts.to_frame("text").select(_day_part(pl.col("text"))).to_series()


def have_times(texts: pl.Series) -> pl.Series:
    """Whether a time of day stands in each text."""
    return texts.str.contains(_READ)


def have_offsets(texts: pl.Series) -> pl.Series:
    """Whether each text is a moment that says its offset from UTC."""
    parts = texts.to_frame("text").select(pl.col("text").str.extract_groups(_READ)).unnest("text")
    return parts["offset"].is_not_null()


def _day_part(text: pl.Expr) -> pl.Expr:
    return pl.coalesce(text.str.extract_groups(_READ).struct.field("day"), text)


def _normalize(text: pl.Expr, column: Column, *_: object) -> pl.Expr:
    """The moment as ISO text where it is one and can be read in one way only, else the text as given."""

    def read(values: pl.Series) -> pl.Series:
        return change_where(values, ~_are_plain(values, column), lambda some: _written(some, column))

    return text.map_batches(read, return_dtype=pl.String)


def _fast_path(texts: pl.Series, column: Column, _: Profile) -> tuple[pl.Series, pl.Series]:
    return texts, _are_plain(texts, column)


def _are_plain(texts: pl.Series, column: Column) -> pl.Series:
    return texts.str.contains(_plain(column))


def _plain(column: Column) -> str:
    return _PLAIN + _PLAIN_TIME.format("Z" if column.zone else "Z?")


def _written(texts: pl.Series, column: Column) -> pl.Series:
    """The moments as text in the normal form; a text that is no moment stays as given."""
    clock, offset, has_time = pl.col("clock"), pl.col("offset"), pl.col("has_time")
    known = pl.when(_is_in_years(clock)).then(clock)
    local = pl.when(has_time & offset.is_null()).then(known)
    utc = pl.when(has_time).then(known - pl.duration(minutes=offset))
    there = _in_utc(local, column.zone) if column.zone else pl.lit(None, pl.Datetime)
    read = pl.coalesce(
        pl.coalesce(utc, there).dt.strftime(_UTC),
        *([] if column.zone else [local.dt.strftime(_CLOCK)]),
        pl.when(~has_time).then(known).dt.strftime(calendar.ISO),
        pl.col("text"),
    )
    return _readings(texts, column).select(read).to_series()


def _is_in_years(moment: pl.Expr) -> pl.Expr:
    return moment.dt.year().is_between(_FIRST_YEAR, _LAST_YEAR)


def _in_utc(clock: pl.Expr, zone: str) -> pl.Expr:
    """The time of a zone's clock in UTC; null where the clock never shows it, or shows it twice."""
    there = clock.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    return there.dt.convert_time_zone("UTC").dt.replace_time_zone(None)


def _readings(texts: pl.Series, column: Column) -> pl.DataFrame:
    """For each text its `day` as written, the moment by its `clock` (at midnight for a day alone), and the `offset`.

    The clock is null where the text is no moment, or could be several; the offset, in minutes, where the text has none.
    """
    parts = texts.to_frame("text").with_columns(parts=pl.col("text").str.extract_groups(_READ)).unnest("parts")
    parts = parts.with_columns(has_time=pl.col("day").is_not_null(), day=pl.coalesce("day", "text"))
    half, hour = pl.col("half").str.to_lowercase(), pl.col("hour").cast(pl.Int32)
    hour = (
        pl.when(half.is_null())
        .then(hour)
        .when(hour.is_between(1, 12))
        .then(hour % 12 + pl.when(half == "p").then(12).otherwise(0))
    )
    minutes = pl.col("minute").cast(pl.Int32) + pl.when(hour.is_not_null()).then(hour * 60)
    seconds = minutes * 60 + pl.col("second").cast(pl.Int32).fill_null(0)
    sign = pl.when(pl.coalesce("sign", "short_sign") == "-").then(-1).otherwise(1)
    hours = pl.coalesce("hours", "short_hours").cast(pl.Int32).fill_null(0)
    offset = sign * (hours * 60 + pl.col("minutes").cast(pl.Int32).fill_null(0))
    is_offset = offset.is_between(_HOURS_BEFORE * 60, _HOURS_AFTER * 60) & ~pl.col("text").str.contains(_FROM_TO)
    midnight = pl.col("only_day").cast(pl.Datetime)
    return parts.with_columns(only_day=map_distinct(parts["day"], partial(_only_days, column=column))).with_columns(
        clock=pl.when(~pl.col("has_time")).then(midnight).when(is_offset).then(midnight + pl.duration(seconds=seconds)),
        offset=pl.when(pl.col("offset").is_not_null()).then(offset),
        is_cut=pl.col("fraction").str.contains("[1-9]").fill_null(False),
    )


def _only_days(texts: pl.Series, column: Column) -> pl.Series:
    """The day of each text that can be one day only."""
    text = pl.col("text")
    declared = [calendar.day(text, each, column.pivot) for each in column.formats]
    only = pl.when(~calendar.differ(declared)).then(pl.coalesce(declared)) if declared else pl.lit(None, pl.Date)
    iso = pl.when(text.str.contains(_ISO_DAY)).then(calendar.day(text, calendar.ISO))
    return texts.to_frame("text").select(pl.coalesce(iso, only)).to_series()


def _asked(column: Column, ask: pl.Expr, dtype: type[pl.DataType]) -> Callable[[pl.Series], pl.Series]:
    return lambda texts: _readings(texts, column).select(ask.cast(dtype)).to_series()


def _repaired(before: pl.Expr, _: pl.Expr, column: Column) -> pl.Expr:
    """Whether a declared format or the column's zone was used, or a part of a second was cut off."""
    reasons = pl.concat_str(_reasons(column), separator=", ", ignore_nulls=True)
    return before.map_batches(_asked(column, reasons != "", pl.Boolean), return_dtype=pl.Boolean)


def _why(before: pl.Expr, _: pl.Expr, column: Column) -> pl.Expr:
    reasons = pl.concat_str(_reasons(column), separator=", ", ignore_nulls=True)
    return before.map_batches(_asked(column, reasons, pl.String), return_dtype=pl.String)


def _reasons(column: Column) -> list[pl.Expr]:
    day, there = pl.col("day"), pl.col("only_day").is_not_null()
    readings = [
        pl.when(calendar.day(day, each, column.pivot) == pl.col("only_day")).then(pl.lit(each))
        for each in column.formats
    ]
    reasons = [
        pl.when(there & ~day.str.contains(_ISO_DAY)).then(pl.format("day read as {}", pl.coalesce(readings)))
        if readings
        else pl.lit(None, pl.String)
    ]
    if column.zone:
        reasons.append(pl.when(pl.col("has_time") & pl.col("offset").is_null()).then(pl.lit(f"time of {column.zone}")))
    return [*reasons, pl.when("is_cut").then(pl.lit("parts of a second cut off"))]


def _rules(column: Column, _: Context, __: date) -> list[CellRule]:
    rules: list[tuple[str, Passes, str]] = [
        ("moment-year", lambda value: ~_is_in_other_year(value, column), f"{_FIRST_YEAR} to {_LAST_YEAR}"),
        ("moment-zone", lambda value: ~value.str.contains(_NAMED_ZONE) | value.str.contains(_READ), ""),
    ]
    if len(column.formats) > 1:
        rules.insert(0, ("date-ambiguous", lambda value: _has_one_day(value, column), ""))
    if column.zone:
        rules.append(("moment-skipped", lambda value: ~_is_met(value, column, never=True), column.zone))
        rules.append(("moment-repeated", lambda value: ~_is_met(value, column, never=False), column.zone))
    rules.append(("moment-format", lambda value: _is_right(value, column), moment_in_words(column)))
    return [CellRule(code, unless(_passes_plain(column), passes), expected) for code, passes, expected in rules]


def _quick_rule(column: Column, *_: object) -> Passes:
    return _passes_plain(column)


def _passes_plain(column: Column) -> Passes:
    return lambda value: value.str.contains(_plain(column))


def _is_right(value: pl.Expr, column: Column) -> pl.Expr:
    """Whether a value is a moment in the normal form: normalizing does not change it, and it has a clock."""
    form = _ISO.replace("Z?", "Z") if column.zone else _ISO
    made = value.map_batches(lambda texts: _written(texts, column), return_dtype=pl.String)
    there = pl.col("clock").is_not_null()
    is_moment = value.map_batches(_asked(column, there, pl.Boolean), return_dtype=pl.Boolean)
    return value.str.contains(form) & (made == value) & is_moment


def _is_in_other_year(value: pl.Expr, column: Column) -> pl.Expr:
    ask = (pl.col("clock").is_not_null() & ~_is_in_years(pl.col("clock"))).fill_null(False)
    return value.str.contains(_YEAR_ONE) | value.map_batches(_asked(column, ask, pl.Boolean), return_dtype=pl.Boolean)


def _has_one_day(value: pl.Expr, column: Column) -> pl.Expr:
    declared = [calendar.day(_day_part(value), each, column.pivot) for each in column.formats]
    return ~calendar.differ(declared).fill_null(False)


def _is_met(value: pl.Expr, column: Column, *, never: bool) -> pl.Expr:
    """Whether the clocks of the zone never show that moment, or else whether they show it twice."""
    first, last = _first_and_last(column)
    is_met = first.is_null() if never else first != last
    ask = pl.col("clock").is_not_null() & pl.col("has_time") & pl.col("offset").is_null() & is_met
    return value.map_batches(_asked(column, ask.fill_null(False), pl.Boolean), return_dtype=pl.Boolean)


def _first_and_last(column: Column) -> tuple[pl.Expr, pl.Expr]:
    first, last = (
        pl.col("clock").dt.replace_time_zone(column.zone, ambiguous=which, non_existent="null")
        for which in ("earliest", "latest")
    )
    return first, last


def _expected(code: str, named: pl.Series, column: Column, *_: object) -> pl.Expr | None:
    """The moments that an ambiguous text can be."""
    if column.sensitive:
        return None
    if code == "date-ambiguous":
        return both_readings(days(named), column)
    if code == "moment-repeated":
        both = [each.dt.strftime("%Y-%m-%dT%H:%M:%S%:z") for each in _first_and_last(column)]
        return pl.lit(_asked(column, pl.concat_str(both, separator=" or "), pl.String)(named))
    return None


MOMENT: Final = Kind(
    normalize=_normalize,
    fast_path=_fast_path,
    repaired=_repaired,
    why=_why,
    dashed=True,
    day_part=days,
    rules=_rules,
    quick_rule=_quick_rule,
    expected=_expected,
)
