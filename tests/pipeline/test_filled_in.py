"""What people fill in and hand back: templates, and rejected rows, come back without a question."""

from itertools import zip_longest

import openpyxl
import pytest

from contact_pipeline import Pipeline
from contact_pipeline.profiles import find_profiles
from contact_pipeline.reports.corrections import give_back_rejected
from contact_pipeline.reports.template import write_template
from tests.homes import new_home

PROFILES = find_profiles()[0]
IN_EXCEL = sorted(name for name, profile in PROFILES.items() if "xlsx" in profile.file.types)
ACCOUNTS = {"MEDICAL": "654321-SP", "COMPANY": "11.222.333/0001-81", "INSURANCE": "11.444.777/0001-61"}
SPECIALTIES = [f"Specialty {n}, of {'many ' * 5}" for n in range(40)]


@pytest.fixture
def pipeline(tmp_path):
    pipeline = Pipeline(home=new_home(tmp_path / "home"))
    (tmp_path / "users.yaml").write_text("- {login: test.user, name: Test User, roles: [agent], can_import: true}\n")
    (tmp_path / "words.txt").write_text("\n".join(["Cardiology", "Pediatrics", *map(str.strip, SPECIALTIES)]))
    pipeline.store.load_users(tmp_path / "users.yaml")
    pipeline.store.load_vocabulary("specialties", tmp_path / "words.txt")
    return pipeline


def offered(book):
    """Column of the sheet to fill in → the values that its cells offer."""
    found = {}
    for rule in book.worksheets[0].data_validations.dataValidation:
        if rule.type != "list":
            continue
        [cells] = rule.sqref.ranges
        name, _, place = rule.formula1.partition("!")
        values = [cell.value for (cell,) in book[name.strip("'")][place.replace("$", "")]] if place else None
        found[cells.min_col] = values or name.strip('"').split(",")
    return found


@pytest.mark.parametrize("name", IN_EXCEL)
def test_a_template_that_is_filled_in_is_staged_without_a_question(name, pipeline, tmp_path):
    """A2, C1, D3: filled in by its own examples and lists, and saved by another program."""
    profile = PROFILES[name]
    if profile.needs_account:
        accounts = write_template(PROFILES["portfolio_accounts"], tmp_path / "accounts.xlsx", example=True)
        pipeline.apply(pipeline.plan(accounts, "portfolio_accounts").upload_id)
    reference = pipeline.store.reference()
    path = write_template(profile, tmp_path / "template.xlsx", example=True, reference=reference)
    book = openpyxl.load_workbook(path)
    sheet, columns = book.worksheets[0], offered(book)
    of_email = [cell.column for cell in sheet[1] if "email" in cell.value.casefold()]
    example = [cell.value for cell in sheet[2]]
    for number, picked in enumerate(zip_longest(*columns.values()), start=3):
        sheet.append(example)
        for column, value in zip(columns, picked, strict=True):
            sheet.cell(number, column).value = value or columns[column][0]
        if profile.target == "account":
            sheet.cell(number, 1).value = ACCOUNTS[sheet.cell(number, 3).value]
        for column in of_email:
            sheet.cell(number, column).value = f"person.{number}@example.com"
    book.save(path)

    upload = pipeline.plan(path, name)

    assert upload.rejections["message"].to_list() == []
    assert (upload.line.warnings or [], upload.sheet) == ([], sheet.title)


CSV = """
name: members
title: Members
address_book: members
file: {{types: [csv, xlsx]{declared}}}
headings: exact
columns:
  - {{field: full_name, heading: Vor- und Nachname, type: name}}
  - {{field: email, heading: E-Mail, type: email, required: true}}
match: [{{equal: [email]}}]
on_error: reject
apply: approval
"""


def profile_of_members(pipeline, declared=""):
    folder = pipeline.settings.profiles_path
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "members.yaml").write_text(CSV.format(declared=declared), encoding="utf-8")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("encoding", "declared", "option", "starts"),
    [
        ("utf-8", None, None, b"\xef\xbb\xbf"),
        ("latin-1", None, None, b"\xef\xbb\xbf"),
        ("latin-1", "latin-1", None, b"Vor"),
        ("cp1252", None, "cp1252", b"Vor"),
        ("utf-16", None, None, b"\xff\xfe"),
        ("utf-16", "utf-16", None, b"\xff\xfe"),
        ("utf-16-le", None, None, b"\xff\xfe"),
        ("utf-8", "utf-8", None, b"\xef\xbb\xbf"),
    ],
)
def test_rejected_rows_come_back_by_the_same_command(encoding, declared, option, starts, delimiter, pipeline, tmp_path):
    """B8: in the encoding that was declared or that a mark shows, else in marked UTF-8; by the file's delimiter."""
    profile_of_members(pipeline, f", encoding: {declared}" if declared else "")
    options = {"encoding": option} if option else {}
    file = tmp_path / "members.csv"
    rows = [["Vor- und Nachname", "E-Mail"], ["Jörg Größe", "joerg"], ["Ana Souza", "ana@example.com"]]
    file.write_bytes("".join(delimiter.join(row) + "\n" for row in rows).encode(encoding))
    upload = pipeline.plan(file, "members", **options)
    assert (upload.outcomes["rejected"], upload.delimiter) == (1, delimiter)

    again, written = give_back_rejected(upload, None, pipeline.settings)

    assert again.read_bytes().startswith(starts)
    upload = pipeline.plan(again, "members", **options)
    assert (written, upload.outcomes["rejected"], upload.delimiter) == (1, 1, delimiter)
    assert upload.normalized_rows["full_name"].to_list() == ["Jörg Größe"]
    assert [warning for warning in upload.line.warnings or [] if "encod" in warning] == []


@pytest.mark.parametrize("sheet", [None, "Members of May"])
def test_rejected_rows_of_a_sheet_come_back_corrected(sheet, pipeline, tmp_path):
    """B8: under the name of the sheet, whether the profile asks for it or not."""
    profile_of_members(pipeline, f", sheet: {sheet}" if sheet else "")
    file = tmp_path / "members.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "Members of May"
    for row in [["Vor- und Nachname", "E-Mail"], ["Jörg Größe", "joerg"], ["007", "ana@example.com"], ["Bo", None]]:
        book.active.append(row)
    book.save(file)
    first = pipeline.plan(file, "members")

    again, _ = give_back_rejected(first, None, pipeline.settings)

    corrected = openpyxl.load_workbook(again)
    sheet = corrected["Members of May"]
    assert [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.comment] == ["B2", "B3"]
    sheet["B2"], sheet["B3"] = "joerg@example.com", "bo@example.com"
    corrected.save(tmp_path / "corrected.xlsx")
    upload = pipeline.plan(tmp_path / "corrected.xlsx", "members")
    assert (upload.outcomes["created"], upload.line.warnings or []) == (2, [])


def test_rejected_rows_of_another_form_of_workbook_come_back_as_xlsx(pipeline, tmp_path):
    profile_of_members(pipeline)
    file = tmp_path / "members.xlsm"
    book = openpyxl.Workbook()
    book.active.append(["Vor- und Nachname", "E-Mail"])
    book.active.append(["Bo", "bo"])
    book.save(file)

    again, written = give_back_rejected(pipeline.plan(file, "members"), None, pipeline.settings)

    assert (again.name, written) == ("rejected_members.xlsx", 1)
