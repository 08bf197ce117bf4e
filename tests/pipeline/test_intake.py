"""Files as the world makes them, from the bytes to the outcome of every row."""

import polars as pl
import pytest
import xlsxwriter

WALK_INS = """
name: walk_ins
title: Walk-ins
description: People who came by.
address_book: walk_ins
file: {types: [csv, xlsx]}
headings: mapped
region: US
columns:
  - {field: first_name, heading: First name, type: name, example: Ada}
  - {field: last_name, heading: Last name, type: name, example: Byron}
  - {field: phone, heading: Phone, type: phone, required: true, example: "(202) 555-0166"}
  - {field: email, heading: Email, type: email, example: ada@example.com}
  - {field: account_number, heading: Account, type: text, example: A-1}
  - {field: identifier, heading: Identifier, type: identifier, example: X1}
  - {field: date_of_birth, heading: Born, type: date, formats: ["%d/%m/%Y"], example: 10/12/1815}
  - {field: ssn, heading: SSN, type: ssn, sensitive: true, example: 123-45-6789}
  - {field: zip_code, heading: Zip, type: zip_code, example: "02139"}
match:
  - equal: [phone]
matched: update
within_file: first_wins
blank: keep
on_error: reject
apply: approval
"""
LEADS = "First name,Last name,Phone,Email\n"


@pytest.fixture
def home(pipeline):
    return pipeline


@pytest.fixture
def walk_ins(home):
    """Makes the profile of the walk-ins, perhaps with another `on_error`."""

    def make(on_error="on_error: reject"):
        home.settings.profiles_path.mkdir(parents=True, exist_ok=True)
        (home.settings.profiles_path / "walk_ins.yaml").write_text(WALK_INS.replace("on_error: reject", on_error))

    return make


def plan_leads(home, tmp_path, content, name="leads.csv", **options):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    given = {"lead_type": "SMS", "rule": "merge", "user": "d.rivers"} | options
    return home.plan(tmp_path / name, "dealer_leads", **given)


def test_a_title_above_and_a_heading_again_are_no_leads(home, tmp_path):
    """E11: processed is the number of rows with data."""
    upload = plan_leads(
        home, tmp_path, f"sep=,\nLeads of May,,,\n{LEADS}Ada,Lovelace,2025550143,\n{LEADS}Joan,Clarke,,j@c.org\n"
    )

    assert upload.state == "staged"
    assert (upload.outcomes["created"], upload.outcomes["blank"], upload.line.processed) == (2, 1, 2)
    assert any("above it" in warning for warning in upload.line.warnings)


def test_headings_of_another_language_are_mapped(home, tmp_path):
    """E6: file columns are mapped to fields."""
    upload = plan_leads(home, tmp_path, "Vorname;Name;Handynummer;Bemerkung\nAda;Lovelace;202 555 0143;x\n")

    assert upload.line.mapping == {"Vorname": "first_name", "Name": "last_name", "Handynummer": "phone"}
    assert upload.line.ignored == ["Bemerkung"]


def test_a_saved_mapping_is_used_for_the_same_headings_in_any_order(home, tmp_path):
    """E6: a mapping can be overridden per upload and saved."""
    first = plan_leads(
        home,
        tmp_path,
        "Who,Ring\nAda Lovelace,2025550143\n",
        map={"Who": "full_name", "Ring": "phone"},
        save_mapping=True,
    )
    again = plan_leads(home, tmp_path, "Ring,Who\n2025550166,Grace Hopper\n", name="again.csv")
    other = plan_leads(home, tmp_path, "Ring,Who,More\n2025550166,Grace Hopper,x\n", name="other.csv")

    assert first.line.mapping == {"Who": "full_name", "Ring": "phone"}
    assert again.state == "staged"
    assert again.line.mapping == {"Ring": "phone", "Who": "full_name"}
    assert other.state == "refused"
    assert other.reason["code"] == "headings-unknown"


def test_a_column_of_addresses_under_another_heading_is_suggested(home, tmp_path):
    """E6: starred fields must be mapped."""
    upload = plan_leads(home, tmp_path, "Name,Contact info\nAda,a@example.com\nJoan,j@example.com\n")

    assert upload.state == "refused"
    assert "'Contact info' holds e-mail addresses" in upload.reason["message"]
    assert '"Contact info=email"' in upload.reason["fix"]


