import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.errors import SchemaErrors

from contact_pipeline.contracts.frames import REJECTIONS
from contact_pipeline.masking import hide_column as hidden
from contact_pipeline.profiles import load_profile, masked
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.validate import noted_cells, validate

REFERENCE = Reference(
    logins=frozenset({"test.user", "ana.souza"}), vocabularies={"specialties": ("Cardiology", "Pediatrics")}
)


def test_every_failure_is_told_by_row_and_column(rows):
    """A5: errors are immediate. D6: the type of error per row."""
    frame = rows(email=["a@", "b@example.com", None], phone=["12", None, "+12025550143"])
    found = validate(frame, load_profile("program_contacts"), REFERENCE, {"email": "E-mail", "phone": "Phone"})
    REJECTIONS.validate(found)
    assert found.select("row_number", "column", "value", "code", "severity").rows() == [
        (2, "E-mail", "a@", "email-syntax", "error"),
        (2, "Phone", "12", "phone-invalid", "error"),
        (4, "E-mail", None, "required", "error"),
    ]


def test_rows_without_defects_give_an_empty_frame_of_the_contract(rows):
    found = validate(rows(email=["a@example.com"]), load_profile("program_contacts"), REFERENCE, {})
    REJECTIONS.validate(found)
    assert found.is_empty()


def test_a_cell_has_one_defect_the_first(rows):
    frame = rows(account_number=["4.479E+11" + "1" * 600], ssn=["000-00-0000"])
    found = validate(frame, load_profile("outreach_contacts"), REFERENCE, {})
    assert found["code"].to_list() == ["ssn-never-issued", "too-long"]


def test_a_sensitive_value_is_masked_in_value_message_and_fix(rows):
    """B2: SSN and date of birth are masked wherever they are shown."""
    frame = rows(account_number=["AC-1"], ssn=["555-44-333"], date_of_birth=["17 Apr 1984"])
    found = validate(frame, load_profile("outreach_contacts"), REFERENCE, {})
    assert found["value"].to_list() == ["***-**-***", "** *** ****"]
    text = " ".join(found.select(pl.concat_str("value", "message", "fix")).to_series())
    assert not any(part in text for part in ("555", "44", "333", "17", "Apr", "1984"))


@given(st.text(st.characters(codec="utf-8"), max_size=30))
@settings(deadline=None)
def test_the_mask_hides_what_that_of_the_profiles_hides(text):
    shown = pl.select(hidden(pl.lit(text))).item()
    assert len(shown) == len(text)
    assert all(ours == "*" for ours, theirs in zip(shown, masked(text), strict=True) if theirs == "*")


def test_the_mask_keeps_the_shape_of_a_value():
    assert pl.select(hidden(pl.lit("219-09-9990"))).item() == masked("219-09-9990") == "***-**-****"


def test_a_long_value_is_shortened_in_the_message_only(rows):
    long = "x" * 600
    found = validate(rows(email=["a@example.com"], company=[long]), load_profile("program_contacts"), REFERENCE, {})
    assert found["value"][0] == long
    assert len(found["message"][0]) < 200


def test_an_unknown_value_names_the_registered_ones_nearest_to_it(rows):
    frame = rows(
        account_number=["123456-SP"], full_name=["Ana"], identifier=["123456-SP"], contact_type=["DOCTR"],
        qualifications=[["Cardiology", "Pediatric", "Xyz"]],
    )  # fmt: skip
    found = validate(frame, load_profile("portfolio_contacts"), REFERENCE, {})
    assert found.select("value", "message", "fix").rows() == [
        ("DOCTR", "Type 'DOCTR' is not an allowed value.", "Did you mean DOCTOR?"),
        (
            "Cardiology; Pediatric; Xyz",
            "Qualifications: 'Pediatric; Xyz' is not registered.",
            "Did you mean Pediatrics? Use one of: Cardiology, Pediatrics.",
        ),
    ]


def test_an_unknown_login_names_the_known_ones_nearest_to_it(rows):
    """D4: an unknown login is a row error."""
    frame = rows(account_number=["123456-SP"], account_name=["A"], account_type=["MEDICAL"], portfolio=["ana.sousa"])
    found = validate(frame, load_profile("portfolio_accounts"), REFERENCE, {})
    assert found.select("code", "fix").rows() == [("unknown-login", "Did you mean ana.souza?")]


def test_a_vocabulary_that_was_never_loaded_is_said_to_be_missing(rows):
    frame = rows(
        account_number=["123456-SP"], full_name=["Ana"], identifier=["123456-SP"], contact_type=["DOCTOR"],
        qualifications=[["Cardiology"]],
    )  # fmt: skip
    found = validate(frame, load_profile("portfolio_contacts"), Reference(), {})
    assert found["fix"].to_list() == ["Load the vocabulary 'specialties' first: nothing is registered."]


def test_a_heading_in_the_file_may_hold_anything(rows):
    found = validate(rows(email=["a@"]), load_profile("program_contacts"), REFERENCE, {"email": "E{}mail {value} {"})
    assert found["message"][0] == "E{}mail {value} { 'a@' is not an e-mail address."


def test_a_bad_cell_under_block_or_reject_counts_as_given(rows):
    """C3: the row is rejected for its cell, not for what it lacks besides."""
    frame = rows(first_name=["Rosa"], phone=["12"])
    found = validate(frame, load_profile("outreach_contacts"), REFERENCE, {})
    assert found["code"].to_list() == ["phone-invalid"]


