def test_an_iso_date_stays(values_of, repairs_in):
    assert values_of(["1984-04-17"], type="date") == ["1984-04-17"]
    assert repairs_in(["1984-04-17"], type="date") == [False]


def test_a_date_cell_of_a_spreadsheet_is_a_date(values_of, repairs_in):
    texts = ["1984-04-17 00:00:00", "1984-04-17T00:00:00", "1984-04-17 00:00:00.000"]
    assert values_of(texts, type="date") == ["1984-04-17"] * 3
    assert repairs_in(texts, type="date") == [False] * 3


def test_a_time_of_day_is_not_dropped_in_silence(values_of):
    assert values_of(["1984-04-17 10:30:00"], type="date") == ["1984-04-17 10:30:00"]


def test_a_declared_format_is_read_and_is_a_repair(values_of, repairs_in):
    """X5: a date read by a declared format is listed."""
    texts = ["04/17/1984", "4/7/1984"]
    assert values_of(texts, type="date", formats=["%m/%d/%Y"]) == ["1984-04-17", "1984-04-07"]
    assert repairs_in(texts, type="date", formats=["%m/%d/%Y"]) == [True, True]


def test_an_undeclared_format_stays_as_given(values_of):
    assert values_of(["04/17/1984"], type="date") == ["04/17/1984"]


def test_the_formats_are_tried_in_their_order(values_of):
    assert values_of(["03/04/1984"], type="date", formats=["%d/%m/%Y", "%m/%d/%Y"]) == ["1984-04-03"]


def test_a_two_digit_year_is_not_a_year_of_the_first_century(values_of):
    assert values_of(["04/17/84"], type="date", formats=["%m/%d/%Y"]) == ["04/17/84"]


def test_a_day_that_does_not_exist_stays_as_given(values_of, repairs_in):
    texts = ["02/30/1985", "1985-02-30"]
    assert values_of(texts, type="date", formats=["%m/%d/%Y"]) == texts
    assert repairs_in(texts, type="date", formats=["%m/%d/%Y"]) == [False, False]
