def test_a_social_security_number_is_written_with_dashes(values_of):
    assert values_of(["219099990", "219-09-9990", "219 09 9990"], type="ssn") == ["219-09-9990"] * 3


def test_lost_leading_zeros_of_a_social_security_number_are_restored_and_listed(values_of, repairs_in):
    """X5: a restored leading zero is a repair."""
    texts = ["1234567", "12345678", "219099990"]
    assert values_of(texts, type="ssn") == ["001-23-4567", "012-34-5678", "219-09-9990"]
    assert repairs_in(texts, type="ssn") == [True, True, False]


def test_what_cannot_be_a_social_security_number_stays_as_given(values_of):
    texts = ["123456", "123-45-678", "12-345-678", "1234567890", "n. a."]
    assert values_of(texts, type="ssn") == texts
