"""Warnings of rows: values that are taken all the same, and that somebody should look at, wherever they are shown."""

import json

import pytest

from contact_pipeline import Pipeline
from tests.homes import fill_once

PLAN = ("--profile", "outreach_contacts", "--group", "Spring")
TYPO = "Bo,202-555-0147,219-45-6781,Dahl,1984-04-17,A2,bo@gmial.com,02134"
SEVERAL = "Ana,(202) 555-0145 / 202 555 0146,,Lima,,A1,ana@example.com; ana@example.org,02134"
PLACEHOLDER = "Cy,,123-45-6789,Ode,,A3,cy@example.com,02134"
WELL = "Di,,,Poe,,A4,di@example.com,02134"
BAD = "Ed,,,Roe,,A5,ed@,02134"
FILE = (TYPO, SEVERAL, PLACEHOLDER, WELL, BAD)
CODES = {"email-domain-typo": 1, "several-values": 1, "email-several": 1, "placeholder": 1}


@pytest.fixture
def planned(home, run, outreach):
    def fill():
        return run("plan", outreach(*FILE), *PLAN, "--json").out

    return json.loads(fill_once(home, fill))


def test_the_document_has_them_beside_the_errors(run, planned):
    warnings = planned["row_warnings"]
    assert {warning["code"]: warning["row_number"] for warning in warnings} == {
        "email-domain-typo": 2, "several-values": 3, "email-several": 3, "placeholder": 4,
    }  # fmt: skip
    assert [error["code"] for error in planned["errors"]] == ["email-syntax"]
    assert run("show", planned["upload_id"], "--json").document["row_warnings"] == warnings
    (listed,) = run("uploads", "--json").document
    assert listed["row_warnings"] == warnings


def test_row_warnings_are_counted_by_code_and_the_first_are_shown(run, outreach, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    file = outreach(*FILE)
    planned = run("plan", file, *PLAN).out
    upload = run("uploads", "--json").document[0]["upload_id"]
    for said in (planned, run("show", upload).out):
        counted = {words[0]: words[1] for words in map(str.split, said.splitlines()) if len(words) == 2}
        assert {code: counted.get(code) for code in CODES} == dict.fromkeys(CODES, "1")
        assert "Email 'bo@gmial.com' may be mistyped." in said
        assert "gmail.com meant?" in said


def test_row_warnings_are_shown_before_import_asks_whether_to_apply(run, outreach, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    asked = run("import", outreach(*FILE), *PLAN, answer="n\n").err
    assert asked.index("Warnings by type") < asked.index("Apply people.csv?")
    assert "Email 'bo@gmial.com' may be mistyped." in asked


def test_a_file_without_warnings_has_no_table_of_them(run, outreach):
    said = run("plan", outreach(WELL, BAD), *PLAN).out
    assert "Errors by type" in said
    assert "Warnings by type" not in said


def test_why_names_those_of_each_row(run, outreach, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    both = "Fy,12345,,Roe,,A6,fy@gmial.com,02134"
    upload = run("plan", outreach(*FILE, both), *PLAN, "--json").document["upload_id"]
    lines = run("show", upload, "--rows").out.splitlines()
    rows = {line.split()[0]: line for line in lines if len(line.split()) > 2 and line.split()[1] in "✓✗"}
    assert "warning: Email: Email 'bo@gmial.com' may be mistyped." in rows["2"]
    assert "warning: Phone number: Beside Phone number, the row holds" in rows["3"]
    assert "warning" not in rows["5"]
    assert "Email: Email 'ed@' is not an e-mail address." in rows["6"]
    assert "Phone number: Phone number '12345'" in rows["7"]
    assert "warning: Email: Email 'fy@gmial.com'" in rows["7"]


def test_a_row_that_duplicates_another_says_so_and_what_it_is_warned_of(run, outreach, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    upload = run("plan", outreach(TYPO, TYPO), *PLAN, "--json").document["upload_id"]
    (line,) = [line for line in run("show", upload, "--rows").out.splitlines() if "duplicate " in line and "✓" in line]
    assert "same person as row 2; warning: Email:" in line


@pytest.mark.parametrize("words", [["show"], ["show", "--all-warnings"], ["show", "--rows"], ["show", "--json"]])
def test_sensitive_values_are_masked_in_them(run, planned, words):
    command, *options = words
    said = run(command, planned["upload_id"], *options).out
    assert "identifies nobody" in said or "placeholder" in said
    assert "123-45-6789" not in said


def test_many_are_listed_as_lines_when_all_are_asked_for(run, outreach):
    file = outreach(*(f"Bo{n},,,Dahl,,A{n},bo{n}@gmial.com,02134" for n in range(1200)), BAD)
    planned = run("plan", file, *PLAN, "--json").document
    upload = planned["upload_id"]
    assert len(planned["row_warnings"]) == 100
    assert len(run("show", upload, "--json", "--all-warnings").document["row_warnings"]) == 1200
    few = run("show", upload).out
    assert few.count("may be mistyped") == 10
    assert "1,190 more" in few
    assert "--all-warnings" in few
    every = run("show", upload, "--all-warnings").out
    assert every.count("may be mistyped") == 1200
    assert run("show", upload, "--all-errors").out.count("may be mistyped") == 10


MEMBERS = """
name: members
title: Members
address_book: members
file: {types: [csv]}
headings: all
columns:
  - {field: email, heading: Email, type: email, required: true}
  - {field: do_not_contact, heading: Opted out, type: boolean}
match: [{equal: [email]}]
on_error: reject
apply: approval
matched: """


@pytest.mark.parametrize(
    ("matched", "said", "code"), [("update", ("yes", "no"), "consent-kept"), ("ignore", ("no", "yes"), "consent-set")]
)
def test_those_that_matching_finds_are_among_them(run, tmp_path, home, matched, said, code):
    """A wish not to be contacted stays, or is set where nothing else is written."""
    (home / "profiles").mkdir(parents=True)
    (home / "profiles" / "members.yaml").write_text(MEMBERS + matched)
    for number, word in enumerate(said):
        file = tmp_path / f"{number}.csv"
        file.write_text(f"Email,Opted out\na@example.com,{word}\n")
        upload = run("import", file, "--profile", "members", "--yes", "--json").document
        assert [warning["code"] for warning in upload["row_warnings"]] == [code] * number
    assert code in run("show", upload["upload_id"]).out
    assert "warning: Opted out: Opted out says" in run("show", upload["upload_id"], "--rows").out


def test_a_cancelled_upload_has_none_left(run, planned):
    assert run("cancel", planned["upload_id"], "--json").document["row_warnings"] == []


def test_uploads_of_a_version_that_did_not_count_them_show_them_too(run, planned, home):
    pipeline = Pipeline(home=home)
    with pipeline.store.change() as database:
        database.run("UPDATE uploads SET row_warning_count = NULL")
    assert len(run("show", planned["upload_id"], "--json").document["row_warnings"]) == len(CODES)


def test_python_has_them_as_it_has_errors(planned, home):
    upload = Pipeline(home=home).show(planned["upload_id"])
    assert upload.row_warning_count == 4
    assert upload.row_warnings_by_code() == CODES
    assert [warning["row_number"] for warning in upload.first_row_warnings(2)] == [2, 3]
    assert upload.rejections_by_code() == {"email-syntax": 1}
    assert json.loads(json.dumps(upload.as_dict()))["row_warnings"] == planned["row_warnings"]
