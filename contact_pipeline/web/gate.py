"""Refuses foreign requests: only pages of this server may send any, under its own name. This protects Dagster, too.

A page of another site, open in the same browser, can send requests here. If its name leads to this machine (DNS
rebinding), it could even read the answers. Dagster itself tests neither: it runs mutations that a link or an image of
another page requests.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocketClose

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from contact_pipeline.settings import Settings

_READS: Final = frozenset({"GET", "HEAD"})
_RUNS_WHAT_IT_IS_ASKED: Final = "/graphql"  # even by GET
HEALTH: Final = "/health"  # the answer tells nothing of the home, so probes may use any name of the machine
_PORT: Final = re.compile(r":\d*$")


class Gate:
    """Refuses requests under a foreign name, and requests of foreign pages that would change something."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._ours = _host_of(urlsplit(settings.address).netloc) if settings.address else None
        self._our_origin = urlsplit(settings.address).netloc.lower() if settings.address else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses a request, or passes it on."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(1008)(scope, receive, send)
        else:
            await refusal(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        host = headers.get("host", "")
        if scope["type"] == "http" and scope["path"] == HEALTH and scope["method"] in _READS:
            return None
        if not self._is_our_name(host):
            return PlainTextResponse(
                "This server is not known by that name. Use its address (127.0.0.1, or that of the machine), or set "
                "CONTACT_PIPELINE_ADDRESS to the address at which people reach it.\n",
                status_code=421,
            )
        acts = scope["type"] == "websocket" or scope["method"] not in _READS or scope["path"] == _RUNS_WHAT_IT_IS_ASKED
        if (acts and not self._is_our_page(headers, host)) or _is_asked_by_a_link(scope, headers):
            return PlainTextResponse(
                "A page of another server asked for this, so it was not done. Behind a proxy, set "
                "CONTACT_PIPELINE_ADDRESS to the address at which people reach it.\n",
                status_code=403,
            )
        return None

    def _is_our_name(self, host: str) -> bool:
        """Whether a name is surely this server's: nobody can redirect addresses and `localhost`."""
        name = _host_of(host)
        return name in {"localhost", self._ours} or _is_address(name)

    def _is_our_page(self, headers: Headers, host: str) -> bool:
        """Whether a page of this server sends the request, or no page at all (a program)."""
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return False
        origin = headers.get("origin")
        return origin is None or urlsplit(origin).netloc.lower() in {host.lower(), self._our_origin} - {"", None}


def _is_asked_by_a_link(scope: Scope, headers: Headers) -> bool:
    """Whether a link or an image may be sending a query to GraphQL; a program would use POST.

    In a GET to an address that is neither `https:` nor of this machine, a browser does not tell which page it comes
    from.
    """
    asks = scope["type"] == "http" and scope["path"] == _RUNS_WHAT_IT_IS_ASKED and scope["query_string"]
    return bool(asks) and scope["method"] in _READS and "sec-fetch-site" not in headers


def _host_of(netloc: str) -> str:
    return _PORT.sub("", netloc.rpartition("@")[2]).strip("[]").lower().removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
