"""Which of the declared date formats a column of the file is in; the whole column decides, never a single row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import polars as pl

from contact_pipeline.normalize import text
from contact_pipeline.profiles import Column, Profile, calendar


def fitting_formats(
    slices: Callable[[list[str]], Iterable[pl.DataFrame]], fields: Mapping[str, str], profile: Profile
) -> dict[str, list[str]]:
    """For each date column that declares several formats, those by which the whole column can be read.

    Args:
        slices: reads some columns of the raw rows; not called where no column declares several formats.
        fields: raw column → field.
        profile: what the columns hold.
    """
    raw_of = {field: heading for heading, field in fields.items()}
    columns = {
        raw_of[column.field]: column
        for column in profile.columns
        if column.type == "date" and len(column.formats) > 1 and column.field in raw_of
    }
    if not columns:
        return {}
    days: dict[str, list[pl.Series]] = {heading: [] for heading in columns}
    for rows in slices(list(columns)):
        for heading, found in days.items():
            found.append(rows[heading].unique())
    return {column.field: _fitting(pl.concat(days[heading]), column) for heading, column in columns.items()}


def with_formats(profile: Profile, formats: Mapping[str, Sequence[str]]) -> Profile:
    """The profile with the date formats that its columns turned out to be in."""
    columns = [
        column.model_copy(update={"formats": list(formats[column.field])}) if column.field in formats else column
        for column in profile.columns
    ]
    return profile.model_copy(update={"columns": columns})


def _fitting(days: pl.Series, column: Column) -> list[str]:
    tidy = days.to_frame("days").select(text.tidied(pl.col("days"))).to_series()
    return calendar.fitting(tidy, column.formats, column.pivot)
