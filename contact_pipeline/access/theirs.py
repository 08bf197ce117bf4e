"""Which values are a person's, and whose a row is: only what is surely theirs may be shown to them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal

from contact_pipeline.erase.person import Person
from contact_pipeline.terms import CANONICAL

Whose = Literal["theirs", "shared", "may be theirs", "somebody else's"]

# Fields by which people are told apart, such as email, phone_2 and contact_name.
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
        """Adds values: what stands in rows that are surely the person's is theirs, too."""
        for value in values:
            self._bare |= {_bare(value)} - {""}
            self._words |= _words(value)
            self._numbers |= {_digits(value)} if _CANONICAL_NUMBER.fullmatch(value) else set()

    def is_known(self, text: str) -> bool:
        """Whether a text is a value of the person, or a number of theirs set out otherwise."""
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
        """Whether a text has a value in it that is the person's alone."""
        return bool(self._person.values_in(text))


def belonging(contacts: Collection[int], known: Known, cells: Mapping[str, str], fields: Mapping[str, str]) -> Whose:
    """Whose a row is.

    A row is theirs where it wrote to their contact and to no other. One that wrote to nobody is theirs where it holds a
    value that nobody else has, and all that tells people apart in it is theirs.

    Args:
        contacts: the contacts that it wrote to, or repeats.
        known: the person's values.
        cells: raw column → text.
        fields: raw column → field.
    """
    if contacts:
        others = {*contacts} - {*known.contact_ids}
        return "theirs" if not others else "somebody else's" if others == {*contacts} else "shared"
    telling = [text for column, text in cells.items() if _TELLING.search(fields.get(column, ""))]
    is_identified = any(map(known.holds, telling))
    return "theirs" if is_identified and all(map(known.is_known, telling)) else "may be theirs"


def _bare(text: str) -> str:
    """The letters and digits of a text, folded."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in plain if sign.isalnum())


def _words(text: str) -> set[str]:
    return {_bare(word) for word in re.split(r"[\s\-]+", text)} - {""}


def _digits(text: str) -> str:
    return "".join(sign for sign in text.partition(";")[0] if sign.isdecimal())
