"""One home with uploads of the kinds that a review page shows, and one browser for all that look at them."""

from pathlib import Path

import pytest

from contact_pipeline import Pipeline
from tests.e2e.browser import Browser, started
from tests.homes import new_home

HEADINGS = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code"
HOSTILE = "<img src=x onerror=window.ran=1><script>window.ran=1</script>"
KNOWN = (
    "Rosa,(202) 555-0101,219-09-9991,Lindqvist,04/18/1984,AC-1,rosa@example.com,",
    "Nils,(202) 555-0102,219-09-9992,Oakes,,AC-2,nils@example.com,",
)
ROWS = (
    "Rosa,(202) 555-0101,219-09-9991,Lindqvist,04/18/1984,AC-1,rosa@example.com,",  # a duplicate of contact 1
    f'"{HOSTILE}",,,"=cmd()",,AC-3,hostile@example.com,',
    "محمد,(202) 555-0104,,\u202eevil,,AC-4,m@example.com,",
    "Bad,,,Mail,,AC-5,bad@,",
    "Worse,,,Mail,,AC-6,worse@,",
    "Bad,12,,Phone,,AC-7,phone@example.com,",
    "Rosa,(202) 555-0109,219-09-9991,Other,,AC-8,other@example.com,",  # the number of contact 1, another account
    "Hostile,,,Again,,AC-3,hostile@example.com,",  # a duplicate of row 3
    ",,,,,,,",
    "Una,(202) 555-0105,219-09-9995,New,05/06/1990,AC-9,una@example.com,601",
)


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Path:
    return new_home(tmp_path_factory.mktemp("pages") / "home")


@pytest.fixture(scope="session")
def pipeline(home) -> Pipeline:
    return Pipeline(home)


@pytest.fixture(scope="session")
def planned(pipeline, tmp_path_factory):
    """An upload that is staged, with every outcome that the profile knows."""
    folder = tmp_path_factory.mktemp("files")
    for name, rows in (("known.csv", KNOWN), ("second.csv", ROWS)):
        (folder / name).write_text("\n".join([HEADINGS, *rows]) + "\n", encoding="utf-8")
    first = pipeline.plan(folder / "known.csv", "outreach_contacts", group="Spring")
    pipeline.apply(first.upload_id)
    return pipeline.plan(folder / "second.csv", "outreach_contacts", group="Spring")


@pytest.fixture(scope="session")
def page(pipeline, planned, tmp_path_factory) -> Path:
    return pipeline.review(planned.upload_id, tmp_path_factory.mktemp("page") / "review.html").file


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    with started(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture
def opened(browser, page) -> Browser:
    """The page in the browser, drawn, as wide as a screen and with nothing chosen."""
    browser.sized(1400, 1000)
    browser.open("about:blank")
    browser.open(page.as_uri())
    browser.await_true("return document.documentElement.dataset.ready === 'yes'")
    return browser
