"""What a home remembers of its feeds: the fetched files, and the state of each feed after its last run.

Names of files are kept as digests: a name can contain personal data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from contact_pipeline.contracts.ledger import LedgerLine
from contact_pipeline.contracts.states import ENDED_WITHOUT, State
from contact_pipeline.engines import Database
from contact_pipeline.store.ledger import add_line, find_lines, now
from contact_pipeline.store.news import keep_news_of_feed

Ended = Literal["fetched", "nothing", "broken"]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file of a feed that is to be received.

    Attributes:
        feed: the feed.
        name_sha256: digest of its name at the source.
        look: how it looked there: equal as long as nobody changes the file.
    """

    feed: str
    name_sha256: str
    look: str


@dataclass(frozen=True, slots=True)
class Known:
    """A file of a feed as it was last received.

    Attributes:
        state: of its upload.
    """

    look: str
    sha256: str
    upload_id: str
    state: State


@dataclass(frozen=True, slots=True)
class FeedState:
    """The state of a feed after its last run; times in UTC.

    Attributes:
        since: when the home first recorded the feed.
        ended: how the last run ended; None: it never ran.
        problem: why the last run broke, or why the feed's file could not be used since: code, message and fix.
        file_at: when its newest file came, other than those that were refused, failed, or cancelled before they were
            planned: whoever waits for the file has nothing of these.
        missed_at: the newest recorded time at which a file was due and had not come.
    """

    name: str
    since: datetime
    ran_at: datetime | None = None
    ended: Ended | None = None
    problem: dict[str, Any] | None = None
    file_at: datetime | None = None
    missed_at: datetime | None = None

    @property
    def is_unusable(self) -> bool:
        """Whether the feed's file could not be used when it was last looked at; its last run did not break."""
        return self.problem is not None and self.ended != "broken"


@dataclass(frozen=True, slots=True)
class NoticeRouting:
    """To whom news of a feed is sent.

    Attributes:
        profile: of the feed.
        owner: login of who is responsible for the feed.
        is_sent: whether notices are sent at all.
        targets: the targets that get them; empty: those by the rules of notices.yaml.
    """

    profile: str
    owner: str | None
    is_sent: bool
    targets: Sequence[str] = ()


