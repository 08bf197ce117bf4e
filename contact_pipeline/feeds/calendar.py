"""Times of a feed: when it runs next, and whether a due file has not come. Only computes; reads nothing."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from contact_pipeline.feeds.model import Due, Feed
from contact_pipeline.feeds.times import seconds_of

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def next_run(feed: Feed, ran_at: datetime | None, now: datetime) -> datetime | None:
    """When a feed runs next, in UTC; an overdue run is due now. None: when somebody asks.

    Args:
        feed: the feed.
        ran_at: the time of the last run, in UTC without a zone; None: never.
        now: the present time, in UTC without a zone.
    """
    if feed.every is not None:
        return now if ran_at is None else max(now, min(ran_at, now) + timedelta(seconds=seconds_of(feed.every)))
    if feed.schedule is None:
        return None
    from cronsim import CronSim

    local = now.replace(tzinfo=UTC).astimezone(ZoneInfo(feed.schedule.time_zone))
    return next(CronSim(feed.schedule.cron, local)).astimezone(UTC).replace(tzinfo=None)


def missed(feed: Feed, since: datetime, file_at: datetime | None, now: datetime) -> datetime | None:
    """The time by which a file was due that has not come since; None: nothing is overdue.

    Args:
        feed: the feed.
        since: when the home first recorded the feed; earlier times do not count, as nobody knows whether a file came.
        file_at: when its newest file came; None: none has.
        now: the present time; all times are in UTC without a zone.
    """
    if feed.due is None:
        return None
    if feed.due.within is not None:
        due = (file_at or since) + timedelta(seconds=seconds_of(feed.due.within))
        return due if due <= now else None
    newest, before = _deadlines(feed.due, feed.due_time_zone, now)
    if newest < since or (file_at is not None and file_at > before):
        return None
    return newest


def _deadlines(due: Due, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """The newest time of day by which a file was due, and the one before it."""
    days, at = due.days or _DAYS, time.fromisoformat(due.at or "00:00")
    found: list[datetime] = []
    day = now.replace(tzinfo=UTC).astimezone(zone).date()
    while len(found) < 2:
        moment = datetime.combine(day, at, zone).astimezone(UTC).replace(tzinfo=None)
        if _DAYS[day.weekday()] in days and moment <= now:
            found.append(moment)
        day -= timedelta(days=1)
    return found[0], found[1]
