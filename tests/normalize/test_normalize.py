import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contact_pipeline.contracts.frames import BLANK_ROWS, NORMALIZED_ROWS, REPAIRS
from contact_pipeline.normalize import normalize, repairs_of
from contact_pipeline.profiles import load_profile
from contact_pipeline.profiles.reference import Reference
from tests.thorough import examples

REFERENCE = Reference(
    logins=frozenset({"Test.User", "ana.souza"}), vocabularies={"specialties": ("Cardiology", "Pediatrics", "Médica")}
)
OUTREACH = {
    "First name": "first_name",
    "Last name": "last_name",
    "SSN": "ssn",
    "Born": "date_of_birth",
    "Zip": "zip_code",
}


def test_the_columns_are_the_mapped_fields_in_the_profile_s_order(raw):
    rows = raw(**{"Zip": ["02139"], "First name": ["Rosa"], "Extra": ["x"], "SSN": [None]})
    fields = {"Zip": "zip_code", "First name": "first_name", "SSN": "ssn"}
    clean, blank = normalize(rows, fields, load_profile("outreach_contacts"), REFERENCE)
    assert clean.columns == [
        "row_number", "repaired", "first_name", "ssn", "zip_code",
        "further_first_name", "further_ssn", "further_zip_code",
    ]  # fmt: skip
    NORMALIZED_ROWS.validate(clean)
    BLANK_ROWS.validate(blank)


def test_a_blank_row_and_a_repeated_heading_are_blank_and_keep_their_numbers(raw):
    """E11: rows without data are not processed."""
    rows = raw(**{"First name": ["Rosa", " ", "First name", None], "Zip": ["02139", None, " Zip ", "02139"]})
    fields = {"First name": "first_name", "Zip": "zip_code"}
    clean, blank = normalize(rows, fields, load_profile("outreach_contacts"), REFERENCE)
    assert clean["row_number"].to_list() == [2, 5]
    assert blank["row_number"].to_list() == [3, 4]


def test_data_in_a_column_that_is_not_mapped_makes_a_row_not_blank(raw):
    rows = raw(**{"First name": [None], "Extra": ["something"]})
    clean, blank = normalize(rows, {"First name": "first_name"}, load_profile("outreach_contacts"), REFERENCE)
    assert (clean.height, blank.height) == (1, 0)


def test_headings_may_be_told_apart_from_the_names_of_the_raw_columns(raw):
    rows = raw(column_1=["Name", "Rosa"], column_2=["Name", "Delgado"])
    fields = {"column_1": "first_name", "column_2": "last_name"}
    headings = {"column_1": "Name", "column_2": "Name"}
    clean, blank = normalize(rows, fields, load_profile("outreach_contacts"), REFERENCE, headings)
    assert (clean["first_name"].to_list(), blank["row_number"].to_list()) == (["Rosa"], [2])


def test_the_full_name_is_made_of_its_parts_where_none_is_given(raw):
    rows = raw(Name=["Jordan Avery", None, None], First=["J.", "Kim", None], Last=["A.", "Lee", "Park"])
    fields = {"Name": "full_name", "First": "first_name", "Last": "last_name"}
    clean, _ = normalize(rows, fields, load_profile("dealer_leads"), REFERENCE)
    assert clean["full_name"].to_list() == ["Jordan Avery", "Kim Lee", "Park"]


def test_the_full_name_is_there_even_where_the_file_has_only_its_parts(raw):
    rows = raw(First=["Kim"], Last=["Lee"])
    clean, _ = normalize(rows, {"First": "first_name", "Last": "last_name"}, load_profile("dealer_leads"), REFERENCE)
    assert clean.columns[:5] == ["row_number", "repaired", "full_name", "first_name", "last_name"]
    assert clean["full_name"].to_list() == ["Kim Lee"]


def test_a_profile_without_a_full_name_gets_none(raw):
    rows = raw(First=["Kim"], Last=["Lee"])
    fields = {"First": "first_name", "Last": "last_name"}
    clean, _ = normalize(rows, fields, load_profile("outreach_contacts"), REFERENCE)
    assert "full_name" not in clean.columns


def test_a_default_is_not_filled_in(raw):
    """D3: a blank status means ACTIVE only for a new account, which matching knows."""
    rows = raw(Status=[None], Number=["123456-SP"])
    fields = {"Status": "status", "Number": "account_number"}
    clean, _ = normalize(rows, fields, load_profile("portfolio_accounts"), REFERENCE)
    assert clean["status"].to_list() == [None]


def test_a_repair_sets_the_bit_of_its_column(raw):
    """X5: no cell is silently changed."""
    rows = raw(
        **{"First name": ["Rosa", "Ana"], "SSN": ["1234567", None], "Born": ["1984-04-17"] * 2, "Zip": ["2139", ""]}
    )
    fields = {name: OUTREACH[name] for name in rows.columns if name in OUTREACH}
    clean, _ = normalize(rows, fields, load_profile("outreach_contacts"), REFERENCE)
    assert clean["repaired"].to_list() == [0b1010, 0]


