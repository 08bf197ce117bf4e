"""Files of this machine as a source: a folder that another program fills. Links are not followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from contact_pipeline.feeds.origin import Found, Listing, Trouble, free_name, listing
from contact_pipeline.feeds.place import Place
from contact_pipeline.settings import INBOX
from contact_pipeline.store.source import Source, look_of


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
            return listing(self.place, self._files())
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

    def _files(self) -> Iterator[Found]:
        with os.scandir(self._folder) as entries:
            for entry in entries:
                found = self._found(Path(entry.path))
                if found is not None:
                    yield found

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
            Trouble: it may not be read (code `feed-permission`), or is gone (`feed-missing`).
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
