"""Values out of a known set: choices, lists, logins, yes and no, and the word that means nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import polars as pl

from contact_pipeline.normalize.text import blanked
from contact_pipeline.profiles.distinct import map_distinct

_YES: Final = ["yes", "y", "true", "1", "x"]
_NO: Final = ["no", "n", "false", "0"]


def choice(text: pl.Expr, registered: Sequence[str]) -> pl.Expr:
    """The registered spelling, whatever the case and the accents; the text as given where it is not registered."""
    return text.map_batches(lambda values: _registered(values, registered), return_dtype=pl.String)


def listed(text: pl.Expr, separator: str, registered: Sequence[str], blanks: Collection[str] = ()) -> pl.Expr:
    """The values between separators, each in its registered spelling, once; null where there are none.

    A value that is one of the words for a blank is none, as it would be alone in a cell.
    """
    return text.map_batches(
        lambda values: _listed(values, separator, registered, blanks), return_dtype=pl.List(pl.String)
    )


def login(text: pl.Expr, users: Sequence[str]) -> pl.Expr:
    """The login as it is known, whatever the case."""
    if not users:
        return text
    lower = [user.lower() for user in users]
    return text.str.to_lowercase().replace_strict(lower, list(users), default=text, return_dtype=pl.String)


def boolean(text: pl.Expr) -> pl.Expr:
    """True or False; null where the text is neither."""
    lower = text.str.to_lowercase()
    return pl.when(lower.is_in(_YES)).then(pl.lit(True)).when(lower.is_in(_NO)).then(pl.lit(False))


def emptied(text: pl.Expr, word: str, value: pl.Expr) -> pl.Expr:
    """The value, or the explicit nothing (an empty string) where the text is the word for it."""
    return pl.when(text.str.to_lowercase() == word.lower()).then(pl.lit("")).otherwise(value)


def _registered(values: pl.Series, registered: Sequence[str]) -> pl.Series:
    if not registered:
        return values
    spellings = pl.Series(list(registered), dtype=pl.String)
    known = pl.DataFrame({"folded": _folded(spellings), "spelling": spellings}).unique("folded", keep="first")

    def spelled(some: pl.Series) -> pl.Series:
        return _folded(some).replace_strict(known["folded"], known["spelling"], default=some, return_dtype=pl.String)

    return map_distinct(values, spelled)


def _listed(values: pl.Series, separator: str, registered: Sequence[str], blanks: Collection[str]) -> pl.Series:
    distinct = values.drop_nulls().unique()
    items = (
        pl.DataFrame({"text": distinct, "item": distinct.str.split(separator)})
        .explode("item", empty_as_null=True)
        .with_columns(blanked(pl.col("item").str.strip_chars(), blanks))
        .filter(pl.col("item") != "")
    )
    lists = (
        items.with_columns(choice(pl.col("item"), registered))
        .unique(["text", "item"], keep="first", maintain_order=True)
        .group_by("text", maintain_order=True)
        .agg("item")
    )
    return values.to_frame("text").join(lists, on="text", how="left", maintain_order="left")["item"]


def _folded(values: pl.Series) -> pl.Series:
    return values.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()
