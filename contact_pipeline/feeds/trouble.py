"""Words the errors of servers anew: the texts of libraries can contain logins and addresses."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from contact_pipeline.errors import chain_of
from contact_pipeline.feeds.credentials import variable
from contact_pipeline.feeds.origin import Trouble

_LOGGERS: Final = ("fsspec", "s3fs", "sshfs", "asyncssh", "aiohttp", "aiobotocore", "botocore", "urllib3", "asyncio")

PASSING: Final = frozenset({"feed-cut", "feed-server", "feed-server-unknown", "feed-timeout", "feed-unreachable"})
_LATER: Final = "Run the feed again; if it stays so, ask whoever runs the server."
_UNKNOWN_HOST: Final = {"HostKeyNotVerifiable"}
_NO_LOGIN: Final = {
    "NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "PermissionDenied", "TokenRetrievalError",
    "UnauthorizedSSOTokenError", "CredentialRetrievalError",
}  # fmt: skip
_CERTIFICATE: Final = {
    "ClientConnectorCertificateError", "ClientConnectorSSLError", "SSLCertVerificationError", "SSLError",
    "ClientSSLError",
}  # fmt: skip
_NO_NAME: Final = {"gaierror", "ClientConnectorDNSError"}
_REFUSED: Final = {"ConnectionRefusedError", "ClientConnectorError", "EndpointConnectionError"}
_SLOW: Final = {
    "TimeoutError", "FSTimeoutError", "ServerTimeoutError", "ConnectTimeoutError", "ReadTimeoutError",
    "SocketTimeoutError", "ConnectionTimeoutError", "SFTPConnectionLost",
}  # fmt: skip
_CUT: Final = {
    "ConnectionLost", "ConnectionResetError", "BrokenPipeError", "IncompleteReadError", "ClientPayloadError",
    "ServerDisconnectedError", "ClientOSError", "SFTPNoConnection", "ConnectionClosedError", "ResponseStreamingError",
    "HTTPClientError", "ProtocolError", "DisconnectError", "TransferEncodingError", "ContentLengthError",
    "IncompleteBody", "ResponseParserError",
}  # fmt: skip


def trouble_of(error: BaseException, server: str, feed: str, name: str | None) -> Trouble:
    """The trouble that an error of a library means.

    Args:
        error: of a library; nothing of its text is quoted.
        server: for people.
        feed: name of the feed.
        name: of the file concerned, as it may be shown; None: the source as a whole.
    """
    chain = chain_of(error)
    trouble = next((each for each in chain if isinstance(each, Trouble)), None)
    if trouble is not None:
        return trouble
    named = {base.__name__ for each in chain for base in type(each).__mro__}
    status = next((found for each in chain if (found := _status(each)) is not None), None)
    return (
        _by_name(named, server, feed)
        or _by_status(status, server, feed, name)
        or _by_network(named, server)
        or _by_file(named, server, feed, name)
        or Trouble(
            "feed-fault", f"{_what(server, name)} could not be read ({type(error).__name__}).", _LATER,
            of_one_file=name is not None,
        )
    )  # fmt: skip


def _by_name(named: set[str], server: str, feed: str) -> Trouble | None:
    if named & _UNKNOWN_HOST:
        return Trouble(
            "feed-host-unknown",
            f"{server} is not known: its host key is not the one in known_hosts, or is not there.",
            "Ask its operator for the key, compare it with what ssh-keyscan shows, put it into ~/.ssh/known_hosts or "
            f"into the file that {variable(feed, 'KNOWN_HOSTS')} names. If there was another key, somebody may be in "
            "between.",
        )
    if named & _NO_LOGIN:
        return _no_login(server, feed)
    if named & _CERTIFICATE:
        return Trouble(
            "feed-certificate",
            f"The certificate of {server} is not to be trusted: it is out of date, of another name or issuer.",
            "Ask its operator. Where it is your own CA, let SSL_CERT_FILE name its certificate; of s3, AWS_CA_BUNDLE.",
        )
    if named & _NO_NAME:
        return Trouble(
            "feed-server-unknown", f"There is no server {server}: its name cannot be looked up.",
            "Correct `source`, or look whether this machine reaches its name server.", passes=True,
        )  # fmt: skip
    return None


def _by_status(status: int | None, server: str, feed: str, name: str | None) -> Trouble | None:
    if status in {401, 407}:
        return _no_login(server, feed)
    if status is not None and (status >= 500 or status in {408, 425, 429}):
        return Trouble("feed-server", f"{server} answered with error {status}.", _LATER, passes=True)
    if status == 403:
        return _no_permission(server, name)
    if status is not None and status >= 400 and status != 404:
        return Trouble(
            "feed-server", f"{server} answered with error {status}.", "Correct `source`, or ask its operator."
        )
    return None


def _by_file(named: set[str], server: str, feed: str, name: str | None) -> Trouble | None:
    if named & {"FileNotFoundError", "SFTPNoSuchFile", "SFTPNoSuchPath"}:
        return Trouble(
            "feed-missing", f"{_what(server, name)} is not there.",
            "Correct `source`, or wait for it." if name is None else "Nothing is to be done: it was taken away.",
            of_one_file=name is not None,
        )  # fmt: skip
    if "SFTPPermissionDenied" in named or (name and "PermissionError" in named):
        return _no_permission(server, name)
    if "PermissionError" in named:  # S3 also raises this for unknown access keys
        return _no_login(server, feed)
    return _unreachable(server) if "OSError" in named else None


def _by_network(named: set[str], server: str) -> Trouble | None:
    if named & _SLOW:
        return Trouble("feed-timeout", f"{server} did not answer in time.", _LATER, passes=True)
    if named & _REFUSED:
        return _unreachable(server)
    if named & _CUT:
        return Trouble("feed-cut", f"The connection to {server} was cut.", _LATER, passes=True)
    return None


def _unreachable(server: str) -> Trouble:
    return Trouble("feed-unreachable", f"{server} could not be reached.", _LATER, passes=True)


def _no_login(server: str, feed: str) -> Trouble:
    fix = (
        "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and let them read it."
        if server.startswith("s3:")
        else f"Set {variable(feed, 'USER')} and _PASSWORD, _KEY_FILE or _TOKEN in the environment of whoever runs it."
    )
    return Trouble("feed-login", f"{server} did not take the login, or there is none.", fix)


def _no_permission(server: str, name: str | None) -> Trouble:
    message = f"{_what(server, name)} may not be read with this login."
    return Trouble("feed-permission", message, "Ask whoever runs the server.", of_one_file=name is not None)


def _what(server: str, name: str | None) -> str:
    return f"{name} at {server}" if name else server


def _status(error: BaseException) -> int | None:
    """The HTTP status of an error, from aiohttp or the library of S3."""
    status = getattr(error, "status", None)
    answer = getattr(error, "response", None)
    if status is None and isinstance(answer, dict):
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status if isinstance(status, int) else None


@contextmanager
def quietly() -> Iterator[None]:
    """Suppresses the logs and warnings of the libraries as long as the block lasts."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger, logger.propagate, logger.handlers) for logger in loggers]
    for logger in loggers:
        logger.propagate, logger.handlers = False, [logging.NullHandler()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, propagate, handlers in before:
            logger.propagate, logger.handlers = propagate, handlers
