"""What a doubtful encoding means for an upload: whether it affects imported cells, and examples."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

import polars as pl

from contact_pipeline.masking import mask, mask_heading
from contact_pipeline.upload.raw import Doubt
from contact_pipeline.upload.text.letters import ALIKE, as_compared

_EXAMPLES: Final = 3


def describe_doubt(
    doubt: Doubt,
    slices: Callable[[], Iterable[pl.DataFrame]],
    fields: Mapping[str, str],
    headings: Mapping[str, str],
    sensitive: Collection[str],
) -> str | None:
    """The doubt, with three examples; None if no imported cell reads differently.

    Args:
        doubt: what reading found.
        slices: gives the raw rows, in file order.
        fields: column → field, of the columns that are imported.
        headings: column → heading.
        sensitive: fields of which no cell may be shown.
    """
    readings = {words[0]: words for words in doubt.readings}
    shown = []
    for row, column, word in _cells(readings, slices(), [c for c, field in fields.items() if field not in sensitive]):
        words = " or ".join(mask(word) for word in readings.pop(word))
        shown.append(f"row {row}, {mask_heading(headings[column])}: {words}")
        if len(shown) == _EXAMPLES or not readings:
            break
    if shown:
        return f"{doubt.message} For example {'; '.join(shown)}."
    hidden = any(_touched(rows, readings, [*fields]).height for rows in slices())
    return doubt.message if hidden else None


def _cells(
    readings: Mapping[str, tuple[str, ...]], slices: Iterable[pl.DataFrame], columns: list[str]
) -> Iterator[tuple[int, str, str]]:
    """The cells that hold a doubtful word that is still in `readings`: row_number, column, word."""
    for rows in slices:
        for row in _touched(rows, readings, columns).iter_rows(named=True):
            for column in columns:
                cell = as_compared(row[column] or "")
                yield from ((row["row_number"], column, word) for word in [*readings] if word in cell)


def _touched(rows: pl.DataFrame, readings: Mapping[str, tuple[str, ...]], columns: list[str]) -> pl.DataFrame:
    """The rows that hold a doubtful word."""
    if not columns:
        return rows.clear()
    cells = pl.col(columns).str.replace_many(ALIKE)
    return rows.filter(pl.any_horizontal(cells.str.contains_any([*readings])))
