"""The fast path: texts in canonical form, or one step from it, which are tidy and no repair.

The fast path is one regular expression; only texts that it leaves open are read in full, which takes many.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from contact_pipeline.kinds.registry import KINDS
from contact_pipeline.kinds.text import are_blanks
from contact_pipeline.profiles import Column, Profile


def take_fast_path(
    texts: pl.Series, column: Column, profile: Profile, *, by_country: bool
) -> tuple[pl.Series, pl.Series]:
    """The values of the texts, and whether each is certain; an uncertain one means nothing.

    Args:
        texts: cells as they were read.
        column: what they hold.
        profile: its region, and the words that mean nothing.
        by_country: whether the form depends on the country of the row; then there is no fast path.
    """
    found = None if by_country else KINDS[column.type].fast_path(texts, column, profile)
    if found is None:
        return texts, pl.Series([False]).new_from_index(0, texts.len())
    values, certain = found
    blanks = profile.blanks_in(column)
    blanks = replace(blanks, words=blanks.words | {(column.nothing or "").lower()}, pattern=None)
    return values, certain.fill_null(False) & ~are_blanks(texts, blanks)
