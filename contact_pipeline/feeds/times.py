"""Durations and schedules as a feed writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_NAMED: Final = re.compile("jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat")


def seconds_of(duration: str) -> int:
    """The seconds of a duration such as 15m.

    Raises:
        ValueError: the text is no duration.
    """
    found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", duration)
    if not found:
        raise ValueError("is no duration; write a number and s, m, h or d, such as 15m")
    return int(found[1]) * _UNITS[found[2]]


def check_cron(cron: str) -> None:
    """Tests that a cron expression has five parts, and names a time that comes.

    Raises:
        ValueError: it has other parts, or names no such time.
    """
    from cronsim import CronSim, CronSimError

    if len(cron.split()) != 5:  # others take six for seconds or years
        raise ValueError('is no schedule of five parts; write one such as "0 6 * * 1-5"')
    if not all(re.fullmatch(r"[0-9*/,-]+", _NAMED.sub("1", part)) for part in cron.lower().split()):
        raise ValueError("has signs that not every program takes; write numbers, names of days and months, * / , and -")
    days = cron.split()[2::2]  # of the month, of the week
    if ("*" not in days and any(part.startswith("*") for part in days)) or re.search(r"(^|,)7[-/]", days[1]):
        raise ValueError("has days that programs count differently; write days of the month or the week, Sunday as 0")
    try:
        next(CronSim(cron, datetime(2024, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        raise ValueError('names no time that ever comes; write one such as "0 6 * * 1-5"') from error
