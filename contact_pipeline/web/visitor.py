"""The visitor of a page: who asks, how that is known, and whether they may decide or only look.

A proxy with a login names the user in one header and proves itself by a secret in another. Without the right secret,
the header of the user is ignored. Without a proxy nobody can decide, unless the setting for one person's own machine
allows it.
"""

from __future__ import annotations

import getpass
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contact_pipeline.contracts.actors import Verified, identity
from contact_pipeline.errors import Refusal

if TYPE_CHECKING:
    from starlette.datastructures import Headers

    from contact_pipeline.settings import Settings

SECRET_HEADER: Final = "x-proxy-secret"  # noqa: S105 - its name
_SHORTEST: Final = 20
_LONGEST_LOGIN: Final = 200
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who asks for a page.

    Attributes:
        login: who they are; empty: unknown.
        may_decide: whether they may do more than look. `Pipeline` also tests what a profile asks of them.
        why_not: why they may not, in words; empty if they may.
    """

    login: str
    may_decide: bool
    why_not: str = ""

    @property
    def identity(self) -> str:
        """Whether the login is verified or claimed."""
        return identity(self.login)


def visitor(headers: Headers, settings: Settings, *, read_only: bool) -> Visitor:
    """Who sends a request with these headers.

    Args:
        headers: of the request, found without regard to case.
        settings: of the home.
        read_only: whether `serve` was started so.
    """
    looks = "These pages were started with `serve --read-only`." if read_only else ""
    if settings.user_header is None:
        if settings.decide_locally:
            return Visitor(getpass.getuser(), not read_only, looks)
        return Visitor(
            "",
            may_decide=False,
            why_not=looks
            or "Nobody is logged in. Put a proxy with a login in front, or set CONTACT_PIPELINE_DECIDE_LOCALLY=true on "
            "a machine that you alone use.",
        )
    if not comes_by_proxy(headers, settings):
        return Visitor("", may_decide=False, why_not="This request did not come through the proxy with the login.")
    login = _login(headers, settings.user_header)
    if not login or len(login) > _LONGEST_LOGIN or not login.isprintable():
        return Visitor("", may_decide=False, why_not="The proxy named no user.")
    return Visitor(Verified(login), not read_only, looks)


def _login(headers: Headers, name: str) -> str:
    """The login in a header; empty if there are two such headers, as only one can be the proxy's."""
    named = headers.getlist(name)
    if len(named) != 1:
        return ""
    try:
        return named[0].encode("latin-1").decode().strip()  # a server reads the bytes of every header as latin-1
    except UnicodeError:
        return ""


def comes_by_proxy(headers: Headers, settings: Settings) -> bool:
    """Whether a request has the secret of the proxy."""
    secret = settings.proxy_secret.get_secret_value() if settings.proxy_secret else ""
    given = headers.get(SECRET_HEADER, "")
    return len(secret) >= _SHORTEST and hmac.compare_digest(given.encode(), secret.encode())


def check_settings(settings: Settings, host: str | None) -> None:
    """Tests that the settings on who decides fit together, and fit the host that is listened on; None: a socket.

    Raises:
        Refusal: they do not fit (code `deciding-settings`).
    """
    secret = settings.proxy_secret.get_secret_value() if settings.proxy_secret else ""
    if (settings.user_header is None) != (settings.proxy_secret is None):
        problem = "CONTACT_PIPELINE_USER_HEADER and CONTACT_PIPELINE_PROXY_SECRET belong together; one is not set."
        fix = "Set both, and let the proxy send the secret in the header X-Proxy-Secret."
    elif settings.user_header and len(secret) < _SHORTEST:
        problem = f"CONTACT_PIPELINE_PROXY_SECRET has {len(secret)} characters; it could be guessed."
        fix = f"Give it {_SHORTEST} or more, such as `openssl rand -hex 32` makes."
    elif settings.user_header and settings.user_header.lower() == SECRET_HEADER:
        problem = "CONTACT_PIPELINE_USER_HEADER names the header of the secret."
        fix = "Name the header in which the proxy says who asks, such as X-Forwarded-User."
    elif settings.user_header and settings.decide_locally:
        problem = "CONTACT_PIPELINE_DECIDE_LOCALLY and CONTACT_PIPELINE_USER_HEADER, for a proxy, are both set."
        fix = "Leave one of them unset."
    elif settings.decide_locally and host is None:
        problem = (
            "With CONTACT_PIPELINE_DECIDE_LOCALLY everybody who comes through the socket could decide in your name."
        )
        fix = "Listen on 127.0.0.1, or let the proxy name who asks (CONTACT_PIPELINE_USER_HEADER)."
    elif settings.decide_locally and host not in _LOOPBACK:
        problem = f"With CONTACT_PIPELINE_DECIDE_LOCALLY everybody who reaches {host} could decide in your name."
        fix = "Listen on 127.0.0.1, or put a proxy with a login in front."
    else:
        return
    raise Refusal("deciding-settings", problem, fix)
