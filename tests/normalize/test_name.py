def test_the_case_of_a_name_is_kept(values_of):
    assert values_of(["McDONALD", "de la Cruz", "DELGADO"], type="name") == ["McDONALD", "de la Cruz", "DELGADO"]


def test_a_name_in_capitals_is_put_in_title_case_where_the_profile_says_so(values_of, repairs_in):
    """X5: no cell is silently changed."""
    texts = ["ROSA DELGADO", "O'BRIEN-SMITH", "ÁGUA", "McDONALD", "rosa", "J", "J.R."]
    expected = ["Rosa Delgado", "O'Brien-Smith", "Água", "McDONALD", "rosa", "J", "J.R."]
    assert values_of(texts, type="name", title_case=True) == expected
    assert repairs_in(texts, type="name", title_case=True) == [True, True, True] + [False] * 4
