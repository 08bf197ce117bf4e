"""The SQL by which texts compare: without case, and without the marks on letters that do not count.

The rules are those of `contact_pipeline.letters`, as SQL: a Python function would run row by row. Letters in other
forms (NFKC) are composed where names are written in them; others, such as letters in circles, compare as written.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from contact_pipeline.engines import literal
from contact_pipeline.letters import (
    ARABIC_FORMS,
    ARABIC_SIGNS,
    JOINERS,
    LIGATURES,
    MARKS,
    SHEDS_MARKS,
    WIDTH_FORMS,
    in_full,
)

# Letters for which `strip_accents` alone is right: Latin and Greek ones without ligatures; of other scripts those that
# have no marks, so not й, alef with hamza or a mark by itself. No space, hyphen or apostrophe.
PLAIN: Final = (
    r"\x21-\x26\x28-\x2C\x2E-\x5F\x61-\x7E\x{C0}-\x{131}\x{134}-\x{13E}\x{141}-\x{148}\x{14A}-\x{17E}"
    r"\x{180}-\x{1C3}\x{1CD}-\x{1F0}\x{1F4}-\x{24F}\x{37B}-\x{3FF}\x{1E00}-\x{1FBC}"
    r"\x{401}\x{410}-\x{418}\x{41A}-\x{438}\x{43A}-\x{44F}\x{451}\x{5D0}-\x{5EA}\x{621}\x{627}-\x{63A}\x{641}-\x{64A}"
    r"\x{4E00}-\x{9FFF}"
)
_PLAIN_OR_SIGN: Final = rf"{PLAIN}\x00-\x{{BF}}\x{{1FBD}}-\x{{1FFF}}\x{{2010}}-\x{{2019}}"
_PIECES: Final = rf"[{SHEDS_MARKS}][{SHEDS_MARKS}{MARKS}]*|[^{SHEDS_MARKS}]+"
_LEFT_OUT: Final = f"[{ARABIC_SIGNS}{JOINERS}]"
_FORMS: Final = f"[{LIGATURES}{''.join(f'{chr(each[0])}-{chr(each[-1])}' for each in (ARABIC_FORMS, WIDTH_FORMS))}]"


def is_ascii(value: str) -> str:
    """Whether a text is all ASCII. Counting bytes and letters costs next to nothing."""
    return f"strlen({value}) = length({value})"


def without_case(value: str) -> str:
    """A text in lower case, including the letters that `lower` does not change."""
    return f"replace(replace(lower({value}), 'ß', 'ss'), 'ς', 'σ')"


def without_marks(value: str) -> str:
    """The same without the marks that do not count. Only a text of mixed scripts has to be taken apart."""
    bare = (
        f"CASE WHEN regexp_matches(piece, '^[{SHEDS_MARKS}]') THEN strip_accents(piece) ELSE {_of_others('piece')} END"
    )
    mixed = f"array_to_string(list_transform(regexp_extract_all(folded, '{_PIECES}'), lambda piece: {bare}), '')"
    others = f"CASE WHEN regexp_matches(folded, '[{SHEDS_MARKS}]') THEN {mixed} ELSE {_of_others('folded')} END"
    return f"""
        CASE WHEN regexp_matches({value}, '^[{_PLAIN_OR_SIGN}]*$') THEN strip_accents({without_case(value)})
             ELSE list_transform([{without_case(composed(value))}], lambda folded: {others})[1] END"""


def composed(value: str) -> str:
    """A text with letters in other forms as the letters that they are (NFKC)."""
    return (
        f"CASE WHEN regexp_matches({value}, '{_FORMS}') THEN {_composed().replace('{value}', value)} ELSE {value} END"
    )


def _of_others(value: str) -> str:
    """A text in a script whose marks count, without the few marks that do not."""
    return f"regexp_replace(replace({value}, 'ё', 'е'), '{_LEFT_OUT}', '', 'g')"


@cache
def _composed() -> str:
    """The expression for a text with letters in other forms; `{value}` stands for the text."""
    in_block = " ".join(
        f"WHEN letter BETWEEN '{chr(each[0])}' AND '{chr(each[-1])}'"
        f" THEN substring({literal(''.join(map(_one, each)))}, unicode(letter) - {each[0] - 1}, 1)"
        for each in (ARABIC_FORMS, WIDTH_FORMS)
    )
    several = literal(" ".join(map(in_full, LIGATURES)))
    ligature = f"string_split({several}, ' ')[strpos({literal(LIGATURES)}, letter)]"
    each = f"CASE WHEN contains({literal(LIGATURES)}, letter) THEN {ligature} {in_block} ELSE letter END"
    return f"nfc_normalize(array_to_string(list_transform(string_split({{value}}, ''), lambda letter: {each}), ''))"


def _one(code: int) -> str:
    """The plain letter of a form; the form itself where it stands for several letters."""
    plain = in_full(chr(code))
    return plain if len(plain) == 1 else chr(code)
