def test_the_domain_is_lower_case_and_the_local_part_stays_as_given(values_of):
    assert values_of([" Rosa.Delgado@EXAMPLE.Com "], type="email") == ["Rosa.Delgado@example.com"]


def test_an_internationalized_domain_is_lower_case_too(values_of):
    assert values_of(["a@BÜCHER.example.com"], type="email") == ["a@bücher.example.com"]


def test_what_is_no_address_stays_as_given(values_of):
    texts = ["NOT AN ADDRESS", "A@", "@B", "A@@B.COM", "A@B@C"]
    assert values_of(texts, type="email") == ["NOT AN ADDRESS", "A@", "@b", "A@@B.COM", "A@B@C"]
