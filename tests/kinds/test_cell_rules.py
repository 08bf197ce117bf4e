from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from stdnum.br import cnpj, cpf

from contact_pipeline.kinds.identifier_brazil import has_check_digits
from contact_pipeline.profiles import load_profile
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.validate import validate


def test_an_email_needs_a_local_part_and_a_domain(codes_of):
    right = ["a@example.com", "first.last+tag@mail.example.co.uk", "o'brien@example.org", "böb@example.com"]
    wrong = [
        "foo@",
        "@example.com",
        "foo.example.com",
        "jane doe@example.com",
        "a@@example.com",
        ".a@example.com",
        "a@b",
    ]
    assert codes_of(right, type="email") == [None] * 4
    assert codes_of(wrong, type="email") == ["email-syntax"] * 7


def test_an_email_has_the_lengths_of_the_standard(codes_of):
    local, label = "a" * 64, "b" * 63
    texts = [f"{local}@example.com", f"a{local}@example.com", f"a@{label}.com", f"a@b{label}.com"]
    assert codes_of(texts, type="email") == [None, "email-syntax", None, "email-syntax"]


def test_a_phone_number_must_be_one_that_a_numbering_plan_has(codes_of):
    texts = ["+12025550143", "+12025550143;ext=12", "+442079460123", "12345", "+44 12", "+19995550143", "call me"]
    assert codes_of(texts, type="phone") == [None] * 3 + ["phone-invalid"] * 4


def test_a_phone_number_that_only_the_library_can_judge_is_judged_by_it(codes_of):
    assert codes_of(["+17875550143", "+16715550143"], type="phone") == [None, None]


def test_a_national_number_without_a_region_asks_for_its_country(codes_of):
    texts = ["(202) 555-0143", "020 7946 0123", "call me", "+442079460123"]
    expected = ["phone-no-region", "phone-no-region", "phone-invalid", None]
    assert codes_of(texts, type="phone", region=None) == expected


def test_a_date_must_be_a_day(codes_of):
    texts = ["1984-04-17", "02/30/1985", "1985-02-30", "yesterday", "1984-04-17 10:30:00", "19840417"]
    assert codes_of(texts, type="date") == [None] + ["date-format"] * 5


def test_a_birth_date_lies_between_1900_and_today(codes_of):
    """B2: a birth date in the future or before 1900 is a row error."""
    today = datetime.now(UTC).astimezone().date()
    texts = ["1899-12-31", "1900-01-01", today.isoformat(), (today + timedelta(days=2)).isoformat()]
    expected = ["date-before-1900", None, None, "date-future"]
    assert codes_of(texts, type="date", field="date_of_birth") == expected


def test_another_date_may_lie_anywhere(codes_of):
    assert codes_of(["1066-10-14", "2190-01-01"], type="date", field="ends_on") == [None, None]


def test_a_social_security_number_has_nine_digits(codes_of):
    assert codes_of(["219-09-9990", "123-45-678", "n. a."], type="ssn") == [None, "ssn-format", "ssn-format"]


def test_a_social_security_number_must_be_one_that_may_be_issued(codes_of):
    texts = ["000-12-3456", "666-12-3456", "900-12-3456", "219-00-3456", "219-09-0000", "899-99-9999"]
    assert codes_of(texts, type="ssn") == ["ssn-never-issued"] * 5 + [None]


def test_a_zip_code_has_five_digits_or_nine(codes_of):
    texts = ["02139", "02139-4307", "123456", "ABCDE", "12"]
    assert codes_of(texts, type="zip_code") == [None, None] + ["zip-code-format"] * 3


def test_a_company_number_needs_right_check_digits(codes_of):
    """D7: check digits are verified, numeric and alphanumeric."""
    texts = ["11222333000181", "12ABC34501DE35", "11222333000180", "12ABC34501DE36", "ABC", "123456-SP"]
    expected = [None, None, "cnpj-check-digits", "cnpj-check-digits", "identifier-format", "identifier-format"]
    assert codes_of(texts, type="identifier", identifiers=["cnpj"]) == expected


def test_a_person_s_number_needs_right_check_digits(codes_of):
    texts = ["39053344705", "39053344706", "11111111111", "390"]
    expected = [None, "cpf-check-digits", "cpf-check-digits", "identifier-format"]
    assert codes_of(texts, type="identifier", identifiers=["cpf"]) == expected


def test_a_medical_council_registration_is_a_number_and_a_state(codes_of):
    """D7: a CRM for medical accounts."""
    texts = ["123456-SP", "123456-XX", "11222333000181"]
    assert codes_of(texts, type="identifier", identifiers=["crm"]) == [None, "crm-format", "crm-format"]


@pytest.mark.parametrize("first", range(0, 10**12, 83_333_333_333))
def test_company_check_digits_agree_with_those_of_stdnum(first):
    numbers = [f"{first + step * 7919:012d}" for step in range(50)] + [f"AB{first % 10**10:010d}"]
    numbers = [f"{number}{cnpj.calc_check_digits(number)}" for number in numbers]
    wrong = [f"{number[:-1]}{(int(number[-1]) + 1) % 10}" for number in numbers]
    value = pl.DataFrame({"value": numbers + wrong})
    judged = value.select(has_check_digits(pl.col("value"), "cnpj")).to_series().to_list()
    assert judged == [cnpj.is_valid(number) for number in numbers + wrong]


