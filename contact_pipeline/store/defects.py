"""Defects as rows of `rejections`: the query that words one in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from contact_pipeline.codes import CODES
from contact_pipeline.engines import literal, quoted

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def defects(
    name: str,
    rows: str,
    *,
    severity: Literal["error", "warning"] = "error",
    placeholders: Mapping[str, str] = _NOTHING,
    cell: Mapping[str, str] = _NOTHING,
) -> str:
    """The query for a defect of every row of a query, in the columns of `rejections`; those that it lacks are null.

    Args:
        name: the code of the defect.
        rows: the query, with row_number and the columns that the expressions name.
        severity: an error rejects the row.
        placeholders: placeholder of the message and the fix → SQL expression of its value.
        cell: column, field and value of the cell in question → SQL expression; empty: the row as a whole.
    """
    code = CODES[name]
    of_cell = "".join(f"{expression} AS {quoted(column)}, " for column, expression in cell.items())
    return f"""
        SELECT row_number, {of_cell}{literal(name)} AS code, {_filled(code.message, placeholders)} AS message,
               {_filled(code.fix, placeholders)} AS fix, {literal(severity)} AS severity
        FROM ({rows})"""


def _filled(text: str, placeholders: Mapping[str, str]) -> str:
    """A text of the catalogue as an SQL expression, with its placeholders filled in their order."""
    filled = literal(text)
    for placeholder, expression in placeholders.items():
        if f"{{{placeholder}}}" in text:
            filled = f"replace({filled}, '{{{placeholder}}}', {expression})"
    return filled
