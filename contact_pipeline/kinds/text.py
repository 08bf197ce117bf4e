"""Text: tidies every cell before its kind reads it, and finds the words that mean nothing.

Changes of spaces and to Unicode's composed form are no repairs. Repairs are: an invisible character taken out, an HTML
entity decoded, and the apostrophe or formula (`="00123"`) removed that kept a spreadsheet from reading a number.
"""

from __future__ import annotations

import html
import re
import unicodedata
from html.entities import html5
from typing import Final

import polars as pl

from contact_pipeline.kinds.cell_rules import NOT_SCIENTIFIC, Passes, not_too_long
from contact_pipeline.kinds.distinct import change_where, fill_where, map_distinct
from contact_pipeline.kinds.kind import Kind
from contact_pipeline.letters import JOINERS
from contact_pipeline.profiles import Column
from contact_pipeline.profiles.model import Blanks

# Visible letters and signs that Unicode's composed form leaves as they are, whatever stands beside them.
_COMPOSED: Final = "!-~¡-¬®-ɏЀ-҂ء-يऄ-नぁ-ゖァ-ヺ一-鿿가-힣‐-”"
_UNTIDY: Final = f"[^ {_COMPOSED}]|  |^ | $"
_SPACES: Final = r"\s\s+|[\s&&[^ ]]"  # spaces other than a single one
_INVISIBLE: Final = r"[\p{Cf}\p{Cc}&&[^\s]]"  # zero-width and directional characters, soft hyphens, controls
# Letters and pictures that joiners shape or put together. Elsewhere joiners are invisible and taken out.
_JOINED: Final = (
    r"[\p{Arabic}\p{Syriac}\p{Nko}\p{Mongolian}\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}"
    r"\p{Telugu}\p{Kannada}\p{Malayalam}\p{Sinhala}\p{Tibetan}\p{Myanmar}\p{Khmer}\p{Balinese}\p{Javanese}"
    r"\p{Extended_Pictographic}\x{FE0F}\x{1F3FB}-\x{1F3FF}]"
)
_TAKEN_OUT: Final = rf"({_JOINED}[{JOINERS}]+)|{_INVISIBLE}"

_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_HAS_ENTITY: Final = r"&#?[A-Za-z0-9]+;"
_ENTITIES_DEEP: Final = 3  # times that a text may have been encoded
_FORMULA_AS_TEXT: Final = "^'[0-9=+@-]"  # 's-Gravenhage and 't Hooft begin with a letter
_DASH: Final = r"[\x{2010}-\x{2015}\x{2212}\x{FE63}\x{FF0D}]"
_IN_FORMULA: Final = r'(?s)^= *(?:"((?:[^"]|"")*)"|""([^"]+)"")$'  # a text alone: ="A"&"B" is calculated
_MENDED: Final = rf"{_INVISIBLE}|{_HAS_ENTITY}|^\s*['=]"


def tidied(cell: pl.Expr) -> pl.Expr:
    """Text in Unicode's composed form (NFC), trimmed, single spaces, nothing invisible; null where nothing is left.

    HTML entities are decoded; an apostrophe before a number or a formula, and a formula that is nothing but a text, are
    taken off.
    """
    return cell.map_batches(_tidied, return_dtype=pl.String)


def are_tidy(values: pl.Series) -> pl.Series:
    """Whether each text is tidied as it stands; null stays null."""
    return (values != "") & ~values.str.contains(f"{_UNTIDY}|{_MENDED}")


def dashed(text: pl.Expr) -> pl.Expr:
    """Tidied text with a hyphen for every dash that word processors make of one."""
    return text.str.replace_all(_DASH, "-")


def mended(cells: pl.Series) -> pl.Series:
    """Whether anything was decoded or taken out of a cell when it was tidied; false for a blank cell."""
    nothing = pl.Series(cells.name, [False]).new_from_index(0, cells.len())
    return fill_where(nothing, cells.str.contains(_MENDED), cells, lambda some: _why(some).is_not_null())


def why_mended(cell: pl.Expr) -> pl.Expr:
    """The reason in words where something was decoded or taken out of the cell; else null."""
    return cell.map_batches(_why, return_dtype=pl.String)


def blanked(text: pl.Expr, blanks: Blanks) -> pl.Expr:
    """Tidied text; null where it means nothing."""
    return text.map_batches(lambda values: _blanked(values, blanks), return_dtype=pl.String)


