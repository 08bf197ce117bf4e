"""When feeds run next, what is overdue, and who is told."""

from datetime import UTC, datetime, timedelta

import pytest
import yaml

from contact_pipeline.errors import Refusal
from contact_pipeline.feeds import status as running
from contact_pipeline.feeds.calendar import missed, next_run
from contact_pipeline.feeds.model import Feed
from contact_pipeline.pipeline import receiving
from contact_pipeline.store import feeds as recording
from tests.feeds.conftest import people
from tests.notices.servers import hook_server, port_of


def at(*parts):
    """A time in UTC, as the tables hold it."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)


MONDAY = at(2026, 11, 2, 12)  # at noon


def a_feed(**said):
    return Feed(source="in", profile="outreach_contacts", **said)


@pytest.mark.parametrize(
    ("said", "ran_at", "expected"),
    [
        ({}, MONDAY, None),
        ({"every": "15m"}, None, MONDAY),
        ({"every": "15m"}, MONDAY - timedelta(minutes=5), MONDAY + timedelta(minutes=10)),
        ({"every": "15m"}, MONDAY - timedelta(days=5), MONDAY),
        ({"every": "15m"}, MONDAY + timedelta(days=5), MONDAY + timedelta(minutes=15)),  # the clock was set back
        ({"schedule": {"cron": "0 6 * * 1-5", "time_zone": "America/New_York"}}, None, at(2026, 11, 3, 11)),
        ({"schedule": {"cron": "0 6 * * 0"}}, None, at(2026, 11, 8, 6)),
    ],
)
def test_when_a_feed_runs_next(said, ran_at, expected):
    assert next_run(a_feed(**said), ran_at, MONDAY) == expected


@pytest.mark.parametrize(
    ("due", "since", "file_at", "expected"),
    [
        ({"within": "26h"}, MONDAY - timedelta(hours=25), None, None),
        ({"within": "26h"}, MONDAY - timedelta(hours=27), None, MONDAY - timedelta(hours=1)),
        ({"within": "26h"}, MONDAY - timedelta(days=9), MONDAY - timedelta(hours=1), None),
        ({"within": "26h"}, MONDAY - timedelta(days=9), MONDAY + timedelta(days=9), None),
        ({"at": "09:00"}, MONDAY - timedelta(hours=1), None, None),  # the home did not know of it at nine
        ({"at": "09:00"}, MONDAY - timedelta(days=9), None, MONDAY - timedelta(hours=3)),
        ({"at": "09:00"}, MONDAY - timedelta(days=9), MONDAY - timedelta(hours=26), None),  # after nine, a day before
        ({"at": "09:00"}, MONDAY - timedelta(days=9), MONDAY - timedelta(hours=28), MONDAY - timedelta(hours=3)),
        ({"at": "09:00"}, MONDAY - timedelta(days=9), MONDAY - timedelta(hours=2), None),  # late, but there
        ({"at": "13:00"}, MONDAY - timedelta(days=9), MONDAY - timedelta(hours=26), None),  # nothing is due yet
        ({"at": "09:00", "days": ["fri"]}, MONDAY - timedelta(days=9), MONDAY - timedelta(days=4), None),
        ({"at": "09:00", "days": ["fri"]}, MONDAY - timedelta(days=29), None, at(2026, 10, 30, 9)),
        (
            {"at": "06:00", "time_zone": "America/New_York"},
            MONDAY - timedelta(days=29), None, at(2026, 11, 2, 11),
        ),
        (  # the clock is put back at two: of two, the second half past one counts, as in Dagster
            {"at": "01:30", "days": ["sun"], "time_zone": "America/New_York"},
            MONDAY - timedelta(days=29), None, at(2026, 11, 1, 6, 30),
        ),
    ],
)  # fmt: skip
def test_what_is_overdue(due, since, file_at, expected):
    assert missed(a_feed(due=due), since, file_at, MONDAY) == expected


@pytest.fixture
def posts(home, monkeypatch):
    """Tells the target `desk` of feeds, and `other` of nothing, unless a feed names it; gives what was posted."""
    with hook_server() as hook:
        for name in ("DESK", "OTHER"):
            monkeypatch.setenv(name, f"json://127.0.0.1:{port_of(hook)}/{name.lower()}")
        targets = {"desk": {"env": "DESK"}, "other": {"env": "OTHER"}}
        rules = {"targets": targets, "notices": [{"to": ["desk"], "on": ["missed", "broken"]}]}
        (home / "notices.yaml").write_text(yaml.safe_dump(rules))
        yield hook.posts


def test_a_file_that_was_refused_is_not_what_was_due(pipeline, feed, drop, monkeypatch):
    """As in Dagster, whose asset is not made by it. What was blocked, or cancelled once it was planned, has come."""
    feed(str(drop(**{"a.csv": people("Ada")})), due={"within": "1d"})
    pipeline.run_feed("crm", stage=True)
    with pipeline.store.change() as contacts:
        for table, column in (("uploads", "added_at"), ("feeds", "file_at")):
            contacts.run(f"UPDATE {table} SET {column} = {column} - INTERVAL 3 DAY")
    came = pipeline.feeds()[0].state.file_at

    drop(**{"b.csv": b"Nothing,of,use\n1,2,3\n"})
    run = pipeline.run_feed("crm", stage=True)
    assert ([upload.state for upload in run.uploads], run.has_delivered) == (["refused"], False)
    assert (pipeline.feeds()[0].state.file_at, len(pipeline.missed_feeds())) == (came, 1)

    drop(**{"c.csv": people("Ian")})
    run = pipeline.run_feed("crm")
    assert run.has_delivered
    assert pipeline.missed_feeds() == []
    pipeline.plan_again(run.uploads[0].upload_id)
    pipeline.cancel(run.uploads[0].upload_id)
    assert pipeline.missed_feeds() == []
    with pipeline.store.change() as contacts:
        contacts.run("UPDATE uploads SET stage = 'read' WHERE upload_id = ?", [run.uploads[0].upload_id])
    assert len(pipeline.missed_feeds()) == 1


def test_a_clock_that_was_years_ahead_keeps_nobody_from_being_told(pipeline, feed, drop, monkeypatch):
    """As that of a machine that starts before it has asked for the time."""
    folder, today = drop(**{"a.csv": people("Ada")}), running.now()
    feed(str(folder), due={"within": "1d"}, every="1h")
    for module in (running, recording, receiving):
        monkeypatch.setattr(module, "now", lambda: today + timedelta(days=3_650))
    pipeline.run_feed("crm")
    monkeypatch.undo()

    assert pipeline.missed_feeds() == []
    (status,) = pipeline.feeds()
    assert today <= status.state.since <= status.state.file_at <= status.state.ran_at <= running.now()
    later = today + timedelta(days=2)
    monkeypatch.setattr(running, "now", lambda: later)
    assert [status.name for status in pipeline.missed_feeds()] == ["crm"]


def test_a_clock_that_is_decades_behind_changes_nothing_that_is_recorded(pipeline, feed, drop, monkeypatch):
    """Else every file would be overdue, by years, as soon as the clock is right."""
    folder = drop(**{"a.csv": people("Ada")})
    feed(str(folder), due={"within": "1d"}, every="1h")
    pipeline.run_feed("crm")
    before = pipeline.feeds()[0].state
    monkeypatch.setattr(recording, "now", lambda: at(1970, 1, 1, 0))
    assert pipeline.missed_feeds() == []
    monkeypatch.undo()
    assert pipeline.feeds()[0].state == before


def test_people_are_told_once_of_what_is_overdue_and_of_what_breaks(pipeline, feed, drop, posts, monkeypatch):
    folder = drop(**{"a.csv": people("Ada")})
    feed(str(folder), "daily", due={"within": "1d"}, owner="r.delgado")
    feed(str(folder), "named", due={"within": "1d"}, notices=["other"])
    feed(str(folder), "quiet", due={"within": "1d"}, notices=False)
    feed(str(folder), "shown", due={"within": "1d", "missed": "show"})
    feed("/no/such/folder", "broken")
    assert pipeline.missed_feeds() == []
    later = running.now() + timedelta(days=2)
    monkeypatch.setattr(running, "now", lambda: later)

    overdue = pipeline.missed_feeds()
    pipeline.missed_feeds()
    for _ in range(2):
        with pytest.raises(Refusal):
            pipeline.run_feed("broken")
    sent = pipeline.send_notices()

    assert [status.name for status in overdue] == ["daily", "named", "quiet", "shown"]
    assert (sent.sent, sent.problems) == (3, {})
    told = sorted((notice.news.feed, notice.news.event, notice.target) for notice in pipeline.notices())
    assert told == [("broken", "broken", "desk"), ("daily", "missed", "desk"), ("named", "missed", "other")]
    daily = next(post for post in map(str, posts) if "Feed daily: overdue" in post)
    assert "feeds run daily" in daily
    assert "r.delgado" in daily
    assert all(notice.as_dict()["upload_id"] is None for notice in pipeline.notices())
    monkeypatch.undo()
    assert pipeline.run_feed("daily").missed_at is None


def test_people_are_told_once_of_a_file_of_a_feed_that_is_spoilt(pipeline, feed, drop, posts, home):
    folder = drop(**{"a.csv": people("Ada")})
    file = feed(str(folder), "daily")
    described, whole = pipeline.feeds()[0].feed, file.read_text()
    odd = home / "feeds" / "\udcff.yaml"  # a name that no database takes
    odd.write_text("sauce: x\n")
    pipeline.missed_feeds()

    def told():
        with pipeline.store.open(read_only=True) as contacts:
            return contacts.rows("SELECT feed, event FROM news ORDER BY number")

    assert told() == []
    for _ in range(2):
        file.write_text(whole.replace("source", "sauce"))
        for _ in range(2):
            pipeline.missed_feeds()
            pipeline.run_feed("daily", described=described)  # as Dagster does until it loads the feeds anew
        with pytest.raises(Refusal):
            pipeline.run_feed("daily")
        pipeline.missed_feeds()
        file.write_text(whole)
        pipeline.run_feed("daily")
        assert pipeline.feeds()[0].problem is None
        pipeline.missed_feeds()
    assert told() == [("daily", "broken")] * 2
