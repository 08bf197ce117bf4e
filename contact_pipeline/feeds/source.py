"""The source of a feed: opens it, lists its files, and tells which are new."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from contact_pipeline.contracts.states import ENDED_WITHOUT
from contact_pipeline.feeds.credentials import credentials_of
from contact_pipeline.feeds.local import LocalOrigin
from contact_pipeline.feeds.model import Feed
from contact_pipeline.feeds.origin import Found, Listing, Origin, Trouble, shown
from contact_pipeline.feeds.place import LOCAL, place_of
from contact_pipeline.feeds.read import check_feed, usable
from contact_pipeline.settings import Settings
from contact_pipeline.store import Store
from contact_pipeline.store.feeds import Known, digest_of, known_files

T = TypeVar("T")

_TRIES: Final = 3
_FURTHER: Final = 4  # factor from one wait to the next


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of checking a feed that can be used and whose source was reached.

    Attributes:
        feed: the feed.
        new: files that a run would fetch.
        known: how many files were received before and have not changed since.
        unfinished: how many files are not complete, by their names.
        strays: name → why a file is never taken.
    """

    name: str
    feed: Feed
    new: list[Found]
    known: int
    unfinished: int
    strays: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """What was found as a JSON document."""
        return {
            "name": self.name,
            "profile": self.feed.profile,
            "source": self.feed.source,
            "new": [{"file_name": found.shown, "size": found.size} for found in self.new],
            "known": self.known,
            "unfinished": self.unfinished,
            "never_taken": [{"file_name": name, "why": why} for name, why in self.strays.items()],
        }


def check(store: Store, name: str, described: Feed | None = None, seconds: float | None = None) -> Checked:
    """Tests that this machine can use a feed, and lists the files that a run would fetch. Fetches nothing.

    Args:
        store: the store.
        name: of the feed.
        described: the feed, where no file of the home describes it.
        seconds: given: a server is tried only once, and has that long to let in, and to list; unset: as a run tries.

    Raises:
        Refusal: its file, profile or options cannot be used (code `feed-broken`), or its source cannot be reached.
    """
    feed = check_feed(name, store.settings) if described is None else usable(described, store.settings)
    origin = origin_of(store.settings, name, feed, seconds)
    try:
        found = listed(store.settings, feed, origin, tries=1 if seconds else _TRIES)
    finally:
        origin.close()
    with store.open(read_only=True) as contacts:
        known = known_files(contacts, name)
    new = [each for each in found.files if not is_known(known.get(digest_of(each.name)), each, again=False)]
    return Checked(name, feed, new, len(found.files) - len(new), found.unfinished, strays_of(found))


def origin_of(settings: Settings, name: str, feed: Feed, seconds: float | None = None) -> Origin:
    """The source of a feed, not connected yet; `seconds` bound what a server may take."""
    place = place_of(feed.source)
    if place.scheme == LOCAL:
        return LocalOrigin(place, settings.home)
    from contact_pipeline.feeds.remote import RemoteOrigin

    return RemoteOrigin(name, place, credentials_of(name), seconds)


def listed(settings: Settings, feed: Feed, origin: Origin, tries: int = _TRIES) -> Listing:
    """The files at a source.

    Raises:
        Trouble: the one file that the feed names is missing, and the feed does not remove it (code `feed-missing`).
    """
    found = tried(settings, origin.look_through, tries)
    if origin.place.is_exact and feed.after == "leave" and not (found.files or found.unfinished or found.strays):
        fix = "Correct `source`, or wait for it."
        raise Trouble("feed-missing", f"There is no file {feed.source}.", fix)
    return found


def tried(settings: Settings, call: Callable[[], T], tries: int = _TRIES) -> T:
    """Makes a call to a source; if it fails with trouble that may pass, waits and tries again."""
    wait = settings.feed_retry_seconds
    for _ in range(tries - 1):
        try:
            return call()
        except Trouble as trouble:
            if not trouble.passes:
                raise
        time.sleep(wait)
        wait *= _FURTHER
    return call()


def is_known(known: Known | None, found: Found, *, again: bool) -> bool:
    """Whether a file was received before and has not changed since."""
    if not found.look:  # only its content tells whether it has changed
        return False
    return known is not None and known.look == found.look and not (again and known.state in ENDED_WITHOUT)


def strays_of(listing: Listing) -> dict[str, str]:
    """Name, as it may be shown → why the file is never taken."""
    return {shown(name): why for name, why in listing.strays.items()}
