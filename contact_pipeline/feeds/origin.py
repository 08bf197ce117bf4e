"""The files of a feed at their source, and the interface of all kinds of sources."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from contact_pipeline.errors import Refusal
from contact_pipeline.feeds.place import Place
from contact_pipeline.masking import mask_file_name
from contact_pipeline.store.originals import display_name
from contact_pipeline.store.source import is_unfinished
from contact_pipeline.visible import visible

_LONGEST_NAME: Final = 255  # bytes that file systems take
_PLAIN: Final = re.compile(r"[\r\n\t]")


class Trouble(Refusal):
    """Why files cannot be listed or fetched, in words that quote nothing of a login.

    Attributes:
        passes: whether the trouble may pass soon, so that the call is tried again.
        of_one_file: whether other files can still be fetched.
    """

    def __init__(self, code: str, message: str, fix: str, *, passes: bool = False, of_one_file: bool = False) -> None:
        super().__init__(code, message, fix)
        self.passes = passes
        self.of_one_file = of_one_file


@dataclass(frozen=True, slots=True)
class Found:
    """A file at its source.

    Attributes:
        path: as the source knows it.
        name: the file's own name, exactly.
        size: in bytes; None: the server does not say.
        look: equal as long as nobody changes the file: its ETag, or else size and time; empty: it has neither.
        changed_at: when it was last changed, by the source's clock; None: unknown.
        settles: whether the file may still be growing; a file of an object store cannot.
    """

    path: str
    name: str
    size: int | None
    look: str
    changed_at: datetime | None
    settles: bool = True

    @property
    def shown(self) -> str:
        """The name as it may be shown: on one line, what looks sensitive masked."""
        return shown(self.name)


@dataclass(slots=True)
class Listing:
    """The files at a source that a feed means.

    Attributes:
        files: files to fetch, ordered by the time of their change.
        unfinished: how many are not complete by their names (hidden ones, `.part`, `.tmp`).
        strays: name → why a file is never taken.
    """

    files: list[Found] = field(default_factory=list)
    unfinished: int = 0
    strays: dict[str, str] = field(default_factory=dict)


class Origin(Protocol):
    """An open source. All methods raise Trouble, or OSError if the source is this machine.

    Attributes:
        place: the place of the files; a folder named without a slash at its end is recognized as one.
    """

    place: Place

    def look_through(self) -> Listing:
        """The files that are there now."""

    def look(self, found: Found) -> Found | None:
        """The file as it is now; None: it is gone."""

    def fetch(self, found: Found, path: Path, most: int) -> None:
        """Copies a file to a new one, of at most so many bytes."""

    def remove(self, found: Found) -> None:
        """Deletes a file."""

    def move(self, found: Found, folder: str) -> None:
        """Moves a file to a folder beside it, which is made if needed; no file there is replaced."""

    def close(self) -> None:
        """Closes the source."""


def shown(name: str) -> str:
    """The name of a file as it may be shown."""
    return visible(_PLAIN.sub("?", mask_file_name(display_name(name))))


def listing(place: Place, found: Iterable[Found]) -> Listing:
    """The files of a folder that a place means."""
    result = Listing()
    for each in found:
        if not place.fits(each.name):
            continue
        if is_unfinished(each.name):
            result.unfinished += 1
        elif len(display_name(each.name).encode()) > _LONGEST_NAME:
            result.strays[each.name] = f"has a name of more than {_LONGEST_NAME} bytes. Rename it."
        else:
            result.files.append(each)
    result.files.sort(key=lambda each: (each.changed_at is not None, each.changed_at, each.name))
    return result


def free_name(name: str, taken: Iterable[str]) -> str:
    """The name or, if it is taken, the name with a number before its ending."""
    names = set(taken)
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, dot + ending) if stem else (name, "")
    return next(each for number in range(1, 1_000_000) if (each := _numbered(stem, ending, number)) not in names)


def _numbered(stem: str, ending: str, number: int) -> str:
    return f"{stem}{ending}" if number == 1 else f"{stem}-{number}{ending}"
