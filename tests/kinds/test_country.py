def test_names_and_codes_become_codes_and_what_is_unknown_stays(values_of):
    texts = ["Österreich", "usa", "NA", "Czech Republic", "Россия", "Atlantis", None]
    assert values_of(texts, type="country") == ["AT", "US", "NA", "CZ", "RU", "Atlantis", None]


def test_a_name_of_several_countries_is_none(values_of, repairs_in):
    """X5: nothing is guessed."""
    texts = [
        "Congo",
        "CONGO",
        "The Congo",
        "Kongo",
        "Конго",
        "Конга",
        "Korea",
        "Corea",
        "Corée",
        "Coreia",
        "Virgin Islands",
    ]
    assert values_of(texts, type="country") == texts
    assert repairs_in(texts, type="country") == [False] * len(texts)


def test_a_name_of_one_of_them_is_that_one(values_of):
    texts = [
        "Republic of the Congo",
        "DR Congo",
        "Congo-Kinshasa",
        "Congo Brazzaville",
        "South Korea",
        "Corea del Norte",
    ]
    assert values_of(texts, type="country") == ["CG", "CD", "CD", "CG", "KR", "KP"]


def test_the_sign_of_a_country_s_vehicles_is_a_repair(values_of, repairs_in):
    texts = ["D", "A", "f.", "DE", "Deutschland", "Atlantis", "X"]
    assert values_of(texts, type="country") == ["DE", "AT", "FR", "DE", "DE", "Atlantis", "X"]
    assert repairs_in(texts, type="country") == [True] * 3 + [False] * 4
