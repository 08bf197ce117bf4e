"""Reports the progress of long work to a watcher, such as a terminal. Without a watcher it costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageProgress:
    """How far a stage has come.

    Attributes:
        stage: what is done, in words.
        rows: how many rows are done; None: it is not worked row by row.
        of: how many rows there are; None: not known yet.
        step: the present step of the stage, in words.
    """

    stage: str
    rows: int | None = None
    of: int | None = None
    step: str = ""


_watcher: ContextVar[Callable[[StageProgress], None] | None] = ContextVar("watcher", default=None)


@contextmanager
def watching(watcher: Callable[[StageProgress], None]) -> Iterator[None]:
    """Passes the progress of all work in this thread to a function, as long as the block lasts."""
    before = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(before)


def tell(stage: str, rows: int | None = None, of: int | None = None, step: str = "") -> None:
    """Reports the progress of a stage; the arguments are the attributes of `StageProgress`."""
    if watcher := _watcher.get():
        watcher(StageProgress(stage, rows, of, step))
