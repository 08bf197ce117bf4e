from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from contact_pipeline.normalize import normalize
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.reference import Reference


def one_column_profile(*, region: str | None = "US", **column: Any) -> Profile:
    return Profile.model_validate(
        {
            "name": "one_column",
            "title": "One column",
            "address_book": "test",
            "file": {"types": ["csv"]},
            "headings": "exact",
            "region": region,
            "columns": [{"field": "value", "heading": "Value", **column}, {"field": "key", "heading": "Key"}],
            "match": [{"equal": ["key"]}],
            "on_error": "reject",
            "apply": "automatic",
        }
    )


def raw_rows(**columns: list[str | None]) -> pl.DataFrame:
    cells = pl.DataFrame({name: pl.Series(texts, dtype=pl.String) for name, texts in columns.items()})
    numbers = pl.Series(range(2, cells.height + 2), dtype=pl.UInt32)
    return cells.select(numbers.alias("row_number"), numbers.alias("line_number"), *columns)


@pytest.fixture(scope="session")
def one_column() -> Callable[..., Profile]:
    """Makes a profile of one column, `value`."""
    return one_column_profile


@pytest.fixture(scope="session")
def raw() -> Callable[..., pl.DataFrame]:
    """Makes raw rows of columns of texts."""
    return raw_rows


@pytest.fixture(scope="session")
def values_of() -> Callable[..., list[Any]]:
    """What normalization makes of texts in a profile of one column; an anchor beside it keeps blank rows in."""

    def values(texts: list[str | None], *, reference: Reference | None = None, **column: Any) -> list[Any]:
        raw = raw_rows(value=texts, anchor=["kept"] * len(texts))
        clean, _ = normalize(raw, {"value": "value"}, one_column_profile(**column), reference or Reference())
        return clean["value"].to_list()

    return values


@pytest.fixture(scope="session")
def repairs_in() -> Callable[..., list[bool]]:
    """Whether each text is repaired, in a profile of one column."""

    def repaired(texts: list[str | None], **column: Any) -> list[bool]:
        raw = raw_rows(value=texts, anchor=["kept"] * len(texts))
        clean, _ = normalize(raw, {"value": "value"}, one_column_profile(**column), Reference())
        return (clean["repaired"] != 0).to_list()

    return repaired
