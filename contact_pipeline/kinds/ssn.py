"""US social security numbers as 123-45-6789, with leading zeros that a spreadsheet removed put back."""

from __future__ import annotations

from typing import Final

import polars as pl

from contact_pipeline.kinds import placeholders
from contact_pipeline.kinds.cell_rules import NOT_SCIENTIFIC, CellRule
from contact_pipeline.kinds.distinct import change_where
from contact_pipeline.kinds.kind import Kind

_WHOLE: Final = "^(?:[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{9})$"
_UNDASHED: Final = r"^(?:[0-9]{7,9}|[0-9]{3} [0-9]{2} [0-9]{4})$"
_DASHED: Final = "^[0-9]{3}-[0-9]{2}-[0-9]{4}$"
_ISSUED: Final = (
    "^(?:00[1-9]|0[1-9][0-9]|[1-57-8][0-9]{2}|6[0-57-9][0-9]|66[0-57-9])"
    "-(?:0[1-9]|[1-9][0-9])-(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})$"
)
_NEVER_ISSUED: Final = "^(?:000|666|9|[0-9]{3}-00|[0-9]{3}-[0-9]{2}-0000)"


def _normalize(text: pl.Expr, *_: object) -> pl.Expr:
    """The number with its hyphens; seven or eight bare digits have lost their leading zeros."""
    return text.map_batches(_normalized, return_dtype=pl.String)


def _fast_path(texts: pl.Series, *_: object) -> tuple[pl.Series, pl.Series]:
    """The same for texts with all nine digits, and a flag for each such text."""
    whole = texts.str.contains(_WHOLE)
    return change_where(texts.clone(), whole & (texts.str.len_bytes() == 9), _with_hyphens), whole


def _repaired(before: pl.Expr, *_: object) -> pl.Expr:
    """Whether leading zeros were restored."""
    return before.str.len_bytes().is_between(7, 8)


def _normalized(values: pl.Series) -> pl.Series:
    return change_where(values, values.str.contains(_UNDASHED), _filled)


def _filled(values: pl.Series) -> pl.Series:
    return _with_hyphens(values.str.replace_all(" ", "", literal=True).str.zfill(9))


def _with_hyphens(nine: pl.Series) -> pl.Series:
    digits = pl.col("digits")
    parts = [digits.str.slice(0, 3), digits.str.slice(3, 2), digits.str.slice(5)]
    return nine.to_frame("digits").select(pl.concat_str(parts, separator="-")).to_series()


def _is_placeholder(value: pl.Expr) -> pl.Expr:
    return value.is_in(list(placeholders.SSNS))


def _passes_quickly(value: pl.Expr) -> pl.Expr:
    return value.str.contains(_ISSUED) & ~_is_placeholder(value)


SSN: Final = Kind(
    normalize=_normalize,
    fast_path=_fast_path,
    repaired=_repaired,
    why=lambda *_: pl.lit("leading zeros restored"),
    dashed=True,
    rules=lambda *_: [
        NOT_SCIENTIFIC,
        CellRule("ssn-format", lambda value: value.str.contains(_DASHED)),
        CellRule("ssn-never-issued", lambda value: ~value.str.contains(_NEVER_ISSUED)),
    ],
    quick_rule=lambda *_: _passes_quickly,
    is_placeholder=_is_placeholder,
)
