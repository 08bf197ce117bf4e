"""`value`: single values go through what an upload goes through."""

import pytest

KEYS = ["input", "region", "value", "valid", "code", "message", "fix", "repairs"]


def test_values_are_judged_in_the_order_given(run):
    ended = run("value", "phone", "(202) 555-0143", "12345", "--region", "us", "--json")
    assert ended.status == 0
    good, bad = ended.document
    assert list(good) == KEYS
    assert (good["value"], good["valid"], good["code"], good["region"]) == ("+12025550143", True, None, "US")
    assert (bad["input"], bad["value"], bad["valid"], bad["code"]) == ("12345", None, False, "phone-invalid")
    assert bad["message"]
    assert bad["fix"]


def test_a_national_number_without_a_region_is_not_guessed(run):
    (judged,) = run("value", "phone", "(202) 555-0143", "--json").document
    assert (judged["code"], judged["region"]) == ("phone-no-region", None)


def test_a_file_gives_each_value_its_region(run, tmp_path):
    file = tmp_path / "values.csv"
    file.write_text("text,region\n020 7946 0123,GB\n(11) 5555-0123,br\n(202) 555-0143,\n", encoding="utf-8")
    judged = run("value", "phone", "--from", file, "--region", "US", "--json").document
    assert [one["value"] for one in judged] == ["+442079460123", "+551155550123", "+12025550143"]


def test_a_declared_format_is_a_repair(run):
    (judged,) = run("value", "date_of_birth", "17/04/1984", "--format", "%d/%m/%Y", "--unmasked", "--json").document
    assert judged["value"] == "1984-04-17"
    assert judged["repairs"] == [{"before": "17/04/1984", "after": "1984-04-17", "why": "read as %d/%m/%Y"}]


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("email", "Rosa@EXAMPLE.com", "Rosa@example.com"),
        ("ssn", "219099990", "219-09-9990"),
        ("zip_code", "02139 4307", "02139-4307"),
        ("identifier", "11.222.333/0001-81", "11222333000181"),
        ("cpf", "390.533.447-05", "39053344705"),
        ("full_name", " Rosa  Delgado ", "Rosa Delgado"),
        ("qualifications", "a; b;a", ["a", "b"]),
        ("do_not_contact", "yes", True),
        ("country", "Holland", "NL"),
        ("company", "", None),
    ],
)
def test_each_field_is_read_as_it_is_used(run, field, text, value):
    (judged,) = run("value", field, text, "--unmasked", "--json").document
    assert (judged["value"], judged["valid"], judged["code"]) == (value, True, None)


def test_a_profile_s_column_may_be_meant(run):
    words = ("value", "date_of_birth", "04/17/1984", "--profile", "outreach_contacts", "--json")
    (judged,) = run(*words, "--unmasked").document
    assert judged["value"] == "1984-04-17"
    (judged,) = run(*words).document
    assert (judged["input"], judged["value"]) == ("**/**/****", "****-**-**")
    (unknown,) = run("value", "portfolio", "nobody", "--profile", "portfolio_accounts", "--json").document
    assert unknown["code"] == "unknown-login"
    (crm,) = run("value", "account_number", "123456-XX", "--profile", "portfolio_accounts", "--json").document
    assert crm["code"] == "identifier-format"


def test_people_get_a_table(run):
    ended = run("value", "email", "a@example.com", "a@")
    assert "a@example.com" in ended.out
    assert "is not an e-mail address" in ended.out


def test_what_cannot_be_judged_is_said_in_words(run, tmp_path):
    assert run("value", "phone").status == 2
    assert run("value", "phone", "1", "--region", "USA").status == 2
    assert run("value", "phone", "--from", tmp_path / "missing.csv").status == 2
    (tmp_path / "x.csv").write_text("a\n1\n", encoding="utf-8")
    assert "no column 'text'" in run("value", "phone", "--from", tmp_path / "x.csv").err
    unknown = run("value", "shoe_size", "42", "--json")
    assert (unknown.status, unknown.document["error"]["code"]) == (1, "field-unknown")


def test_two_digit_years_are_read_by_a_pivot(run):
    (judged,) = run("value", "date", "04/17/84", "--format", "MM/DD/YY", "--pivot", "25", "--json").document
    assert judged["value"] == "1984-04-17"
    for mistaken in ("MM/DD/YY", "%Q"):
        ended = run("value", "date", "04/17/84", "--format", mistaken, "--json")
        assert (ended.status, ended.document["error"]["code"]) == (2, "option-value")
