"""How values are written for people: on pages and in the terminal."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

# The colours of states: all went well, somebody has to act, something stops it, or none of these.
Tone = Literal["good", "wait", "bad", "quiet"]

_TONES: Final[dict[str, Tone]] = {
    "received": "wait",
    "staged": "wait",
    "blocked": "bad",
    "stale": "bad",
    "refused": "bad",
    "failed": "bad",
    "applied": "good",
    "finalized": "good",
}
_DELIMITERS: Final = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar", " ": "space"}


LONGEST: Final = 160  # characters of a text of somebody


def short(text: str | None) -> str | None:
    """A text, cut if it is long, with the number of characters left out."""
    if text is None or len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}… ({len(text) - LONGEST:,} more characters)"


def number(count: int) -> str:
    """A count, its thousands set apart."""
    return f"{count:,}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: `1 row`, `2,000 rows`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def size(count: int) -> str:
    """A file size."""
    if count < 1024:
        return f"{count} bytes"
    if count < 1024 * 1024:
        return f"{count / 1024:.1f} KB"
    return f"{count / 1024 / 1024:.1f} MB"


def moment(value: datetime | None) -> str | None:
    """A time in UTC, to the second."""
    return None if value is None else f"{value:%Y-%m-%d %H:%M:%S} UTC"


def share(part: int, whole: int) -> str:
    """A part of a whole in percent."""
    return f"{100 * part / whole:.1f} %" if whole else "0 %"


def delimiter(sign: str | None) -> str | None:
    """What a delimiter is called."""
    return sign and _DELIMITERS.get(sign, sign)


def tone(state: str) -> Tone:
    """How a state is coloured."""
    return _TONES.get(state, "quiet")
