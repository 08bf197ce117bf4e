"""What is being done for people, in threads: one thing at a time to an upload, and what came of it, for who asked.

A page that is asked for again tells how far it has come, and does nothing twice. All this is kept in memory: once the
server is started again, the ledger alone says what became of an upload.
"""

from __future__ import annotations

import logging
import secrets
import time
import traceback
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final

from contact_pipeline.errors import (
    ContactPipelineError,
    MachineFault,
    Refusal,
    StoreBusy,
    faults_masked,
    where_it_stands,
)
from contact_pipeline.masking import ANY, mask

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT: Final = 500
_AT_ONCE: Final = 4

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of something, in words.

    Attributes:
        good: whether what was asked for is so now.
        said: what happened.
        fix: what to do about it; empty: nothing.
    """

    good: bool
    said: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """Something that somebody has asked for.

    Attributes:
        number: names it; nobody can guess it.
        upload_id: the upload that it is done to.
        login: who asked.
        doing: what it is, such as "Applying".
        begun: when, by the clock that only counts.
    """

    number: str
    upload_id: str
    login: str
    doing: str
    begun: float
    future: Future[Ending] = field(repr=False)

    @property
    def ending(self) -> Ending | None:
        """What came of it; None: it is not done."""
        return self.future.result() if self.future.done() else None

    @property
    def seconds(self) -> int:
        """For how long it has been going on."""
        return int(time.monotonic() - self.begun)

    def wait(self, seconds: float) -> None:
        """Waits for its end, but no longer than that."""
        wait([self.future], seconds)


class Desk:
    """Takes things to do, and knows what came of the newest of them."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, "decide")
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._lock = Lock()

    def begin(self, upload_id: str, login: str, doing: str, call: Callable[[], str]) -> Task:
        """Begins something, unless something is being done to that upload already.

        Args:
            upload_id: the upload.
            login: who asks.
            doing: what it is, such as "Applying".
            call: does it; gives what happened, in words.

        Raises:
            Refusal: something is being done to the upload (code `being-done`).
        """
        with self._lock:
            running = self._running(upload_id)
            if running is not None:
                raise Refusal(
                    "being-done",
                    f"{running.doing} upload {upload_id} is going on at this moment.",
                    "Wait until it is done, and look at the upload again.",
                )
            task = Task(
                secrets.token_urlsafe(16), upload_id, login, doing, time.monotonic(),
                self._threads.submit(_ended, call),
            )  # fmt: skip
            self._tasks[task.number] = task
            self._forget_old_ones()
        return task

    def running(self, upload_id: str) -> Task | None:
        """What is being done to an upload at this moment."""
        with self._lock:
            return self._running(upload_id)

    def find(self, number: str, upload_id: str, login: str) -> Task | None:
        """The task of that number, if it is about that upload and this person has asked for it."""
        with self._lock:
            task = self._tasks.get(number)
        return task if task is not None and (task.upload_id, task.login) == (upload_id, login) else None

    def close(self) -> None:
        """Waits for what is being done, and takes nothing more."""
        self._threads.shutdown()

    def _running(self, upload_id: str) -> Task | None:
        return next((task for task in self._tasks.values() if task.upload_id == upload_id and not task.ending), None)

    def _forget_old_ones(self) -> None:
        done = [number for number, task in self._tasks.items() if task.future.done()]
        for number in done[: max(len(self._tasks) - _KEPT, 0)]:
            del self._tasks[number]


def _ended(call: Callable[[], str]) -> Ending:
    """Does something, and says what came of it; it never raises."""
    try:
        with faults_masked():
            return Ending(good=True, said=call())
    except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for an answer
        return in_words(error)


def in_words(error: Exception) -> Ending:
    """What went wrong, for people; what is nobody's fault but ours is in the log, too."""
    stands = " ".join(where_it_stands(error))
    match error:
        case Refusal():
            return Ending(good=False, said=f"{error.message} {stands}".strip(), fix=error.fix)
        case StoreBusy():
            return Ending(good=False, said=f"Busy: {error} {stands}".strip(), fix="Try again in a moment.")
        case MachineFault():
            return Ending(good=False, said=f"{error.message} {stands}".strip(), fix=error.fix)
        case ContactPipelineError():
            return Ending(good=False, said=f"{error} {stands}".strip())
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames[-6:]))
    _log.error("%s: %s (%s)", type(error).__name__, mask(str(error), ANY), where)  # no values, as a traceback has them
    said = f"A fault of the program stopped this ({type(error).__name__}). {stands}".strip()
    return Ending(good=False, said=said, fix="`serve` has written it into its log, dagster/webserver.log in the home.")