def test_a_row_that_cannot_be_split_is_rejected_and_the_sum_is_right(home, tmp_path):
    """X1: every row ends in exactly one outcome."""
    upload = plan_leads(home, tmp_path, f"{LEADS}Ada,Lovelace,2025550143,\nJoan\nGrace,Hopper,,g@h.org\n")

    assert upload.rejections["code"].to_list() == ["row-unreadable"]
    assert sum(upload.outcomes.values()) == upload.line.data_rows == 3


def test_what_excel_destroyed_is_rejected_and_restored_zeros_are_listed(home, tmp_path):
    """X5: a restored leading zero is listed; what Excel destroyed is rejected, not guessed."""
    headings = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code"
    rows = "Ada,,,Lovelace,,4.479E+11,a@example.com,2139\nJoan,,,Clarke,,A1,j@example.com,02139\n"
    (tmp_path / "people.csv").write_text(f"{headings}\n{rows}")

    upload = home.plan(tmp_path / "people.csv", "outreach_contacts", group="May", user="d.rivers")

    assert upload.rejections.select("row_number", "code").rows() == [(2, "excel-scientific")]
    repairs = home.repairs(upload.upload_id)
    assert repairs.select("row_number", "before", "after").rows() == [(2, "2139", "02139")]


def test_the_sheet_with_the_profiles_headings_is_read(home, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "contacts.xlsx") as book:
        book.add_worksheet("Read me").write_column(0, 0, ["Fill in", "the other sheet"])
        sheet = book.add_worksheet("Data")
        sheet.write_row(0, 0, ["First Name", "Last Name", "Email", "Phone", "Company", "Address", "City", "Postcode"])
        sheet.write_row(1, 0, ["Ada", "Lovelace", "ada@example.com"])

    upload = home.plan(tmp_path / "contacts.xlsx", "property_contacts", user="d.rivers")

    assert (upload.state, upload.line.sheet) == ("staged", "Data")


def property_workbook(path, rows, errors):
    """A workbook of property contacts; `errors` are cells (row and column from 0) whose formula has no result."""
    headings = ["First Name", "Last Name", "Email", "Phone", "Company", "Address", "City", "Postcode"]
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([headings, *rows]):
            sheet.write_row(number, 0, row)
        for (row, column), error in errors.items():
            sheet.write_formula(row, column, "=A0", None, error)
    return path


def test_a_cell_that_holds_an_error_is_rejected(home, tmp_path):
    """X5: what Excel destroyed is rejected, not guessed."""
    rows = [["Ada", "Lovelace", "ada@example.com"], ["#N/A", "Hopper", "grace@example.com"]]
    errors = {(1, 4): "#N/A", (3, 2): "#REF!"}

    upload = home.plan(property_workbook(tmp_path / "p.xlsx", rows, errors), "property_contacts", user="d.rivers")

    found = upload.rejections.filter(code="excel-error").select("row_number", "column", "field", "value")
    assert found.rows() == [(2, "Company", "company", "#N/A"), (4, "Email", "email", "#REF!")]
    message = upload.rejections.filter(code="excel-error")["message"][0]
    assert message == "Company holds the error #N/A: its formula has no result."
    # Row 3 has the same words as a text: a blank, by the list of empty values.
    assert upload.outcomes == {**dict.fromkeys(upload.outcomes, 0), "rejected": 2, "created": 1}
    assert "2 cells hold an error" in upload.line.warnings[0]
    assert upload.line.repairs == 1


def test_a_formula_that_was_never_calculated_is_rejected(home, tmp_path):
    rows = [["Ada", "Lovelace", "ada@example.com"], ["Grace", "Hopper"]]
    path = property_workbook(tmp_path / "p.xlsx", rows, {(1, 4): "", (2, 2): ""})

    upload = home.plan(path, "property_contacts", user="d.rivers")

    found = upload.rejections.select("row_number", "column", "code", "value", "message").rows()
    message = "holds a formula that was never calculated."
    assert found == [
        (2, "Company", "formula-not-calculated", "=A0", f"Company {message}"),
        (3, "Email", "formula-not-calculated", "=A0", f"Email {message}"),
    ]
    assert upload.outcomes["rejected"] == 2


