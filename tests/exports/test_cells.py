"""What a cell holds is read as the very value that is stored."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_pipeline.exports.cells import as_text, come_back
from contact_pipeline.exports.layout import Cell
from contact_pipeline.kinds.kind import Context
from contact_pipeline.kinds.text import tidied
from contact_pipeline.profiles import Column, load_profile
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.reports.spreadsheet import neutral

SIGNS = ["=", "'", '"', "+", "-", "@", "&", "amp;", "lt;", "#39;", ":::", " ", "0", "1", "a", "é", "\u200d", "👩", "\n"]


def read(texts):
    """The texts as stage 2 tidies them, which is how a value comes to be stored."""
    return pl.DataFrame({"x": texts}, schema={"x": pl.String}).select(tidied(pl.col("x"))).to_series().to_list()


def written(values, column, profile=None, stored="text"):
    cell = Cell(column.heading, column.field, stored, column)
    dtype = {"text": pl.String, "list": pl.List(pl.String), "boolean": pl.Boolean}[stored]
    frame = pl.DataFrame({column.field: values}, schema={column.field: dtype})
    return frame, frame.select(as_text(cell, profile)).to_series()


@given(st.lists(st.lists(st.sampled_from(SIGNS), max_size=6).map("".join) | st.text(max_size=12), max_size=8))
def test_any_stored_text_is_read_again_from_a_sheet_and_from_csv(given_texts):
    stored = read(given_texts)
    _, texts = written(stored, Column(field="company", heading="Company"))

    assert read(texts.to_list()) == stored
    assert read(texts.to_frame("x").select(neutral(pl.col("x"))).to_series().to_list()) == stored
    assert not texts.str.contains(" ::: ", literal=True).any()


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("plain", "plain"),
        ("=1+1", "=1+1"),
        ("'=1", '="\'=1"'),
        ("'s-Gravenhage", "'s-Gravenhage"),
        ("a ::: b", "a\u00a0:::\u00a0b"),
        ("&amp;", "&amp;amp;amp;amp;"),
        ("AT&T", "AT&T"),
        ("0042", "0042"),
    ],
)
def test_only_what_would_be_read_otherwise_is_written_otherwise(value, cell):
    _, texts = written([value], Column(field="company", heading="Company"))

    assert texts.to_list() == [cell]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("+12025550143", "(202) 555-0143"),
        ("+12025550143;ext=12", "(202) 555-0143 ext. 12"),
        ("+442079460123", "+442079460123"),
        ("+11115550143", "+11115550143"),
    ],
)
def test_numbers_of_the_profiles_region_are_written_as_it_writes_them(value, cell):
    profile = load_profile("dealer_leads")
    frame, texts = written([value], profile.column_of["phone"], profile)

    assert texts.to_list() == [cell]
    right = come_back(frame, texts, profile.column_of["phone"], Context(profile, Reference()))
    assert right.to_list() == [value != "+11115550143"]


@pytest.mark.parametrize(
    ("formats", "pivot", "cell"),
    [
        (["%m/%d/%Y"], None, "02/29/2000"),
        (["%d.%m.%Y", "%m/%d/%Y"], None, "2000-02-29"),  # a day could be read by either
        (["%d.%m.%y"], 30, "2000-02-29"),  # the century is not in it
        ([], None, "2000-02-29"),
    ],
)
def test_days_are_written_in_the_one_format_that_the_profile_has(formats, pivot, cell):
    column = Column(field="born", heading="Born", type="date", formats=formats, pivot=pivot)
    frame, texts = written(["2000-02-29", None], column)

    assert texts.to_list() == [cell, None]
    assert come_back(frame, texts, column, Context(load_profile("dealer_leads"), Reference())).to_list() == [True, True]


def test_values_of_lists_keep_their_separators():
    column = Column(field="qualifications", heading="Exams", type="list", separator=";")
    frame, texts = written([["A; B", "C"], [], None, ["-"]], column, stored="list")

    assert texts.to_list() == ["A\\; B; C", None, None, "-"]
    right = come_back(frame, texts, column, Context(load_profile("dealer_leads"), Reference()))
    assert right.to_list() == [True, True, True, False]


def test_a_value_that_the_column_refuses_does_not_come_back():
    column = Column(field="size", heading="Size", type="choice", choices=["S", "M"])
    frame, texts = written(["S", "XL", None, "s"], column)

    right = come_back(frame, texts, column, Context(load_profile("dealer_leads"), Reference()))
    assert right.to_list() == [True, False, True, False]


def test_the_word_for_nothing_stands_where_a_required_field_is_blank():
    column = Column(field="portfolio", heading="Portfolio", type="login", required=True, nothing="Without Portfolio")
    _, texts = written([None, "m.keane"], column)

    assert texts.to_list() == ["Without Portfolio", "m.keane"]


@pytest.mark.parametrize("value", ["Without Portfolio", "without portfolio", "N/A", "-"])
def test_a_stored_word_that_means_nothing_does_not_come_back(value):
    column = Column(field="company", heading="Company", nothing="Without Portfolio")
    frame, texts = written([value, "Example Ltd"], column)

    assert come_back(frame, texts, column, Context(load_profile("dealer_leads"), Reference())).to_list() == [
        False,
        True,
    ]


def test_the_region_reads_every_number_that_is_written_its_way():
    for name, numbers in {
        "dealer_leads": [f"+1{area}{rest}" for area in range(200, 1000) for rest in ("5550143", "2345678;ext=12")],
        "portfolio_contacts": [f"+55{area}{rest}" for area in range(11, 100) for rest in ("55550143", "987654321")],
    }.items():
        profile = load_profile(name)
        column, context = profile.column_of["phone"], Context(profile, Reference())
        frame, texts = written(numbers, column, profile)

        assert texts.str.starts_with("(").mean() > 0.8  # the others are in no plan
        right = come_back(frame, texts, column, context)
        assert right.any()
        assert right.to_list() == come_back(frame, frame["phone"], column, context).to_list()
