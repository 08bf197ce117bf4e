"""Contacts that the file lacks: who counts as present, and what stops their deactivation."""

from contact_pipeline.profiles import Profile, load_profile
from tests.match.reference import Entity, Row


def program(ground, *emails, inactive=()):
    ground.fill("program", [Entity(n, {"email": email}, email not in inactive) for n, email in enumerate(emails, 1)])


def deactivated(planned):
    return [change["contact_id"] for change in planned.changes if change["action"] == "deactivate"]


def of_leads(**content):
    options = {"deactivate_missing": True, "rule": ["merge", "create"]}
    return Profile.model_validate(load_profile("dealer_leads").model_dump(mode="json") | {"options": options} | content)


def test_contacts_that_the_file_lacks_are_deactivated_only_where_it_is_asked_for(ground):
    """A6, A8: off by default; deactivated contacts stay, inactive."""
    program(ground, "a@example.com", "b@example.com")
    rows = [{"email": "a@example.com"}]
    assert deactivated(ground.plan("program_contacts", rows)) == []

    planned = ground.run("program_contacts", rows, deactivate_missing=True)

    assert deactivated(planned) == [2]
    assert (planned.changeset.deactivated, planned.changeset.active) == (1, 2)
    assert [c["active"] for c in ground.table("contact", "program").values()] == [True, False]


def test_inactive_contacts_are_not_deactivated_again(ground):
    """A8: only active contacts are."""
    program(ground, "a@example.com", "b@example.com", inactive=["b@example.com"])
    planned = ground.plan("program_contacts", [{"email": "a@example.com"}], deactivate_missing=True)
    assert deactivated(planned) == []


def test_contacts_of_other_address_books_are_left_alone(ground):
    """A8: a file speaks for its own address book."""
    ground.fill("outreach", [Entity(1, {"email": "a@example.com"})])
    planned = ground.plan("program_contacts", [{"email": "b@example.com"}], deactivate_missing=True)
    assert deactivated(planned) == []


def test_a_rejected_row_counts_as_present_by_its_usable_keys(ground):
    """A8: the phone is wrong, the email says who it is."""
    program(ground, "a@example.com")
    row = Row(2, {"email": "a@example.com", "phone": "12"}, wrong=frozenset({"phone"}))
    planned = ground.plan("program_contacts", [row], deactivate_missing=True)
    assert deactivated(planned) == []
    assert planned.changeset.rejected_without_key == 0


def test_a_rejected_row_without_a_usable_key_is_counted(ground):
    """A8: nobody can say whom it means, so it has to be confirmed that anybody is missing."""
    program(ground, "a@example.com")
    row = Row(2, {"email": "a@", "phone": None}, wrong=frozenset({"email"}))
    planned = ground.plan("program_contacts", [row], deactivate_missing=True)
    assert deactivated(planned) == [1]
    assert planned.changeset.rejected_without_key == 1


def test_a_row_that_could_not_be_read_is_counted_as_one_without_a_key(ground):
    """A8: such a row stands among the rejections only."""
    planned = ground.plan("program_contacts", [{"email": "a@example.com"}], unreadable=[3], deactivate_missing=True)
    assert planned.changeset.rejected_without_key == 1


def test_a_row_in_review_counts_as_present(ground):
    """A8: both contacts that it may be stay active."""
    program(ground, "a@example.com", "a@example.com", "b@example.com")
    planned = ground.plan("program_contacts", [{"email": "a@example.com"}], deactivate_missing=True)
    assert planned.row_outcomes == ["review"]
    assert deactivated(planned) == [3]


def test_part_of_a_key_reaches_nobody(ground):
    """A8: of two-of-three, the name alone is no key: that contact is missing, and a row with no more cannot say who."""
    ground.fill("leads", [Entity(1, {"full_name": "Ann Bee", "phone": "+12025550143"})])
    values = {"full_name": "Ann Bee", "phone": "12", "email": None}
    row = Row(2, values, wrong=frozenset({"phone"}))
    planned = ground.plan(of_leads(), [row], lead_type="SMS", deactivate_missing=True)
    assert deactivated(planned) == [1]
    assert planned.changeset.rejected_without_key == 1


def test_a_contact_linked_with_one_that_is_in_the_file_is_present(ground):
    """A8: linked contacts are one person; the oldest is updated, not deactivated as well."""
    lead = {"full_name": "Ann Bee", "phone": "+12025550143", "email": None}
    ground.fill("leads", [Entity(1, {"full_name": "Old"}), Entity(2, lead, linked_to=1)])
    planned = ground.plan(of_leads(), [lead], lead_type="SMS", deactivate_missing=True)
    assert [(change["contact_id"], change["action"]) for change in planned.changes] == [(1, "update")]


def test_a_contact_whose_name_stands_in_parts_is_present(ground):
    """A8: found by its name is not missing."""
    ground.fill("leads", [Entity(1, {"first_name": "Ann", "last_name": "Bee", "email": "a@example.com"})])
    row = {"full_name": "Ann Bee", "email": "a@example.com"}
    planned = ground.plan(of_leads(), [row], lead_type="SMS", deactivate_missing=True)
    assert deactivated(planned) == []
