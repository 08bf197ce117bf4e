import polars as pl
import pytest
from pydantic import ValidationError

from contact_pipeline.profiles import calendar


def test_an_iso_date_stays(values_of, repairs_in):
    assert values_of(["1984-04-17"], type="date") == ["1984-04-17"]
    assert repairs_in(["1984-04-17"], type="date") == [False]


def test_a_date_cell_of_a_spreadsheet_is_a_date(values_of, repairs_in):
    texts = ["1984-04-17 00:00:00", "1984-04-17T00:00:00", "1984-04-17 00:00:00.000"]
    assert values_of(texts, type="date") == ["1984-04-17"] * 3
    assert repairs_in(texts, type="date") == [False] * 3


def test_a_time_of_day_is_not_dropped_in_silence(values_of):
    assert values_of(["1984-04-17 10:30:00"], type="date") == ["1984-04-17 10:30:00"]


MIDNIGHTS = [
    ("1984-04-17T00:00:00.000Z", False),
    ("1984-04-17T00:00:00+00:00", False),
    ("1984-04-17T00:00:00-05:00", False),
    ("1984-04-17 00:00:00 UTC", False),
    ("4/17/1984 0:00", True),
    ("04/17/1984 00:00:00", True),
    ("4/17/1984 12:00:00 AM", True),
    ("04/17/1984, 12:00 a.m.", True),
]


@pytest.mark.parametrize(("moment", "listed"), MIDNIGHTS)
def test_a_moment_at_midnight_is_a_day(values_of, repairs_in, moment, listed):
    """What programs export is in whichever notation; the midnight says nothing, the declared format does."""
    column = {"type": "date", "formats": ["MM/DD/YYYY"]}
    assert values_of([moment], **column) == ["1984-04-17"]
    assert repairs_in([moment], **column) == [listed]


@pytest.mark.parametrize(
    "moment", ["4/17/1984 10:00", "1984-04-17T22:00:00Z", "4/17/1984 12:00 PM", "1984-04-17T24:00"]
)
def test_another_time_of_day_stays(values_of, moment):
    assert values_of([moment], type="date", formats=["MM/DD/YYYY"]) == [moment]


def test_midnight_does_not_hide_that_a_day_is_ambiguous(values_of):
    column = {"type": "date", "formats": ["MM/DD/YYYY", "DD/MM/YYYY"]}
    assert values_of(["03/04/1984 0:00", "13/04/1984 0:00"], **column) == ["03/04/1984", "1984-04-13"]


NO_DAYS = [
    "0/0/00", "00/00/0000", "00-00-0000", "00.00.0000", "0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00Z",
    "1900-01-00", "1/0/1900", "0/1/1900", "00.01.1900", "12:00:00 AM", "0:00", "0", "00000000",
]  # fmt: skip


@pytest.mark.parametrize("word", NO_DAYS)
def test_what_programs_write_for_no_day_is_a_blank_and_listed(values_of, repairs_in, word):
    assert values_of([word], type="date", formats=["MM/DD/YYYY"]) == [None]
    assert repairs_in([word], type="date", formats=["MM/DD/YYYY"]) == [True]
    assert values_of([word], type="text") == [word]


@pytest.mark.parametrize("day", ["01/01/1900", "10/10/1900", "02/00/1984", "1984-00-00"])
def test_a_day_or_half_of_one_is_no_blank(values_of, day):
    assert values_of([day], type="date", formats=["MM/DD/YYYY"]) != [None]


def test_dashes_of_word_processors_are_hyphens(values_of):
    assert values_of(["1984\u201304\u201317"], type="date") == ["1984-04-17"]


def test_a_declared_format_is_read_and_is_a_repair(values_of, repairs_in):
    """X5: a date read by a declared format is listed."""
    texts = ["04/17/1984", "4/7/1984"]
    assert values_of(texts, type="date", formats=["%m/%d/%Y"]) == ["1984-04-17", "1984-04-07"]
    assert repairs_in(texts, type="date", formats=["%m/%d/%Y"]) == [True, True]


def test_an_undeclared_format_stays_as_given(values_of):
    assert values_of(["04/17/1984"], type="date") == ["04/17/1984"]


def test_a_text_that_two_formats_read_as_different_days_is_never_guessed(values_of):
    texts = ["03/04/1984", "13/04/1984", "04/13/1984", "04/04/1984"]
    expected = ["03/04/1984", "1984-04-13", "1984-04-13", "1984-04-04"]
    assert values_of(texts, type="date", formats=["%d/%m/%Y", "%m/%d/%Y"]) == expected


def test_two_digit_years_belong_to_the_century_that_the_pivot_says(values_of, repairs_in):
    column = {"type": "date", "formats": ["%m/%d/%y"], "pivot": 25}
    assert values_of(["04/17/84", "04/17/25", "04/17/26", "02/29/00"], **column) == [
        "1984-04-17", "2025-04-17", "1926-04-17", "2000-02-29",
    ]  # fmt: skip
    assert repairs_in(["04/17/84", "1984-04-17"], **column) == [True, False]


def test_a_29_february_that_the_century_lacks_is_no_day(values_of):
    assert values_of(["02/29/00"], type="date", formats=["%m/%d/%y"], pivot=0) == ["2000-02-29"]
    assert values_of(["02/29/96"], type="date", formats=["%m/%d/%y"], pivot=99) == ["2096-02-29"]


def test_two_digit_years_need_a_pivot(one_column):
    with pytest.raises(ValidationError, match="give pivot"):
        one_column(type="date", formats=["%m/%d/%y"])


def test_a_column_that_only_one_format_reads_whole_is_in_that_format():
    both = ["%d/%m/%Y", "%m/%d/%Y"]
    assert calendar.fitting(pl.Series(["03/04/1984", "13/04/1984", "nonsense", None]), both) == ["%d/%m/%Y"]
    assert calendar.fitting(pl.Series(["03/04/1984", "04/13/1984"]), both) == ["%m/%d/%Y"]
    assert calendar.fitting(pl.Series(["03/04/1984"]), both) == both
    assert calendar.fitting(pl.Series(["13/04/1984", "04/13/1984", "03/04/1984"]), both) == both
    assert calendar.fitting(pl.Series([], dtype=pl.String), both) == both


def test_a_two_digit_year_is_not_a_year_of_the_first_century(values_of):
    assert values_of(["04/17/84"], type="date", formats=["%m/%d/%Y"]) == ["04/17/84"]


def test_a_day_that_does_not_exist_stays_as_given(values_of, repairs_in):
    texts = ["02/30/1985", "1985-02-30"]
    assert values_of(texts, type="date", formats=["%m/%d/%Y"]) == texts
    assert repairs_in(texts, type="date", formats=["%m/%d/%Y"]) == [False, False]


def test_a_format_may_be_written_in_the_words_of_people(values_of):
    assert values_of(["17/04/1984"], type="date", formats=["DD/MM/YYYY"]) == ["1984-04-17"]
    assert values_of(["17 Apr 84"], type="date", formats=["DD Mon YY"], pivot=25) == ["1984-04-17"]
    for declared in ("%d/%m/%Y", "%d %b %y", "%B %d, %Y", "%Y%m%d"):
        assert calendar.from_words(calendar.in_words(declared)) == declared


@pytest.mark.parametrize("text", ["", "%Q", "%d/%m", "%d/%m/%Y %H", "%Y-%j", "DD/DD/YYYY", "%d/%m/%Y %y", "100%"])
def test_what_is_no_date_format_is_refused(one_column, text):
    with pytest.raises(ValidationError, match="is no date format"):
        one_column(type="date", formats=[text])
