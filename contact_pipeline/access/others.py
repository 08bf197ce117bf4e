"""Replaces the e-mail addresses and phone numbers of other contacts in texts by the id of the contact."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

import polars as pl

from contact_pipeline.access.theirs import Known
from contact_pipeline.engines import Tables, quoted

_EMAIL: Final = re.compile(r"[^\s@<>()\[\]\"',;:/\\]+@[^\s@<>()\[\]\"',;:/\\]+\.[^\W\d_]{2,}")
_NUMBER: Final = re.compile(r"\+?\d(?:[\s().\-/]{0,3}\d){9,14}")
_REACHED: Final = re.compile(r"(?:^|_)(email|phone)(?:_\d+)?$")
_READ_AS: Final = {
    "email": "lower({})",
    "phone": "right(regexp_replace(split_part({}, ';', 1), '[^0-9]', '', 'g'), 10)",
}
_NOT_TEXTS: Final = frozenset(
    {"upload_id", "at", "made_at", "added_at", "decided_at", "corrected_at", "last_upload_id"}
)


def hide_others(database: Tables, document: Any, known: Known, contact_ids: Collection[int]) -> Any:
    """The document with `(contact 12)` in the place of another contact's e-mail address or phone number.

    Args:
        database: the contact database.
        document: made of texts, lists and mappings.
        known: the person's own values, which stay even if others share them.
        contact_ids: the person's contacts.
    """
    found: set[str] = set()

    def gather(text: str) -> str:
        found.update(_tokens(text, known))
        return text

    _walk(document, gather)
    if not found:
        return document
    owner = _owners(database, found, contact_ids)
    if not owner:
        return document

    def hidden(token: re.Match[str]) -> str:
        """The token as it is shown; a part of one of the person's own, longer values stays as it is."""
        for each in _parts(token[0]):
            if not known.is_known(token[0]) and not known.is_known(each) and _key(each) in owner:
                return token[0].replace(each, f"(contact {owner[_key(each)]})")
        return token[0]

    def hide(text: str) -> str:
        return _NUMBER.sub(hidden, _EMAIL.sub(hidden, text))

    return _walk(document, hide)


def _tokens(text: str, known: Known) -> list[str]:
    found = [part for token in (*_EMAIL.findall(text), *_NUMBER.findall(text)) for part in _parts(token)]
    return [token for token in found if not known.is_known(token)]


def _parts(token: str) -> list[str]:
    """The token, and the token without a file ending, as in ann@example.com.csv."""
    return [token, token.rpartition(".")[0]] if token.count(".") > 1 else [token]


def _key(token: str) -> str:
    return token.lower() if "@" in token else "".join(sign for sign in token if sign.isdecimal())[-10:]


def _owners(database: Tables, tokens: Collection[str], contact_ids: Collection[int]) -> dict[str, int]:
    """Key of an address or number → the first of the other contacts that have or had it."""
    keys = pl.DataFrame({"key": sorted({_key(token) for token in tokens})}, schema={"key": pl.String})
    own_ids = ", ".join(map(str, contact_ids))
    every_key = " UNION ALL ".join(
        f"SELECT {_READ_AS[kind].format(quoted(side + name))} AS key, contact_id FROM {table}"
        for name, kind in _reached_by(database)
        for table, side in (("contacts", ""), ("contact_changes", "after_"))
    )
    database.see("looked_for", keys)
    try:
        rows = database.rows(f"""
            SELECT key, min(contact_id) FROM looked_for JOIN ({every_key}) USING (key)
            WHERE contact_id NOT IN ({own_ids}) GROUP BY key""")
    finally:
        database.unsee("looked_for")
    return dict(rows)


def _reached_by(database: Tables) -> Iterator[tuple[str, str]]:
    """The fields of contacts that hold addresses and numbers, including further ones such as `work_email`."""
    for (name,) in database.rows("SELECT name FROM fields WHERE kind = 'text' ORDER BY name"):
        if found := _REACHED.search(name):
            yield name, found[1]


def _walk(part: Any, change: Callable[[str], str], name: str = "") -> Any:
    match part:
        case str():
            return part if name in _NOT_TEXTS else change(part)
        case dict():
            return {change(key): _walk(value, change, key) for key, value in part.items()}
        case list() | tuple():
            return [_walk(each, change, name) for each in part]
        case _:
            return part