def digest_of(name: str) -> str:
    """The digest by which the name of a file is kept; undecodable bytes count as they are."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()


def known_files(database: Database, feed: str) -> dict[str, Known]:
    """The files of a feed that were received, by the digests of their names."""
    found = database.rows(
        """
        SELECT name_sha256, look, fetched_files.sha256, upload_id, state
        FROM fetched_files JOIN uploads USING (upload_id) WHERE fetched_files.feed = ?""",
        [feed],
    )
    return {name: Known(*rest) for name, *rest in found}


def left_on_the_way(database: Database, feed: str) -> list[LedgerLine]:
    """The uploads of a feed that a run left before it had staged or applied them, the oldest first.

    Of staged ones, only those that nobody has taken in hand, and that came after all that the feed has applied: else an
    older file would be put on top of a later one.
    """
    lines = find_lines(
        database,
        """feed = ? AND (state = 'received' OR (
               state = 'staged' AND replanned_by IS NULL AND corrections = 0
               AND upload_id NOT IN (SELECT upload_id FROM decisions)
               AND number > (SELECT coalesce(max(number), 0) FROM uploads WHERE feed = ? AND commit_number IS NOT NULL)
           ))""",
        [feed, feed],
        oldest_first=True,
    )
    return [line for line in lines if line.state == "received" or (line.applies_itself and not line.is_given_up)]


def add_fetched_line(database: Database, fetched: Fetched | None, line: Mapping[str, Any]) -> LedgerLine:
    """Writes an upload's first line and, if a feed fetched the file, the record of that.

    Call it in a transaction, so that both are written or neither.
    """
    if fetched is not None:
        _remember(database, fetched, line["upload_id"], line["sha256"])
    return add_line(database, **line)


def _remember(database: Database, fetched: Fetched, upload_id: str, sha256: str) -> None:
    forget(database, fetched)
    database.run(
        "INSERT INTO fetched_files VALUES (?, ?, ?, ?, ?, ?)",
        [fetched.feed, fetched.name_sha256, fetched.look, sha256, upload_id, at := now()],
    )
    _record_known(database, fetched.feed)
    database.run("UPDATE feeds SET file_at = ? WHERE name = ?", [at, fetched.feed])


def look_anew(database: Database, fetched: Fetched) -> None:
    """Records the present look of a file that was received before and still has the same content."""
    database.run(
        "UPDATE fetched_files SET look = ? WHERE feed = ? AND name_sha256 = ?",
        [fetched.look, fetched.feed, fetched.name_sha256],
    )


def forget(database: Database, fetched: Fetched) -> None:
    """Forgets a file, so that it is fetched again, even with the same content."""
    database.run("DELETE FROM fetched_files WHERE feed = ? AND name_sha256 = ?", [fetched.feed, fetched.name_sha256])


# When the newest file of each feed came that was no rubbish: it is planned, or on the way to that. `file_at` of the
# table counts rubbish, too, but was brought back to the present where the clock was ahead.
_DELIVERED: Final = f"""
    SELECT feed AS name, max(added_at) AS delivered_at FROM uploads
    WHERE feed IS NOT NULL AND (stage = 'matched' OR NOT list_contains({sorted(ENDED_WITHOUT)}, state))
    GROUP BY feed"""


def feed_states(database: Database) -> dict[str, FeedState]:
    """Every feed that the home has recorded, by name."""
    found = database.rows(f"""
        SELECT name, since, ran_at, ended, problem,
               CASE WHEN delivered_at < file_at THEN delivered_at WHEN delivered_at IS NOT NULL THEN file_at END,
               missed_at
        FROM feeds LEFT JOIN ({_DELIVERED}) USING (name) ORDER BY name""")
    return {
        name: FeedState(name, since, ran_at, ended, None if problem is None else json.loads(problem), *rest)
        for name, since, ran_at, ended, problem, *rest in found
    }


def record_run(
    database: Database, name: str, ended: Ended, problem: dict[str, Any] | None, routing: NoticeRouting | None
) -> None:
    """Records how a run ended; if the feed was not broken before and is now, also as news."""
    _record_known(database, name)
    before = feed_states(database)[name]
    is_told = before.ended == "broken" or (before.is_unusable and _code(before.problem) == _code(problem))
    if ended != "broken" and before.is_unusable:  # the run had the feed as it was before; `record_usable` ends it
        problem = before.problem
    database.run(
        "UPDATE feeds SET ran_at = ?, ended = ?, problem = ? WHERE name = ?",
        [now(), ended, None if problem is None else json.dumps(problem), name],
    )
    if ended == "broken" and not is_told and routing is not None:
        keep_news_of_feed(database, name, "broken", routing.profile, routing.owner, _targets(routing), _code(problem))


def record_unusable(database: Database, name: str, problem: dict[str, Any], routing: NoticeRouting) -> None:
    """Records, as news too, that a feed's file cannot be used; no run has to find it out."""
    _record_known(database, name)
    database.run("UPDATE feeds SET problem = ? WHERE name = ?", [json.dumps(problem), name])
    keep_news_of_feed(database, name, "broken", routing.profile, routing.owner, _targets(routing), _code(problem))


def record_usable(database: Database, name: str) -> None:
    """Records that a feed's file can be used again."""
    database.run("UPDATE feeds SET problem = NULL WHERE name = ?", [name])


def record_missed(database: Database, name: str, due_at: datetime, routing: NoticeRouting) -> bool:
    """Records, as news too, that a file was due and had not come; False if that was recorded before."""
    _record_known(database, name)
    if database.value("SELECT missed_at FROM feeds WHERE name = ?", [name]) == due_at:
        return False
    database.run("UPDATE feeds SET missed_at = ? WHERE name = ?", [due_at, name])
    keep_news_of_feed(database, name, "missed", routing.profile, routing.owner, _targets(routing), None)
    return True


def set_back(database: Database, name: str, at: datetime) -> None:
    """Brings the times of a feed that lie after the present one to it: they were recorded by a clock that was wrong."""
    for column in ("since", "ran_at", "file_at"):
        database.run(f"UPDATE feeds SET {column} = ? WHERE name = ? AND {column} > ?", [at, name, at])


def record_known_feeds(database: Database, names: Sequence[str]) -> None:
    """Records new feeds with the present time: their files are due from then on."""
    for name in names:
        _record_known(database, name)


def _record_known(database: Database, name: str) -> None:
    if not database.value("SELECT count(*) FROM feeds WHERE name = ?", [name]):
        database.run("INSERT INTO feeds (name, since) VALUES (?, ?)", [name, now()])


def _targets(routing: NoticeRouting) -> Sequence[str] | None:
    """The targets that get notices; None: those by the rules."""
    if not routing.is_sent:
        return []
    return routing.targets or None


def _code(problem: dict[str, Any] | None) -> str | None:
    return None if problem is None else str(problem.get("code"))
