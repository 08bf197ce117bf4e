"""The queue of notices in the contact database: lists them, claims the next one, and records the result of each.

A notice is claimed in one transaction before it is sent, so that only one process sends it. If its sender was killed,
it may have arrived: it is not sent again unless somebody asks for that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from contact_pipeline.contracts.news import EVENTS
from contact_pipeline.engines import Database
from contact_pipeline.notices.rules import Rules
from contact_pipeline.notices.words import News
from contact_pipeline.store import Store
from contact_pipeline.store.ledger import now

WAITS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480))  # after each try that failed
TRIES: Final = len(WAITS) + 1
_LOST_AFTER: Final = timedelta(minutes=5)  # longer than any try lasts
_ANY_TIME: Final = datetime(9999, 1, 1)  # noqa: DTZ001 - as the tables hold times
# What was recorded when the clock was ahead, by more than others take to record something, is due, or lost, at once.
_DUE: Final = f"(due_at <= $at OR changed_at > $at::TIMESTAMP + INTERVAL {_LOST_AFTER.seconds} SECOND)"
_LOST: Final = f"""
    state = 'sending' AND NOT changed_at BETWEEN $at::TIMESTAMP - INTERVAL {_LOST_AFTER.seconds} SECOND
                                             AND $at::TIMESTAMP + INTERVAL {_LOST_AFTER.seconds} SECOND"""
_OF_NEWS: Final = """
    SELECT notices.*, news.* EXCLUDE (number, taken), coalesce(profile, feed_profile, '') AS profile, file_name,
           coalesce(user_login, feed_owner) AS user_login, uploads.state AS upload_state
    FROM notices JOIN news USING (number) LEFT JOIN uploads USING (upload_id)"""


@dataclass(frozen=True, slots=True)
class Notice:
    """News for one target, and whether it was sent.

    Attributes:
        state: waiting, sending, sent, failed, unsure or dropped.
        tries: how often sending was tried.
        due_at: when it is tried next, in UTC.
        changed_at: when its state last changed, in UTC.
        problem: why the last try failed.
    """

    news: News
    target: str
    state: str
    tries: int
    due_at: datetime
    changed_at: datetime
    problem: str | None

    @classmethod
    def of(cls, record: dict[str, Any]) -> Notice:
        """The notice of a row of the table `notices` with its news beside it."""
        names = ("target", "state", "tries", "due_at", "changed_at", "problem")
        return cls(News.of(record), **{name: record[name] for name in names})

    def as_dict(self) -> dict[str, Any]:
        """The notice as a JSON document; times in UTC."""
        return {
            "number": self.news.number,
            "upload_id": self.news.upload_id or None,
            "feed": self.news.feed,
            "profile": self.news.profile,
            "file_name": self.news.file_name,
            "event": self.news.event,
            "happened_at": _time(self.news.happened_at),
            "target": self.target,
            "state": self.state,
            "tries": self.tries,
            "due_at": _time(self.due_at) if self.state == "waiting" else None,
            "sent_at": _time(self.changed_at) if self.state == "sent" else None,
            "problem": self.problem,
        }


def list_notices(store: Store, limit: int | None = None) -> list[Notice]:
    """The notices, newest first; before them news to which the rules were not yet applied, without a target."""
    with store.open(read_only=True) as contacts:
        found = contacts.records(f"{_OF_NEWS} ORDER BY number DESC, target LIMIT {limit or 'ALL'}")
        new = [News.of(record) for record in reversed(_untaken(contacts))]
    why = "notices.yaml is still to be asked."
    unasked = [Notice(news, "", "waiting", 0, news.happened_at, news.happened_at, why) for news in new]
    return [*unasked, *(Notice.of(record) for record in found)][:limit]


def has_work(store: Store, targets: Collection[str]) -> bool:
    """Whether there is anything to do, by a quick query.

    Args:
        store: the store.
        targets: the targets that this process can reach; notices to others only need a recorded problem.
    """
    with store.open(read_only=True) as contacts:
        sql = f"""
            SELECT (SELECT count(*) FROM news WHERE NOT taken)
                 + (SELECT count(*) FROM notices
                    WHERE (state = 'waiting' AND {_DUE} AND (problem IS NULL OR list_contains($targets, target)))
                       OR ({_LOST}))"""
        return bool(contacts.value(sql, {"at": now(), "targets": list(targets)}))


def take_in(store: Store, rules: Rules, unreachable: Mapping[str, str]) -> None:
    """Applies the rules to new news, drops outdated notices, and marks notices whose sender was killed.

    Args:
        store: the store.
        rules: of the home.
        unreachable: targets that this process cannot reach → why, which becomes the problem of their notices.
    """
    at = now()
    with store.change() as contacts:
        for record in _untaken(contacts):
            news = News.of(record)
            for target in _targets_for(rules, news, record["targets"]):
                values = [news.number, target, at, at]
                contacts.run("INSERT INTO notices VALUES (?, ?, 'waiting', 0, ?, ?, NULL)", values)
        contacts.run("UPDATE news SET taken = true WHERE NOT taken")
        overtaken, gone = {"events": _waiting_events()}, {"targets": list(rules.targets)}
        _end(contacts, "dropped", "The upload had gone on before it was sent.", _OVERTAKEN, overtaken)
        _end(contacts, "dropped", "notices.yaml has no such target any more.", _GONE, gone)
        _end(contacts, "unsure", "Its sender was killed; it may have arrived.", _LOST, {})
        for target, why in unreachable.items():
            sql = f"UPDATE notices SET problem = $why WHERE state = 'waiting' AND target = $target AND {_DUE}"
            contacts.run(sql, {"why": why, "target": target, "at": at})


def _targets_for(rules: Rules, news: News, named: Collection[str] | None) -> list[str]:
    """The targets of news: those that the news names, or else those by the rules."""
    if named is None:
        return rules.targets_for(news.event, news.profile, news.user)
    return [target for target in dict.fromkeys(named) if target in rules.targets]


def claim(store: Store, targets: Collection[str], *, due: bool = True) -> Notice | None:
    """Claims the oldest waiting notice, to send it now; nobody else gets it. None: there is none.

    Args:
        store: the store.
        targets: only notices to these targets.
        due: whether to take only notices that are due.
    """
    at = now()
    with store.change() as contacts:
        found = contacts.records(
            f"""{_OF_NEWS} WHERE notices.state = 'waiting' AND list_contains($targets, target) AND {_DUE}
            ORDER BY due_at, number, target LIMIT 1""",
            {"targets": list(targets), "at": at if due else _ANY_TIME},
        )
        if not found:
            return None
        notice = Notice.of(found[0])
        contacts.run(
            "UPDATE notices SET state = 'sending', tries = tries + 1, changed_at = ? WHERE number = ? AND target = ?",
            [at, notice.news.number, notice.target],
        )
    return notice


def record(store: Store, notice: Notice, problem: str | None = None, *, is_unsure: bool = False) -> str:
    """Records the result of a claimed notice, and returns its new state; after the last try it is `failed`."""
    at, tries = now(), notice.tries + 1
    due = notice.due_at
    if problem is None:
        state = "sent"
    elif is_unsure:
        state = "unsure"
    elif tries >= TRIES:
        state = "failed"
    else:
        state, due = "waiting", at + WAITS[tries - 1]
    with store.change() as contacts:
        contacts.run(
            "UPDATE notices SET state = ?, due_at = ?, changed_at = ?, problem = ? WHERE number = ? AND target = ?",
            [state, due, at, problem, notice.news.number, notice.target],
        )
    return state


def count_waiting(store: Store) -> dict[str, int]:
    """How many notices wait, by target."""
    with store.open(read_only=True) as contacts:
        return dict(contacts.rows("SELECT target, count(*) FROM notices WHERE state = 'waiting' GROUP BY target"))


def try_again(store: Store) -> int:
    """Makes failed and unsure notices wait again, as if they were new; returns how many."""
    with store.change() as contacts:
        return len(
            contacts.rows(
                """
                UPDATE notices SET state = 'waiting', tries = 0, due_at = $at, changed_at = $at
                WHERE state IN ('failed', 'unsure') RETURNING number""",
                {"at": now()},
            )
        )


_OVERTAKEN: Final = """
    state = 'waiting' AND EXISTS (
        FROM news JOIN uploads USING (upload_id)
        WHERE news.number = notices.number AND list_contains($events, event)
              AND (uploads.state <> event OR EXISTS (
                  FROM news AS later WHERE later.upload_id = news.upload_id AND later.number > news.number)))"""
_GONE: Final = "state = 'waiting' AND NOT list_contains($targets, target)"


def _waiting_events() -> list[str]:
    return [name for name, event in EVENTS.items() if event.waits]


def _end(contacts: Database, state: str, problem: str, where: str, values: Mapping[str, object]) -> None:
    contacts.run(
        f"UPDATE notices SET state = $state, problem = $problem, changed_at = $at WHERE {where}",
        {"state": state, "problem": problem, "at": now(), **values},
    )


def _untaken(contacts: Database) -> list[dict[str, Any]]:
    return contacts.records("""
        SELECT news.*, coalesce(profile, feed_profile, '') AS profile, file_name,
               coalesce(user_login, feed_owner) AS user_login
        FROM news LEFT JOIN uploads USING (upload_id)
        WHERE NOT taken ORDER BY number""")


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
