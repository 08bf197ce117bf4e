import csv

import openpyxl
import pytest

from contact_pipeline.errors import Usage
from contact_pipeline.headings.mapping import map_headings
from contact_pipeline.profiles import find_profiles, load_profile
from contact_pipeline.profiles.model import Profile
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.reports.template import write_template
from contact_pipeline.settings import Settings
from contact_pipeline.upload import ReadOptions, inspect_file, read_upload

PROFILES = find_profiles()[0]


def test_the_csv_template_has_the_headings(tmp_path):
    """B2: the template CSV has the eight headings."""
    write_template(load_profile("outreach_contacts"), tmp_path / "template.csv", example=False)

    with (tmp_path / "template.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["First name", "Phone number", "Social security number", "Last name", "Date of birth", "Account number",
             "Email", "Zip code"],
        ]  # fmt: skip


def test_the_excel_template_has_the_headings_and_no_rows(tmp_path):
    """A2: a downloadable Excel template."""
    write_template(load_profile("program_contacts"), tmp_path / "template.xlsx", example=False)

    sheet = openpyxl.load_workbook(tmp_path / "template.xlsx").active
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["Email", "First Name", "Last Name", "Phone", "Company", "Job Title"]
    ]


def test_mandatory_headings_are_red(tmp_path):
    """D3: mandatory fields are red."""
    write_template(load_profile("portfolio_accounts"), tmp_path / "template.xlsx", example=False)

    heading = openpyxl.load_workbook(tmp_path / "template.xlsx").active[1]
    red = {cell.value for cell in heading if cell.font.color is not None and cell.font.color.rgb == "FFC00000"}
    assert red == {"Account Number", "Account Name", "Account Type", "Portfolio"}


def test_columns_with_a_letter_stand_at_it(tmp_path):
    """D5: literally in those columns."""
    known = load_profile("portfolio_accounts").model_dump()
    known["columns"] = known["columns"][::-1]
    known["columns"][-1]["letter"] = known["columns"][-2]["letter"] = None
    write_template(Profile.model_validate(known), tmp_path / "template.xlsx", example=False)

    heading = [cell.value for cell in openpyxl.load_workbook(tmp_path / "template.xlsx").active[1]]
    assert heading[5:9] == ["Contact Name", "Contact Type", "Contact Phone", "Contact Email"]
    assert set(heading[:2]) == {"Account Number", "Account Name"}


def test_cells_are_text_so_that_excel_changes_nothing(tmp_path):
    """A2: what is filled in stays as it was typed."""
    write_template(load_profile("property_contacts"), tmp_path / "template.xlsx", example=True)

    sheet = openpyxl.load_workbook(tmp_path / "template.xlsx").active
    assert {cell.number_format for cell in sheet[2]} == {"@"}
    assert {sheet.column_dimensions[letter].number_format for letter in "ABH"} == {"@"}


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_the_example_template_is_read_and_mapped_without_a_defect(tmp_path, name):
    """C1: an example template that is filled in."""
    profile = PROFILES[name]
    path = write_template(profile, tmp_path / f"example.{profile.file.types[0]}", example=True)

    upload = read_upload(path, path.name, profile.file, ReadOptions(), tmp_path / "staged", Settings())

    mapping = map_headings(upload.headings, upload.columns, profile)
    cells = inspect_file(path, ReadOptions(), Settings(home=tmp_path), unmasked=True)["rows"][0]["cells"]
    assert upload.data_rows == 1
    assert dict(zip(mapping.fields.values(), cells, strict=True)) == {c.field: c.example for c in profile.columns}


def test_a_blank_template_is_told_apart_from_a_filled_one(tmp_path, monkeypatch):
    """C1: a blank template, and an example template."""
    monkeypatch.chdir(tmp_path)
    profile = load_profile("property_contacts")

    blank, example = write_template(profile, None, example=False), write_template(profile, None, example=True)

    assert (blank.name, example.name) == ("property_contacts.xlsx", "property_contacts_example.xlsx")


def test_a_file_type_that_the_profile_does_not_take_is_refused(tmp_path):
    with pytest.raises(Usage) as refused:
        write_template(load_profile("property_contacts"), tmp_path / "template.csv", example=False)

    assert refused.value.code == "file-type"
    assert not (tmp_path / "template.csv").exists()


def changed(name, **columns):
    """A shipped profile with other settings of some columns."""
    known = load_profile(name).model_dump()
    known["columns"] = [column | columns.get(column["field"], {}) for column in known["columns"]]
    return Profile.model_validate(known)


def offers(path):
    """Of each column of the first sheet, by its heading, what is offered in a cell: its values, and the rule."""
    book = openpyxl.load_workbook(path)
    sheet, found = book.worksheets[0], {}
    for rule in sheet.data_validations.dataValidation:
        values = None
        if rule.type == "list" and rule.formula1.startswith('"'):
            values = rule.formula1.strip('"').split(",")
        elif rule.type == "list":
            name, place = rule.formula1.split("!")
            values = [cell.value for (cell,) in book[name.strip("'")][place.replace("$", "")]]
        [cells] = rule.sqref.ranges
        assert (cells.min_row, cells.max_row) == (2, 1_048_576)
        found[sheet.cell(1, cells.min_col).value] = (values, rule)
    return found


