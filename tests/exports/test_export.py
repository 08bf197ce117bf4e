"""Who is in an exported file, how the file is written, and what is refused."""

import stat
import sys
import zipfile

import openpyxl
import polars as pl
import pytest

from contact_pipeline.errors import Refusal, Usage
from contact_pipeline.exports import files
from tests.exports.conftest import ADMIN, SAMPLES, cells

PEOPLE = [
    {"full_name": "Ann Lee", "email": "ann@example.com", "phone": "+12025550101", "account_number": "1-SP"},
    {"full_name": "Bo Lee", "email": "bo@example.com", "account_number": "2-SP", "active": False},
    {"full_name": "Cy Lee", "email": "cy@example.com", "ssn": "219-09-9990", "do_not_contact": True},
]
ACCOUNTS = [
    {"account_number": "1-SP", "account_name": "One", "account_type": "MEDICAL", "portfolio": "m.keane",
     "status": "ACTIVE"},
    {"account_number": "2-SP", "account_name": "Two", "account_type": "COMPANY", "portfolio": None, "status": "ACTIVE"},
]  # fmt: skip


@pytest.fixture
def export(pipeline, insert, tmp_path):
    """Exports the people above by a profile; what was written, and the cells of the file."""
    insert("club", *PEOPLE)
    insert("club", *ACCOUNTS, table="accounts")

    def write(profile="contacts", ending="csv", **filters):
        path = tmp_path / f"out.{ending}"
        written = pipeline.export(path, profile, overwrite=True, **filters)
        return written, cells(path)

    return write


@pytest.fixture
def own(pipeline):
    """Writes an export profile of one's own."""

    def write(text, name="mine"):
        folder = pipeline.settings.export_profiles_path
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")

    return write


def names(rows):
    place = rows[0].index("full_name")
    return [row[place].split()[0] for row in rows[1:]]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["Ann", "Cy"]),
        ({"inactive": "include"}, ["Ann", "Bo", "Cy"]),
        ({"inactive": "only"}, ["Bo"]),
        ({"portfolio": "M.Keane"}, ["Ann"]),
        ({"portfolio": "without portfolio", "inactive": "include"}, ["Bo", "Cy"]),
        ({"account_type": "medical"}, ["Ann"]),
        ({"address_book": "club"}, ["Ann", "Cy"]),
        ({"address_book": " Cl ub"}, ["Ann", "Cy"]),
        ({"portfolio": "m. keane"}, ["Ann"]),
        ({"account_type": "MED ICAL "}, ["Ann"]),
        ({"portfolio": "WithoutPortfolio"}, ["Cy"]),
        ({"where": {"email": "CY@example.com"}}, ["Cy"]),
        ({"where": {"phone": ""}}, ["Cy"]),
        ({"where": {"do_not_contact": "yes"}}, ["Cy"]),
        ({"where": {"company": "Nowhere"}}, []),  # a field that nobody has yet
        ({"where": {"full_name": "'; DROP TABLE contacts; --"}}, []),
    ],
)
def test_filters_choose_who_is_in_the_file(export, filters, expected):
    """D1: any contacts can be chosen."""
    assert names(export(**filters)[1]) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["1-SP", "2-SP"]),
        ({"portfolio": "m.keane"}, ["1-SP"]),
        ({"portfolio": "Without Portfolio"}, ["2-SP"]),
        ({"account_type": "COMPANY"}, ["2-SP"]),
        ({"portfolio": "m.keane", "account_type": "COMPANY"}, []),
        ({"where": {"status": "inactive"}}, []),
    ],
)
def test_accounts_are_chosen_by_portfolio_and_type(export, filters, expected):
    """D2: accounts are exported by portfolio and account type."""
    _, rows = export("accounts", "xlsx", **filters)

    assert [row[2] for row in rows[1:]] == expected


@pytest.mark.parametrize(
    ("profile", "filters", "code"),
    [
        ("contacts", {"group": "None such"}, "group-unknown"),
        ("contacts", {"portfolio": "m.kean"}, "portfolio-unknown"),
        ("contacts", {"account_type": "MEDICIN"}, "account-type-unknown"),
        ("contacts", {"address_book": "clb"}, "address-book-unknown"),
        ("contacts", {"where": {"emial": "x"}}, "usage"),
        ("contacts", {"where": {"do_not_contact": "true"}}, "usage"),
        ("contacts", {"where": {"contact_id": "three"}}, "usage"),
        ("accounts", {"group": "Any"}, "usage"),
        ("accounts", {"inactive": "include"}, "usage"),
        ("accounts", {"published": True}, "usage"),
        ("contcts", {}, "profile-unknown"),
    ],
)
def test_a_filter_that_nothing_fits_is_refused_and_no_file_is_left(export, tmp_path, profile, filters, code):
    with pytest.raises(Refusal) as refused:
        export(profile, **filters)

    assert refused.value.code == code
    assert not [*tmp_path.glob("out*")]


