"""The hash of a changeset: the same for the same input, whatever the upload, the time and the ids it was given."""

import pytest

from tests.match.ground import Ground
from tests.match.reference import Entity

ANN = {"full_name": "Ann Bee", "phone": "+12025550143", "email": "ann@example.com"}
ROWS = [ANN | {"email": "new@example.com"}, {"full_name": "Bob Dee", "phone": "+12025550144", "email": None}]


def planned_hash(ground, rows=ROWS, there=ANN, **options):
    ground.fill("leads", [Entity(1, there)])
    return ground.plan("dealer_leads", rows, lead_type="SMS", **options).changeset.sha256


def test_two_copies_give_the_same_hash():
    """X2: the same rows and contacts on another database."""
    first, second = Ground(), Ground()
    assert planned_hash(first) == planned_hash(second)
    first.close()
    second.close()


@pytest.mark.parametrize("rule", ["merge", "create"])
def test_ids_uploads_and_times_are_not_in_the_hash(ground, rule):
    """X2: planning again takes new ids at another time, under another name; links are named by their row."""
    first = planned_hash(ground, rule=rule)
    ground.book.run("UPDATE counters SET next = next + 100")
    again = ground.plan("dealer_leads", ROWS, lead_type="SMS", rule=rule)
    assert again.changeset.sha256 == first
    assert max(change["contact_id"] for change in again.changes) > 100


@pytest.mark.parametrize(
    "other",
    [
        {"rows": [ROWS[0], ROWS[1] | {"phone": "+12025550145"}]},
        {"rows": [ROWS[0]]},
        {"rows": ROWS[::-1]},
        {"there": ANN | {"email": "older@example.com"}},
        {"rule": "create"},
    ],
    ids=["a value", "a row fewer", "the order", "a value before", "the rule"],
)
def test_anything_that_differs_gives_another_hash(ground, other):
    """X2: an approval names exactly one plan."""
    first = planned_hash(ground)
    ground.empty()
    assert planned_hash(ground, **other) != first


def test_values_that_look_alike_when_put_together_are_told_apart(ground):
    """X2: a value that moves from one field to the next is another change."""
    one = ground.plan("program_contacts", [{"email": "a@example.com", "first_name": "AB", "last_name": None}])
    other = ground.plan("program_contacts", [{"email": "a@example.com", "first_name": "A", "last_name": "B"}])
    assert one.changeset.sha256 != other.changeset.sha256


def test_group_and_lead_type_are_part_of_the_plan(ground):
    """X2: the same rows for another group are another plan."""
    rows = [{"email": "a@example.com"}]
    plans = [ground.plan("outreach_contacts", rows, group=group).changeset.sha256 for group in ("One", "Two")]
    assert plans[0] != plans[1]


def test_an_empty_file_has_a_plan_that_does_nothing(ground):
    """X1: no rows, no outcomes, no changes."""
    planned = ground.plan("program_contacts", [], columns=["email"])
    assert (planned.outcomes, planned.changes) == ({}, [])
    assert sum(planned.changeset.outcomes.values()) == 0


def test_every_row_blank_ones_included_has_one_outcome(ground):
    """X1: the sum over the outcomes is the number of rows."""
    planned = ground.plan("program_contacts", [{"email": "a@example.com"}], blanks=[3, 4])
    assert planned.row_outcomes == ["created", "blank", "blank"]
    assert sum(planned.changeset.outcomes.values()) == 3


def test_whom_a_new_lead_is_linked_with_is_part_of_the_plan(ground):
    """X2: the same leads, made and linked with another contact, are another plan."""
    cal = {"full_name": "Cal Fee", "phone": "+12025550149"}
    ground.fill("leads", [Entity(1, ANN), Entity(2, cal)])
    row = {"full_name": "Ann Bee", "phone": "+12025550143", "email": None}
    plans = [ground.plan("dealer_leads", [row], lead_type="SMS", rule="create")]
    ground.book.run("UPDATE contacts SET contact_id = 3 - contact_id")
    plans.append(ground.plan("dealer_leads", [row], lead_type="SMS", rule="create"))

    assert [[link["linked_to"] for link in plan.links] for plan in plans] == [[1], [2]]
    made, again = ([change | {"contact_id": None} for change in plan.changes] for plan in plans)
    assert made == again
    assert plans[0].changeset.sha256 != plans[1].changeset.sha256
