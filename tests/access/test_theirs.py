"""A row is shown whole only where it is surely the person's."""

import pytest

from contact_pipeline.access.theirs import Known, belonging
from contact_pipeline.erase.person import Person, pattern_of

FIELDS = {"Mail": "email", "Tel": "phone_2", "Contact": "contact_name", "City": "city"}


@pytest.fixture
def ann():
    values = {"ann@example.com", "+12025550101", "Ann", "Exämple"}
    return Known(Person([1, 2], pattern_of(["ann@example.com", "+12025550101"]), {}), values)


@pytest.mark.parametrize(
    ("contacts", "cells", "whose"),
    [
        ({1}, {"Mail": "new@example.com"}, "theirs"),
        ({1, 2}, {}, "theirs"),
        ({1, 3}, {"Mail": "ann@example.com"}, "shared"),
        ({3}, {"Mail": "ann@example.com"}, "somebody else's"),
        (set(), {"Mail": "ANN@example.com", "City": "Anywhere"}, "theirs"),
        (set(), {"Mail": "ann@example.com", "Tel": "(202) 555-0101", "Contact": "ANN EXAMPLE"}, "theirs"),
        (set(), {"Mail": "ann@example.com", "Tel": "(202) 555-0199"}, "may be theirs"),
        (set(), {"Mail": "ann@example.com", "Contact": "Bob Example"}, "may be theirs"),
        (set(), {"Contact": "Ann Example"}, "may be theirs"),
        (set(), {}, "may be theirs"),
    ],
)
def test_whose_a_row_is(ann, contacts, cells, whose):
    assert belonging(contacts, ann, cells, FIELDS) == whose


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("ANN", True),
        ("Example, Ann", True),
        ("202.555.0101", True),
        ("+1 202 555 0101", True),
        ("202.555.0102", False),
        ("ann2@example.com", False),
        ("Ann Other", False),
        ("", False),
    ],
)
def test_values_are_known_in_any_form(ann, text, known):
    assert ann.is_known(text) == known