def test_spaces_around_a_value_that_is_asked_for_make_no_difference(export):
    assert names(export(where={"full_name": " ann lee "})[1]) == ["Ann"]


def test_erased_people_are_in_no_file(export, pipeline):
    pipeline.erase(1, user=ADMIN)

    written, rows = export(inactive="include")

    assert names(rows) == ["Bo", "Cy"]
    assert written.rows == 2
    assert "ann@example.com" not in str(rows)


def test_published_values_are_without_what_is_held(pipeline, tmp_path):
    leads = tmp_path / "leads.csv"
    leads.write_text("Name,Phone,Email\nAnn Lee,(202) 555-0101,ann@example.com\n")
    held = pipeline.plan(leads, "dealer_leads", user=ADMIN, lead_type="SMS")
    pipeline.apply(held.upload_id, user=ADMIN)

    everybody = pipeline.export(tmp_path / "all.csv", "dealer_leads")
    visible = pipeline.export(tmp_path / "published.csv", "dealer_leads", published=True)

    assert (everybody.rows, visible.rows) == (1, 0)


def test_values_stand_in_full_in_a_file_that_only_its_owner_can_read(export):
    written, rows = export()

    assert "219-09-9990" in rows[2]
    assert written.sensitive == ("date_of_birth", "ssn")
    assert stat.S_IMODE(written.file.stat().st_mode) == 0o600


def test_parquet_keeps_the_types_of_the_values(pipeline, insert, tmp_path):
    insert("club", {"full_name": "Ann", "do_not_contact": True, "notes": ["a; b", "c"]}, {"full_name": "=Bo"})

    pipeline.export(tmp_path / "out.parquet")

    frame = pl.read_parquet(tmp_path / "out.parquet").select("full_name", "do_not_contact", "notes")
    assert frame.rows() == [("Ann", True, ["a; b", "c"]), ("=Bo", None, None)]


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_a_file_of_nobody_has_its_headings(pipeline, tmp_path, ending):
    written = pipeline.export(tmp_path / f"out.{ending}", "program_contacts")

    assert written.rows == 0
    headings = ["Email", "First Name", "Last Name", "Phone", "Company", "Job Title"]
    path = tmp_path / f"out.{ending}"
    assert (pl.read_parquet(path).columns if ending == "parquet" else cells(path)[0]) == headings


def test_no_cell_of_csv_or_excel_is_calculated(pipeline, insert, tmp_path):
    insert("club", {"full_name": '=HYPERLINK("http://example.com")', "email": "a@example.com", "phone": "+12025550101"})

    pipeline.export(tmp_path / "out.csv")
    pipeline.export(tmp_path / "out.xlsx")

    assert not [cell for row in cells(tmp_path / "out.csv") for cell in row if cell.startswith(("=", "+", "-", "@"))]
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} <= {"s", "inlineStr"}
    assert "=HYPERLINK" in str([cell.value for cell in sheet[2]])


def test_the_sheet_is_the_template_with_rows(pipeline, insert, tmp_path):
    """D2: the export is the model spreadsheet, red headings, choices and cells of text included."""
    insert("portfolio", *ACCOUNTS, table="accounts")

    pipeline.export(tmp_path / "out.xlsx", "portfolio_accounts")

    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    red = {cell.value for cell in sheet[1] if cell.font.color is not None and cell.font.color.rgb == "FFC00000"}
    assert red == {"Account Number", "Account Name", "Account Type", "Portfolio"}
    assert {cell.number_format for cell in sheet[2] if cell.value} == {"@"}
    assert [str(each.sqref) for each in sheet.data_validations.dataValidation] == [
        "C2:C1048576", "E2:E1048576", "G2:G1048576",
    ]  # fmt: skip
    assert zipfile.ZipFile(tmp_path / "out.xlsx").testzip() is None


def test_more_rows_than_a_sheet_has_are_refused_and_no_file_is_left(export, monkeypatch, tmp_path):
    monkeypatch.setattr(files, "LAST_ROW", 1)

    with pytest.raises(Refusal) as refused:
        export(ending="xlsx")

    assert refused.value.code == "too-many-rows"
    assert not [*tmp_path.glob("*out*")]


def test_a_cell_that_excel_cannot_hold_is_cut_and_counted(pipeline, insert, tmp_path):
    insert("club", {"full_name": "Ann", "notes": ["x" * 40_000]})

    written = pipeline.export(tmp_path / "out.xlsx")

    assert written.warnings == (
        "1 cells of 'notes' are cut after the 32,767 characters that Excel takes; a .csv file has them whole.",
    )
    assert max(len(cell) for cell in cells(tmp_path / "out.xlsx")[1]) == 32_767


