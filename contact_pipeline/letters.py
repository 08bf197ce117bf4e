"""Which marks on letters count when texts are compared, and which do not.

Latin and Greek letters compare without their marks, Arabic ones without vowel signs, and Cyrillic io without its dots:
writers leave these out. In every other script a mark makes another letter (й, が, मी), so it stays.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Written inside the brackets of a regular expression, for RE2.
SHEDS_MARKS: Final = r"\p{Latin}\p{Greek}"
MARKS: Final = r"\x{0300}-\x{036F}\x{1AB0}-\x{1AFF}\x{1DC0}-\x{1DFF}"
ARABIC_SIGNS: Final = r"\x{064B}-\x{0652}\x{0670}\x{0640}"  # vowel signs, and the stroke that lengthens a word
JOINERS: Final = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"

# Letters in other forms, as keyboards, old systems and PDF files give them: Arabic ones by their position in a word,
# full and half width, and those that stand for several.
ARABIC_FORMS: Final = range(0xFB50, 0xFEFD)
WIDTH_FORMS: Final = range(0xFF01, 0xFFEF)
LIGATURES: Final = "ĳĲŀĿŉſǆǅǄǉǈǇǌǋǊǳǲǱևﬀﬁﬂﬃﬄﬅﬆﻵﻶﻷﻸﻹﻺﻻﻼﷲำຳໜໝ"

_MARKED: Final = re.compile(
    "([A-Za-zªºÀ-ʯᴀ-ᶿḀ-ỿⱠ-Ɀ꜠-ꟿͰ-Ͽἀ-῿])[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff]+"  # Latin and Greek
    "|([еЕ])\u0308"
    f"|[\u064b-\u0652\u0670\u0640{JOINERS}]"
)


def without_marks(text: str) -> str:
    """The text in Unicode's compatibility form (NFKC), without the marks that do not count, and without joiners."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFKC", _MARKED.sub(lambda found: found[1] or found[2] or "", apart))


def folded(text: str) -> str:
    """The text as it compares: without case and the marks that do not count."""
    return without_marks(text).casefold()


def in_full(form: str) -> str:
    """The letter or letters of which this is another form (NFKC); forms of phrases and of lone marks stay."""
    plain = unicodedata.normalize("NFKC", form)
    return form if " " in plain else plain
