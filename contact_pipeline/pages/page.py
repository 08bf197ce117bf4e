"""Draws a template as one HTML file that needs no other file and runs only its own scripts.

Templates escape every value. Signs that mislead or hide text are shown as escapes, in values and in data alike. What is
data for a script stands in an element that no browser runs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from contact_pipeline.pages import shown
from contact_pipeline.visible import visible

_HERE: Final = Path(__file__).parent
# Characters that could end the element, or a line of a script, within a text.
_ESCAPES: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_NOTHING: Final = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}


def draw(
    template: str,
    *,
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    data: Mapping[str, Any] | None = None,
    allowed: Mapping[str, str] | None = None,
    **values: Any,
) -> str:
    """A page.

    Args:
        template: its file in `templates`.
        styles: files of `static` or `vendor` that it needs beside `base.css`, in order.
        scripts: scripts that it needs beside `base.js`, likewise.
        data: data for scripts: id of an element → content, written into it as JSON.
        allowed: what a browser may do on the page beyond running its scripts, as directives of a
            Content-Security-Policy, such as {"form-action": "'self'"}.
        values: what the template shows.
    """
    css = [_file(name) for name in ("static/base.css", *styles)]
    js = [_file(name) for name in ("static/base.js", *scripts)]
    policy = _NOTHING | {"style-src": _hashes(css), "script-src": _hashes(js), "img-src": "data:", **(allowed or {})}
    return (
        _environment()
        .get_template(template)
        .render(
            policy="; ".join(f"{name} {source}" for name, source in policy.items()),
            styles=[Markup(text) for text in css],  # noqa: S704 - our own files
            scripts=[Markup(text) for text in js],  # noqa: S704
            data={name: json_of(content) for name, content in (data or {}).items()},
            **values,
        )
    )


def json_of(content: object) -> Markup:
    """A value as JSON that is safe within an element of a page; its texts are made visible."""
    text = json.dumps(_visible_within(content), ensure_ascii=False, separators=(",", ":"), default=str)
    for sign, instead in _ESCAPES.items():
        text = text.replace(sign, instead)
    return Markup(text)  # noqa: S704 - nothing in it ends the element


def _visible_within(content: Any) -> Any:
    match content:
        case str():
            return visible(content)
        case Mapping():
            return {visible(str(name)): _visible_within(value) for name, value in content.items()}
        case list() | tuple():
            return [_visible_within(part) for part in content]
        case _:
            return content


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("contact_pipeline.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters |= {
        name: getattr(shown, name)
        for name in ("short", "number", "counted", "size", "moment", "share", "delimiter", "tone")
    }
    return environment


def _finalize(value: Any) -> Any:
    """What a template writes for a value: nothing for None, and texts made visible and escaped."""
    if value is None:
        return ""
    return value if isinstance(value, Markup) else escape(visible(str(value)))


@cache
def _file(name: str) -> str:
    """A file of this package, without its source map line, which would make browsers ask for another file."""
    text = (_HERE / name).read_text(encoding="utf-8")
    return re.sub(r"(//|/\*)# sourceMappingURL=\S+( \*/)?", "", text).strip()


def _hashes(texts: Sequence[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)
