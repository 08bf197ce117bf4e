"""The review page without a browser: what is in it, what is hidden, how large it gets and where it may be written."""

import hashlib
import html
import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from zipfile import ZipFile

import polars as pl
import pytest

import contact_pipeline.pages
from contact_pipeline.errors import Usage
from contact_pipeline.pages.page import json_of
from contact_pipeline.pages.review.room import cut, fitting, in_turn
from tests.pages.conftest import HEADINGS

VENDOR = Path(contact_pipeline.pages.__file__).parent / "vendor"
LIMIT = 2_000_000


def data_of(page):
    return json.loads(re.search(r'id="review">(.*?)</script>', page, re.DOTALL)[1])


def tables_of(everything):
    with ZipFile(everything) as packed:
        return {name: pl.read_csv(packed.read(name), infer_schema_length=0) for name in packed.namelist()}


def test_what_is_vendored_is_what_was_published():
    vendored = json.loads((VENDOR / "vendored.json").read_text())
    for name, each in vendored["files"].items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == each["sha256"], name


def test_the_page_asks_for_nothing_and_hides_what_is_sensitive(page):
    text = page.read_text(encoding="utf-8")
    assert "219-09" not in text
    assert "04/18/1984" not in text
    assert "1984-04-18" not in text
    assert "\u202e" not in text
    assert "<script>window" not in text
    assert "sourceMappingURL" not in text
    assert re.findall(r'(?:src|href)="(?!#|http://127)', text) == []
    assert "default-src 'none'" in html.unescape(text)
    assert page.stat().st_mode & 0o077 == 0


def test_the_head_says_file_group_counts_and_what_comes_next(page, planned):
    """B3, D6: file, size and group are shown before anything is applied."""
    text = page.read_text(encoding="utf-8")
    for said in ("second.csv", "bytes", "Spring", "Nothing is changed yet.", f"apply {planned.upload_id}"):
        assert said in text
    (opened,) = re.findall(r'href="(\S+/playground/setup\S+)"', html.unescape(text))
    given = dict(parse_qsl(urlsplit(opened).query))
    assert given["tags[0][value]"] == planned.upload_id
    assert f"changeset: {planned.changeset_sha256}" in given["config"]


def test_every_row_has_its_outcome_and_reason(page, planned):
    """C2, X1: each row is good or says why it is not, and the counts are those of the ledger."""
    data = data_of(page.read_text(encoding="utf-8"))
    words = data["rows"]["words"]
    counted = dict.fromkeys(planned.outcomes, 0)
    for row in data["rows"]["rows"]:
        counted[words[row[1]]] += 1
    assert counted == planned.outcomes
    assert sum(count for *_, count in data["rows"]["groups"]) == planned.line.data_rows
    assert [row["row_number"] for row in data["reviews"]] == [8]
    assert {row["row_number"] for row in data["duplicates"]} == {2, 9}


def test_a_page_of_long_cells_and_many_rows_stays_small(pipeline, tmp_path):
    rows = [f'"{"<&" * 400}{n}",12{n},,Name,,A{n},bad{n}@,{"&" * 300}' for n in range(4_000)]
    file = tmp_path / "long.csv"
    file.write_text("\n".join([HEADINGS, *rows]), encoding="utf-8")
    upload = pipeline.plan(file, "outreach_contacts", group="Spring")
    written = pipeline.review(upload.upload_id)
    assert written.size < LIMIT
    assert 50 < written.rows < written.of_rows == 4_000
    assert written.file == pipeline.settings.upload_path(upload.upload_id) / "review.html"
    data = data_of(written.file.read_text(encoding="utf-8"))
    assert sum(count for *_, count in data["rows"]["groups"]) == 4_000
    assert written.everything == written.file.with_name("review.zip")
    assert written.everything.stat().st_mode & 0o077 == 0
    assert 'href="review.zip"' in written.file.read_text(encoding="utf-8")
    found = tables_of(written.everything)["rows.csv"]
    assert found["row_number"].cast(int).to_list() == list(range(2, 4_002))
    assert found["First name"].str.len_chars().min() > 800, "nothing is cut there"
    (tmp_path / "page.zip").write_text("kept")
    with pytest.raises(Usage, match=r"page\.zip already"):
        pipeline.review(upload.upload_id, tmp_path / "page.html")
    assert (tmp_path / "page.zip").read_text() == "kept"


def test_beside_the_page_stands_all_that_it_lacks_masked_like_the_page(pipeline, planned, monkeypatch, tmp_path):
    """C2, X1, X2: every row with its outcome and reasons, and every field of every change."""
    everything = pipeline.settings.upload_path(planned.upload_id) / "review.zip"
    assert pipeline.review(planned.upload_id).everything is None
    monkeypatch.setattr("contact_pipeline.pages.review.rows._ROOM", 0)
    monkeypatch.setattr("contact_pipeline.pages.review.everything._AT_A_TIME", 4)
    assert pipeline.review(planned.upload_id).everything == everything
    rows, changes = tables_of(everything).values()
    assert dict(rows.group_by("outcome").len().rows()) == {name: n for name, n in planned.outcomes.items() if n}
    (bad,) = rows.filter(row_number="7").iter_rows(named=True)
    assert ("Phone number: " in bad["reasons"], bad["codes"], bad["Phone number"]) == (True, "phone-invalid", "12")
    assert rows.filter(row_number="3")["Last name"].to_list() == ["'=cmd()"], "no program calculates it"
    assert changes.select("target", "id", "action", "row_number").n_unique() == planned.change_count
    made = changes.filter(row_number="11", target="contact").rows_by_key("field", named=True, unique=True)
    assert (made["email"]["after"], made["ssn"]["after"]) == ("una@example.com", "***-**-****")
    assert changes.filter(row_number="11", target="membership")["after"].to_list() == ["Spring"]
    text = str([rows.rows(), changes.rows()])
    assert "219-09" not in text
    assert "1990" not in text
    monkeypatch.undo()
    pipeline.review(planned.upload_id)
    assert not everything.exists(), "it would be of an earlier page"