def test_a_bad_cell_under_note_is_taken_out_and_the_row_stays(rows):
    """E12: a value that could not be imported goes to the notes; the row is not lost."""
    frame = rows(full_name=["Jordan Avery"], phone=["12"], email=["jordan.avery@example.com"])
    found = validate(frame, load_profile("dealer_leads"), REFERENCE, {"phone": "Mobile"})
    assert found.select("code", "severity").rows() == [("phone-invalid", "noted")]
    assert noted_cells(found).rows() == [(2, ["phone"], ["[import] Mobile: 12"])]


def test_a_row_that_is_left_without_what_it_needs_is_rejected(rows):
    """E12: a row left without a name, or without phone and email, is rejected."""
    frame = rows(full_name=["Jordan Avery"], phone=["12"], email=["jordan.avery@"])
    found = validate(frame, load_profile("dealer_leads"), REFERENCE, {})
    assert found.select("field", "code", "severity").rows() == [
        ("phone", "phone-invalid", "noted"),
        ("email", "email-syntax", "noted"),
        (None, "needs-one-of", "error"),
    ]


def test_several_cells_of_a_row_make_several_notes(rows):
    """E12: each value is kept."""
    profile = load_profile("dealer_leads")
    frame = rows(full_name=["Jordan Avery", "Kim Lee"], phone=["12", None], email=["a@", "kim@example.com"])
    found = validate(frame, profile, REFERENCE, {})
    assert noted_cells(found).rows() == [(2, ["phone", "email"], ["[import] Phone: 12", "[import] Email: a@"])]


def test_a_sensitive_value_is_never_written_into_a_note(profile_of, rows):
    """E12: a sensitive value is not written into a note."""
    columns = [
        {"field": "account_number", "heading": "Account"},
        {"field": "ssn", "heading": "SSN", "type": "ssn", "sensitive": True},
    ]
    profile = profile_of(columns, on_error="note")
    found = validate(rows(account_number=["AC-1"], ssn=["123-45-678"]), profile, REFERENCE, {})
    assert noted_cells(found).rows() == [(2, ["ssn"], ["[import] SSN: not imported"])]


def test_without_noted_cells_there_is_nothing_to_join(rows):
    found = validate(rows(email=["a@"]), load_profile("program_contacts"), REFERENCE, {})
    cells = noted_cells(found)
    assert cells.schema == {"row_number": pl.UInt32, "fields": pl.List(pl.String), "notes": pl.List(pl.String)}
    assert cells.is_empty()


def test_a_frame_that_breaks_the_contract_is_a_fault_not_a_rejection(rows):
    frame = rows(email=["a@example.com"]).with_columns(email=pl.lit(1))
    with pytest.raises(SchemaErrors):
        validate(frame, load_profile("program_contacts"), REFERENCE, {})


def test_an_empty_slice_has_no_defects(rows):
    frame = rows(email=["a@"]).clear()
    assert validate(frame, load_profile("program_contacts"), REFERENCE, {}).is_empty()


def test_further_addresses_are_a_warning_and_go_to_the_notes(rows):
    """E12: nothing is lost."""
    frame = rows(full_name=["Jordan Avery"], email=["a@example.com"], further_email=["b@example.com, c@example.com"])
    found = validate(frame, load_profile("dealer_leads"), REFERENCE, {"email": "Mail"})
    assert found.select("code", "severity", "value").rows() == [
        ("email-several", "warning", "b@example.com, c@example.com")
    ]
    assert noted_cells(found).rows() == [(2, [], ["[import] Mail: b@example.com, c@example.com"])]


def test_further_values_go_to_the_notes_and_name_the_column_of_the_cell_that_counts(rows):
    """E12: nothing is lost."""
    frame = rows(
        full_name=["Jordan Avery"],
        phone=["+12025550143"],
        further_phone=["+12025550144 (Home)"],
        column_of_phone=["Mobile"],
    )
    found = validate(frame, load_profile("dealer_leads"), REFERENCE, {"phone": "Phone"})
    assert found.select("column", "code", "severity").rows() == [("Mobile", "several-values", "warning")]
    assert noted_cells(found)["notes"].to_list() == [["[import] beside Mobile: +12025550144 (Home)"]]


def test_a_likely_slip_in_a_domain_is_a_warning_with_a_hint(rows):
    frame = rows(email=["dana@gamil.com", "dana@gmail.com"])
    found = validate(frame, load_profile("program_contacts"), REFERENCE, {})
    assert found.select("row_number", "code", "severity", "fix").rows() == [
        (2, "email-domain-typo", "warning", "Was gmail.com meant? Correct it in the source if so.")
    ]


@pytest.mark.parametrize("slip", ["gmali.com", "gmai.com", "ggmail.com", "gnail.com", "gmail.con", "gmail.co"])
def test_the_usual_slips_are_known(rows, slip):
    found = validate(rows(email=[f"dana@{slip}"]), load_profile("program_contacts"), REFERENCE, {})
    assert found["fix"].to_list() == ["Was gmail.com meant? Correct it in the source if so."]


def test_a_domain_that_is_well_known_itself_is_no_slip(rows):
    domains = ["gmail.com", "mail.com", "ymail.com", "yahoo.com", "yahoo.co.jp", "outlook.com", "example.com"]
    frame = rows(email=[f"dana@{domain}" for domain in domains])
    assert validate(frame, load_profile("program_contacts"), REFERENCE, {}).is_empty()


def test_a_warning_takes_nothing_out_of_a_row(rows):
    frame = rows(full_name=["Jordan Avery"], email=["dana@gamil.com"])
    found = validate(frame, load_profile("dealer_leads"), REFERENCE, {})
    assert found["code"].to_list() == ["email-domain-typo"]
