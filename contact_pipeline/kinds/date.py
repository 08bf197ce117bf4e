"""Dates in ISO 8601: those that are so already, Excel's date cells, and the formats that a column declares.

A text that two declared formats read as different days is ambiguous and stays as given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from contact_pipeline.kinds.distinct import change_where, fill_where, map_distinct
from contact_pipeline.profiles import calendar

_ISO_DAY: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_ZONE: Final = r"(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?"
_MIDNIGHT: Final = rf"(?i)^(.*[0-9]{{2}})(?:[T ]0{{1,2}}:00(?::00(?:[.,]0+)?)?{_ZONE}|,? 12:00(?::00)? ?a\.?m\.?)$"


def normalized(text: pl.Expr, formats: Sequence[str], pivot: int | None = None) -> pl.Expr:
    """The date as ISO text where it is one and can be read in one way only, else the text as given.

    Args:
        text: tidied text.
        formats: strftime formats that the column declares.
        pivot: last of the two-digit years that belong to this century.
    """

    def read(values: pl.Series) -> pl.Series:
        return _read(values, formats, pivot)

    def read_distinct(values: pl.Series) -> pl.Series:  # a file has far fewer days than rows
        return change_where(values, ~values.str.contains(calendar.EVERY_YEAR), lambda some: map_distinct(some, read))

    return text.map_batches(read_distinct, return_dtype=pl.String)


def repaired(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Whether a declared format was used."""
    return (before != after) & ~_day_of(before).str.contains(_ISO_DAY)


def why(before: pl.Expr, after: pl.Expr, formats: Sequence[str], pivot: int | None) -> pl.Expr:
    """Names the first of the formats by which the text is that day."""
    readings = [
        pl.when(calendar.reading(_day_of(before), declared, pivot) == after).then(pl.lit(declared))
        for declared in formats
    ]
    return pl.format("read as {}", pl.coalesce(readings)) if readings else pl.lit("read as a date")


def _read(values: pl.Series, formats: Sequence[str], pivot: int | None) -> pl.Series:
    text = pl.col("text")
    whole, values = values, without_midnight(values)
    readings = {f"day {declared}": calendar.day(text, declared, pivot) for declared in formats}
    nothing = pl.Series("iso", [None], dtype=pl.Date).new_from_index(0, values.len())
    iso = fill_where(nothing, values.str.contains(_ISO_DAY), values, _whole_day)
    days = values.to_frame("text").select("text", iso, **readings)
    declared = [pl.col(name) for name in readings]
    only = pl.when(~calendar.differ(declared)).then(pl.coalesce(declared)) if declared else pl.lit(None, pl.Date)
    is_day = pl.coalesce(["iso", *declared]).is_not_null()  # by several formats a different one, where it is not `only`
    read = pl.coalesce(pl.coalesce("iso", only).dt.strftime(calendar.ISO), pl.when(is_day).then(text))
    return days.select(read).to_series().fill_null(whole)


def without_midnight(values: pl.Series) -> pl.Series:
    """Texts without the midnight that programs write beside a day; another time of day stays."""
    return values.to_frame("text").select(_day_of(pl.col("text"))).to_series()


def _day_of(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.contains(":00", literal=True)).then(text.str.replace(_MIDNIGHT, "${1}")).otherwise(text)


def _whole_day(values: pl.Series) -> pl.Series:
    return values.to_frame("text").select(calendar.day(pl.col("text"), calendar.ISO)).to_series()
