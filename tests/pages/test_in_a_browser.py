"""The review page in a real Chromium: what somebody sees, presses and hears there."""

import os
from pathlib import Path

import pytest

from contact_pipeline.visible import visible
from tests.pages.conftest import HOSTILE
from tests.trust import record

TAB, ENTER, SPACE = "\ue004", "\ue007", " "
LISTED = """return [...document.querySelectorAll('#rows-table .tabulator-row')].map(row => row.innerText)"""
PRESS = """[...document.querySelectorAll('#rows-facets button.facet')]
    .find(each => each.dataset.facetKey === '{0}:{1}').click();"""


def about(browser):
    return browser.run("return document.getElementById('rows-about').textContent")


def facet(browser, name):
    return dict(
        browser.run(
            f"""return [...document.querySelectorAll('#rows-facets details[data-name={name}] button')].map(each =>
            [each.querySelector('.choice').textContent, each.querySelector('.figure').textContent])"""
        )
    )


def test_hostile_values_are_text(opened):
    opened.run("setPlain(true)")
    assert HOSTILE in opened.run("return document.getElementById('rows-table').innerText")
    assert visible("\u202eevil") in opened.run("return document.body.innerText")
    assert opened.run("return window.ran") is None
    assert opened.logged() == []
    assert opened.run("return performance.getEntriesByType('resource').map(each => each.name)") == []
    record("hostile-text-on-pages", tried=3, failed=0, where="in a browser")


def test_facets_combine_and_their_counts_follow(opened):
    assert about(opened) == "10 rows."
    assert facet(opened, "outcome")["rejected"] == "3"
    opened.run(PRESS.format("column", "Email"))
    assert about(opened) == "2 rows."
    assert facet(opened, "outcome") == {"rejected": "2"}
    assert set(facet(opened, "value")) == {"bad@", "worse@"}
    opened.run(PRESS.format("value", "worse@"))
    assert about(opened) == "1 row."
    opened.await_true(f"{LISTED}.length === 1")
    assert "AC-6" in opened.run(LISTED)[0]
    opened.run(PRESS.format("value", "bad@"))
    assert about(opened) == "2 rows."
    opened.run("document.querySelector('#rows-facets .searching button').click()")
    assert about(opened) == "10 rows."


def test_a_search_finds_cells_and_reasons(opened):
    opened.run(
        "const box = document.getElementById('rows-facets-search'); box.value = 'worse@';"
        "box.dispatchEvent(new Event('input'))"
    )
    opened.await_true("return document.getElementById('rows-about').textContent.startsWith('1 row on this page')")
    opened.await_true(f"{LISTED}.length === 1")


def test_a_count_of_the_head_leads_to_its_rows(opened):
    opened.run("document.querySelector('button[data-facet=outcome][data-choice=review]').click()")
    assert about(opened) == "1 row."
    assert opened.run("return document.activeElement.id") == "rows"


def test_the_keyboard_reaches_and_presses_everything(opened):
    opened.run("document.body.focus()")
    reached = []
    for _ in range(60):
        opened.press(TAB)
        reached.append(opened.run("return document.activeElement.className || document.activeElement.tagName"))
    assert reached[0] == "skip"
    assert {"copy", "plainly", "small", "facet"} <= set(reached)
    opened.run("document.querySelector('#rows-facets button.facet').focus()")
    opened.press(SPACE)
    assert opened.run("return document.activeElement.getAttribute('aria-pressed')") == "true"
    assert opened.run("return document.getElementById('said').textContent").endswith("rows")


def test_a_command_is_copied_whole(opened, planned):
    opened.devtools("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    opened.run(
        "window.copied = []; navigator.clipboard.writeText = text => { copied.push(text); return Promise.resolve(); };"
        "document.querySelector('#next button.copy').click()"
    )
    opened.await_true("return window.copied.length === 1")
    (line,) = opened.run("return window.copied")
    assert line.startswith(f"contact-pipeline apply {planned.upload_id} ")
    opened.await_true("return document.getElementById('said').textContent === 'Copied.'")


def test_only_what_differs_is_marked(opened):
    marked = opened.run("return differences('Rosa Lindqvist', 'Rosa Lindquist').map(run => run.join(':'))")
    assert marked == ["same:Rosa Lindq", "gone:v", "new:u", "same:ist"]
    assert opened.run("return differences('a', 'zzz').length") == 2
    family = "👩‍👩‍👧"
    assert opened.run(f"return differences('x{family}y', 'xy')[1]") == ["gone", family]


def test_on_paper_and_on_a_narrow_screen_there_are_plain_tables(opened):
    opened.sized(360, 800)
    opened.await_true("return !document.querySelector('#rows-table .plain').hidden")
    assert opened.run("return document.documentElement.scrollWidth") <= 360
    opened.sized(1400, 1000)
    opened.await_true(f"{LISTED}.length === 10")
    opened.sized(900, 1000, media="print")
    opened.run("window.dispatchEvent(new Event('beforeprint'))")
    assert opened.run("return document.querySelectorAll('#rows-table .plain tbody tr').length") == 10
    assert opened.run("return getComputedStyle(document.querySelector('#rows-table .grid')).display") == "none"
    assert opened.run("return getComputedStyle(document.querySelector('#rows-facets')).display") == "none"


@pytest.mark.parametrize(("scheme", "plain"), [("light", False), ("dark", True)])
def test_axe_finds_no_serious_fault(opened, scheme, plain):
    opened.sized(1400, 1000, scheme)
    opened.run(f"setPlain({str(plain).lower()})")
    assert opened.serious_faults() == []


@pytest.mark.parametrize("width", [360, 800, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_to_look_at(opened, width, scheme, tmp_path_factory):
    folder = Path(os.environ.get("PICTURES") or tmp_path_factory.mktemp("pictures"))
    opened.sized(width, 1000, scheme)
    assert opened.run("return document.documentElement.scrollWidth") <= width
    (folder / f"review-{width}-{scheme}.png").write_bytes(opened.picture())
