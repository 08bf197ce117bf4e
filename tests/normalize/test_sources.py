"""Several columns for one field: which cell counts, and what is kept of the others."""

import pytest

from contact_pipeline.normalize import normalize, repairs_of
from contact_pipeline.profiles import Profile
from contact_pipeline.profiles.reference import Reference


def profile_of(*columns):
    return Profile.model_validate(
        {
            "name": "people", "title": "People", "address_book": "people", "file": {"types": ["csv"]},
            "headings": "mapped", "region": "US",
            "columns": [{"field": "full_name", "heading": "Name", "type": "name"}, *columns],
            "match": [{"equal": ["full_name"]}], "on_error": "reject", "apply": "approval",
        }
    )  # fmt: skip


PHONE = {"field": "phone", "heading": "Phone", "type": "phone"}
SECOND = {"field": "phone_2", "heading": "Second phone", "type": "phone"}
EMAIL = {"field": "email", "heading": "Email", "type": "email"}
CONSENT = {"field": "do_not_contact", "heading": "Do not contact", "type": "boolean"}
ADDRESS = [{"field": "address", "heading": "Street"}, {"field": "city", "heading": "City"}]
NUMBERS = [f"(202) 555-01{n}" for n in range(40, 50)]
STORED = [f"+120255501{n}" for n in range(40, 50)]


@pytest.fixture
def cleaned(raw):
    """Normalizes rows of raw columns, each mapped to the field beside it."""

    def clean(profile, fields, places=None, **columns):
        rows = raw(Name=["Ada"] * len(next(iter(columns.values()))), **columns)
        mapping = {"Name": "full_name", **fields}
        values, _ = normalize(rows, mapping, profile, Reference(), None, None, places)
        return values, repairs_of(rows, values, mapping, profile, Reference(), None, places)

    return clean


def test_the_first_filled_cell_counts_and_the_others_are_kept(cleaned):
    """E12: nothing is lost."""
    values, _ = cleaned(
        profile_of(PHONE),
        {"Mobile": "phone", "Home": "phone"},
        Home=[NUMBERS[0], NUMBERS[0], None, NUMBERS[1]],
        Mobile=[None, NUMBERS[1], None, NUMBERS[1]],
    )

    assert values["phone"].to_list() == [STORED[0], STORED[1], None, STORED[1]]
    assert values["further_phone"].to_list() == [None, f"{STORED[0]} (Home)", None, None]
    assert values["column_of_phone"].to_list() == ["Home", None, None, None]


def test_a_word_for_nothing_is_no_filled_cell(cleaned):
    values, repairs = cleaned(
        profile_of(PHONE), {"A": "phone", "B": "phone"}, A=["N/A", "N/A", " "], B=[NUMBERS[0], None, NUMBERS[0]]
    )

    assert values["phone"].to_list() == [STORED[0], None, STORED[0]]
    assert repairs.select("row_number", "column", "before", "why").rows() == [
        (3, "A", "N/A", "a word for nothing: blank")
    ]


def test_a_repair_names_the_column_of_the_cell_that_counts(cleaned):
    _, repairs = cleaned(
        profile_of(PHONE), {"A": "phone", "B": "phone"}, A=[None, NUMBERS[0]], B=["Mobile: 202-555-0141", None]
    )

    assert repairs.select("row_number", "column", "before", "after").rows() == [
        (2, "B", "Mobile: 202-555-0141", "+12025550141")
    ]


def test_further_values_fill_the_fields_that_the_profile_has_for_them(cleaned):
    """E12: nothing is lost."""
    values, _ = cleaned(
        profile_of(PHONE, SECOND),
        {"A": "phone", "B": "phone", "C": "phone", "Own": "phone_2"},
        A=[NUMBERS[0], f"{NUMBERS[0]} / {NUMBERS[1]}", NUMBERS[0], NUMBERS[0]],
        B=[NUMBERS[1], NUMBERS[2], NUMBERS[1], NUMBERS[1]],
        C=[NUMBERS[2], None, None, None],
        Own=[None, None, NUMBERS[3], NUMBERS[1]],
    )

    assert values["phone"].to_list() == [STORED[0]] * 4
    assert values["phone_2"].to_list() == [STORED[1], STORED[1], STORED[3], STORED[1]]
    assert values["further_phone"].to_list() == [f"{STORED[2]} (C)", f"{STORED[2]} (B)", f"{STORED[1]} (B)", None]


