"""Files of this machine as a source: a folder that another program fills. Links are not followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from errno import EINVAL, EIO, ELOOP, ENXIO, ESTALE
from pathlib import Path
from typing import Final

from contact_pipeline.feeds.origin import Found, Listing, Trouble, free_name, listing
from contact_pipeline.feeds.place import Place
from contact_pipeline.settings import INBOX
from contact_pipeline.store.source import Source, is_unfinished, look_of

_OF_FILE: Final = frozenset({EINVAL, EIO, ELOOP, ENXIO, ESTALE})  # damaged, or no ordinary file any more
_LINK: Final = "is a link, which is not followed. Put the file itself in its place."


class LocalOrigin:
    """A folder of this machine, or files in it."""

    def __init__(self, place: Place, home: Path) -> None:
        folder = home.absolute() / (place.folder or ".")
        if place.is_exact and (folder / place.pattern).is_dir():
            place, folder = Place(place.scheme, "", None, None, "", "", False), folder / place.pattern
        self.place, self._folder = place, folder
        self._inbox = home.absolute() / INBOX

    def look_through(self) -> Listing:
        """The files that are there now.

        Raises:
            Trouble: there is no such folder (code `feed-missing`), it may not be read (`feed-permission`), or it lies
                in the inbox (`feed-inbox`).
        """
        if Path(os.path.realpath(self._folder)).is_relative_to(os.path.realpath(self._inbox)):  # loops of links, too
            raise Trouble(
                "feed-inbox",
                f"The folder {self._folder} lies in the inbox, which takes its files.",
                "Have the files put into another folder, or drop them into the inbox and remove the feed.",
            )
        try:
            with os.scandir(self._folder) as entries:
                paths = [Path(entry.path) for entry in entries]
            found = listing(self.place, filter(None, map(self._found, paths)))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Trouble(
                "feed-missing",
                f"There is no folder {self._folder}.",
                "Make it, mount it, or correct `source`.",
            ) from error
        except PermissionError as error:
            raise Trouble(
                "feed-permission",
                f"The folder {self._folder} may not be read.",
                "Let whoever runs this read it.",
            ) from error
        links = (path.name for path in paths if path.is_symlink() and not _is_folder(path))
        found.strays |= {name: _LINK for name in links if self.place.fits(name) and not is_unfinished(name)}
        return found

    def _found(self, path: Path) -> Found | None:
        try:
            status = path.lstat()
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        changed_at = datetime.fromtimestamp(status.st_mtime, UTC)
        look = look_of(status)
        return Found(str(path), path.name, status.st_size, f"{look[0]} {look[1]} {look[3]}", changed_at)

    def look(self, found: Found) -> Found | None:
        """The file as it is now; None: it is gone."""
        return self._found(Path(found.path))

    def fetch(self, found: Found, path: Path, most: int) -> None:  # noqa: ARG002 - the caller tests the size
        """Copies a file to a new one.

        Raises:
            Refusal: it is being written (code `file-changing`).
            Trouble: it may not be read (code `feed-permission`), is gone (`feed-missing`), or damaged (`feed-fault`).
            OSError: another fault of the machine, such as a full disk.
        """
        try:
            with Source(Path(found.path), follow_links=False) as source:
                if source.is_written():
                    raise _of_file("feed-changing", found, "is being written", "It is fetched once it is complete.")
                source.copy_to(path, durably=False)
        except PermissionError as error:
            fix = "Let whoever runs this read it."
            raise _of_file("feed-permission", found, "may not be read", fix) from error
        except FileNotFoundError as error:
            raise _of_file("feed-missing", found, "is gone", "Nothing is to be done.") from error
        except OSError as error:
            if error.errno not in _OF_FILE:
                raise
            why = f"could not be read: {(error.strerror or type(error).__name__).lower()}"
            raise _of_file(
                "feed-fault", found, why, "Have it sent again, and look at the disk that it lies on."
            ) from error

    def remove(self, found: Found) -> None:
        """Deletes a file."""
        with _changing_the_folder(found):
            Path(found.path).unlink(missing_ok=True)

    def move(self, found: Found, folder: str) -> None:
        """Moves a file to a folder beside it."""
        with _changing_the_folder(found):
            there = self._folder / folder
            there.mkdir(parents=True, exist_ok=True)
            Path(found.path).rename(there / free_name(found.name, (each.name for each in there.iterdir())))

    def close(self) -> None:
        """Does nothing: no connection is open."""


@contextmanager
def _changing_the_folder(found: Found) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:  # somebody else has taken it
        return
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        fix = "Let whoever runs this change that folder, or set `after: leave`."
        raise _of_file("feed-after", found, f"could not be moved or deleted: {why}", fix) from error


def _of_file(code: str, found: Found, what: str, fix: str) -> Trouble:
    return Trouble(code, f"{found.shown} {what}.", fix, of_one_file=True)


def _is_folder(link: Path) -> bool:
    """Whether a link leads to a folder; one that leads where nobody may look leads to none."""
    try:
        return link.is_dir()
    except OSError:
        return False
