import csv

import openpyxl
import pytest

from contact_pipeline.errors import Usage
from contact_pipeline.headings.mapping import map_headings
from contact_pipeline.profiles import find_profiles, load_profile
from contact_pipeline.profiles.model import Profile
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
