"""Tells which values and rows are a person's: only what is surely theirs may be shown to them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal

from contact_pipeline.erase.person import Person
from contact_pipeline.terms import CANONICAL

Whose = Literal["theirs", "shared", "may be theirs", "somebody else's"]

# Fields that tell people apart, such as email, phone_2 and contact_name.
_TELLING: Final = re.compile(
    rf"(^|_)({'|'.join(n for n, field in CANONICAL.items() if field.identifies)}|name)(_\d+)?$"
)
_CANONICAL_NUMBER: Final = re.compile(r"\+\d{7,15}(;ext=\d+)?")
_FEWEST_DIGITS: Final = 7  # of a phone number without its country


class Known:
    """The values that a person is known to have, compared without case, accents and the signs between letters."""

    def __init__(self, person: Person, values: Collection[str]) -> None:
        self.contact_ids = person.contact_ids
        self._person = person
        self._bare: set[str] = set()
        self._words: set[str] = set()
        self._numbers: set[str] = set()
        self.learn(values)

    def learn(self, values: Iterable[str]) -> None:
        """Adds values: everything in rows that are surely the person's is theirs, too."""
        for value in values:
            self._bare |= {_bare(value)} - {""}
            self._words |= _words(value)
            self._numbers |= {_digits(value)} if _CANONICAL_NUMBER.fullmatch(value) else set()

    def is_known(self, text: str) -> bool:
        """Whether a text is a value of the person, or one of their numbers in another notation."""
        bare = _bare(text)
        if not bare or bare in self._bare:
            return bool(bare)
        digits = _digits(text)
        if len(digits) >= _FEWEST_DIGITS and re.fullmatch(r"[\d\s+().\-/]*", text):
            national = digits.lstrip("0")
            ending = national if len(national) >= _FEWEST_DIGITS else digits
            return any(digits.endswith(number) or number.endswith(ending) for number in self._numbers)
        words = _words(text)
        return bool(words) and not digits and "@" not in text and words <= self._words  # a name put together

    def holds(self, text: str) -> bool:
        """Whether a text contains a value that only this person has."""
        return bool(self._person.values_in(text))


def belonging(contacts: Collection[int], known: Known, cells: Mapping[str, str], fields: Mapping[str, str]) -> Whose:
    """Tells whose a row is.

    A row is theirs if it changed their contacts and no others. A row that changed no contact is theirs if it holds a
    value that nobody else has and all of its identifying values are theirs.

    Args:
        contacts: the contacts that it changed or repeats.
        known: the person's values.
        cells: raw column → text.
        fields: raw column → field.
    """
    if contacts:
        others = {*contacts} - {*known.contact_ids}
        return "theirs" if not others else "somebody else's" if others == {*contacts} else "shared"
    identifying = [text for column, text in cells.items() if _TELLING.search(fields.get(column, ""))]
    is_identified = any(map(known.holds, identifying))
    return "theirs" if is_identified and all(map(known.is_known, identifying)) else "may be theirs"


def _bare(text: str) -> str:
    """The letters and digits of a text, folded."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in plain if sign.isalnum())


def _words(text: str) -> set[str]:
    return {_bare(word) for word in re.split(r"[\s\-]+", text)} - {""}


def _digits(text: str) -> str:
    return "".join(sign for sign in text.partition(";")[0] if sign.isdecimal())
