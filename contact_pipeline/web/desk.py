"""Runs the calls that people ask for in threads, one at a time for each upload, and keeps their results.

Reloading a page shows the progress of its call, and does nothing twice. Tasks are kept in memory: after a restart of
the server, only the ledger tells what became of an upload.
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
    """The result of a call, in words.

    Attributes:
        good: whether the request was carried out.
        message: what happened.
        fix: what to do about it; empty: nothing.
    """

    good: bool
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A call that somebody has asked for.

    Attributes:
        number: its identifier, which cannot be guessed.
        upload_id: the upload of the call.
        login: who asked.
        doing: what it does, such as "Applying".
        begun: when it began, by the monotonic clock.
    """

    number: str
    upload_id: str
    login: str
    doing: str
    begun: float
    future: Future[Ending] = field(repr=False)

    @property
    def ending(self) -> Ending | None:
        """The result; None: it is not done yet."""
        return self.future.result() if self.future.done() else None

    @property
    def seconds(self) -> int:
        """The seconds since it began."""
        return int(time.monotonic() - self.begun)

    def wait(self, seconds: float) -> None:
        """Waits for its end, at most so many seconds."""
        wait([self.future], seconds)


class Desk:
    """Begins tasks, and keeps the newest of them with their results."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, "decide")
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._lock = Lock()

    def begin(self, upload_id: str, login: str, doing: str, call: Callable[[], str]) -> Task:
        """Begins a task, unless the upload already has a running one.

        Args:
            upload_id: the upload.
            login: who asks.
            doing: what it does, such as "Applying".
            call: does the work; returns what happened, in words.

        Raises:
            Refusal: the upload has a running task (code `being-done`).
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
                self._threads.submit(_run_to_ending, call),
            )  # fmt: skip
            self._tasks[task.number] = task
            self._forget_old_ones()
        return task

    def running(self, upload_id: str) -> Task | None:
        """The running task of an upload; None: there is none."""
        with self._lock:
            return self._running(upload_id)

    def find(self, number: str, upload_id: str, login: str) -> Task | None:
        """The task of that number, if it is of this upload and this person."""
        with self._lock:
            task = self._tasks.get(number)
        return task if task is not None and (task.upload_id, task.login) == (upload_id, login) else None

    def close(self) -> None:
        """Waits for the running tasks, and begins no more."""
        self._threads.shutdown()

    def _running(self, upload_id: str) -> Task | None:
        return next((task for task in self._tasks.values() if task.upload_id == upload_id and not task.ending), None)

    def _forget_old_ones(self) -> None:
        done = [number for number, task in self._tasks.items() if task.future.done()]
        for number in done[: max(len(self._tasks) - _KEPT, 0)]:
            del self._tasks[number]


def _run_to_ending(call: Callable[[], str]) -> Ending:
    """Makes a call and returns its result; it never raises."""
    try:
        with faults_masked():
            return Ending(good=True, message=call())
    except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for an answer
        return ending_of(error)


def ending_of(error: Exception) -> Ending:
    """An error for people; defects of the program are also logged."""
    stands = " ".join(where_it_stands(error))
    match error:
        case Refusal():
            return Ending(good=False, message=f"{error.message} {stands}".strip(), fix=error.fix)
        case StoreBusy():
            return Ending(good=False, message=f"Busy: {error} {stands}".strip(), fix="Try again in a moment.")
        case MachineFault():
            return Ending(good=False, message=f"{error.message} {stands}".strip(), fix=error.fix)
        case ContactPipelineError():
            return Ending(good=False, message=f"{error} {stands}".strip())
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames[-6:]))
    _log.error("%s: %s (%s)", type(error).__name__, mask(str(error), ANY), where)  # a traceback would contain values
    message = f"A fault of the program stopped this ({type(error).__name__}). {stands}".strip()
    fix = "`serve` has written it into its log, dagster/webserver.log in the home."
    return Ending(good=False, message=message, fix=fix)
