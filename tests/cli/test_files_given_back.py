"""What a command writes for a spreadsheet program is taken back in every form in which that program saves it."""

import csv

import pytest
import xlsxwriter

from tests.homes import fill_once

LEADS = ("--profile", "members", "--yes", "--json")
MEMBERS = """
name: members
title: Members
address_book: members
file: {types: [csv, xlsx]}
headings: all
columns:
  - {field: email, heading: Email, type: email}
  - {field: account_number, heading: Konto, type: text}
  - {field: last_name, heading: Name, type: name}
match: [{equal: [account_number], higher_differs: review}, {equal: [email], higher_differs: review}]
on_error: reject
apply: approval
"""
FORMS = {
    "as it was": {},
    "German Excel": {"delimiter": ";", "encoding": "cp1252"},
    "German Excel, UTF-8": {"delimiter": ";", "encoding": "utf-8-sig"},
    "Unicode text": {"delimiter": "\t", "encoding": "utf-16", "name": "filled.txt"},
    "tabs": {"delimiter": "\t", "encoding": "cp1252", "name": "filled.csv"},
    "a workbook": {"name": "filled.xlsx"},
}


@pytest.fixture
def save(tmp_path):
    """Saves rows as a spreadsheet program does."""

    def save_it(rows, *, delimiter=",", encoding="utf-8", name="filled.csv"):
        path = tmp_path / name
        if path.suffix == ".xlsx":
            with xlsxwriter.Workbook(path) as book:
                sheet = book.add_worksheet()
                for number, row in enumerate(rows):
                    for place, cell in enumerate(row):
                        sheet.write(number, place, int(cell) if cell.isdigit() else cell)
        else:
            with path.open("w", encoding=encoding, newline="", errors="replace") as file:
                csv.writer(file, delimiter=delimiter).writerows(rows)
        return path

    return save_it


@pytest.fixture
def in_review(run, home, tmp_path):
    """Two rows in review of a file with columns that are called like the program's own; their upload and their file."""

    def fill():
        (home / "profiles").mkdir(parents=True)
        (home / "profiles" / "members.yaml").write_text(MEMBERS)
        first = tmp_path / "first.csv"
        first.write_text("Email,Konto,Name\nana@example.com,A1,Müller\nbo@example.com,A2,Weiß\n", encoding="utf-8")
        assert run("import", first, *LEADS).status == 0
        second = tmp_path / "second.csv"
        second.write_text(
            "To,Email,Konto,Name,row_number,why\n"
            "5,ana@example.com,B1,Jäger,17,weil\n6,bo@example.com,B2,Groß,18,darum\n7,cy@example.com,B3,Ode,19,\n",
            encoding="utf-8",
        )
        upload = run("plan", second, "--profile", "members", "--json").document
        assert upload["outcomes"]["review"] == 2, upload
        file = tmp_path / "review.csv"
        ended = run("in-review", upload["upload_id"], "-o", file, "--json")
        assert ended.document.get("rows") == 2, ended
        return upload["upload_id"], file.read_text(encoding="utf-8-sig")

    upload_id, text = fill_once(home, fill)
    return upload_id, list(csv.reader(text.splitlines(keepends=True)))


def test_no_heading_of_the_file_is_one_of_the_programs_own(in_review):
    _, (headings, *rows) = in_review
    own = ["row_number", "to", "why", "candidates", "compared"]
    assert headings == [
        *own, "To (in the file)", "Email", "Konto", "Name", "row_number (in the file)", "why (in the file)",
    ]  # fmt: skip
    assert rows[0][5:] == ["5", "ana@example.com", "B1", "Jäger", "17", "weil"]


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_decisions_are_taken_back_in_every_form(run, in_review, save, form, moved):
    upload, (headings, one, other) = in_review
    one[1], other[1] = "NEW", "skip"
    order = range(len(headings))[::-1] if moved else range(len(headings))
    file = save([[row[place] for place in order] for row in (headings, one, other)], **FORMS[form])

    ended = run("resolve", upload, "--from", file, "--json")

    assert ended.status == 0, ended
    outcomes = ended.document["outcomes"]
    assert (outcomes["created"], outcomes["rejected"], outcomes["review"]) == (2, 1, 0)


def test_a_file_with_two_columns_of_the_name_is_refused(run, in_review, save):
    upload, (headings, *rows) = in_review
    file = save([["to", *headings], *(["new", *row] for row in rows)])
    ended = run("resolve", upload, "--from", file, "--json")
    assert (ended.status, ended.document["error"]["code"]) == (1, "decisions-file")
    assert "several columns to" in ended.document["error"]["message"]


@pytest.mark.parametrize("form", FORMS)
def test_values_are_taken_in_every_form(run, save, form):
    file = save([["region", "text", "Bemerkung"], ["US", "Weiß", "größer"], ["DE", "Jäger", "kleiner"]], **FORMS[form])
    judged = run("value", "last_name", "--from", file, "--json").document
    assert [(one["input"], one["region"]) for one in judged] == [("Weiß", "US"), ("Jäger", "DE")]


def test_of_a_single_column_nothing_is_taken_for_a_delimiter(run, tmp_path):
    file = tmp_path / "values.csv"
    file.write_text("text\n" + "ana@example.com; bo@example.com\n" * 3 + '""\n', encoding="utf-8")
    judged = run("value", "email", "--from", file, "--json").document
    assert [one["value"] for one in judged] == ["ana@example.com"] * 3 + [None]
