"""Usual typing errors in the domains of e-mail addresses. They get a hint, not a correction: the domain may exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_PROVIDERS: Final = ("gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "comcast.net")
_NEIGHBOURS: Final = {  # the key beside the right one
    "gnail.com": "gmail.com", "gmaul.com": "gmail.com", "gmsil.com": "gmail.com", "fmail.com": "gmail.com",
    "hotnail.com": "hotmail.com", "yajoo.com": "yahoo.com",
}  # fmt: skip
_ENDINGS: Final = {".com": ("con", "cm", "co", "om", "comm", "cmo", "ocm", "vom", "xom"), ".net": ("ne", "nte", "met")}
_REAL: Final = frozenset({"mail.com", "gail.com", "cloud.com"})  # real domains


def _slips(domain: str) -> Iterator[str]:
    """A letter left out, written twice, or in the place of the next one; and an ending mistyped."""
    name, dot, ending = domain.rpartition(".")
    for place, letter in enumerate(name):
        before, after = name[:place], name[place + 1 :]
        for slip in (before + after, before + letter + letter + after, before + after[:1] + letter + after[1:]):
            yield slip + dot + ending
    yield from (name + dot + slip for slip in _ENDINGS[dot + ending])


MEANT: Final[dict[str, str]] = {
    slip: domain for domain in _PROVIDERS for slip in _slips(domain) if slip not in {*_PROVIDERS, *_REAL}
} | _NEIGHBOURS
MISTAKEN_DOMAIN: Final = f"@(?:{'|'.join(map(re.escape, MEANT))})$"
