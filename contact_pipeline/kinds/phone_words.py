"""Words beside a telephone number: labels such as `home` are taken off; other words may matter, and are kept.

Labels are listed in qualifiers.yaml and, for names of the field, in headings.yaml.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

from contact_pipeline.headings.qualifiers import is_label
from contact_pipeline.headings.synonyms import words_of

# Abbreviated labels, and labels of telephone numbers only; none of them can be a remark.
_ABBREVIATED: Final = frozenset({
    "c", "h", "m", "p", "t", "w", "ph", "mob", "cel", "tlf", "tfno", "hp", "kom", "моб", "сот", "тел", "дом", "τηλ",
    "gesch", "priv", "dienstl", "bur", "trab", "part", "number", "num", "nr", "nummer", "numero", "direct", "desk",
    "landline", "festnetz", "fixe", "fijo", "fixo", "fisso",
})  # fmt: skip
_REMARKS_TOO: Final = frozenset({"alt"})  # German for old
_EXTENSION_WORDS: Final = frozenset(words_of("ext extn xtn extension extensión x int доб anexo ramal poste"))
_SIGNS: Final = frozenset("+＋~～=<>☎☏✆📞📱📲")  # symbols without a meaning of their own; ❌ has one
_BESIDE: Final = re.compile(r"[^\d+＋]*[^\W\d_][^\d+＋]*")
_URI: Final = re.compile(r"(?i)tel:[+\d().\-]+(?:;[a-z\-]+=[^;\s]+)*")
# Letters that stand for digits: after the code of free numbers, or as a number's last four digits.
_DIALLED: Final = re.compile(
    r"(?i)(?:\+?1[ .\-]*)?\(?"
    r"(?:(?:0?8\d\d|1[38]00)\)?[ .\-]*[a-z](?:[ .\-]?[a-z]){3,}|\d{3}\)?[ .\-]*\d{3}[ .\-]?[a-z]{4})"
)


def without_labels(text: str) -> str | None:
    """The text without the labels beside its number; None where it has words that are no labels."""
    if any(unicodedata.category(sign)[0] == "S" and sign not in _SIGNS for sign in text):
        return None
    beside = [found for found in _BESIDE.finditer(text) if not _is_extension(found, text)]
    if all(_is_label(found[0]) for found in beside):
        for found in reversed(beside):
            text = f"{text[: found.start()]} {text[found.end() :]}"
        return text
    return text if _URI.fullmatch(text) or _DIALLED.fullmatch(text) else None


def _is_extension(found: re.Match[str], text: str) -> bool:
    """Whether the words stand between a number and its extension."""
    words = words_of(found[0])
    return bool(words) and found.start() > 0 and found.end() < len(text) and _EXTENSION_WORDS.issuperset(words)


@cache
def _is_label(words: str) -> bool:
    for spelled in (words_of(words), words_of(words.lower())):  # HomePhone is two words, WhatsApp is one
        others = [word for word in spelled if word not in _ABBREVIATED]
        if not others or (_REMARKS_TOO.isdisjoint(others) and is_label(" ".join(others), "phone")):
            return True
    return False
