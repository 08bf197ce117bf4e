"""The page that a person reads: whatever stands in a value, it is text; of others there are numbers only."""

import re

import pytest

from contact_pipeline import Pipeline
from tests.erase.home import OUTREACH, open_home, write_csv

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    pipeline = open_home(folder)
    file = write_csv(
        folder / "bob@example.com.csv",
        OUTREACH,
        (
            HOSTILE,
            "(202) 555-0101",
            "219-09-9991",
            'O"Neil & \x1b[31mSons',
            "04/18/1984",
            "AC-1",
            "family@example.com",
            "",
        ),
        ("Bob", "(202) 555-0102", "219-09-9992", "Oakes", "", "AC-2", "bob@example.com", ""),
        ("Zoë", "(202) 555-0103", "", "Oakes", "", "AC-3", "family@example.com", ""),
    )
    upload = pipeline.plan(file, "outreach_contacts", group="Friends of bob@example.com", user="d.rivers")
    pipeline.apply(upload.upload_id, user="d.rivers")
    assert isinstance(pipeline, Pipeline)
    return pipeline.export_person(1, folder / "page.html").file.read_text(encoding="utf-8")


def test_values_are_text_and_the_page_runs_and_loads_nothing(page):
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\x1b" not in page
    assert re.findall(r"<script|<link|<img|src=|https?://|@import|url\(", page) == []
    assert "default-src 'none'" in page


def test_the_page_has_plain_words_and_full_values(page):
    assert "<h1>What we hold about you</h1>" in page
    assert "219-09-9991" in page
    assert "1984-04-18" in page
    assert "family@example.com" in page


def test_other_people_are_numbers(page):
    assert "bob@example.com" not in page
    assert "Friends of (contact 2)" in page
    assert "(202) 555-0102" not in page
    assert "0103" not in page
    assert "Contact 3 has the same e-mail address as you." in page


def test_its_elements_are_closed(page):
    for element in ("table", "tr", "td", "th", "ul", "li", "div", "section", "p"):
        assert len(re.findall(rf"<{element}[ >]", page)) == page.count(f"</{element}>"), element
