"""Names that are not, or not certainly, one person's: couples, families, companies, `c/o`.

Words such as `and` join two people wherever they stand between others. Words that also join the halves of a surname
(Ortega y Gasset, Puig i Cadafalch, Silva e Costa) join two people only before a title, or directly after a title or
the first word of the name: `Juan y María García`, but not `José Ortega y Gasset`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

_AND: Final = frozenset({"&", "+", "and", "und", "et", "och", "og", "oraz", "és", "ve", "и", "та", "και"})
_AND_IN_SURNAMES_TOO: Final = frozenset({"y", "e", "i", "en", "ed", "a", "ja", "si", "și", "u", "і"})
_SOMETIMES_TITLES: Final = frozenset({  # beside a word that joins
    "mr", "mrs", "ms", "miss", "herr", "frau", "hr", "fr", "m", "mm", "mme", "mlle", "sr", "sra", "srta", "don",
    "doña", "d", "dña", "señor", "señora", "senhor", "senhora", "dom", "dona", "sig", "sigra", "signor", "signora",
    "dhr", "mevr", "mw", "pan", "pani", "pán", "paní", "bay", "bayan", "dr", "dra", "prof",
})  # fmt: skip
_FAMILY: Final = frozenset({
    "family", "families", "household", "familie", "familia", "família", "famille", "famiglia", "familj", "familjen",
    "familien", "perhe", "ailesi", "семья", "сім'я", "οικογένεια", "család", "eheleute", "ehepaar", "gezin",
})  # fmt: skip
_AT_BEGINNING: Final = frozenset({  # words of families, and words that are no first names
    "the", "die", "los", "fam", "rodina", "rodzina", "époux", "epoux", "coniugi", "esposos", "matrimonio",
    "casal", "jr", "jnr", "ii", "iii", "iv", "esq",
})  # fmt: skip
_COMPANY: Final = frozenset({
    "gmbh", "mbh", "inc", "llc", "llp", "ltd", "ltda", "corp", "sarl", "sàrl", "sprl", "srl", "ohg", "plc", "pty", "bv",
    "oy", "oyj", "aps", "spzoo", "sro", "kft", "ooo", "ооо",
})  # fmt: skip
_COMPANY_IN_CAPITALS: Final = frozenset(
    {"AG", "AB", "AS", "ASA", "SA", "SAS", "SL", "SPA", "NV", "KG", "KGAA", "UG", "SE"}
)
_ADDRESSED: Final = re.compile(r"(?i)℅|(?:^|\s)(?:attn|fao|dba|z\. ?hd|zhd)\b|\w\.?\s?/\s?\w")
_CHILD_OF: Final = re.compile(r"(?i)(?<=\s)(?:[sdw]/o|a/[lp])(?=\s)")  # patronymics of India and Malaysia
_TITLES_OF_TWO: Final = re.compile(r"(?i)^(?:mr|herr|hr|sr|m|sig)\.? (?:mrs|frau|fr|sra|mme|sig\.ra)\b")
_NOBLE: Final = ("von", "und", "zu")

WORDS: Final = _FAMILY | _AT_BEGINNING | _COMPANY | {word.lower() for word in _COMPANY_IN_CAPITALS}


def is_not_one_person(name: str, titles: Collection[str]) -> bool:
    """Whether a name may stand for more than one person, or for none.

    Args:
        name: tidied.
        titles: words that are titles, in small letters.
    """
    if _ADDRESSED.search(_CHILD_OF.sub("", name)) or _TITLES_OF_TWO.search(name):
        return True
    given = [word.strip(".,").replace(".", "") for word in name.split(" ")]
    words = [word.lower() for word in given]
    in_capitals = given[-1] in _COMPANY_IN_CAPITALS and name.upper() != name
    if words[0] in _AT_BEGINNING or not _FAMILY.isdisjoint(words) or not _COMPANY.isdisjoint(words[1:]) or in_capitals:
        return len(words) > 1
    known = _SOMETIMES_TITLES.union(titles)
    return any(_joins_people(place, given, name, known) for place in range(1, len(words) - 1))


def _joins_people(place: int, given: Sequence[str], name: str, titles: Collection[str]) -> bool:
    """Whether the word at a place, between others, joins two people."""
    before, word, after = (each.lower() for each in given[place - 1 : place + 2])
    if (before, word, after) == _NOBLE:
        return False
    if word in _AND:
        return True
    if word in _AND_IN_SURNAMES_TOO and after in _SOMETIMES_TITLES and len(after) > 1:
        return True
    is_initial = given[place] != word and not (word == "y" and name.isupper())
    if word not in _AND_IN_SURNAMES_TOO or is_initial:
        return False
    if before in titles or after in titles:
        return True
    first = name.partition(",")[2].split() or name.split()
    first = first[len(_leading(first, titles)) :]
    return len(first) > 2 and first[1] == given[place]


def _leading(words: Sequence[str], titles: Collection[str]) -> Sequence[str]:
    """The titles at the beginning."""
    for place, word in enumerate(words):
        if word.strip(".,").lower() not in titles:
            return words[:place]
    return words