KNOWN = Reference(
    logins=frozenset({"test.user", "a.lopes"}), vocabularies={"specialties": ("Cardiology", "Pediatrics", "A, B")}
)


def test_a_sheet_of_the_template_says_how_to_fill_it_in(tmp_path):
    """A2, E2: whether a column is required, what it means, its format, an example, and its values."""
    write_template(load_profile("portfolio_accounts"), tmp_path / "template.xlsx", reference=KNOWN)

    guide = openpyxl.load_workbook(tmp_path / "template.xlsx")["How to fill in"]
    rows = {row[0].value: [cell.value for cell in row[1:]] for row in guide.iter_rows()}
    assert rows["Account Type"] == [
        "yes", "Kind of the account.", "one of MEDICAL, COMPANY, INSURANCE; in sheet column C", "MEDICAL",
        "MEDICAL\nCOMPANY\nINSURANCE",
    ]  # fmt: skip
    assert rows["Portfolio"][-1] == "Without Portfolio\na.lopes\ntest.user"
    assert rows["Every row needs"][1].startswith("a contact name and a contact type")


def test_cells_offer_the_values_that_a_column_takes(tmp_path):
    """D3, D4, D7: account types and statuses, logins and "Without Portfolio", registered specialties."""
    write_template(load_profile("portfolio_accounts"), tmp_path / "accounts.xlsx", reference=KNOWN)
    write_template(load_profile("portfolio_contacts"), tmp_path / "contacts.xlsx", reference=KNOWN)

    accounts, contacts = offers(tmp_path / "accounts.xlsx"), offers(tmp_path / "contacts.xlsx")
    assert accounts["Account Type"][0] == ["MEDICAL", "COMPANY", "INSURANCE"]
    assert accounts["Portfolio"][0] == ["Without Portfolio", "a.lopes", "test.user"]
    assert contacts["Qualifications"][0] == ["Cardiology", "Pediatrics", "A, B"]
    assert (accounts["Account Type"][1].errorStyle or "stop", accounts["Account Type"][1].showErrorMessage) == (
        "stop",
        True,
    )
    assert accounts["Portfolio"][1].errorStyle == "warning"
    assert not contacts["Qualifications"][1].showErrorMessage


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ({"type": "choice", "choices": [f"a choice {n}" for n in range(500)]}, [f"a choice {n}" for n in range(500)]),
        ({"type": "choice", "choices": ["A, B", '12"', " C"]}, ["A, B", '12"', " C"]),
        ({"type": "boolean", "field": "do_not_contact", "kind": None}, ["yes", "no"]),
        ({"type": "choice", "vocabulary": "specialties"}, ["Cardiology", "Pediatrics", "A, B"]),
        ({"type": "choice", "vocabulary": "nothing registered"}, None),
    ],
)
def test_long_lists_and_yes_or_no_are_offered_too(tmp_path, column, values):
    write_template(changed("program_contacts", company=column), tmp_path / "template.xlsx", reference=KNOWN)

    assert offers(tmp_path / "template.xlsx")["Company"][0] == values


def test_a_selected_cell_says_what_it_is_to_hold(tmp_path):
    """A2: within what Excel shows."""
    long = {"heading": "\U0001d11e" * 40, "example": "x" * 300}
    write_template(changed("program_contacts", company=long), tmp_path / "template.xlsx")

    found = offers(tmp_path / "template.xlsx")
    assert found["Email"][1].prompt == "Required. Format: name@example.com. Example: dana.whitfield@example.com"
    told = found[long["heading"]][1]
    assert told.prompt.endswith("x…")
    assert all(
        len(text.encode("utf-16-le")) <= 2 * limit for text, limit in ((told.prompt, 255), (told.promptTitle, 32))
    )


@pytest.mark.parametrize("sheet", [None, "Contacts", "how to fill in", "Values to pick"])
def test_the_sheet_to_fill_in_is_told_from_those_beside_it(tmp_path, sheet):
    """A2: whatever the sheet is called, and whether the profile names it or not."""
    columns = {
        "company": {"type": "choice", "vocabulary": "specialties"},
        "phone": {"type": "choice", "vocabulary": "x"},
    }
    known = changed("program_contacts", **columns).model_dump() | {"file": {"types": ["xlsx"], "sheet": sheet}}
    reference = Reference(vocabularies={"specialties": ("a" * 300,), "x": ("b" * 300,)})
    profile = Profile.model_validate(known)
    path = write_template(profile, tmp_path / "template.xlsx", example=True, reference=reference)

    assert len(openpyxl.load_workbook(path).sheetnames) == 3
    upload = read_upload(path, path.name, profile.file, ReadOptions(), tmp_path / "staged", Settings())
    assert (upload.sheet, upload.data_rows, upload.warnings) == (sheet or "Sheet1", 1, [])
