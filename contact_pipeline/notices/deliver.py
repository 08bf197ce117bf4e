"""Sends one notice to one target with the library Apprise, which no other module imports.

Addresses contain passwords and tokens, and Apprise quotes them in its log. The log is read here to find out what went
wrong, and is never shown.
"""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from contact_pipeline.errors import Refusal
from contact_pipeline.notices.rules import NoAddress

if TYPE_CHECKING:
    from contact_pipeline.notices.words import Message

_LOGGERS: Final = ("apprise", "urllib3", "requests", "requests_oauthlib", "oauthlib", "asyncio")
_STATUS: Final = re.compile(r"error=(\d{3})\b")
_AS_A_WHOLE: Final = 3  # times the patience for one step
_lock = threading.Lock()


class NotSent(Exception):
    """Why a notice was not sent, in words that quote nothing of the target's address.

    Attributes:
        is_unsure: whether it may have arrived nevertheless.
    """

    def __init__(self, why: str, *, is_unsure: bool = False) -> None:
        super().__init__(why)
        self.is_unsure = is_unsure


def must_be_installed() -> None:
    """Tests that Apprise is installed.

    Raises:
        Refusal: it is not (code `apprise-missing`).
    """
    if find_spec("apprise") is None:
        raise Refusal(
            "apprise-missing",
            "Notices need Apprise, which is not installed.",
            "Install it with: pip install 'contact-pipeline[notices]'",
        )


def check_address(address: str) -> None:
    """Tests that an address names exactly one recipient.

    Raises:
        NoAddress: it does not.
    """
    with _quietly():
        _service(address, 1)


def deliver(address: str, message: Message, seconds: float) -> None:
    """Sends a notice once.

    Args:
        address: of the target.
        message: the notice.
        seconds: how long to wait at each step: connecting, and each answer.

    Raises:
        NoAddress: the address does not name exactly one recipient.
        NotSent: the server could not be reached, did not answer in time, or refused it.
    """
    with _lock, _quietly() as log:
        service = _service(address, seconds)
        ended: list[object] = []

        def send() -> None:
            try:
                ended.append(_notify(service, message))
            except Exception as error:  # noqa: BLE001 - the error of a service may contain its address
                ended.append(error)

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        sender.join(seconds * _AS_A_WHOLE)
        if not ended:
            raise NotSent("The server took too long over it; it may have arrived.", is_unsure=True)
        if ended[0] is not True:
            raise NotSent(_why(log, ended[0]))


def _service(address: str, seconds: float) -> Any:
    import apprise

    asset = apprise.AppriseAsset(app_id="contact-pipeline", app_desc="contact-pipeline", app_url="", async_mode=False)
    asset.image_url_mask = asset.image_url_logo = ""
    service = apprise.Apprise.instantiate(address, asset=asset)
    if service is None:
        raise NoAddress("Its address is none that Apprise knows.")
    service.retry = 0  # failed notices are tried again from the queue
    if len(service) > 1:  # if one fails, trying again would send to the others twice
        raise NoAddress(f"Its address names {len(service)} recipients: give each a target of its own.")
    service.socket_connect_timeout = service.socket_read_timeout = seconds
    formats: Any = service.notify_format  # one, or those of which it takes the first
    if not isinstance(formats, str) and apprise.NotifyFormat.TEXT in formats:
        service.notify_format = apprise.NotifyFormat.TEXT
    return service


def _notify(service: Any, message: Message) -> bool:
    import apprise

    kinds = {True: apprise.NotifyType.SUCCESS, False: apprise.NotifyType.FAILURE, None: apprise.NotifyType.INFO}
    text = apprise.NotifyFormat.TEXT
    return bool(
        service.notify(title=message.subject, body=message.body, notify_type=kinds[message.good], body_format=text)
    )


@contextmanager
def _quietly() -> Iterator[list[str]]:
    """Collects the log messages of the libraries as long as the block lasts, and suppresses them and warnings."""
    kept: list[str] = []
    handler = _Kept(kept)
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger, logger.propagate, logger.level, logger.handlers) for logger in loggers]
    for logger in loggers:
        logger.propagate, logger.handlers = False, [handler]
    loggers[0].setLevel(logging.DEBUG)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield kept
    finally:
        for logger, propagate, level, handlers in before[1:]:
            logger.propagate, logger.handlers = propagate, handlers
            logger.setLevel(level)
        loggers[0].handlers = [logging.NullHandler()]  # one that took too long may log later


class _Kept(logging.Handler):
    def __init__(self, kept: list[str]) -> None:
        super().__init__()
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the message of a record."""
        self._kept.append(record.getMessage())


def _why(log: list[str], ended: object) -> str:
    """What went wrong, in words that quote nothing of the log."""
    logged = "\n".join(log)
    if status := _STATUS.search(logged):
        return f"The server answered with error {status[1]}."
    if "timed out" in logged or "timeout" in logged.casefold():
        return "The server did not answer in time."
    if any(words in logged for words in ("refused", "Name or service", "resolve", "No route", "unreachable")):
        return "The server could not be reached."
    if "Authentication" in logged or "authentication" in logged:
        return "The server did not take the name or the password."
    if isinstance(ended, Exception):
        return f"The service ended with {type(ended).__name__}."
    return "The server did not take it."