def test_an_error_in_a_column_that_is_not_used_rejects_nothing(home, walk_ins, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "leads.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["First name", "Last name", "Phone", "Score"])
        sheet.write_row(1, 0, ["Ada", "Lovelace", "202 555 0143"])
        sheet.write_formula(1, 3, "=1/0", None, "#DIV/0!")
    walk_ins()

    upload = home.plan(tmp_path / "leads.xlsx", "walk_ins", user="d.rivers")

    assert (upload.state, upload.outcomes["created"], upload.rejections.height) == ("staged", 1, 0)
    assert "#DIV/0! in row 2 of 'Score'" in upload.line.warnings[0]


def test_an_error_goes_to_the_notes_where_the_profile_says_so(home, walk_ins, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "leads.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["First name", "Last name", "Phone", "Email"])
        sheet.write_row(1, 0, ["Ada", "Lovelace", "202 555 0143"])
        sheet.write_formula(1, 3, "=NA()", None, "#N/A")
    walk_ins("on_error: note")

    upload = home.plan(tmp_path / "leads.xlsx", "walk_ins", user="d.rivers")
    home.apply(upload.upload_id, user="d.rivers")

    assert upload.rejections.select("code", "severity").rows() == [("excel-error", "noted")]
    (contact,) = home.store.contacts()
    assert contact["notes"] == ["[import] Email: #N/A"]
    assert contact["email"] is None


def plan_walk_ins(home, tmp_path, heading, *cells):
    rows = [f"Ada,Lovelace,202 555 01{n:02d},{cell}" for n, cell in enumerate(cells, start=10)]
    lines = [f"First name,Last name,Phone,{heading}", *rows]
    (tmp_path / "walk_ins.csv").write_text("\n".join(lines) + "\n")
    return home.plan(tmp_path / "walk_ins.csv", "walk_ins", user="d.rivers")


@pytest.mark.parametrize(
    ("heading", "field", "given", "stored"),
    [
        ("SSN", "ssn", "19099999", "019-09-9999"),
        ("Zip", "zip_code", "501", "00501"),
        ("Zip", "zip_code", "2139", "02139"),
    ],
)
def test_leading_zeros_are_restored_by_the_declared_width_and_listed(
    home, walk_ins, tmp_path, heading, field, given, stored
):
    """X5: a restored leading zero is listed."""
    walk_ins()

    upload = plan_walk_ins(home, tmp_path, heading, given)

    assert upload.rejections.is_empty()
    (after,) = upload.staging.table("normalized_rows")[field]
    assert after == stored
    repairs = home.repairs(upload.upload_id).select("row_number", "column", "before", "after", "why").rows()
    assert repairs == [(2, heading, given, stored, "leading zeros restored")]


def test_dates_that_excel_rewrote_are_read_by_the_declared_formats_only(home, walk_ins, tmp_path):
    walk_ins()

    upload = plan_walk_ins(home, tmp_path, "Born", "10/12/1815", "1815-12-10", "12/31/1999", "10-Dec-15", "36526")

    assert upload.staging.table("normalized_rows")["date_of_birth"].to_list()[:2] == ["1815-12-10", "1815-12-10"]
    found = upload.rejections.filter(pl.col("code") == "date-format").select("row_number", "value").rows()
    assert found == [(4, "12/31/1999"), (5, "10-Dec-15"), (6, "36526")]


@pytest.mark.parametrize(
    ("heading", "field"),
    [("Account", "account_number"), ("Identifier", "identifier"), ("SSN", "ssn"), ("Zip", "zip_code")],
)
def test_scientific_notation_is_rejected_with_how_to_export_again(home, walk_ins, tmp_path, heading, field):
    """X5: what Excel destroyed is rejected, not guessed."""
    walk_ins()

    upload = plan_walk_ins(home, tmp_path, heading, "4.479E+11", '"4,479E+11"')

    rejections = upload.rejections.select("row_number", "field", "code").rows()
    assert rejections == [(2, field, "excel-scientific"), (3, field, "excel-scientific")]
    assert "its digits are lost" in upload.rejections["message"][0]
    assert "Format the column as text" in upload.rejections["fix"][0]


def test_scientific_notation_for_a_phone_is_rejected_too(home, tmp_path):
    upload = plan_leads(home, tmp_path, f"{LEADS}Ada,Lovelace,4.47911E+11,a@example.com\n")

    assert upload.rejections.select("field", "code").rows() == [("phone", "excel-scientific")]


def test_a_guess_of_the_code_page_that_looks_wrong_stays_with_the_upload(home, tmp_path):
    content = "Name;Telefon\nAda \u00d8\u00b3\u00aax \u00c3\u00bf\u00c0;202 555 0143\n".encode("cp1252")

    upload = plan_leads(home, tmp_path, content)

    (warning,) = upload.line.warnings
    assert "is not UTF-8 (line 2)" in warning
    assert "It looks wrong: declare the encoding" in warning
    assert upload.as_dict()["warnings"] == [warning]
