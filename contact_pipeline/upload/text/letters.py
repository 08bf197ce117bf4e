"""Measures how well a text reads in a language: the cost of its words, in bits, by pairs of letters.

For each language and letter, the table `letters.tsv` lists the letters that follow it in names, places and words of
CLDR, each with its cost: the logarithm of how rarely it follows. A space is the edge of a word. Languages written in
signs (Chinese, Japanese, Korean) have one line with the cost of each sign. Pairs of ASCII letters are left out: they
read alike in every encoding.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

UNLIKELY: Final = 9.0  # bits for each pair with a letter beyond ASCII, above which a word looks wrong

_TABLE: Final = Path(__file__).with_name("letters.tsv")
_UNSEEN_PAIR: Final = 13
_UNSEEN_SIGN: Final = 17
_SIGN_OF_FIRST_LEVEL: Final = 13  # about the logarithm of their number
_FIRST_LEVEL: Final = {  # by the first byte
    "ja": ("euc_jp", 0xB0, 0xCF),
    "zh": ("gb2312", 0xB0, 0xD7),
    "zh_Hant": ("big5", 0xA4, 0xC6),
    "ko": ("euc_kr", 0xB0, 0xC8),
}
_FOREIGN: Final = 20  # a letter that the language does not have
_NO_LETTER: Final = 14  # a sign that belongs to no word
_INSIDE: Final = 12  # added where such a sign is within a word
_MIXED: Final = 30  # letters of two scripts in one word
_UNWRITTEN: Final = 30  # a control character, or no character at all
_ODD_CASE: Final = 14
_OTHER_LANGUAGE: Final = 6  # for a word in another language than most
_BETWEEN_WORDS: Final = re.compile(r"[\x00-\x26\x28-\x2c./:-@\[-`{-~]+")
_PARTS: Final = re.compile("[-'’]")
_ELISION: Final = re.compile(r"^[^\W\d_]’|’(?=[A-Z])|’(?=s?$)")
_ELISION_IN_CAPITALS: Final = re.compile(r"^(?:[DL]’(?=[AEIOUYHÀÂÉÈÊÎÔÙ])|O’(?=[A-Z])|[MN]’(?=[BCDGJKPTZ]))|’(?=S?$)")
_DOTTED: Final = 5  # bits of a capital İ where it belongs to the language: its small letter is one of ASCII
ALIKE: Final = {"ș": "ş", "Ș": "Ş", "ț": "ţ", "Ț": "Ţ"}  # one letter of Romanian, by the old and by the new standard
_MARKS: Final = (  # bits, at the edge of a word
    dict.fromkeys("’‘“”„«»°ºª–—　、。・：；（）「」\xa0", 6) | dict.fromkeys("€£©®™§…•·¡¿´№", 11)
)
_ALONE: Final = 1  # bits, for a mark by itself
_LONE_LETTER: Final = 6


Pairs = Mapping[str, Mapping[str, int]]


@cache
def languages() -> Mapping[str, Pairs]:
    """Language → first letter → second letter → bits. The signs of Chinese and the like follow an empty text."""
    table: dict[str, dict[str, Mapping[str, int]]] = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        language, first, seconds = line.split("\t")
        costs = {seconds[n]: int(seconds[n + 1], 16) for n in range(0, len(seconds), 2)}
        table.setdefault(language, {})[first] = costs
    return table


@cache
def letters_of(language: str) -> frozenset[str]:
    """The letters beyond ASCII that a language writes."""
    pairs = languages()[language]
    return frozenset(letter for seconds in pairs.values() for letter in seconds if not letter.isascii())


def as_compared(text: str) -> str:
    """The text with variants of one letter (`ALIKE`) made equal."""
    for new, old in ALIKE.items():  # much faster than str.translate
        text = text.replace(new, old)
    return text


def words_of(text: str) -> list[str]:
    """The words of a text that hold more than ASCII."""
    return [word for word in _BETWEEN_WORDS.split(as_compared(text)) if not word.isascii()]


def cost(words: Collection[str], among: Iterable[str]) -> float:
    """The cost of words in the best of these languages; single words may be in another of them."""
    by_language = [[cost_of(word, language) for word in words] for language in among]
    if not by_language:
        return float(_FOREIGN * sum(map(len, words)))
    best: list[float] = [min(costs) for costs in zip(*by_language, strict=True)]
    return min(
        sum(min(here, any_ + _OTHER_LANGUAGE) for here, any_ in zip(costs, best, strict=True)) for costs in by_language
    )


def looks_wrong(word: str, among: Iterable[str]) -> bool:
    """Whether a word reads badly in each of these languages."""
    beyond = sum(not sign.isascii() for sign in word)
    return all(cost_of(word, language) > UNLIKELY * (beyond + 1) for language in among)


@lru_cache(maxsize=200_000)
def cost_of(word: str, language: str) -> float:
    """The cost of a word in a language."""
    if word in _MARKS:
        return float(_ALONE)
    pairs = languages()[language]
    lower = word.replace("İ", "i").lower()
    total = 0.0 if _is_cased(word) else _ODD_CASE
    if "" in pairs:
        return total + _signs(lower, pairs[""], language)
    known = letters_of(language)
    total += word.count("İ") * (_DOTTED if "ı" in known else _FOREIGN)
    if len(word) == 1:
        total += _LONE_LETTER
    if not _is_latin(language) and any("a" <= letter <= "z" for letter in lower):
        total += _MIXED
    return total + sum(_pairs(part, pairs, known) for part in _PARTS.split(lower)) + _apostrophes(word)


def _apostrophes(word: str) -> float:
    """The cost of apostrophes: low after a short beginning (d’Or), before a capital or an s; high elsewhere.

    In words of capitals, the next letter decides: D’OR, O’NEILL, but not S’THER.
    """
    if word.isupper():
        usual = len(_ELISION_IN_CAPITALS.findall(word))
        return 3.0 * usual + 14.0 * (word.count("’") - usual)
    usual = len(_ELISION.findall(word))
    return 3.0 * usual + 10.0 * (word.count("’") - usual)


def _signs(word: str, costs: Mapping[str, int], language: str) -> float:
    scripts = {script for sign in word if (script := _script(sign))}
    mixed = _MIXED * (len(scripts - {"LATIN"}) > 1) + _ODD_CASE * ("LATIN" in scripts)
    signs = (sign for sign in word if not sign.isascii())
    return mixed + sum(costs.get(sign) or _of_no_word(sign) or _unseen_sign(sign, language) for sign in signs)


@lru_cache(maxsize=70_000)
def _unseen_sign(sign: str, language: str) -> int:
    """The cost of a sign that the table lacks: less if it is of the first level of the national standard."""
    codec, first, last = _FIRST_LEVEL[language]
    return _SIGN_OF_FIRST_LEVEL if first <= sign.encode(codec, "replace")[0] <= last else _UNSEEN_SIGN


def _pairs(part: str, pairs: Pairs, known: frozenset[str]) -> float:
    total = 0.0
    before = " "
    for letter in f"{part} ":
        if letter not in known and (apart := _of_no_word(letter)):
            total += apart if before == " " or len(part) == 1 else apart + _INSIDE
            before = " "
            continue
        if not (before.isascii() and letter.isascii()):
            bits = pairs.get(before, {}).get(letter)
            total += bits if bits is not None else _UNSEEN_PAIR if letter in known or letter.isascii() else _FOREIGN
        before = letter
    return total


@lru_cache(maxsize=70_000)
def _of_no_word(sign: str) -> int:
    """The cost of a sign that belongs to no word; 0 for letters."""
    if sign.isascii() or sign.isalpha() or unicodedata.category(sign)[0] == "M":
        return _MARKS.get(sign, 0)
    return _MARKS.get(sign) or (_UNWRITTEN if unicodedata.category(sign) in {"Cc", "Cn", "Co", "Cs"} else _NO_LETTER)


@lru_cache(maxsize=70_000)
def _script(sign: str) -> str:
    """The script of a letter, kana and ideographs being one."""
    if not sign.isalpha():
        return ""
    name = unicodedata.name(sign, "UNKNOWN").split(" ")[0].split("-")[0]
    return "CJK" if name in {"HIRAGANA", "KATAKANA", "FULLWIDTH"} else name


@cache
def _is_latin(language: str) -> bool:
    return any(unicodedata.name(letter, "").startswith("LATIN") for letter in letters_of(language))


def _is_cased(word: str) -> bool:
    """Whether each part of a word is small, capital, or small after a capital."""
    return all(
        part.islower() or part.isupper() or part[1:].islower() or part.upper() == part.lower()
        for part in _PARTS.split(word)
        if part
    )