def test_a_sign_that_excel_cannot_hold_is_replaced_and_counted(pipeline, insert, tmp_path):
    insert("club", {"full_name": "Ann \ufffe"}, {"full_name": "Bob"})

    written = pipeline.export(tmp_path / "out.xlsx")

    assert written.warnings == (
        "1 cells of 'full_name' have signs that Excel does not take: � stands for each; a .csv file has them.",
    )


@pytest.mark.parametrize("value", ["_x0041_", "_x0041_x0042_", "_x0041_x0042_x0043_", "a _x000D_ b"])
def test_text_that_excel_would_decode_is_read_again_as_it_is(pipeline, insert, tmp_path, value):
    insert("club", {"full_name": value})

    pipeline.export(tmp_path / "out.xlsx")

    read = pl.read_excel(tmp_path / "out.xlsx", infer_schema_length=0)
    assert read["full_name"].to_list() == [value]


def test_a_file_that_is_there_is_kept_unless_it_is_to_be_replaced(pipeline, tmp_path):
    (tmp_path / "out.csv").write_text("mine")

    with pytest.raises(Usage) as refused:
        pipeline.export(tmp_path / "out.csv")
    assert (refused.value.code, (tmp_path / "out.csv").read_text()) == ("file-exists", "mine")

    pipeline.export(tmp_path / "out.csv", overwrite=True)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8-sig").startswith("contact_id,")


def test_another_ending_is_refused(pipeline, tmp_path):
    with pytest.raises(Usage) as refused:
        pipeline.export(tmp_path / "out.pdf")

    assert refused.value.code == "file-type"


def test_a_format_that_the_import_profile_does_not_take_is_warned_of(pipeline, tmp_path):
    written = pipeline.export(tmp_path / "out.parquet", "program_contacts")

    assert written.warnings == ("Program enforcement contacts takes .xlsx: importing would refuse this file.",)


def test_rows_are_the_same_in_whatever_pieces_they_are_written(pipeline, insert, tmp_path, monkeypatch):
    insert("program", *({"email": f"p{n}@example.com", "first_name": f"P{n}"} for n in range(25)))
    pipeline.export(tmp_path / "whole.xlsx", "program_contacts")
    monkeypatch.setattr(sys.modules["contact_pipeline.exports.export"], "_BATCH", 7)

    pipeline.export(tmp_path / "pieces.xlsx", "program_contacts")
    pipeline.export(tmp_path / "pieces.parquet", "program_contacts")

    assert cells(tmp_path / "pieces.xlsx") == cells(tmp_path / "whole.xlsx")
    assert len(cells(tmp_path / "whole.xlsx")) == 26
    assert pl.read_parquet(tmp_path / "pieces.parquet")["Email"].to_list() == [f"p{n}@example.com" for n in range(25)]


def test_accounts_move_between_portfolios_by_one_column(pipeline, bring, tmp_path):
    """D2: moving accounts to another portfolio is export, edit one column, import; and can be undone."""
    bring("portfolio_accounts")
    file = tmp_path / "accounts.xlsx"
    written = pipeline.export(file, "portfolio_accounts", portfolio="Without Portfolio", account_type="MEDICAL")
    book = openpyxl.load_workbook(file)
    for row in range(2, written.rows + 2):
        assert book.active.cell(row, 4).value == "Without Portfolio"
        book.active.cell(row, 4).value = "r.vance"
    book.save(file)

    upload = pipeline.plan(file, "portfolio_accounts", user=ADMIN)
    assert (upload.outcomes["updated"], upload.line.contacts_created) == (written.rows, 0)
    assert written.rows > 5
    pipeline.apply(upload.upload_id, user=ADMIN)
    of_vance = [account for account in pipeline.store.accounts() if account["portfolio"] == "r.vance"]
    assert len(of_vance) == written.rows
    pipeline.undo(upload.upload_id, user=ADMIN)
    assert not [account for account in pipeline.store.accounts() if account["portfolio"] == "r.vance"]


