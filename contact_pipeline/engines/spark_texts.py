"""What DuckDB makes of texts, as expressions that mean the same to Apache Spark and to Sail.

Spark has neither `strip_accents` nor `nfc_normalize`. Functions of ours would do, but Spark takes none within a lambda,
works each out for every row, whatever CASE says, and needs the same Python on the engine as here.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

import sqlglot
from sqlglot import exp

# What RE2 means by these, in words that mean the same to Java and to Rust. Letters, digits and case are those of ASCII
# for one and those of Unicode for the other, and Java's $ matches before a line end, too.
_IN_PATTERNS: Final = {
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\w": "[0-9A-Za-z_]",
    r"\W": "[^0-9A-Za-z_]",
    r"\s": r"[\t\n\f\r ]",
    r"\S": r"[^\t\n\f\r ]",
    r"\b": r"(?-u:\b)",
    r"\p{Latin}": r"\p{sc=Latin}",
    r"\p{Greek}": r"\p{sc=Greek}",
    "(?i": "(?iu",
    "$": r"\z",
}
_PATTERN_PARTS: Final = re.compile(r"\\p\{\w+\}|\\.|\(\?i|\$", re.DOTALL)
_LETTERS: Final = 0x30000  # no letter after it has marks
# Hangul syllables: their number follows from their parts.
_SYLLABLES, _LEADS, _VOWELS, _TAILS = 0xAC00, range(0x1100, 0x1113), range(0x1161, 0x1176), range(0x11A8, 0x11C3)


def text_as_spark_has_it(node: exp.Expr) -> exp.Expr:
    """A part of a query of the stages; what Spark makes of it otherwise, or has not, is changed."""
    match node:
        case exp.Anonymous(this="strip_accents"):
            return _strip_accents(node.expressions[0])
        case exp.Anonymous(this="nfc_normalize"):
            return _nfc_normalize(node.expressions[0])
        case exp.Lower():  # Spark makes two letters of this one
            node.set("this", _call("replace", node.this, "İ", "i"))
        case exp.Split(expression=exp.Literal() as sign):
            parts = _call("split", node.this, re.sub(r"([^\w\s])", r"\\\1", sign.this))
            return parts if sign.this else _call("array_remove", parts, "")  # Sail has empty ones at both ends
        case exp.RegexpLike() | exp.RegexpReplace() | exp.RegexpExtractAll():
            _change_pattern(node)
        case _:
            pass
    return node


def _change_pattern(node: exp.Expr) -> None:
    if isinstance(pattern := node.expression, exp.Literal):
        words = _PATTERN_PARTS.sub(lambda part: _IN_PATTERNS.get(part[0], part[0]), pattern.this)
        node.set("expression", exp.Literal.string(words))
    if isinstance(instead := node.args.get("replacement"), exp.Literal):  # which names groups as $1
        node.set("replacement", exp.Literal.string(re.sub(r"\\(\d)", r"$\1", instead.this)))


def _call(name: str, value: exp.Expr, *texts: str) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[value, *map(exp.Literal.string, texts)])


def _strip_accents(value: exp.Expr) -> exp.Expr:
    """A text without its marks, as DuckDB gives it."""
    return _call("regexp_replace", _call("translate", value, *_without_marks()), r"\p{M}+", "")


def _nfc_normalize(value: exp.Expr) -> exp.Expr:
    """A text with its letters and marks composed, where marks stand beside their letters in Unicode's order."""
    expression = _composing().copy()
    for column in [*expression.find_all(exp.Column)]:
        if column.name == "given":
            column.replace(value)
    return expression


@cache
def _without_marks() -> tuple[str, str]:
    """Letters that have marks, and the same without."""
    found = {}
    for letter in map(chr, range(0x80, _LETTERS)):
        apart = unicodedata.normalize("NFD", letter)
        bare = unicodedata.normalize("NFC", "".join(each for each in apart if unicodedata.category(each)[0] != "M"))
        if len(bare) == 1 and bare != letter:
            found[letter] = bare
    return "".join(found), "".join(found.values())


@cache
def _composing() -> exp.Expr:
    """The expression for a composed text: each letter is put together with the one before it, if they compose."""
    pairs = {}
    for letter in map(chr, range(0x80, _LETTERS)):
        parts = unicodedata.decomposition(letter).split()
        if len(parts) == 2 and parts[0][0] != "<" and unicodedata.is_normalized("NFC", letter):
            pairs["".join(chr(int(part, 16)) for part in parts)] = letter
    marks, known = "".join(dict.fromkeys(pair[1] for pair in pairs)), "".join(f"|{pair}" for pair in pairs)
    place = f"locate(concat('|', right(done, 1), letter), '{known}')"
    before, code = "ascii(right(done, 1))", "ascii(letter)"
    lead_and_vowel = f"{_SYLLABLES} + (({before} - {_LEADS[0]}) * 21 + {code} - {_VOWELS[0]}) * 28"
    without_last = "substring(done, 1, greatest(length(done) - 1, 0))"
    sql = f"""
        aggregate(array_remove(split(given, ''), ''), '', (done, letter) -> concat(
            CASE WHEN contains('{marks}', letter) AND {place} > 0
                 THEN concat({without_last}, substring('{"".join(pairs.values())}', ({place} - 1) div 3 + 1, 1))
                 WHEN {_between(before, _LEADS)} AND {_between(code, _VOWELS)}
                 THEN concat({without_last}, {_letter(lead_and_vowel)})
                 WHEN {before} BETWEEN {_SYLLABLES} AND {_SYLLABLES + 11171} AND ({before} - {_SYLLABLES}) % 28 = 0
                      AND {_between(code, _TAILS)}
                 THEN concat({without_last}, {_letter(f"{before} + {code} - {_TAILS[0] - 1}")})
                 ELSE concat(done, letter) END, ''))"""
    return sqlglot.parse_one(sql, read="spark")


def _between(code: str, codes: range) -> str:
    return f"{code} BETWEEN {codes[0]} AND {codes[-1]}"


def _letter(code: str) -> str:
    """The letter of a code of two bytes."""
    return f"decode(unhex(hex({code})), 'UTF-16BE')"
