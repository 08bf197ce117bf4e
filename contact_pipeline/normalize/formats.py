"""Finds the declared date format that a column of the file is in; the whole column decides, never a single row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import polars as pl

from contact_pipeline.kinds import text
from contact_pipeline.kinds.registry import KINDS
from contact_pipeline.normalize.joined import separated
from contact_pipeline.profiles import Column, Profile, calendar
from contact_pipeline.profiles.model import WITH_DAYS


def fitting_formats(
    slices: Callable[[list[str]], Iterable[pl.DataFrame]], fields: Mapping[str, str], profile: Profile
) -> dict[str, list[str]]:
    """For each column of days or moments that declares several formats, those by which the whole column can be read.

    Args:
        slices: reads some columns of the raw rows; not called where no column declares several formats.
        fields: raw column → field.
        profile: what the columns hold.
    """
    columns = {
        column.field: column for column in profile.columns if column.type in WITH_DAYS and len(column.formats) > 1
    }
    read = [heading for heading, field in fields.items() if field in columns]
    if not read:
        return {}
    days: dict[str, list[pl.Series]] = {fields[heading]: [] for heading in read}
    for rows in slices(read):
        for heading in read:
            days[fields[heading]].append(rows[heading].unique().alias("days"))
    return {field: _fitting(pl.concat(found), columns[field]) for field, found in days.items()}


def with_formats(profile: Profile, formats: Mapping[str, Sequence[str]]) -> Profile:
    """The profile with the date formats that its columns turned out to be in."""
    columns = [
        column.model_copy(update={"formats": list(formats[column.field])}) if column.field in formats else column
        for column in profile.columns
    ]
    return profile.model_copy(update={"columns": columns})


def _fitting(days: pl.Series, column: Column) -> list[str]:
    tidy = separated(days).to_frame("days").select(text.tidied(pl.col("days"))).to_series()
    day_part = KINDS[column.type].day_part
    return calendar.fitting(day_part(tidy) if day_part else tidy, column.formats, column.pivot)
