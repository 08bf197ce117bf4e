"""B8: a corrected file of rejected rows continues the upload that rejected them, however it was saved and is called."""

import csv

import openpyxl
import pytest

from contact_pipeline.reports.corrections import give_back_rejected

MEMBERS = """
name: members
title: Members
address_book: members
file: {types: [csv, xlsx]}
headings: all
columns:
  - {field: account_number, heading: Member, type: text}
  - {field: first_name, heading: First name, type: name}
  - {field: last_name, heading: Last name, type: name}
  - {field: zip_code, heading: Zip code, type: text}
  - {field: email, heading: Email, type: email}
match: [{equal: [account_number]}]
on_error: reject
apply: approval
"""
HEADINGS = ("Member", "First name", "Last name", "Zip code", "Email", "Joined")
ROSA = ("=A-1", "Rosa", "Quist", "02139", "rosa@", "1980-02-03")
IAN = ("A-2", "Ian", "Roe", "02140", "ian@", "1980-02-04")
OAK = ("A-3", "Rosa", "Oak", "02139", "oak@", "1980-02-03")
GOOD = ("A-4", "Bo", "Elm", "02139", "bo@example.com", "1980-02-03")
MENDED = {"rosa@": "rosa@example.com", "ian@": "ian@example.com", "oak@": "oak@example.com"}


@pytest.fixture
def plan(pipeline, write):
    folder = pipeline.settings.profiles_path
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "members.yaml").write_text(MEMBERS)

    def plan_it(*rows, name="members.csv"):
        return pipeline.plan(write(name, HEADINGS, rows), "members")

    return plan_it


@pytest.fixture
def correct(pipeline, tmp_path):
    """Gives rejected rows back, corrects cells by their texts, saves them otherwise and plans that file."""

    def correct_it(upload, mended, name="from accounting.csv", changed=list, numbered=False, **given):
        file, _ = give_back_rejected(
            upload, tmp_path / "given.csv", pipeline.settings, overwrite=True, numbered=numbered
        )
        with file.open(encoding="utf-8-sig", newline="") as opened:
            head, *rows = csv.reader(opened, delimiter=upload.delimiter)
        rows = [[mended.get(cell, cell) for cell in changed(row)] for row in rows]
        saved = tmp_path / name
        if saved.suffix == ".xlsx":
            book = openpyxl.Workbook()
            for row in (head, *rows):
                book.active.append(row)
            book.save(saved)
        else:
            with saved.open("w", encoding="cp1252", newline="") as opened:
                csv.writer(opened, delimiter=";").writerows([head, *reversed(rows)])
        return pipeline.plan(saved, "members", **given)

    return correct_it


def test_a_corrected_file_continues_the_upload_that_rejected_its_rows(pipeline, plan, correct):
    """Beside another upload whose rows look much the same; and so on, until none is rejected."""
    first = plan(ROSA, IAN, OAK, GOOD)
    plan(*((f"B{row[0][1:]}", row[1], "Other", *row[3:]) for row in (ROSA, IAN, OAK)), name="others.csv")

    def as_a_spreadsheet_saves_it(row):  # zeros before a number are gone, and days are written otherwise
        return [cell.replace("1980-02-0", "4.2.").lstrip("0") for cell in row]

    second = correct(first, MENDED | {"ian@": "ian@@example.com"}, changed=as_a_spreadsheet_saves_it)
    third = correct(second, {"ian@@example.com": "ian@example.com"}, "a.xlsx", numbered=True)

    assert (second.continues, second.outcomes["created"], second.outcomes["rejected"]) == (first.upload_id, 2, 1)
    assert (third.continues, third.outcomes["created"]) == (second.upload_id, 1)
    assert [each.upload_id for each in pipeline.continued_by(first.upload_id)] == [second.upload_id]
    assert not [*second.warnings, *pipeline.continued_by(third.upload_id)]


def test_a_row_that_is_rejected_twice_for_the_same_continues_the_newer_upload(plan, correct):
    """Where two others rejected it again, none of them is named, but the one that both continue."""
    first = plan(ROSA, IAN)
    second = correct(first, {"rosa@": "rosa@example.com"})
    third = correct(second, MENDED, "last.csv")
    assert (second.continues, third.continues) == (first.upload_id, second.upload_id)
    other = correct(first, {"rosa@": "rosa@example.org"}, "other.csv")
    assert [each.continues for each in (other, correct(other, MENDED))] == [first.upload_id] * 2


def test_a_doubtful_upload_is_continued_only_if_somebody_names_it(pipeline, plan, correct, write):
    """A refusal names what is wrong with what was said."""
    first, again = plan(ROSA, IAN), plan(ROSA, IAN, GOOD, name="again.csv")
    own = [*HEADINGS, "errors"]

    doubtful, named = correct(first, MENDED), correct(first, MENDED, continues=again.upload_id)
    theirs = pipeline.plan(write("own.csv", own, [(*ROSA, "an error of theirs"), (*IAN, "")]), "members")
    wrong = {
        "there is no such upload": correct(first, MENDED, continues="20200101-000000-abcdef"),
        f"no row of upload {named.upload_id} was rejected": correct(first, MENDED, continues=named.upload_id),
        "is of profile members": pipeline.plan(
            write("leads.csv", ["Name"], [["Ann Poe"]]), "dealer_leads", lead_type="SMS", continues=first.upload_id
        ),
    }

    assert (doubtful.continues, named.continues, theirs.continues) == (None, again.upload_id, None)
    assert [first.upload_id in said and again.upload_id in said for said in doubtful.warnings] == [True]
    assert not [*named.warnings, *theirs.warnings]
    for said, upload in wrong.items():
        assert (upload.state, upload.reason["code"], upload.continues) == ("refused", "option-value", None)
        assert said in upload.reason["message"]
