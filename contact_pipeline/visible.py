"""Text from files made safe to show: characters that control a terminal, or turn or hide text, become escapes."""

from __future__ import annotations

import json
import re
from typing import Final

# Controls (C0 but tab and line feed, DEL, C1), line separators, marks of direction and of no width, tags.
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
_UNDECODABLE: Final = re.compile("[\ud800-\udfff]")  # bytes of a file's name that are no UTF-8, as Python holds them


def visible(text: str) -> str:
    r"""The text with such characters as escapes, such as \x1b and \u202e; undecodable bytes are shown as �."""
    if text.isascii() and text.isprintable():
        return text
    return _decodable(_HIDDEN.sub(lambda found: found.group().encode("unicode_escape").decode(), text))


def visible_json(document: str) -> str:
    """An equivalent JSON document with such characters as JSON escapes."""
    return _decodable(_HIDDEN.sub(lambda found: json.dumps(found.group())[1:-1], document))


def _decodable(text: str) -> str:
    return _UNDECODABLE.sub("\N{REPLACEMENT CHARACTER}", text)
