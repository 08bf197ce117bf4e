"""How far long work has come, told to whoever watches: a terminal does. Where nobody does, telling costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Told:
    """How far a stage has come.

    Attributes:
        stage: what is done, in words.
        rows: how many rows are done; None: it is not worked row by row.
        of: how many there are; None: that is not known yet.
        step: what of the stage is done at the moment, in words.
    """

    stage: str
    rows: int | None = None
    of: int | None = None
    step: str = ""


_watcher: ContextVar[Callable[[Told], None] | None] = ContextVar("watcher", default=None)


@contextmanager
def watching(watcher: Callable[[Told], None]) -> Iterator[None]:
    """Has everything told to a function that is done in this thread while the block lasts."""
    before = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(before)


def tell(stage: str, rows: int | None = None, of: int | None = None, step: str = "") -> None:
    """Tells how far a stage has come; the arguments are the attributes of `Told`."""
    if watcher := _watcher.get():
        watcher(Told(stage, rows, of, step))
