"""Limits the tables of the page: as many rows as have room, however long their texts are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from contact_pipeline.pages.shown import short

T = TypeVar("T")


def cut(value: Any) -> Any:
    """A value with long texts cut, each with the number of characters left out."""
    match value:
        case str():
            return short(value)
        case dict():
            return {name: cut(part) for name, part in value.items()}
        case list() | tuple():
            return [cut(part) for part in value]
        case _:
            return value


def fitting(rows: Iterable[T], room: int) -> list[T]:
    """The first rows that fit into so many bytes of JSON."""
    taken: list[T] = []
    for row in rows:
        room -= bytes_of(row)
        if room < 0:
            break
        taken.append(row)
    return taken


def bytes_of(content: object) -> int:
    """How many bytes the page needs for a value, with its escapes."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str)
    escaped = sum(text.count(sign) for sign in "<>&\u2028\u2029")
    return len(text.encode("utf-8", "replace")) + 5 * escaped


def in_turn(groups: Sequence[Sequence[T]]) -> list[T]:
    """The first of each group, then the second of each, and so on, each once."""
    longest = max(map(len, groups), default=0)
    return [*dict.fromkeys(group[place] for place in range(longest) for group in groups if place < len(group))]


class Words:
    """Texts that repeat in many rows: each is written once, and rows have its number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str | None) -> int:
        """The number of a text."""
        return self._numbers.setdefault(text or "", len(self._numbers))

    @property
    def texts(self) -> list[str]:
        """The texts by their numbers."""
        return [*self._numbers]
