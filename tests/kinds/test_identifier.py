def test_a_company_number_loses_its_punctuation_in_both_forms(values_of):
    """D7: a CNPJ, numeric or alphanumeric, is 14 characters."""
    texts = ["11.222.333/0001-81", "11222333000181", "12.abc.345/01de-35"]
    expected = ["11222333000181", "11222333000181", "12ABC34501DE35"]
    assert values_of(texts, type="identifier", identifiers=["cnpj"]) == expected


def test_a_person_s_number_is_eleven_digits(values_of):
    texts = ["390.533.447-05", "39053344705"]
    assert values_of(texts, type="identifier", identifiers=["cpf"]) == ["39053344705"] * 2


def test_the_usual_spellings_of_a_medical_council_registration_become_one(values_of):
    """D7: a CRM is a number and a state."""
    texts = [
        "123456-SP", "123456/SP", "CRM/SP 123456", "CRM-SP 123456", "crm sp 123.456", "CRM 123456 SP",
        "CRM/SP nº 123456", "CRMSP123456",
    ]  # fmt: skip
    assert values_of(texts, type="identifier", identifiers=["crm"]) == ["123456-SP"] * 8


def test_each_value_takes_the_form_of_the_kind_that_it_looks_like(values_of):
    texts = ["CRM/SP 123456", "11.222.333/0001-81", "neither"]
    column = {"identifiers": ["crm", "cnpj"]}
    assert values_of(texts, type="identifier", **column) == ["123456-SP", "11222333000181", "neither"]


def test_a_state_that_does_not_exist_makes_no_registration(values_of):
    assert values_of(["123456-XX"], type="identifier", identifiers=["crm"]) == ["123456-XX"]


def test_lost_leading_zeros_of_a_company_number_are_restored_where_the_check_digits_agree(values_of, repairs_in):
    """X5: a restored leading zero is a repair."""
    texts = ["191", "191000100", "1234567000195", "1234567000196", "01234567000195"]
    column = {"type": "identifier", "identifiers": ["cnpj"]}
    assert values_of(texts, **column) == ["191", "191000100", "01234567000195", "1234567000196", "01234567000195"]
    assert repairs_in(texts, **column) == [False, False, True, False, False]


def test_lost_leading_zeros_of_a_person_s_number_are_restored_where_the_check_digits_agree(values_of, repairs_in):
    texts = ["1234567890", "1234567891", "012.345.678-90"]
    column = {"type": "identifier", "identifiers": ["cpf"]}
    assert values_of(texts, **column) == ["01234567890", "1234567891", "01234567890"]
    assert repairs_in(texts, **column) == [True, False, False]


def test_a_medical_council_registration_has_no_leading_zeros(values_of, repairs_in):
    texts = ["001234-SP", "CRM/SP 001.234", "1234-SP", "CRM/SP 1234"]
    column = {"type": "identifier", "identifiers": ["crm"]}
    assert values_of(texts, **column) == ["1234-SP"] * 4
    assert repairs_in(texts, **column) == [True, True, False, False]
