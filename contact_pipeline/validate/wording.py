"""Puts a defect into words: the messages and fixes of the catalogue, filled in for whole columns at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import polars as pl

_LONGEST_QUOTED: Final = 80


def worded(template: str, words: Mapping[str, pl.Expr]) -> pl.Expr:
    """The template with each {word} replaced."""
    parts = re.split(r"\{(\w+)\}", template)
    texts = [words[part] if place % 2 else pl.lit(part) for place, part in enumerate(parts) if part]
    return pl.concat_str(texts)


def quoted(value: pl.Expr) -> pl.Expr:
    """The value as a message shows it: shortened where it is long."""
    long = value.str.len_chars() > _LONGEST_QUOTED
    return pl.when(long).then(value.str.slice(0, _LONGEST_QUOTED) + "…").otherwise(value)