def test_a_second_number_in_a_cell_fills_the_second_field_of_a_profile_without_its_column(cleaned):
    values, _ = cleaned(profile_of(PHONE, SECOND), {"A": "phone"}, A=[f"{NUMBERS[0]} ::: {NUMBERS[1]}", NUMBERS[2]])

    assert values["phone_2"].to_list() == [STORED[1], None]
    assert values["further_phone"].to_list() == [None, None]


def test_an_address_that_only_differs_in_case_is_no_further_one(cleaned):
    values, _ = cleaned(
        profile_of(EMAIL),
        {"A": "email", "B": "email"},
        A=["ada@example.com", "ada@example.com ::: b@example.com"],
        B=["ADA@example.com", "b@example.com; c@example.com"],
    )

    assert values["further_email"].to_list() == [None, "b@example.com, c@example.com (B)"]


def test_parts_of_an_address_come_from_one_place_in_every_row(cleaned):
    fields = {"HomeStreet": "address", "WorkStreet": "address", "HomeCity": "city", "WorkCity": "city"}
    values, _ = cleaned(
        profile_of(*ADDRESS),
        fields,
        {"HomeStreet": "home", "HomeCity": "home", "WorkStreet": "work", "WorkCity": "work"},
        HomeStreet=["1 Mill Rd", None, "1 Mill Rd", None],
        HomeCity=["Salem", None, None, "Salem"],
        WorkStreet=["200 State St", "200 State St", None, "200 State St"],
        WorkCity=["Boston", "Boston", "Boston", "Boston"],
    )

    assert values.select("address", "city").rows() == [
        ("1 Mill Rd", "Salem"), ("200 State St", "Boston"), ("1 Mill Rd", None), (None, "Salem"),
    ]  # fmt: skip
    assert values.select("further_address", "further_city").rows() == [
        ("200 State St (WorkStreet)", "Boston (WorkCity)"),
        (None, None),
        (None, "Boston (WorkCity)"),
        ("200 State St (WorkStreet)", "Boston (WorkCity)"),
    ]


def test_a_place_without_a_column_for_a_part_leaves_it_blank(cleaned):
    values, _ = cleaned(
        profile_of(*ADDRESS),
        {"WorkStreet": "address", "HomeStreet": "address", "HomeCity": "city"},
        {"WorkStreet": "work", "HomeStreet": "home", "HomeCity": "home"},
        WorkStreet=["200 State St", None],
        HomeStreet=[None, "1 Mill Rd"],
        HomeCity=["Salem", "Salem"],
    )

    assert values.select("address", "city").rows() == [("200 State St", None), ("1 Mill Rd", "Salem")]
    assert values["further_city"].to_list() == ["Salem (HomeCity)", None]


def test_a_postal_code_that_is_kept_is_read_by_the_rules_of_its_own_place(cleaned):
    zip_code = {"field": "zip_code", "heading": "Zip", "type": "zip_code"}
    country = {"field": "country", "heading": "Country", "type": "country"}
    values, _ = cleaned(
        profile_of(zip_code, country),
        {"HomeZip": "zip_code", "WorkZip": "zip_code", "HomeCountry": "country", "WorkCountry": "country"},
        {"HomeZip": "home", "HomeCountry": "home", "WorkZip": "work", "WorkCountry": "work"},
        HomeZip=["10115", "8001"],
        HomeCountry=["DE", "CH"],
        WorkZip=["8002", "1067"],
        WorkCountry=["CH", "DE"],
    )

    assert values["further_zip_code"].to_list() == ["8002 (WorkZip)", "01067 (WorkZip)"]


@pytest.mark.parametrize("order", [("A", "B"), ("B", "A")])
def test_a_refusal_in_any_column_counts(cleaned, order):
    values, _ = cleaned(
        profile_of(CONSENT),
        dict.fromkeys(order, "do_not_contact"),
        A=["no", "no", "perhaps", None],
        B=["yes", "perhaps", "yes", "no"],
    )

    assert values["do_not_contact"].to_list() == [True, None, True, False]
    assert values["unread_do_not_contact"].to_list() == [None, "perhaps", None, None]


def test_a_row_that_repeats_several_headings_of_a_field_is_blank(raw):
    rows = raw(Name=["Ada", "Name"], A=[NUMBERS[0], "A"], B=[NUMBERS[1], "B"])
    fields = {"A": "phone", "B": "phone", "Name": "full_name"}
    values, blank = normalize(rows, fields, profile_of(PHONE), Reference())

    assert values["phone"].to_list() == [STORED[0]]
    assert blank["row_number"].to_list() == [3]
