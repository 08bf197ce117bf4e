"""Times of a feed: when it runs next, and whether a due file has not come. Only computes; reads nothing."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from contact_pipeline.feeds.model import Due, Feed
from contact_pipeline.feeds.times import seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_CHANGE: Final = timedelta(hours=3)  # of a clock
_CHANGED_HOURS: Final = {1, 2, 3}  # in which Dagster looks whether a time comes twice or not at all
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
    moments = _moments(feed.schedule.cron, ZoneInfo(feed.schedule.time_zone), now.replace(tzinfo=UTC))
    return next(moments).replace(tzinfo=None)


def _moments(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The times of a cron expression after a time, in UTC, as Dagster has them where a clock is changed.

    A schedule of every hour goes by the time that passes; any other by what the clock shows. Of a time that comes twice
    in autumn that is the second one; of a time that does not come in spring, the next that does.
    """
    from cronsim import CronSim

    local = after.astimezone(zone)
    if cron.split()[1] == "*":
        yield from (moment.astimezone(UTC) for moment in CronSim(cron, local))
    for shown in CronSim(cron, local.replace(tzinfo=None) - _LONGEST_CHANGE):
        moment = _when(shown, zone)
        if moment > after:
            yield moment


def _when(shown: datetime, zone: ZoneInfo) -> datetime:
    """When a clock of that zone shows a time, in UTC."""
    if shown.hour not in _CHANGED_HOURS:
        return shown.replace(tzinfo=zone).astimezone(UTC)
    first, second = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if second < first:  # the clock skips that time; it is put forward at a full hour
        summer = zone.dst(shown + timedelta(hours=1)) or timedelta(0)
        return (shown.replace(minute=0, tzinfo=zone) + summer).replace(fold=1).astimezone(UTC)
    return second


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
        moment = _when(datetime.combine(day, at), zone).replace(tzinfo=None)
        if _DAYS[day.weekday()] in days and moment <= now:
            found.append(moment)
        day -= timedelta(days=1)
    return found[0], found[1]
