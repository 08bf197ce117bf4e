def test_text_is_trimmed_and_runs_of_white_space_become_one_space(values_of):
    assert values_of(["  a  b ", "a\u00a0\u00a0b", "a\u2003b", "a\t\nb"]) == ["a b"] * 4


def test_a_cell_with_nothing_visible_is_blank(values_of):
    assert values_of(["", "   ", "\u00a0", "\t", None]) == [None] * 5


def test_text_is_put_into_the_composed_form_of_unicode(values_of):
    assert values_of(["Zoe\u0308"], type="name") == ["Zoë"]


def test_the_case_of_a_name_is_kept(values_of):
    assert values_of(["McDONALD", "de la Cruz"], type="name") == ["McDONALD", "de la Cruz"]
