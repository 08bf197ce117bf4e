import polars as pl

from contact_pipeline.contracts.frames import REJECTIONS, empty
from contact_pipeline.engines import open_database
from contact_pipeline.profiles import load_profile
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.settings import Settings
from contact_pipeline.validate import validate
from contact_pipeline.validate.unique import reject_repeats


def codes(frame, profile):
    return validate(frame, profile, Reference(), {}).select("row_number", "field", "code").rows()


def test_a_required_cell_may_not_be_blank(rows):
    """A3: at least an e-mail address for each contact."""
    frame = rows(email=["dana@example.com", None], first_name=["Dana", "Lee"])
    assert codes(frame, load_profile("program_contacts")) == [(3, "email", "required")]


def test_the_explicit_nothing_fills_a_required_cell(rows):
    """D4: 'Without Portfolio' is an answer."""
    frame = rows(
        account_number=["123456-SP"], account_name=["A"], account_type=["MEDICAL"], portfolio=[""], status=[None]
    )
    assert codes(frame, load_profile("portfolio_accounts")) == []


def test_a_row_needs_one_whole_set_of_values(rows):
    """B2: an account number, or a name with a phone or e-mail."""
    frame = rows(
        account_number=["AC-1", None, None, None, None],
        first_name=[None, "Rosa", None, "Rosa", None],
        last_name=[None, None, "Delgado", None, None],
        phone=[None, "+12025550143", None, None, "+12025550143"],
        email=[None, None, "r@example.com", None, None],
    )
    profile = load_profile("outreach_contacts")
    assert codes(frame, profile) == [(5, None, "needs-one-of"), (6, None, "needs-one-of")]


def test_the_message_says_what_the_row_needs(rows):
    found = validate(rows(first_name=["Rosa"]), load_profile("outreach_contacts"), Reference(), {})
    assert found["message"][0] == (
        "The row lacks an account number, or a name with a phone number or an e-mail address."
    )


def test_a_full_name_is_a_name(rows):
    """E5: name, whole or in parts."""
    frame = rows(full_name=["Jordan Avery", None], phone=["+12025550143"] * 2)
    assert codes(frame, load_profile("dealer_leads")) == [(3, None, "needs-one-of")]


def test_a_rule_may_apply_only_where_something_is_filled(rows):
    """D5: columns F to I all blank: no contact, and nothing to complain of."""
    frame = rows(
        account_number=["123456-SP"] * 3,
        account_name=["A"] * 3,
        account_type=["MEDICAL"] * 3,
        portfolio=[""] * 3,
        contact_name=[None, "Ana Souza", "Ana Souza"],
        contact_type=[None, None, "DOCTOR"],
        contact_email=[None, "ana.souza@example.com", None],
    )
    assert codes(frame, load_profile("portfolio_accounts")) == [(3, None, "needs-one-of")]


def test_an_identifier_must_repeat_the_account_number(rows):
    """D8: an identifier that differs from the account number is a row error."""
    frame = rows(
        account_number=["123456-SP"] * 2, full_name=["Ana", "Bia"], identifier=["123456-SP", "654321-SP"],
        contact_type=["DOCTOR"] * 2,
    )  # fmt: skip
    found = validate(frame, load_profile("portfolio_contacts"), Reference(), {})
    assert found.select("row_number", "field", "code", "message").rows() == [
        (3, "identifier", "differs-from", "Identifier '654321-SP' is not the same as Account Number.")
    ]


def test_a_blank_identifier_is_missing_and_not_different(rows):
    frame = rows(account_number=["123456-SP"], full_name=["Ana"], identifier=[None], contact_type=["DOCTOR"])
    assert codes(frame, load_profile("portfolio_contacts")) == [(2, "identifier", "required")]


def test_a_column_that_is_not_in_the_file_is_blank_to_the_rules(rows):
    assert codes(rows(first_name=["Imani"]), load_profile("property_contacts")) == []
    assert codes(rows(city=["London"]), load_profile("property_contacts")) == [(2, None, "needs-one-of")]


COLUMNS = [
    {"field": "contact_type", "heading": "Type"},
    {"field": "address", "heading": "Street"},
    {"field": "city", "heading": "City"},
    {"field": "qualifications", "heading": "Qualifications", "type": "list"},
    {"field": "begins", "heading": "Begins", "type": "date"},
    {"field": "ends", "heading": "Ends", "type": "date"},
]


