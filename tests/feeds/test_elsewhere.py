"""Feeds that no file of the home describes: the home keeps what they are, as whoever runs them says."""

import pytest

from contact_pipeline.feeds.elsewhere import Elsewhere, find_elsewhere, note_elsewhere
from contact_pipeline.feeds.model import Feed
from contact_pipeline.settings import Settings

FEED = Feed(source="drop/*.csv", profile="outreach_contacts", every="15m")


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


def test_a_feed_is_kept_as_it_was_when_it_was_last_noted(settings):
    note_elsewhere(settings, "partners", FEED, "defs/partners")
    assert find_elsewhere(settings) == {"partners": Elsewhere(FEED, "defs/partners")}

    seldom = FEED.model_copy(update={"every": "1d"})
    note_elsewhere(settings, "partners", seldom, "defs/partners")
    assert find_elsewhere(settings) == {"partners": Elsewhere(seldom, "defs/partners")}
    note_elsewhere(settings, "partners", seldom, "defs/moved")
    assert find_elsewhere(settings) == {"partners": Elsewhere(seldom, "defs/moved")}


def test_what_has_not_changed_is_not_written_again(settings):
    note_elsewhere(settings, "partners", FEED, "defs/partners")
    (file,) = settings.feeds_path.glob(".elsewhere/*")
    before = file.stat()

    note_elsewhere(settings, "partners", FEED, "defs/partners")

    after = file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("written", ["", "[]", "{}", '{"feed": {"later": 1}, "described_in": "x"}'])
def test_what_another_version_has_written_hides_no_other_feed(settings, written):
    note_elsewhere(settings, "partners", FEED, "defs/partners")
    (settings.feeds_path / ".elsewhere" / "another.json").write_text(written)
    assert [*find_elsewhere(settings)] == ["partners"]
