"""Finds the code page of text that is not UTF-8: the text is read in every page, and the readings are compared.

A page is certain if its reading costs clearly less (`letters.cost`) than every other reading. Otherwise the guess is
doubtful, and the caller has to ask.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from contact_pipeline.upload.heading import folded
from contact_pipeline.upload.text.letters import cost, languages, looks_wrong, words_of

_WESTERN: Final = "de fr es pt it nl da nb no sv fi is fo ca eu gl ga sq et"
_CENTRAL: Final = "cs sk pl hu sl hr bs sr_Latn ro sq de"
_TURKISH: Final = "tr az de fr es it nl sq"
_BALTIC: Final = "et lv lt pl hr sl da nb no sv fi de"
_CYRILLIC: Final = "ru uk bg be sr mk"
_RARELY: Final = 14.0  # bits


@dataclass(frozen=True)
class Page:
    """An encoding that a file may be in.

    Attributes:
        name: Python's name.
        title: the name for people.
        languages: languages written in it.
        rarity: extra cost in bits, for pages that are rarely used.
    """

    name: str
    title: str
    languages: tuple[str, ...]
    rarity: float


def _page(name: str, title: str, languages: str, rarity: float) -> Page:
    return Page(name, title, tuple(languages.split()), rarity)


# Where two pages give the same reading, the one that stands first is named.
PAGES: Final = (
    _page("cp1252", "Windows-1252", _WESTERN, 0),
    _page("cp1250", "Windows-1250 (Central European)", _CENTRAL, 0),
    _page("cp1251", "Windows-1251 (Cyrillic)", _CYRILLIC, 0),
    _page("cp1253", "Windows-1253 (Greek)", "el", 0),
    _page("cp1254", "Windows-1254 (Turkish)", _TURKISH, 0),
    _page("cp1255", "Windows-1255 (Hebrew)", "he", 0),
    _page("cp1256", "Windows-1256 (Arabic)", "ar fa ur fr", 0),
    _page("cp1257", "Windows-1257 (Baltic)", _BALTIC, 0),
    _page("cp874", "Windows-874 (Thai)", "th", 0),
    _page("cp932", "Shift JIS (Japanese)", "ja", 0),
    _page("gb18030", "GB 18030 (Chinese)", "zh zh_Hant", 0),
    _page("cp950", "Big5 (Chinese)", "zh_Hant", 0),
    _page("euc_kr", "EUC-KR (Korean)", "ko zh_Hant", 0),
    _page("cp949", "Windows-949 (Korean)", "ko zh_Hant", 1),
    _page("euc_jp", "EUC-JP (Japanese)", "ja zh_Hant", 2),
    _page("iso8859-1", "ISO 8859-1", _WESTERN, 3),
    _page("iso8859-15", "ISO 8859-15", _WESTERN, 3),
    _page("iso8859-2", "ISO 8859-2 (Central European)", _CENTRAL, 3),
    _page("iso8859-5", "ISO 8859-5 (Cyrillic)", _CYRILLIC, 5),
    _page("iso8859-7", "ISO 8859-7 (Greek)", "el", 3),
    _page("iso8859-9", "ISO 8859-9 (Turkish)", _TURKISH, 3),
    _page("iso8859-8", "ISO 8859-8 (Hebrew)", "he", 3),
    _page("iso8859-6", "ISO 8859-6 (Arabic)", "ar", 3),
    _page("iso8859-13", "ISO 8859-13 (Baltic)", _BALTIC, 3),
    _page("iso8859-4", "ISO 8859-4 (Northern European)", _BALTIC, 10),
    _page("iso8859-16", "ISO 8859-16 (Romanian)", "ro hu pl sl hr", 8),
    _page("iso8859-3", "ISO 8859-3 (Maltese, Esperanto)", "mt eo", _RARELY),
    _page("iso8859-14", "ISO 8859-14 (Celtic)", "cy ga", _RARELY),
    _page("koi8-r", "KOI8-R (Cyrillic)", "ru bg", 2),
    _page("koi8-u", "KOI8-U (Cyrillic)", "uk ru be", 2),
    _page("mac-roman", "Mac Roman", _WESTERN, 8),
    _page("mac-latin2", "Mac Central European", "cs sk pl hu sl de et lv lt", 9),
    _page("mac-cyrillic", "Mac Cyrillic", _CYRILLIC, 11),
    _page("mac-greek", "Mac Greek", "el", 11),
    _page("mac-turkish", "Mac Turkish", _TURKISH, 11),
    _page("mac-croatian", "Mac Croatian", "hr sl bs sr_Latn", 11),
    _page("mac-iceland", "Mac Icelandic", "is fo", 11),
    _page("cp850", "DOS 850", _WESTERN, 9),
    _page("cp437", "DOS 437", "de fr es it nl sv", 10),
    _page("cp852", "DOS 852 (Central European)", _CENTRAL, 9),
    _page("cp866", "DOS 866 (Cyrillic)", _CYRILLIC, 10),
    _page("cp1125", "DOS 1125 (Ukrainian)", "uk", 12),
    _page("cp857", "DOS 857 (Turkish)", _TURKISH, 12),
    _page("cp775", "DOS 775 (Baltic)", _BALTIC, 8),
    _page("cp737", "DOS 737 (Greek)", "el", 12),
    _page("cp869", "DOS 869 (Greek)", "el", 12),
    _page("cp862", "DOS 862 (Hebrew)", "he", 12),
    _page("cp720", "DOS 720 (Arabic)", "ar fa", 12),
    _page("cp865", "DOS 865 (Nordic)", "da nb no", 12),
    _page("cp861", "DOS 861 (Icelandic)", "is", 12),
    _page("cp860", "DOS 860 (Portuguese)", "pt", 12),
)
NAMES: Final = {page.name: page.title for page in PAGES}

_CLEAR: Final = 12.0  # bits by which a reading must be better than the next
_IN_CAPITALS: Final = 3.0  # more where all letters are capitals, as case then shows nothing
_WORDS: Final = 1_500  # distinct ones that are compared
_FIRST: Final = 60  # words that are compared first, which rules out most pages
_HOPELESS: Final = 120.0  # bits behind the best page after these; such a page is ruled out
_MOST_WRONG: Final = 0.25  # share of the words that may look wrong
_KNOWN: Final = 25.0  # bits that a known heading is worth


@dataclass(frozen=True)
class Reading:
    """A sample as some pages read it.

    Attributes:
        pages: the pages that give this reading, the likeliest first.
        words: its words with more than ASCII, each once, in their order.
        bits: their cost, less a bonus for known headings.
    """

    pages: tuple[Page, ...]
    words: tuple[str, ...]
    bits: float = 0.0

    @property
    def page(self) -> Page:
        """The page by which it is named."""
        return self.pages[0]

    @property
    def languages(self) -> list[str]:
        """The languages that are written in these pages."""
        return list(dict.fromkeys(language for page in self.pages for language in page.languages))

    @property
    def rank(self) -> float:
        """The smaller, the likelier."""
        return self.bits + min(page.rarity for page in self.pages)

    @property
    def is_plausible(self) -> bool:
        """Whether few enough of its words look wrong."""
        wrong = sum(looks_wrong(word, self.languages) for word in self.words)
        return wrong <= _MOST_WRONG * len(self.words)

    def is_clear(self, others: Sequence[Reading]) -> bool:
        """Whether every other reading is clearly worse; a rare page needs a greater distance."""
        nearest = min((other.rank for other in others), default=math.inf)
        in_capitals = _IN_CAPITALS if all(map(str.isupper, self.words)) else 0.0
        return nearest > self.rank + _CLEAR + in_capitals + self.page.rarity / 2


def compare_readings(lines: Sequence[bytes], heading: bytes = b"", known: Collection[str] = ()) -> list[Reading]:
    """The different readings of some lines, the likeliest first; hopeless ones are left out.

    Args:
        lines: lines with more than ASCII.
        heading: the beginning of the file, where headings may stand.
        known: expected headings, folded.
    """
    sample = b"\n".join(lines)
    same: dict[tuple[str, ...], list[Page]] = {}
    for page in PAGES:
        try:
            words = words_of(sample.decode(page.name))
        except UnicodeDecodeError:
            continue
        same.setdefault(tuple(dict.fromkeys(words))[:_WORDS], []).append(page)
    readings = [Reading(tuple(pages), words) for words, pages in same.items()]
    if len(readings) > 1:
        worth = {reading.page: _KNOWN * _known_headings(heading, reading.page, known) for reading in readings}
        for most in (_FIRST, _WORDS):
            readings = [_costed(reading, most, worth[reading.page]) for reading in readings]
            best = min(reading.rank for reading in readings)
            readings = [reading for reading in readings if reading.rank <= best + _HOPELESS]
    return sorted(readings, key=lambda reading: reading.rank)


def reads_better(better: str, worse: str) -> bool:
    """Whether a text reads clearly better than the same one in another encoding, whatever the language."""
    every = [*languages()]
    return cost(words_of(better), every) + _CLEAR <= cost(words_of(worse), every)


def _costed(reading: Reading, most: int, worth: float) -> Reading:
    return replace(reading, bits=cost(reading.words[:most], reading.languages) - worth)


def _known_headings(heading: bytes, page: Page, known: Collection[str]) -> int:
    """How many cells with more than ASCII are known headings."""
    cells = re.split("[,;\t|\r\n]", heading.decode(page.name, "replace"))
    return sum(not cell.isascii() and folded(cell) in known for cell in cells)