def test_repairs_tell_the_value_as_read_and_as_stored_and_why(raw):
    """X5: what normalization alters is listed."""
    rows = raw(SSN=[" 1234567", "219-09-9990"], Born=["04/17/1984", "1984-04-17"], Zip=["2139", "02139"])
    fields = {name: OUTREACH[name] for name in rows.columns if name in OUTREACH}
    profile = load_profile("outreach_contacts")
    clean, _ = normalize(rows, fields, profile, REFERENCE)
    repairs = repairs_of(rows, clean, fields, profile, REFERENCE)
    REPAIRS.validate(repairs)
    assert repairs.rows() == [
        (2, "SSN", "ssn", " 1234567", "001-23-4567", "leading zeros restored"),
        (2, "Born", "date_of_birth", "04/17/1984", "1984-04-17", "read as %m/%d/%Y"),
        (2, "Zip", "zip_code", "2139", "02139", "leading zeros restored"),
    ]


def test_a_slice_without_repairs_has_none_to_tell(raw):
    rows = raw(Zip=["02139"])
    profile = load_profile("outreach_contacts")
    clean, _ = normalize(rows, {"Zip": "zip_code"}, profile, REFERENCE)
    repairs = repairs_of(rows, clean, {"Zip": "zip_code"}, profile, REFERENCE)
    REPAIRS.validate(repairs)
    assert repairs.is_empty()


def test_an_empty_slice_gives_empty_frames_of_the_right_types(raw):
    rows = raw(Zip=[], Born=[])
    clean, blank = normalize(
        rows, {"Zip": "zip_code", "Born": "date_of_birth"}, load_profile("outreach_contacts"), REFERENCE
    )
    assert clean.schema == {
        "row_number": pl.UInt32,
        "repaired": pl.UInt64,
        "date_of_birth": pl.String,
        "zip_code": pl.String,
        "further_date_of_birth": pl.String,
        "further_zip_code": pl.String,
    }
    assert blank.is_empty()


CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cs"])
LIKELY = st.sampled_from([
    "04/17/1984", "2139", "1234567", "219 09 9999", "(202) 555-0143 x12", "011 44 20 7946 0123", "call 202-555-0143",
    "CRM/SP 123.456", "11.222.333/0001-81", "A@EXAMPLE.COM", "cardiology; PEDIATRICS;x", "test.user", "MEDICAL",
    "4.479E+11", "1984-04-17 00:00:00", "e\u0301", "TRUE",
])  # fmt: skip
COLUMNS = {
    "text": {},
    "name": {},
    "email": {},
    "phone": {},
    "date": {"formats": ["%m/%d/%Y", "%d %b %Y"]},
    "ssn": {},
    "zip_code": {},
    "identifier": {"identifiers": ["crm", "cnpj", "cpf"]},
    "choice": {"choices": ["MEDICAL", "Médica", "Ação"]},
    "list": {"vocabulary": "specialties", "kind": "list"},
    "login": {},
    "boolean": {"kind": "boolean"},
}


TEXTS = LIKELY | st.text(CHARACTERS, max_size=20) | st.text("0123456789+-/. ()ABCSPabc;", max_size=20)


@pytest.mark.parametrize("kind", COLUMNS)
def test_normalizing_a_normalized_value_gives_itself(values_of, kind):
    def written(value):
        return ";".join(value) if isinstance(value, list) else {True: "true", False: "false"}.get(value, value)

    @settings(deadline=None, max_examples=examples(25, 60))
    @given(texts=st.lists(TEXTS, min_size=20, max_size=40))
    def holds(texts):
        once = values_of(texts, type=kind, reference=REFERENCE, **COLUMNS[kind])
        assert values_of([*map(written, once)], type=kind, reference=REFERENCE, **COLUMNS[kind]) == once

    holds()


def test_the_word_for_nothing_is_the_explicit_nothing(values_of):
    """D4: 'Without Portfolio' empties the owner; a blank does not."""
    column = {"type": "login", "nothing": "Without Portfolio"}
    assert values_of(["WITHOUT  PORTFOLIO", "Without Portfolio", None], **column) == ["", "", None]


@pytest.mark.parametrize(
    ("column", "texts", "expected"),
    [
        ({"type": "boolean", "blank_means": "yes"}, ["no", "", None, "n/a", "yes"], [False, True, True, True, True]),
        ({"type": "boolean", "blank_means": "no"}, ["ja", " ", None], [True, False, False]),
        ({"type": "text", "blank_means": "web"}, ["shop", "", "N/A"], ["shop", "web", "web"]),
        ({"type": "choice", "choices": ["Médico", "Any"], "blank_means": "Any"}, ["medico", None], ["Médico", "Any"]),
        ({"type": "list", "blank_means": "a; b"}, ["c", None], [["c"], ["a", "b"]]),
    ],
)  # fmt: skip
def test_a_blank_says_what_the_profile_lets_it_mean(values_of, column, texts, expected):
    assert values_of(texts, **column) == expected


def test_a_word_that_is_neither_yes_nor_no_is_no_blank(raw, one_column):
    rows, profile = raw(value=["perhaps", ""]), one_column(type="boolean", blank_means="yes")

    clean, blank = normalize(rows.with_columns(key=pl.lit("k")), {"value": "value", "key": "key"}, profile, Reference())

    assert clean.select("value", "unread_value").rows() == [(None, "perhaps"), (True, None)]
    assert blank.is_empty()


def test_without_the_column_every_row_with_data_says_it(raw, one_column):
    rows, profile = raw(key=["k", None, "m"]), one_column(type="boolean", blank_means="yes")

    clean, blank = normalize(rows, {"key": "key"}, profile, Reference())

    assert clean.select("row_number", "value", "unread_value", "key").rows() == [
        (2, True, None, "k"),
        (4, True, None, "m"),
    ]
    assert blank["row_number"].to_list() == [3]
    assert (clean["repaired"] == 0).all()
