"""Writes the YAML text of a draft: keys in an order for people, each with a comment that gives the reason."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from contact_pipeline.drafting.proposal import Proposal
from contact_pipeline.errors import number_of
from contact_pipeline.masking import mask_heading
from contact_pipeline.upload import RawUpload
from contact_pipeline.visible import visible

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[ \-][A-Za-z0-9_]+)*")
_NO_TEXT: Final = {"yes", "no", "on", "off", "true", "false", "null", "y", "n"}
_HIDDEN: Final = re.compile(
    r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U000dffff]|[\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)


def as_yaml(
    content: Mapping[str, Any],
    proposals: Sequence[Proposal],
    left_out: Mapping[str, str],
    reasons: Mapping[str, Any],
    *,
    file: str,
    raw: RawUpload,
) -> str:
    """The draft as text."""
    size = f"{number_of(raw.data_rows, 'row')}, {number_of(len(raw.headings), 'column')}"
    lines = [
        f"# Drafted from {_words(mask_heading(file))}: {size}.",
        "# Read it and change what is wrong; what was assumed says so. Then: `profiles check`, and `plan`.",
    ]
    lines += [f"# Note: {_words(mask_heading(warning))}" for warning in raw.warnings]
    for key, value in content.items():
        if key == "region":
            lines.append(f"# Region of telephone numbers: {reasons['region']}.")
        if key == "columns":
            if reasons["region"] and "region" not in content:
                lines.append(f"# Region of telephone numbers: {reasons['region']}.")
            lines.append("columns:")
            for each in proposals:
                lines.append(f"  # {_words('; '.join(each.why))}.")
                lines.append(f"  - {_value(each.content())}")
            lines += [f"  # Not taken: {_words(heading)}: {reason}." for heading, reason in left_out.items()]
            continue
        if key == "match":
            lines.append("# By what a row and a contact are the same person:")
            lines += [f"# {each}." for each in reasons["match"]]
            lines.append("match:")
            lines += [f"  - {_value(rule)}" for rule in value]
            continue
        lines.append(f"{key}: {_value(value)}{_COMMENTS.get(key, '')}")
    return "\n".join(lines) + "\n"


_COMMENTS: Final = {
    "address_book": "  # the contacts among which rows find theirs; several profiles may share one",
    "headings": "  # by name; columns that are not named below are ignored and listed",
    "matched": "  # or ignore, merge, create",
    "blank": "  # what a blank cell does to a contact: keep, fill or overwrite",
    "on_error": "  # or block: any error holds the whole file back",
    "apply": "  # or automatic: at once",
}


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, int):
        return str(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _NO_TEXT:
        return str(value)
    return _HIDDEN.sub(lambda sign: f"\\U{ord(sign[0]):08x}", json.dumps(value, ensure_ascii=False))


def _words(text: str) -> str:
    return visible(" ".join(text.split()))
