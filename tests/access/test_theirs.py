"""A row is shown whole only where it is surely the person's."""

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.access.collect import _consent
from contact_pipeline.access.others import hide_others
from contact_pipeline.access.theirs import Known, belonging
from contact_pipeline.erase.person import Person, pattern_of
from tests.homes import new_home

FIELDS = {"Mail": "email", "Tel": "phone_2", "Contact": "contact_name", "City": "city"}


@pytest.fixture
def ann():
    values = {"ann@example.com", "+12025550101", "Ann", "Exämple", "5550143", "03/04/1984"}
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
        ("555-0101", True),
        ("011 1 202 555 0101", True),
        ("0202 555 0101", True),
        ("000-0101", False),
        ("5-0101", False),
        ("5550143", True),
        ("(202) 555-0143", False),  # which ends as an account number of hers does
        ("202 03041984", False),
        ("202.555.0102", False),
        ("ann2@example.com", False),
        ("Ann Other", False),
        ("", False),
    ],
)
def test_values_are_known_in_any_form(ann, text, known):
    assert ann.is_known(text) == known


def test_a_wish_was_said_by_the_newest_change_in_effect_that_gave_the_value_it_has():
    def change(number, value, commit="apply", *, undone=False):
        known = {"at": number, "upload_id": f"u{number}", "file_name": "a.csv", "row_number": 2, "by": "dora"}
        return known | {"fields": {"do_not_contact": (None, value)}, "commit": commit, "undone": undone}

    changes = [change(1, True), change(2, False), change(3, True, undone=True), change(4, True, "undo")]

    assert _consent({"do_not_contact": True}, changes)["said_by"]["upload_id"] == "u1"
    assert _consent({"do_not_contact": True}, [*changes, change(5, True)])["said_by"]["upload_id"] == "u5"
    assert _consent({}, changes[1:2]) == {"do_not_contact": None, "said_by": None}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("joann@example.com, not ann@example.com", "joann@example.com, not (contact 2)"),
        ("joann@example.com.br or joann@example.com", "joann@example.com.br or joann@example.com"),
        ("suzann@example.com, ann@example.com", "suzann@example.com, (contact 2)"),
        ("ann@example.com.csv, 202-555-0102, +12025550102", "(contact 2).csv, (contact 2), (contact 2)"),
    ],
)
def test_only_whole_addresses_of_others_are_hidden(tmp_path, text, shown):
    """The address of another can be the end of the person's own, which stays as it is."""
    mine = ["joann@example.com", "joann@example.com.br"]
    joann = Known(Person([1], pattern_of(mine), {}), mine)
    store = Pipeline(home=new_home(tmp_path / "home")).store
    with store.change() as database:
        columns = "contact_id, address_book, active, revision, email, phone"
        for contact_id, email, phone in ((1, mine[0], None), (2, "ann@example.com", "+12025550102")):
            database.run(
                f"INSERT INTO contacts ({columns}) VALUES (?, 'leads', true, 1, ?, ?)", [contact_id, email, phone]
            )

    with store.open(read_only=True) as database:
        assert hide_others(database, [text], joann, [1]) == [shown]
