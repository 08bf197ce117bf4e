"""B7: the dashboard as a page."""

from datetime import datetime, timedelta

import pytest

from contact_pipeline.pages.dashboard import charts
from contact_pipeline.store.overview import Week
from contact_pipeline.store.staging import Staging
from tests.trust import record

HOSTILE = "<script>alert(1)<\\script>=cmd()\N{RIGHT-TO-LEFT OVERRIDE}.csv"


def test_the_dashboard_has_the_outcome_of_each_upload_and_what_waits(alone, uploads, monkeypatch):
    """B7, E9, E11: by one look into the ledger; nothing staged is opened."""

    def opened(*_arguments, **_options):
        raise AssertionError("a staging database was opened")

    monkeypatch.setattr(Staging, "open", opened)
    seen = alone.get("/pages/").seen
    assert "3 uploads" in seen
    assert "Older" not in seen
    waits = seen[seen.index("Waiting for somebody") : seen.index("All uploads Profile")]
    assert "doubt.csv staged approve, decide 1 row" in waits
    assert "leads.csv staged approve dealer_leads, sent by m.keane ; for director or bdc_director" in waits
    assert "known.csv" not in waits
    assert "outreach_contacts Spring applied 2 2 0 0" in seen.replace(" UTC", "")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("profile=dealer_leads", {"leads.csv"}),
        ("state=applied", {"known.csv"}),
        ("waiting=yes", {"doubt.csv", "leads.csv"}),
        ("since=2999-01-01", set()),
        ("offset=2", {"known.csv"}),
        ("profile=%3Cscript%3E", set()),
    ],
)
def test_the_dashboard_shows_the_uploads_that_a_query_names(alone, uploads, query, names):
    text = alone.get(f"/pages/?{query}").seen
    listed = text[text.index("All uploads Profile") :]
    assert {name for name in ("known.csv", "doubt.csv", "leads.csv") if name in listed} == names


@pytest.mark.parametrize("query", ["state=asleep", "since=yesterday"])
def test_what_cannot_be_asked_for_is_refused_in_words(alone, query):
    answer = alone.get(f"/pages/?{query}")
    assert (answer.status, "There is no such state or day." in answer.seen) == (409, True)


def test_names_from_files_are_text(alone, pipeline, uploads):
    with pipeline.store.change() as database:
        database.run("UPDATE uploads SET file_name = ?, group_name = ?, user_login = ?", [HOSTILE] * 3)
    for page in ("/pages/", f"/pages/uploads/{uploads['known']}", f"/pages/uploads/{uploads['doubt']}"):
        text = alone.get(page).text
        assert "<script>alert" not in text
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in text
        assert "&lt;script&gt;alert(1)" in text
    record("hostile-text-on-pages", tried=3 * 3, failed=0, where="served")


def test_long_names_are_cut(alone, pipeline, uploads):
    with pipeline.store.change() as database:
        database.run("UPDATE uploads SET group_name = ?, user_login = ?", ["g" * 100_000, "u" * 100_000])
    text = alone.get("/pages/").text
    assert "more characters)" in text
    assert "g" * 200 not in text
    assert "u" * 200 not in text


def test_a_page_may_be_framed_kept_and_scripted_by_nobody_else(alone):
    headers = alone.get("/pages/").headers
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    kept = headers.get("set-cookie", "")
    assert all(word in kept for word in ("HttpOnly", "SameSite=strict", "Path=/pages"))


def test_charts_share_their_weeks_and_each_has_its_own_scale():
    monday = datetime(2026, 1, 5)  # noqa: DTZ001 - as the tables hold it
    weeks = [Week("a", monday, 1, 100, 5), Week("a", monday + timedelta(weeks=3), 2, 50, 0), Week("b", monday, 1, 7, 7)]
    first, second = charts(weeks)
    assert [bar.height for bar in first.bars] == [96, 48]
    assert first.bars[0].x == second.bars[0].x < first.bars[1].x
    assert (first.rate, second.rate) == (pytest.approx(3.33, abs=0.01), 100)
    assert charts([]) == []
