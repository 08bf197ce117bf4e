"""Guesses the code page of text that is not UTF-8. Windows-1252 is assumed unless its words look wrong in it.

A guess looks at words with characters beyond ASCII: in the right code page they are letters throughout, of one script,
and in an order of capital and small ones that people write. A guess is never certain, so whoever uses it says so.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

ASSUMED: Final = "cp1252"
NAMES: Final = {
    "cp1252": "Windows-1252",
    "cp1250": "Windows-1250 (Central European)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "koi8-r": "KOI8-R (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp932": "Shift JIS (Japanese)",
    "euc_kr": "EUC-KR (Korean)",
    "gb18030": "GB 18030 (Chinese)",
    "mac-roman": "Mac Roman",
    "cp850": "DOS 850",
}
_OTHERS: Final = {
    "cp1250": "LATIN",
    "cp1255": "HEBREW",
    "cp1253": "GREEK",
    "cp1251": "CYRILLIC",
    "koi8-r": "CYRILLIC",
    "cp1256": "ARABIC",
    "cp932": "HIRAGANA KATAKANA CJK",
    "euc_kr": "HANGUL",
    "gb18030": "CJK",
    "mac-roman": "LATIN",
    "cp850": "LATIN",
}
_RIGHT: Final = 0.7  # share of words that look right, below which a code page is doubted
_BETTER: Final = 0.1  # by which another has to look better
_WORDS: Final = 400
_RARE: Final = "ΐΰ"  # hardly a Greek word has them; they stand where the Cyrillic page has its most frequent letter
_BETWEEN: Final = re.compile(r"[\s,;|\"()./&+0-9]+")


def guess_code_page(sample: bytes) -> tuple[str, bool]:
    """The likely code page of lines with characters beyond ASCII, and whether the words look right in it."""
    lines = sample.splitlines()
    best, score = ASSUMED, _score(lines, ASSUMED, "LATIN")
    if score >= _RIGHT:
        return best, True
    for name, scripts in _OTHERS.items():
        other = _score(lines, name, scripts)
        if other >= _RIGHT and other > score + _BETTER:
            best, score = name, other
    return best, score >= _RIGHT


def _score(lines: list[bytes], name: str, scripts: str) -> float:
    """The share of the words that look right."""
    words: list[str] = []
    for line in lines:
        try:
            decoded = line.decode(name)
        except UnicodeDecodeError:
            return 0.0
        words += [word for word in _BETWEEN.split(decoded) if word and not word.isascii()]
        if len(words) >= _WORDS:
            break
    return sum(_looks_right(word, scripts) for word in words) / len(words) if words else 1.0


def _looks_right(word: str, scripts: str) -> bool:
    letters = [sign for sign in word if sign not in "'’-´`·ーº°ª€£–…"]
    if not letters:
        return True
    if "€" in word or "£" in word:  # before a number, which is cut off, but in no word
        return False
    if not all(sign.isalpha() and sign not in _RARE for sign in letters):
        return False
    beyond = [sign for sign in letters if not sign.isascii()]
    if scripts == "LATIN":
        return _is_cased(word) and 2 * len(beyond) <= len(letters) + 1
    return len(beyond) == len(letters) and _is_cased(word) and all(_script(sign) in scripts for sign in beyond)


def _script(sign: str) -> str:
    return unicodedata.name(sign, "UNKNOWN").split(" ")[0]


def _is_cased(word: str) -> bool:
    """Whether each part of a word is small, capital, or small after a capital."""
    return all(
        part.islower() or part.isupper() or part[1:].islower() or part.upper() == part.lower()
        for part in re.split(r"[-'’]", word)
        if part
    )