def are_blanks(values: pl.Series, blanks: Blanks) -> pl.Series:
    """Whether each text means nothing."""
    # Few values are as long as one of these words, and counting bytes is fast.
    lengths = {len(word.encode()) for word in blanks.words | blanks.exact}
    nothing = pl.Series(values.name, [False]).new_from_index(0, values.len())
    as_long = values.str.len_bytes().is_in(list(lengths))
    found = fill_where(nothing, as_long, values, lambda some: _are_words(some, blanks))
    return found | values.str.contains(blanks.pattern).fill_null(False) if blanks.pattern else found


def _tidied(values: pl.Series) -> pl.Series:
    filled = values.set(values.str.len_bytes() == 0, None)
    return change_where(filled, filled.str.contains(f"{_UNTIDY}|{_MENDED}"), _tidy)


def _tidy(values: pl.Series) -> pl.Series:
    values = change_where(values, values.str.contains(_HAS_ENTITY), lambda some: map_distinct(some, _decoded))
    stripped = values.str.strip_chars().replace("", None)
    spaced = change_where(stripped, stripped.str.contains(_UNTIDY), _evenly_spaced)
    bare = change_where(spaced, spaced.str.contains(_FORMULA_AS_TEXT), lambda some: some.str.slice(1))
    return change_where(bare, bare.str.contains(_IN_FORMULA), _out_of_formula)


def _out_of_formula(formulas: pl.Series) -> pl.Series:
    """The texts of formulas that are nothing but a text."""
    texts = formulas.str.replace(_IN_FORMULA, "${1}${2}").str.replace_all('""', '"', literal=True)
    return texts.str.strip_chars().replace("", None)


def _evenly_spaced(values: pl.Series) -> pl.Series:
    spaced = values.str.replace_all(_SPACES, " ")
    return change_where(spaced, spaced.str.contains(_UNTIDY), _without_invisible)


def _without_invisible(values: pl.Series) -> pl.Series:
    visible = values.str.replace_all(_TAKEN_OUT, "${1}").str.normalize("NFC")
    return visible.str.replace_all(r"\s+", " ").str.strip_chars().replace("", None)


def _decoded(values: pl.Series) -> pl.Series:
    return pl.Series([_decode(text) for text in values], dtype=pl.String)


def _decode(text: str) -> str:
    """The text with its HTML entities decoded, as often as they were encoded; those that HTML does not know stay."""
    for _ in range(_ENTITIES_DEEP):
        decoded = _ENTITY.sub(lambda found: _sign(found[0]), text)
        if decoded == text:
            break
        text = decoded
    return text


def _sign(entity: str) -> str:
    """The sign that an entity stands for; the entity itself if HTML lacks it or the sign is a control character."""
    # `unescape` would also take &notary; for a sign and "ary;".
    sign = html.unescape(entity) if entity[1] == "#" or entity[1:] in html5 else entity
    known = sign != entity and "\ufffd" not in sign
    return sign if known and all(unicodedata.category(each) != "Cc" or each.isspace() for each in sign) else entity


def _why(values: pl.Series) -> pl.Series:
    decoded = change_where(values.clone(), values.str.contains(_HAS_ENTITY), lambda some: map_distinct(some, _decoded))
    spaced = decoded.str.replace_all(r"\s", " ")
    visible = spaced.str.replace_all(_TAKEN_OUT, "${1}")
    bare = visible.str.strip_chars()
    reasons = {
        "HTML entities decoded": decoded != values,
        "invisible characters taken out": visible != spaced,
        "apostrophe before a number or a formula taken off": bare.str.contains(_FORMULA_AS_TEXT),
        "equals sign and quotation marks taken off": bare.str.strip_prefix("'").str.contains(_IN_FORMULA),
    }
    applies = pl.DataFrame({words: found.fill_null(False) for words, found in reasons.items()})
    found = [pl.when(pl.col(words)).then(pl.lit(words)) for words in reasons]
    return applies.select(pl.concat_str(found, separator="; ", ignore_nulls=True).replace("", None)).to_series()


def _blanked(values: pl.Series, blanks: Blanks) -> pl.Series:
    return values.set(are_blanks(values, blanks), None)


def _are_words(values: pl.Series, blanks: Blanks) -> pl.Series:
    any_case = values.str.to_lowercase().is_in(list(blanks.words))
    return any_case | values.is_in(list(blanks.exact)) if blanks.exact else any_case


def _is_short_and_plain(column: Column, *_: object) -> Passes:
    """The quick rule: short, and without the plus that every number in scientific notation has."""
    return lambda value: (value.str.len_bytes() <= column.max_length) & ~value.str.contains("+", literal=True)


TEXT: Final = Kind(
    fast_path=lambda texts, *_: (texts, are_tidy(texts)),
    rules=lambda column, *_: [NOT_SCIENTIFIC, not_too_long(column)],
    quick_rule=_is_short_and_plain,
)
