def test_names_and_codes_become_codes_and_what_is_unknown_stays(values_of):
    texts = ["Österreich", "usa", "NA", "Czech Republic", "Россия", "Atlantis", None]
    assert values_of(texts, type="country") == ["AT", "US", "NA", "CZ", "RU", "Atlantis", None]


def test_what_can_mean_two_countries_is_a_repair(repairs_in):
    texts = ["Congo", "Korea", "D", "DE", "Deutschland", "Kongo", "Atlantis"]
    assert repairs_in(texts, type="country") == [True] * 3 + [False] * 4
