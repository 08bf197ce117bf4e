"""Describes a schema for people: its columns, their types, and the codes of the checks that each must pass."""

from __future__ import annotations

from typing import Any

import pandera.polars as pa


def describe_schema(schema: pa.DataFrameSchema) -> dict[str, Any]:
    """The document of `profiles show --schema`: the columns with their checks, and the checks of whole rows."""
    return {
        "name": schema.name,
        "columns": [
            {
                "column": name,
                "type": str(column.dtype),
                "nullable": column.nullable,
                "unique": column.unique,
                "checks": [_check(check) for check in column.checks],
            }
            for name, column in schema.columns.items()
        ],
        "checks": [_check(check) for check in schema.checks],
    }


def _check(check: pa.Check) -> dict[str, str]:
    return {"code": str(check.name), "expected": check.description or ""}