def test_fields_that_belong_together_are_all_filled_or_none(profile_of, rows):
    profile = profile_of(COLUMNS, rules=[{"together": ["address", "city"]}])
    frame = rows(address=["1 Elm St", "2 Elm St", None], city=["Salem", None, None])
    assert codes(frame, profile) == [(3, None, "required-together")]
    told = validate(frame, profile, Reference(), {"address": "Road"})
    assert told["message"].to_list() == ["The row fills only a part of Road and City."]
    assert codes(rows(address=["1 Elm St"]), profile) == [(2, None, "required-together")]


def test_a_field_may_be_required_because_of_another(profile_of, rows):
    profile = profile_of(COLUMNS, rules=[{"required": "qualifications", "when": {"contact_type": ["DOCTOR"]}}])
    frame = rows(contact_type=["DOCTOR", "DOCTOR", "OTHERS", None], qualifications=[["Cardiology"], None, None, None])
    assert codes(frame, profile) == [(3, "qualifications", "required-when")]
    told = validate(frame, profile, Reference(), {})
    assert told["message"].to_list() == ["Qualifications is blank, but is needed where contact_type is DOCTOR."]
    filled = profile_of(COLUMNS, rules=[{"required": "city", "when": {"address": []}}])
    assert codes(rows(address=["1 Elm St", None], city=[None, None]), filled) == [(2, "city", "required-when")]


def test_a_start_is_not_after_its_end(profile_of, rows):
    profile = profile_of(COLUMNS, rules=[{"start": "begins", "end": "ends"}])
    frame = rows(
        begins=["2024-01-01", "2024-01-01", "2025-01-01", None, "2025-01-01"],
        ends=["2024-01-01", "2025-01-01", "2024-01-01", "2024-01-01", None],
    )
    assert codes(frame, profile) == [(4, "ends", "end-before-start")]
    told = validate(frame, profile, Reference(), {})
    assert told["message"].to_list() == ["Ends '2024-01-01' is before Begins."]
    assert codes(rows(ends=["2024-01-01"]), profile) == []


def test_a_blank_agrees_with_everything_where_two_cells_are_to_agree(profile_of, rows):
    profile = profile_of(COLUMNS, rules=[{"same": ["address", "city"]}])
    frame = rows(address=["Salem", None, None, "Lynn"], city=["Salem", "Salem", None, "Salem"])
    assert codes(frame, profile) == [(5, "address", "differs-from")]


def test_the_explicit_nothing_is_nothing_to_a_rule_for_rows(profile_of, rows):
    profile = profile_of(COLUMNS, rules=[{"together": ["address", "city"]}])
    assert codes(rows(address=["", ""], city=["Salem", None]), profile) == [(2, None, "required-together")]


def test_a_wish_that_cannot_be_read_rejects_its_row_where_other_cells_are_only_noted(profile_of, rows):
    """Nobody who may have said no is imported as somebody who said nothing."""
    columns = [
        {"field": "do_not_contact", "heading": "Stop", "type": "boolean"},
        {"field": "email", "heading": "Email", "type": "email"},
    ]
    frame = rows(
        key=["1"], do_not_contact=[None], unread_do_not_contact=["perhaps"], email=["no address"]
    ).cast({"do_not_contact": pl.Boolean})  # fmt: skip
    found = validate(frame, profile_of(columns, on_error="note"), Reference(), {})
    assert dict(found.select("field", "severity").iter_rows()) == {"do_not_contact": "error", "email": "noted"}


def test_what_is_unique_together_is_compared_only_where_all_of_it_is_filled(profile_of, rows):
    profile = profile_of(COLUMNS, rules=[{"unique": ["address", "city"]}])
    frame = rows(address=["1 Elm St"] * 5, city=["Salem", None, None, "Lynn", "SALEM"])
    with open_database(None, Settings()) as database:
        database.store("normalized_rows", frame)
        database.store("rejections", empty(REJECTIONS))
        database.run("CREATE TABLE noted_cells (row_number UINTEGER, fields VARCHAR[])")
        database.run("CREATE TABLE left_out_rows (row_number UINTEGER)")
        reject_repeats(database, profile, {})
        assert database.rows("SELECT row_number, code FROM rejections") == [(6, "not-unique")]