def test_contacts_for_whom_an_account_has_no_place_are_counted(pipeline, insert, tmp_path):
    of_one = {"account_number": "1-SP", "identifier": "1-SP", "contact_type": "DOCTOR"}
    upload = pipeline.plan(SAMPLES / "portfolio_accounts_1.xlsx", "portfolio_accounts", user=ADMIN)
    pipeline.apply(upload.upload_id, user=ADMIN)
    insert("portfolio", {**ACCOUNTS[0], "account_number": "990999-SP"}, table="accounts")
    of_one |= {"account_number": "990999-SP", "identifier": "990999-SP"}
    before = pipeline.export(tmp_path / "before.xlsx", "portfolio_accounts").left_out
    insert("portfolio", {**of_one, "full_name": "Ana"}, {**of_one, "full_name": "Ana"}, {**of_one, "full_name": "Bia"})

    after = pipeline.export(tmp_path / "after.xlsx", "portfolio_accounts").left_out

    assert sum(each.count for each in after) == sum(each.count for each in before) + 2
    row = next(row for row in cells(tmp_path / "after.xlsx") if row[0] == "990999-SP")
    assert row[5:7] == ["Bia", "DOCTOR"]  # either Ana could be meant


def test_linked_contacts_are_exported_as_the_oldest_of_them(pipeline, bring, tmp_path):
    bring("dealer_leads")

    written = pipeline.export(tmp_path / "leads.csv", "dealer_leads")

    linked = sum(bool(c["links"]) for c in pipeline.store.contacts())
    assert linked
    assert [each.why for each in written.left_out] == ["an older contact is the same person, and stands for them"]
    assert written.rows + written.left_out[0].count == len([c for c in pipeline.store.contacts() if c["active"]])


def test_whoever_may_be_contacted_is_not_in_a_suppression_list(pipeline, insert, tmp_path):
    wishes = {"yes@example.com": True, "no@example.com": False, "none@example.com": None}
    insert("outreach", *({"email": email, "do_not_contact": wish} for email, wish in wishes.items()))

    written = pipeline.export(tmp_path / "list.csv", "suppression_list")

    assert [row[0] for row in cells(tmp_path / "list.csv")[1:]] == ["yes@example.com"]
    assert sum(each.count for each in written.left_out) == 2


def test_an_own_profile_says_columns_filter_and_order(export, own):
    """D1: columns, filter, order and format are those of a named export profile."""
    own(
        "title: Mine\nof: contacts\ncolumns: [full_name, {field: phone, heading: Telephone}, portfolio]\n"
        "filter: {address_book: club, inactive: include, where: [{field: email, blank: false}]}\n"
        "order: [-full_name]\n"
    )

    written, rows = export("mine")

    assert rows == [
        ["full_name", "Telephone", "portfolio"], ["Cy Lee", "", ""], ["Bo Lee", "", ""],
        ["Ann Lee", "'+12025550101", "m.keane"],
    ]  # fmt: skip
    assert written.columns == ("full_name", "Telephone", "portfolio")


def test_who_is_asked_for_besides_must_fit_the_filter_of_the_profile_too(export, own, insert):
    own("title: Mine\nof: contacts\ncolumns: [full_name]\nfilter: {address_book: club}\n")
    insert("other", {"full_name": "Dee Lee"})

    assert names(export("mine")[1]) == ["Ann", "Cy"]
    assert names(export("mine", address_book="other")[1]) == []


def test_blank_values_come_last(export, own):
    own("title: Mine\nof: contacts\ncolumns: [full_name]\norder: [phone]\nfilter: {inactive: include}\n")

    assert names(export("mine")[1]) == ["Ann", "Bo", "Cy"]


def test_an_account_of_another_address_book_is_not_the_contacts(export, insert):
    insert("other", {**ACCOUNTS[0], "portfolio": "r.vance"}, table="accounts")

    assert names(export()[1]) == ["Ann", "Cy"]
    assert names(export(portfolio="r.vance")[1]) == []


def test_who_is_in_a_group_by_what_is_held_is_not_published_in_it(export, pipeline):
    for group in ("Spring", "Autumn"):
        upload = pipeline.plan_group_add(group, [1], user=ADMIN)
        pipeline.apply(upload.upload_id, user=ADMIN)
    with pipeline.store.change() as database:
        database.run("UPDATE uploads SET held = true WHERE upload_id = ?", [upload.upload_id])

    def count(group, **options):
        return export(group=group, inactive="include", **options)[0].rows

    assert (count("Autumn"), count("Autumn", published=True), count("Spring", published=True)) == (1, 0, 1)


def test_fields_of_an_own_import_profile_are_exported_too(pipeline, insert, tmp_path):
    with pipeline.store.change() as database:
        database.run("INSERT INTO fields VALUES ('shoe_size', 'text', true)")
        for table in ("contacts",):
            database.run(f"ALTER TABLE {table} ADD COLUMN shoe_size VARCHAR")
    insert("club", {"full_name": "Ann", "shoe_size": "42"})

    written = pipeline.export(tmp_path / "out.csv")

    assert written.columns[-1] == "shoe_size"
    assert "shoe_size" in written.sensitive
    assert cells(tmp_path / "out.csv")[1][-1] == "42"