def test_personal_check_digits_agree_with_those_of_stdnum():
    numbers = [f"{step * 9_973_331:011d}" for step in range(1, 500)]
    judged = pl.DataFrame({"value": numbers}).select(has_check_digits(pl.col("value"), "cpf")).to_series()
    assert judged.to_list() == [cpf.is_valid(number) for number in numbers]


def test_the_kind_of_identifier_follows_another_column(rows):
    """D7: a CRM for medical accounts, a CNPJ for companies and insurers."""
    numbers = ["123456-SP", "11222333000181", "11222333000181", "123456-SP", "123456-SP"]
    types = ["MEDICAL", "COMPANY", "MEDICAL", "INSURANCE", None]
    found = validate(
        rows(account_number=numbers, account_type=types), load_profile("portfolio_accounts"), Reference(), {}
    )
    found = found.filter(pl.col("field") == "account_number")
    assert found.select("row_number", "code").rows() == [(4, "crm-format"), (5, "identifier-format")]


def test_a_choice_must_be_one_of_those_allowed(codes_of):
    """D3: account types are MEDICAL, COMPANY and INSURANCE."""
    column = {"type": "choice", "choices": ["MEDICAL", "COMPANY", "INSURANCE"]}
    assert codes_of(["MEDICAL", "MEDICLE"], **column) == [None, "not-a-choice"]


def test_every_item_of_a_list_must_be_registered(codes_of):
    """D7: qualifications must match the registered specialties."""
    column = {"type": "list", "vocabulary": "specialties", "kind": "list"}
    values = [["Cardiology", "Pediatrics"], ["Cardiology", "Cardiolgy"], None]
    assert codes_of(values, **column) == [None, "not-in-vocabulary", None]


def test_a_login_must_be_known(codes_of):
    """D4: an unknown login is a row error; the word for nothing is none."""
    column = {"type": "login", "nothing": "Without Portfolio"}
    assert codes_of(["test.user", "nobody", "", None], **column) == [None, "unknown-login", None, None]


def test_text_may_not_be_longer_than_the_column_allows(codes_of):
    assert codes_of(["é" * 10, "é" * 11], type="text", max_length=10) == [None, "too-long"]


@pytest.mark.parametrize("kind", ["text", "phone", "ssn", "zip_code", "identifier"])
def test_what_a_spreadsheet_destroyed_is_named_as_such(codes_of, kind):
    """X5: what Excel destroyed is rejected, not guessed."""
    column = {"identifiers": ["cnpj"]} if kind == "identifier" else {}
    assert codes_of(["4.479E+11", "1,12223E+13", "1E+15"], type=kind, **column) == ["excel-scientific"] * 3


def test_a_negative_number_is_destroyed_likewise(codes_of):
    assert codes_of(["-4.11111111111111E+15"], type="text") == ["excel-scientific"]


def test_what_is_neither_yes_nor_no_is_rejected(profile_of, rows):
    profile = profile_of([{"field": "do_not_contact", "heading": "Stop", "type": "boolean"}])
    frame = rows(do_not_contact=[None, True], unread_do_not_contact=["perhaps", None]).cast(
        {"do_not_contact": pl.Boolean}
    )
    found = validate(frame, profile, Reference(), {})
    assert found.select("row_number", "column", "field", "value", "code").rows() == [
        (2, "Stop", "do_not_contact", "perhaps", "boolean-format")
    ]


def test_a_blank_cell_passes_every_rule_for_cells(codes_of):
    for kind in ("text", "name", "email", "phone", "date", "ssn", "zip_code", "login"):
        assert codes_of([None], type=kind) == [None]


def test_a_domain_in_which_nobody_has_mail_makes_no_address(codes_of):
    texts = ["a@example.test", "a@host.local", "a@sub.INVALID", "a@localhost", "a@example.com"]
    assert codes_of(texts, type="email") == ["email-syntax"] * 4 + [None]


def test_a_postal_code_is_judged_by_the_country_of_its_row(profile_of, rows):
    columns = [
        {"field": "zip_code", "heading": "Zip", "type": "zip_code"},
        {"field": "country", "heading": "Country", "type": "country"},
    ]
    profile = profile_of(columns)
    frame = rows(zip_code=["SW1A 1AA", "SW1A 1AA", "02139", "1234 AB", "x"], country=["GB", "US", None, "NL", "HK"])
    found = validate(frame, profile, Reference(), {})
    assert found.select("row_number", "code").rows() == [(3, "zip-code-format")]
    unknown = validate(rows(zip_code=["02139"], country=["Atlantis"]), profile, Reference(), {})
    assert unknown["code"].to_list() == ["zip-code-no-country", "country-unknown"]
    without = validate(rows(zip_code=["SW1A 1AA"]), profile, Reference(), {})
    assert without["fix"].to_list() == ["Write the postal code as its country writes it."]


def test_a_text_that_can_be_two_days_is_rejected_as_such(codes_of):
    texts = ["03/04/1984", "nonsense", "1984-04-03"]
    formats = ["%m/%d/%Y", "%d/%m/%Y"]
    assert codes_of(texts, type="date", formats=formats) == ["date-ambiguous", "date-format", None]


@pytest.mark.parametrize("region", ["US", None])
def test_words_beside_a_number_are_said_to_be_so(codes_of, region):
    texts = ["do not call 202-555-0143", "8 916 123-45-67 не звонить", "Fax: +1 202 555 0143", "+12025550143;ext=12"]
    assert codes_of(texts, type="phone", region=region) == ["phone-words"] * 3 + [None]
    assert codes_of(["call me", "room 12"], type="phone", region=region) == ["phone-invalid"] * 2
