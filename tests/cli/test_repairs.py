"""`repairs` and `show --repairs`: what was changed in meaning when a file was read; long lists come as lines."""

import csv
import stat

import pytest

PLAN = ("--profile", "outreach_contacts", "--group", "Spring", "--json")
WELL = "Bo,202-555-0147,219-45-6781,Dahl,1984-04-17,A2,bo@example.com,02134"


@pytest.fixture
def planned(run, outreach):
    """An upload with three repairs in one row and none in the other."""
    repaired = "Ana,(202) 555-0145 or 202 555 0146,123-45-6780,Lima,04/17/1984,A1,ana@example.com,2134"
    return run("plan", outreach(repaired, WELL), *PLAN).document


def test_repairs_are_listed_with_what_stood_there_before_and_sensitive_values_masked(run, planned):
    document = run("repairs", planned["upload_id"], "--json").document
    assert document["repairs"] == [
        {
            "row_number": 2,
            "column": "Phone number",
            "before": "(202) 555-0145 or 202 555 0146",
            "after": "+12025550145",
            "why": "first of several numbers",
            "code": "first-of-several-numbers",
        },
        {
            "row_number": 2,
            "column": "Date of birth",
            "before": "**/**/****",
            "after": "****-**-**",
            "why": "read as %m/%d/%Y",
            "code": "read-as",
        },
        {
            "row_number": 2,
            "column": "Zip code",
            "before": "2134",
            "after": "02134",
            "why": "leading zeros restored",
            "code": "leading-zeros-restored",
        },
    ]
    assert planned["repairs"] == 3
    shown = run("show", planned["upload_id"], "--repairs", "--json").document
    assert shown["repairs_list"] == document["repairs"]
    assert "repairs_list" not in run("show", planned["upload_id"], "--json").document


def test_repairs_are_drawn_for_people(run, planned, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    for words in (["repairs", planned["upload_id"]], ["show", planned["upload_id"], "--repairs"]):
        said = run(*words).out
        assert "first of several numbers" in said
        assert "1984" not in said


def test_repairs_are_written_as_a_file_for_its_owner(run, planned, tmp_path):
    file = tmp_path / "repairs.csv"
    run("repairs", planned["upload_id"], "-o", str(file))
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [(row["row_number"], row["column"], row["after"]) for row in rows] == [
        ("2", "Phone number", "'+12025550145"),
        ("2", "Date of birth", "****-**-**"),
        ("2", "Zip code", "02134"),
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = run("repairs", planned["upload_id"], "-o", str(file))
    assert (again.status, "already" in again.err) == (2, True)


def test_where_nothing_was_repaired_no_file_is_written(run, outreach, tmp_path):
    upload = run("plan", outreach(WELL), *PLAN).document["upload_id"]
    file = tmp_path / "repairs.csv"

    ended, written = run("repairs", upload, "-o", file), run("repairs", upload, "-o", file, "--json")

    assert (ended.status, ended.out.strip()) == (0, "No value of people.csv was repaired.")
    assert (written.status, written.document) == (0, {"upload_id": upload, "file": None, "rows": 0})
    assert not file.exists()


@pytest.mark.parametrize("command", ["repairs", "in-review"])
def test_a_name_that_does_not_end_in_csv_is_refused_though_there_is_nothing_to_write(run, outreach, tmp_path, command):
    upload = run("plan", outreach(WELL), *PLAN).document["upload_id"]

    ended = run(command, upload, "-o", tmp_path / "list.xlsx", "--json")

    assert (ended.status, ended.document["error"]["code"]) == (2, "file-type")
    assert ended.document["error"]["message"] == "'list.xlsx' is no CSV file."


def test_an_upload_without_repairs_or_without_rows_says_so(run, outreach):
    upload = run("plan", outreach(WELL), *PLAN).document["upload_id"]
    assert "No value of people.csv was repaired." in run("repairs", upload).out
    run("cancel", upload)
    gone = run("repairs", upload)
    assert (gone.status, "its rows are not kept" in gone.err) == (1, True)


def test_thousands_of_rows_come_as_lines_one_for_each_and_masked(run, outreach, monkeypatch):
    file = outreach(*(f"Ana{n},x,078-05-{n:04d},Lima,{n},A{n},ana{n}@example.com," for n in range(1200)))
    upload = run("plan", file, *PLAN).document["upload_id"]
    monkeypatch.setenv("COLUMNS", "80")
    said = run("show", upload, "--rows").out
    lines = [line for line in said.splitlines() if line.split(" ")[0].isdigit() and "rejected" in line]
    assert len(lines) == 1200
    assert len(lines[0]) > 80
    assert "078-05-" not in said
    assert run("show", upload, "--all-errors").out.count("is not a valid telephone number") == 1200
