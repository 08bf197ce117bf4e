"""Text: what every cell goes through before anything else looks at it, and the words that mean nothing."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from contact_pipeline.profiles.distinct import change_where

# Visible letters and signs that Unicode's composed form leaves as they are, whatever stands beside them.
_COMPOSED: Final = "!-~¡-¬®-ɏЀ-҂ء-يऄ-नぁ-ゖァ-ヺ一-鿿가-힣‐-”"
_UNTIDY: Final = f"[^ {_COMPOSED}]|  |^ | $"
_SPACES: Final = r"\s\s+|[\s&&[^ ]]"  # spaces other than a single one
_INVISIBLE: Final = r"[\p{Cf}\p{Cc}&&[^\s]]"  # zero-width and directional characters, soft hyphens, controls


def tidied(cell: pl.Expr) -> pl.Expr:
    """Text in Unicode's composed form (NFC), trimmed, single spaces, nothing invisible; null where nothing is left."""
    return cell.map_batches(_tidied, return_dtype=pl.String)


def are_tidy(values: pl.Series) -> pl.Series:
    """Whether each text is tidied as it stands; null stays null."""
    return (values != "") & ~values.str.contains(_UNTIDY)


def blanked(text: pl.Expr, words: Collection[str]) -> pl.Expr:
    """Tidied text; null where it is one of the words that mean nothing, whatever their case."""
    return text.map_batches(lambda values: _blanked(values, words), return_dtype=pl.String) if words else text


def _tidied(values: pl.Series) -> pl.Series:
    filled = values.set(values.str.len_bytes() == 0, None)
    return change_where(filled, filled.str.contains(_UNTIDY), _tidy)


def _tidy(values: pl.Series) -> pl.Series:
    stripped = values.str.strip_chars().replace("", None)
    return change_where(stripped, stripped.str.contains(_UNTIDY), _clean)


def _clean(values: pl.Series) -> pl.Series:
    spaced = values.str.replace_all(_SPACES, " ")
    return change_where(spaced, spaced.str.contains(_UNTIDY), _cleaned)


def _cleaned(values: pl.Series) -> pl.Series:
    visible = values.str.replace_all(_INVISIBLE, "").str.normalize("NFC")
    return visible.str.replace_all(r"\s+", " ").str.strip_chars().replace("", None)


def _blanked(values: pl.Series, words: Collection[str]) -> pl.Series:
    # Nearly every value is longer than these words, and bytes are counted in no time.
    lower = [word.lower() for word in words]
    short = values.str.len_bytes() <= max(len(word.encode()) for word in lower)
    return change_where(values, short, lambda some: some.set(some.str.to_lowercase().is_in(lower), None))
