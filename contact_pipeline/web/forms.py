"""Reads the forms that a browser sends, and tests that a page of this server has sent them.

A form carries a token: the signature of a cookie and of the visitor's login, by a secret that only this process knows.
Another site can send a form, but knows neither cookie nor secret.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from contact_pipeline.errors import Refusal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TOKEN: Final = "token"  # noqa: S105 - the name of a field
COOKIE: Final = "contact_pipeline_page"
_LARGEST: Final = 100_000  # bytes
_MOST_FIELDS: Final = 2_000
_COOKIE: Final = re.compile(r"[A-Za-z0-9_-]{20,100}")


class Forged(Exception):
    """A form that no page of this server has sent."""


class Signing:
    """Signs forms, and tests them. After a restart, the server takes no earlier forms."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def token(self, cookie: str, login: str) -> str:
        """The token for the forms on a page, for a visitor with this cookie and login."""
        return hmac.new(self._secret, f"{cookie}\n{login}".encode(), hashlib.sha256).hexdigest()

    def check(self, form: dict[str, str], cookie: str, login: str) -> None:
        """Tests that a form was sent by a page that was shown to this visitor.

        Raises:
            Forged: it was not.
        """
        if not cookie or not hmac.compare_digest(form.get(TOKEN, "").encode(), self.token(cookie, login).encode()):
            raise Forged


def cookie_of(request: Request) -> str:
    """The cookie of this server that a browser has; empty: none."""
    found = request.cookies.get(COOKIE, "")
    return found if _COOKIE.fullmatch(found) else ""


def new_cookie() -> str:
    """A cookie for a browser that has none."""
    return secrets.token_urlsafe(32)


def set_cookie(response: Response, cookie: str, *, path: str, secure: bool) -> None:
    """Sets a cookie for these pages only, which the browser keeps until it is closed."""
    response.set_cookie(COOKIE, cookie, path=path, secure=secure, httponly=True, samesite="strict")


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, the last one of each name.

    Raises:
        Refusal: the request has no form, or it is too large (codes `form-type`, `form-size`).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Refusal("form-type", "What was sent is not a form of these pages.", "Use the forms on the page.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST:
            raise Refusal("form-size", "The form is too large.", "Use a file: `contact-pipeline resolve --from FILE`.")
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise Refusal(
            "form-type", "What was sent is not a form of these pages.", "Use the forms on the page."
        ) from None
    return dict(fields)
