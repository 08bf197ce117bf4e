"""Takes full names apart: plain ones by an expression, the distinct rest by nameparser.

nameparser takes a first word with a point for a title, and also words such as Judge and Prince, which are names too.
Known abbreviations of first names stay first names. Names where the first word could be either are left whole, and so
are couples, families and companies.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import polars as pl

from contact_pipeline.kinds.name_not_one_person import WORDS, is_not_one_person

PARTS: Final = ("honorific", "first_name", "last_name", "name_suffix")

# Abbreviations of first names, in English, Spanish and German.
_FIRST_NAMES: Final = frozenset({
    "abr", "alex", "alf", "alfr", "and", "andr", "anth", "ant", "archd", "arch", "aug", "barth", "ben", "benj", "cath",
    "chas", "chr", "chris", "danl", "dan", "dav", "don", "ed", "edm", "edw", "eliz", "fco", "fdo", "franc", "fred",
    "fredk", "friedr", "gab", "geo", "gerh", "gil", "greg", "heinr", "hen", "herm", "jac", "jas", "jer", "jno",
    "jn", "joh", "jos", "josh", "kath", "lawr", "ludw", "ma", "mª", "marg", "matt", "matth", "mich", "nath", "nathl",
    "nich", "nic", "pat", "phil", "pet", "ric", "rich", "richd", "rob", "robt", "sam", "saml", "ste", "st", "steph",
    "theo", "thos", "tho", "tim", "val", "vinc", "wal", "walt", "wilh", "will", "wm", "xav", "zach",
})  # fmt: skip
# Titles that are also names.
_ALSO_NAMES: Final = frozenset({
    "abbot", "angel", "banker", "bard", "baron", "bishop", "blessed", "brother", "burgess", "canon", "captain",
    "cardinal", "chancellor", "chief", "commander", "count", "countess", "dame", "deacon", "dean", "duchess", "duke",
    "earl", "emperor", "general", "goodman", "governor", "grand", "guru", "judge", "khan", "king", "knight", "lady",
    "lama", "lord", "magnate", "major", "marquess", "marquis", "marquise", "marshal", "marshall", "master", "mayor",
    "model", "monk", "pastor", "pharaoh", "pilot", "pope", "president", "prefect", "priest", "prince", "princess",
    "prior", "private", "queen", "ranger", "rock", "royal", "sailor", "saint", "scholar", "senator", "senior",
    "sheriff", "singer", "sister", "sultan", "sultana", "tenor", "tsar", "woodman",
})  # fmt: skip
_MORE_TITLES: Final = frozenset({  # nameparser lacks these
    "arq", "avv", "bc", "dipl", "dott", "drs", "geom", "ing", "ir", "judr", "lic", "mba", "mddr", "mudr", "mvdr",
    "phdr", "paeddr", "rag", "rndr",
})  # fmt: skip

_TWO_WORDS: Final = r"^(\p{Latin}{2,}) (\p{Latin}{2,})$"


def parts_of_names(names: pl.Series) -> pl.DataFrame:
    """Honorific, first name (with middle names), last name and suffix of each name; null where it has none."""
    words = names.str.extract_groups(_TWO_WORDS).struct
    first, last = words.field("1"), words.field("2")
    special = _special_words()
    plain = first.is_not_null() & ~_is_special(first, special) & ~_is_special(last, special)
    rest = names.filter(~plain.fill_null(True)).drop_nulls().unique()
    parts_of_names = pl.DataFrame(
        [_parts(name) for name in rest], schema=dict.fromkeys(("name", *PARTS), pl.String), orient="row"
    )
    found = names.to_frame("name").join(parts_of_names, on="name", how="left", maintain_order="left").drop("name")
    return found.with_columns(
        first_name=first.zip_with(plain.fill_null(False), found["first_name"]),
        last_name=last.zip_with(plain.fill_null(False), found["last_name"]),
    )


def _is_special(words: pl.Series, special: pl.Series) -> pl.Series:
    return words.str.to_lowercase().is_in(special.implode())


@cache
def _special_words() -> pl.Series:
    """Words that need nameparser: titles, suffixes, particles and the like."""
    from nameparser import Lexicon  # few files have names to take apart

    lexicon = Lexicon.default()
    kinds = (
        lexicon.titles, lexicon.given_name_titles, lexicon.after_given_titles, lexicon.suffix_acronyms,
        lexicon.suffix_acronyms_ambiguous, lexicon.suffix_words, lexicon.particles, lexicon.particles_ambiguous,
        lexicon.conjunctions, lexicon.conjunctions_ambiguous, lexicon.bound_given_names, lexicon.maiden_markers,
        lexicon.honorific_tails,
    )  # fmt: skip
    return pl.Series(sorted(WORDS.union(*kinds)), dtype=pl.String)


def _parts(name: str) -> tuple[str | None, ...]:
    from nameparser import parse

    if is_not_one_person(name, _titles()):
        return (name, None, None, None, None)
    found = parse(name)
    title, rest = _title_of(found.title.split())
    if rest and not title and _bare(rest[0]) not in _FIRST_NAMES:
        return (name, None, None, None, None)
    first = " ".join(part for part in (*rest, found.given, found.middle) if part)
    return (name, " ".join(title) or None, first or None, found.family or None, found.suffix or None)


def _title_of(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The words at the beginning that are a title beyond doubt, and the others."""
    for place, word in enumerate(words):
        bare = _bare(word)
        known = bare in _titles() and (word.endswith(".") or bare not in _ALSO_NAMES)
        if bare in _FIRST_NAMES or not known:
            return words[:place], words[place:]
    return words, ()


def _bare(word: str) -> str:
    return word.rstrip(".,").lower()


@cache
def _titles() -> frozenset[str]:
    from nameparser import Lexicon

    lexicon = Lexicon.default()
    return frozenset(lexicon.titles | lexicon.given_name_titles | _MORE_TITLES)
