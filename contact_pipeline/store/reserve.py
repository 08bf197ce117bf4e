"""The reserve: a file of no meaning in the home, whose room `expire` uses to write its evidence on a full disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from contact_pipeline.machine import put_in_place
from contact_pipeline.owner_only import owner_only

if TYPE_CHECKING:
    from pathlib import Path

    from contact_pipeline.settings import Settings

_BYTES: Final = 1_000_000  # the evidence for a hundred uploads takes a tenth of that


def keep_reserve(settings: Settings) -> None:
    """Makes the reserve of a home that has contacts, if it is missing and there is room for it."""
    path = _path(settings)
    if path.exists() or not settings.contacts_path.exists():
        return
    with suppress(OSError), owner_only(), put_in_place(path) as new:
        new.write_bytes(os.urandom(_BYTES))  # zeros take no room where a disk compresses


@contextmanager
def reserve_given_up(settings: Settings) -> Iterator[None]:
    """Deletes the reserve for as long as the block lasts: what the block writes first has its room."""
    with suppress(OSError):
        _path(settings).unlink()
    try:
        yield
    finally:
        keep_reserve(settings)


def _path(settings: Settings) -> Path:
    return settings.home / "reserve"
