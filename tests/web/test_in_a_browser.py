"""The served pages in a real Chromium: what is seen there, at every width and in the dark, and done without a mouse.

With PICTURES=FOLDER the pictures that are taken are kept there, to be looked at.
"""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.settings import Settings
from contact_pipeline.web.app import PREFIX
from tests.e2e.browser import Browser, started
from tests.homes import new_home
from tests.web.conftest import OUTREACH, fill
from tests.web.serving import served

TAB, SPACE, ENTER = "\ue004", " ", "\ue007"
LONG = "a-name-of-a-file-without-a-single-space-as-export-programs-make-them-2026-11-27T10-00-00Z.csv"
DIRECTOR = "m.keane"
DOUBTFUL = """Rosa,,219-09-9990,Delgado,,AC-7,r7@example.com,02139
Rosa,,219-09-9990,Delgado,,AC-8,r8@example.com,02139
Ximena,,,,,AC-4,x@@example,02139
Nils,,,Oakes,,AC-5,nils@example.com,02139
Una,12,,New,,AC-6,una@,02139
"""


# What has the focus: what is written on it, how far down it stands (in lines), and whether it is marked.
FOCUSED = """const it = document.activeElement, box = it.getBoundingClientRect();
    const label = it.type === 'radio' ? it.value : it.innerText || it.getAttribute('aria-label') || it.type;
    return [label, Math.floor((box.top + scrollY) / 40), getComputedStyle(it).outlineStyle !== 'none'];"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Each page by name: its address, and the form on it by which one comes to what is meant, if there is one."""
    home = new_home(tmp_path_factory.mktemp("served") / "home")
    uploads, pipeline, file = fill(home), Pipeline(home), home.parent / LONG
    applied = []
    for email in ("ann@example.com", "ann.bee@example.com", "ann.last@example.com"):
        file.write_text(f"Name,Phone,Email\nAnn Bee,(202) 555-0143,{email}\nCy Dee,(202) 555-0144,\n")
        planned = pipeline.plan(file, "dealer_leads", lead_type="SMS", user=DIRECTOR)
        applied.append(pipeline.apply(planned.upload_id, user=DIRECTOR).upload_id)
    pipeline.undo(applied[0], user=DIRECTOR)
    file.write_text(OUTREACH + DOUBTFUL)
    doubt = pipeline.plan(file, "outreach_contacts", group="Spring", user="s.ender").upload_id
    pipeline.correct(doubt, row=4, set={"email": "x@example.com"}, user=DIRECTOR)
    pipeline.leave_out(doubt, rows=[5], user=DIRECTOR)
    pipeline.resolve(doubt, 3, "new", user=DIRECTOR)
    with served(Settings(home=home, decide_locally=True)) as address:
        at = f"{address}{PREFIX}/uploads/"
        yield {
            "dashboard": (f"{address}{PREFIX}/", ""),
            "upload": (at + doubt, ""),
            "undo": (at + applied[1], "plan-undo"),
            "redo": (at + applied[0], "plan-redo"),
            "not-done": (at + uploads["leads"], "apply"),
            "not-found": (at + "20200101-000000-000000", ""),
        }


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with started(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


def go(browser: Browser, page: tuple[str, str]) -> None:
    address, form = page
    browser.sized(1400, 1000)
    browser.open(address)
    if form:
        browser.run(f"document.querySelector('form[action$=\"/{form}\"]').requestSubmit()")
        browser.await_true("return document.readyState === 'complete' && location.search.startsWith('?done=')")
    browser.await_true("return !document.getElementById('review') || document.documentElement.dataset.ready === 'yes'")


@pytest.mark.parametrize("name", ["dashboard", "upload", "undo", "redo", "not-done", "not-found"])
def test_every_page_fits_its_window_and_axe_finds_no_serious_fault(browser, pages, name, tmp_path):
    folder = Path(os.environ.get("PICTURES") or tmp_path)
    go(browser, pages[name])
    for scheme in ("light", "dark"):
        for width in (360, 800, 1400):
            browser.sized(width, 1000, scheme)
            (folder / f"{name}-{width}-{scheme}.png").write_bytes(browser.picture(whole=True))
            assert browser.run("return document.documentElement.scrollWidth") <= width, (width, scheme)
        assert browser.serious_faults() == [], scheme
    assert [each for each in browser.logged() if "404" not in each] == []


def test_rows_are_decided_with_the_keyboard_alone_and_the_focus_goes_down_the_page(browser, pages):
    """A5: on a narrow page, where all stands below one another."""
    go(browser, pages["upload"])
    browser.sized(360, 1000)
    reached = []
    while "Decide" not in [said for said, _, _ in reached]:
        browser.press(TAB)
        reached.append(browser.run(FOCUSED))
        assert len(reached) < 200
        if reached[-1][0] == "":  # the choice that stands: to leave the row in review
            browser.press(*"\ue013\ue013\ue013")  # up to: somebody new
    places = [top for _, top, _ in reached[1:]]
    assert all(below >= above - 1 for above, below in pairwise(places)), reached
    assert all(is_seen for *_, is_seen in reached), reached
    browser.press(ENTER)
    assert "No row is left to decide." in browser.see("Decided: 1 row")