@pytest.mark.parametrize("state", ["refused", "cancelled", "undone", "by hand"])
def test_uploads_without_rows_have_a_page_too(state, pipeline, planned, tmp_path):
    file = tmp_path / f"{state}.csv"
    file.write_text(f"{HEADINGS if state != 'refused' else 'Nothing,known'}\nKim,,,{state},,K-{state},,\n")
    if state == "by hand":
        upload = pipeline.set_active(2, active=False)
        pipeline.undo(upload.upload_id)
    else:
        upload = pipeline.plan(file, "outreach_contacts", group="Spring")
    if state == "cancelled":
        pipeline.cancel(upload.upload_id)
    if state == "undone":
        pipeline.apply(upload.upload_id)
        pipeline.undo(upload.upload_id)
    page = pipeline.review_page(upload.upload_id)
    assert pipeline.show(upload.upload_id).state in page
    assert "What to do now" in page


def test_a_page_is_not_written_over_something_else(pipeline, planned, tmp_path):
    there = tmp_path / "there.html"
    there.write_text("kept")
    for path, code in (
        (there, "file-exists"),
        (tmp_path / "page.pdf", "file-type"),
        (tmp_path / "no/p.html", "folder-missing"),
    ):
        with pytest.raises(Usage) as refused:
            pipeline.review(planned.upload_id, path)
        assert refused.value.code == code
    assert there.read_text() == "kept"


def test_json_ends_no_element_and_shows_what_hides():
    text = "</script><!--\u2028\u202e&"
    written = str(json_of({text: [text]}))
    assert not re.search("[<>&\u2028\u202e]", written)
    assert json.loads(written)["</script><!--\\u2028\\u202e&"] == ["</script><!--\\u2028\\u202e&"]


def test_room_is_given_in_bytes_and_in_turn():
    assert in_turn([[1, 2, 3], [4], [1, 5]]) == [1, 4, 2, 5, 3]
    assert fitting(["aaaa", "&" * 3, "b"], 20) == ["aaaa"]
    assert cut("x" * 200).startswith("x" * 160 + "… (40 more")


def test_repairs_are_those_of_the_rows_that_are_shown(pipeline, planned):
    repairs = pipeline.repairs(planned.upload_id)
    page = pipeline.review_page(planned.upload_id)
    assert data_of(page)["repairs"]["count"] == repairs.height
    assert isinstance(repairs, pl.DataFrame)
    assert len(data_of(page)["repairs"]["repairs"]) == repairs.height > 0


def test_a_page_of_long_headings_stays_small(pipeline, tmp_path):
    """Whether the file is taken, with columns that are ignored, or refused with its headings in the reason."""
    long = "&" * 20_000
    ignored = [f"{long}{number}" for number in range(30)]
    for name, headings, row in (
        (
            "ignored.csv",
            [*HEADINGS.split(","), *ignored],
            ["Ann", *[""] * 4, "AC-1", "ann@example.com", "", *["x"] * 30],
        ),
        ("refused.csv", [long, *HEADINGS.split(",")[1:], HEADINGS], ["Ann", *["x"] * 8]),
        ("broken.csv", HEADINGS.split(","), [long * 5, *[""] * 5, long * 5]),
    ):
        file = tmp_path / name
        file.write_text(f"{','.join(headings)}\n{','.join(row)}\n", encoding="utf-8")
        upload = pipeline.plan(file, "outreach_contacts", group="Long")
        page = pipeline.review(upload.upload_id, tmp_path / f"{name}.html")
        assert page.size < 800_000, (name, upload.state)


def test_a_page_without_readable_rows_does_not_say_that_they_have_no_error(pipeline, tmp_path):
    """Of an upload whose staging is damaged, and of one that was cancelled."""
    file = tmp_path / "lost.csv"
    file.write_text(f"{HEADINGS}\nBad,,,Mail,,AC-5,bad@,\n", encoding="utf-8")
    upload = pipeline.plan(file, "outreach_contacts", group="Lost")
    for lose in (
        lambda: (pipeline.settings.home / "staging" / upload.upload_id / "staging.duckdb").write_bytes(b"x" * 9_000),
        lambda: pipeline.cancel(upload.upload_id),
    ):
        lose()
        page = pipeline.review(upload.upload_id, tmp_path / "lost.html", overwrite=True).file.read_text()
        assert "No row has an error" not in page
        assert "What was read of its rows is not here" in page
