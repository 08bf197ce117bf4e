"""Takes full names apart: plain ones by an expression, the distinct rest by nameparser."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

PARTS: Final = ("honorific", "first_name", "last_name", "name_suffix")

_TWO_WORDS: Final = r"^(\p{Latin}{2,}) (\p{Latin}{2,})$"


def parts_of_names(names: pl.Series) -> pl.DataFrame:
    """Honorific, first name (with middle names), last name and suffix of each name; null where it has none."""
    words = names.str.extract_groups(_TWO_WORDS).struct
    first, last = words.field("1"), words.field("2")
    special = _special_words()
    plain = first.is_not_null() & ~_is_special(first, special) & ~_is_special(last, special)
    rest = names.filter(~plain.fill_null(True)).drop_nulls().unique()
    told = pl.DataFrame(
        [_parts(name) for name in rest], schema=dict.fromkeys(("name", *PARTS), pl.String), orient="row"
    )
    found = names.to_frame("name").join(told, on="name", how="left", maintain_order="left").drop("name")
    return found.with_columns(
        first_name=first.zip_with(plain.fill_null(False), found["first_name"]),
        last_name=last.zip_with(plain.fill_null(False), found["last_name"]),
    )


def _is_special(words: pl.Series, special: pl.Series) -> pl.Series:
    return words.str.to_lowercase().is_in(special.implode())


@cache
def _special_words() -> pl.Series:
    """Words of which only nameparser can say what they are: titles, suffixes, particles and the like."""
    from nameparser import Lexicon  # few files have names to take apart

    lexicon = Lexicon.default()
    kinds = (
        lexicon.titles, lexicon.given_name_titles, lexicon.after_given_titles, lexicon.suffix_acronyms,
        lexicon.suffix_acronyms_ambiguous, lexicon.suffix_words, lexicon.particles, lexicon.particles_ambiguous,
        lexicon.conjunctions, lexicon.conjunctions_ambiguous, lexicon.bound_given_names, lexicon.maiden_markers,
        lexicon.honorific_tails,
    )  # fmt: skip
    return pl.Series(sorted({word for kind in kinds for word in kind}), dtype=pl.String)


def _parts(name: str) -> tuple[str | None, ...]:
    from nameparser import parse

    found = parse(name)
    first = " ".join(part for part in (found.given, found.middle) if part)
    return (name, found.title or None, first or None, found.family or None, found.suffix or None)
