"""The status of a home's feeds: how each last ended, when it runs next, and whether a due file has not come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from contact_pipeline.errors import MachineFault, Refusal
from contact_pipeline.feeds.calendar import missed, next_run
from contact_pipeline.feeds.elsewhere import find_elsewhere
from contact_pipeline.feeds.model import Feed
from contact_pipeline.feeds.read import find_feeds
from contact_pipeline.store import Store
from contact_pipeline.store.feeds import (
    Ended,
    FeedState,
    NoticeRouting,
    feed_states,
    record_known_feeds,
    record_missed,
    record_run,
    record_unusable,
    record_usable,
    set_back,
)
from contact_pipeline.store.ledger import now

_NEVER_BEFORE: Final = datetime(2026, 11, 1)  # noqa: DTZ001 - in UTC; a clock that is behind this version is wrong


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """A feed that the home knows of, with its last and next run; times in UTC.

    Attributes:
        place: where it is described: a file of the home, such as feeds/crm.yaml, or a place outside of it.
        feed: None: its file cannot be used.
        problem: why its file cannot be used, or why it is broken.
        next_at: when it runs next; None: when somebody asks.
        missed_at: the time at which a file was due that has not come; None: nothing is overdue.
    """

    name: str
    place: str
    feed: Feed | None
    state: FeedState | None
    problem: dict[str, Any] | None
    next_at: datetime | None
    missed_at: datetime | None

    def as_dict(self) -> dict[str, Any]:
        """The feed as a JSON document."""
        feed, state = self.feed, self.state
        return {
            "name": self.name,
            "described_in": self.place,
            "title": feed.title if feed else None,
            "source": feed.source if feed else None,
            "profile": feed.profile if feed else None,
            "owner": feed.owner if feed else None,
            "ran_at": time_of(state.ran_at) if state else None,
            "ended": "broken" if feed is None else state.ended if state else None,
            "file_at": time_of(state.file_at) if state else None,
            "next_at": time_of(self.next_at),
            "missed_at": time_of(self.missed_at),
            "problem": self.problem,
        }


def list_feeds(store: Store) -> list[FeedStatus]:
    """Every feed of the home by name, and then those that are described elsewhere. Nothing is changed."""
    found = find_feeds(store.settings)
    others = {name: each for name, each in find_elsewhere(store.settings).items() if name not in found}
    with store.open(read_only=True) as contacts:
        states = feed_states(contacts)
    places = {name: each.place for name, each in others.items()}
    return _listed({**found, **{name: each.feed for name, each in others.items()}}, states, places)


def _listed(
    found: Mapping[str, Feed | Refusal], states: Mapping[str, FeedState], places: Mapping[str, str]
) -> list[FeedStatus]:
    at = now()
    listed = []
    for name, feed in found.items():
        state, place = states.get(name), places.get(name, f"feeds/{name}.yaml")
        if isinstance(feed, Refusal):
            listed.append(FeedStatus(name, place, None, state, feed.as_dict(), None, None))
            continue
        problem = state.problem if state and not state.is_unusable else None
        due = missed(feed, state.since, state.file_at, at) if state else None
        next_at = next_run(feed, state.ran_at if state else None, at)
        listed.append(FeedStatus(name, place, feed, state, problem, next_at, due))
    return listed


def note_missed(store: Store) -> list[FeedStatus]:
    """Records due files that have not come, and feeds that cannot be used, as news too, each once.

    New feeds are recorded; their files are due from then on. The home is written only where there is something new.

    Returns:
        Every feed of the home, by name.
    """
    found = find_feeds(store.settings)
    states = _states_until_now(store, found)
    statuses = _listed(found, states, {})
    usable = {name: feed for name, feed in found.items() if isinstance(feed, Feed)}
    refused = {name: feed for name, feed in found.items() if isinstance(feed, Refusal) and name.isprintable()}
    broken = [name for name in refused if name not in states or states[name].problem is None]
    usable_again = [name for name in usable if name in states and states[name].is_unusable]
    new = [name for name in usable if name not in states]
    overdue = [each for each in statuses if each.missed_at and each.state and each.missed_at != each.state.missed_at]
    if broken or usable_again or new or overdue:
        with store.change() as contacts:
            for name in broken:
                record_unusable(contacts, name, _message(refused[name]), _routing(None))
            for name in usable_again:
                record_usable(contacts, name)
            record_known_feeds(contacts, new)
            for status in overdue:
                if status.feed is not None and status.missed_at is not None:
                    record_missed(contacts, status.name, status.missed_at, _routing_of_missed(status.feed))
    return statuses


def record(store: Store, name: str, feed: Feed | None, ended: Ended, problem: Refusal | MachineFault | None) -> None:
    """Records how a run of a feed ended; a feed that breaks is news."""
    message = None if problem is None else _message(problem)
    with store.change() as contacts:
        record_run(contacts, name, "broken" if problem else ended, message, _routing(feed))


def _message(problem: Refusal | MachineFault) -> dict[str, Any]:
    return {"code": problem.code, "message": problem.message, "fix": problem.fix}


def note_missed_of(store: Store, name: str, feed: Feed) -> datetime | None:
    """The time at which a file was due that has not come; it is recorded once, as news too.

    A new feed is recorded; its files are due from then on.
    """
    state = _states_until_now(store, [name]).get(name)
    if state is None:
        with store.change() as contacts:
            record_known_feeds(contacts, [name])
        return None
    due_at = missed(feed, state.since, state.file_at, now())
    if due_at is not None and due_at != state.missed_at:
        with store.change() as contacts:
            record_missed(contacts, name, due_at, _routing_of_missed(feed))
    return due_at


def _states_until_now(store: Store, names: Iterable[str]) -> dict[str, FeedState]:
    """What is recorded of feeds. Times of these that lie ahead, as a wrong clock had them, are brought back to now.

    Else nobody would be told of a missing file until the clock is there again.
    """
    at = now()
    with store.open(read_only=True) as contacts:
        states = feed_states(contacts)
    known = [states[name] for name in names if name in states]
    ahead = [
        state.name
        for state in known
        if any(moment is not None and moment > at for moment in (state.since, state.ran_at, state.file_at))
    ]
    if not ahead or at < _NEVER_BEFORE:
        return states
    with store.change() as contacts:
        for name in ahead:
            set_back(contacts, name, at)
        return feed_states(contacts)


def _routing_of_missed(feed: Feed) -> NoticeRouting:
    return _routing(feed, is_sent=feed.due is not None and feed.due.missed == "notice")


def _routing(feed: Feed | None, *, is_sent: bool = True) -> NoticeRouting:
    if feed is None:  # its file cannot be used, so the rules decide
        return NoticeRouting("", None, is_sent=True)
    named = feed.notices if isinstance(feed.notices, list) else []
    return NoticeRouting(
        feed.profile, feed.owner, is_sent=is_sent and feed.notices is not False and feed.notices != [], targets=named
    )


def time_of(at: datetime | None) -> str | None:
    """A time in UTC as documents have it."""
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%S}Z"
