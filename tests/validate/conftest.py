from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.validate import validate

REFERENCE = Reference(
    logins=frozenset({"test.user", "ana.souza"}), vocabularies={"specialties": ("Cardiology", "Pediatrics")}
)


def small_profile(columns: list[dict[str, Any]], **options: Any) -> Profile:
    return Profile.model_validate(
        {
            "name": "small",
            "title": "Small",
            "address_book": "test",
            "file": {"types": ["csv"]},
            "headings": "exact",
            "region": "US",
            "columns": [*columns, {"field": "key", "heading": "Key"}],
            "match": [{"equal": ["key"]}],
            "on_error": "reject",
            "apply": "automatic",
            **options,
        }
    )


def normalized_rows(**columns: Any) -> pl.DataFrame:
    blank = {name: pl.String for name, values in columns.items() if all(value is None for value in values)}
    cells = pl.DataFrame(columns, schema_overrides=blank)
    numbers = pl.Series(range(2, cells.height + 2), dtype=pl.UInt32)
    return cells.select(numbers.alias("row_number"), pl.lit(0, pl.UInt64).alias("repaired"), *columns)


@pytest.fixture(scope="session")
def profile_of() -> Callable[..., Profile]:
    """Makes a profile of a few columns."""
    return small_profile


@pytest.fixture(scope="session")
def rows() -> Callable[..., pl.DataFrame]:
    """Makes normalized rows of columns of values."""
    return normalized_rows


@pytest.fixture(scope="session")
def codes_of() -> Callable[..., list[str | None]]:
    """The code that validation gives each value of one column, None where it is right."""

    def codes(values: list[Any], *, region: str | None = "US", reference: Reference = REFERENCE, **column: Any) -> Any:
        name = column.setdefault("field", "value")
        profile = small_profile([{"heading": "Value", **column}], region=region)
        found = validate(normalized_rows(**{name: values}), profile, reference, {name: "Value"})
        by_row = dict(found.select("row_number", "code").iter_rows())
        return [by_row.get(number) for number in range(2, len(values) + 2)]

    return codes
