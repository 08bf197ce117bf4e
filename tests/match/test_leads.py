"""Leads and groups: notes, merging or creating and linking, lead types, and who joins a group."""

import pytest

from contact_pipeline.profiles import Profile, load_profile
from tests.match.reference import Entity, Row

ANN = {"full_name": "Ann Bee", "phone": "+12025550143", "email": "ann@example.com"}


def test_a_displaced_value_is_kept_in_a_note(ground):
    """E5: the lead there is gets the new email; the old one goes to its notes."""
    ground.fill("leads", [Entity(1, ANN)])
    ground.run("dealer_leads", [ANN | {"email": "new@example.com"}], lead_type="SMS")
    assert ground.contact(1)["email"] == "new@example.com"
    assert ground.contact(1)["notes"] == ["[merge] Email: ann@example.com"]


def test_a_value_that_could_not_be_imported_becomes_a_note_and_the_row_is_kept(ground):
    """E12: the lead is made without the phone, and says what stood there."""
    row = Row(2, ANN | {"phone": "12"}, noted={"phone": "[import] Phone: 12"})
    planned = ground.run("dealer_leads", [row], lead_type="SMS")
    assert planned.row_outcomes == ["created"]
    assert ground.contact(1)["notes"] == ["[import] Phone: 12"]
    assert "phone" not in ground.contact(1)


def test_a_note_is_not_added_twice(ground):
    """E12: the same file again, or the same cell in two rows, leaves one note."""
    values = {"full_name": "Ann Bee", "email": "ann@example.com", "phone": "12"}
    rows = [Row(number, values, noted={"phone": "[import] Phone: 12"}) for number in (2, 3)]
    ground.run("dealer_leads", rows, lead_type="SMS")
    again = ground.plan("dealer_leads", rows, lead_type="SMS")
    assert again.row_outcomes == ["unchanged", "duplicate"]
    assert ground.contact(1)["notes"] == ["[import] Phone: 12"]


def test_notes_that_are_there_stay_when_rows_are_merged(ground):
    """E5: a field that is blank in all the merged rows costs no note."""
    ground.fill("leads", [Entity(1, ANN | {"notes": ["Called twice"]})])
    rows = [ANN | {"phone": None, "email": "ann@example.com"}, ANN | {"phone": None, "full_name": "ANN BEE"}]
    ground.run("dealer_leads", rows, lead_type="SMS")
    assert ground.contact(1)["notes"] == ["Called twice", "[merge] Name: Ann Bee"]


def test_notes_that_the_file_brings_are_added_to_those_there_are(ground):
    """X5: a column of notes is not lost where the profile makes notes of its own."""
    content = load_profile("dealer_leads").model_dump(mode="json")
    content["columns"].append({"field": "notes", "heading": "Notes", "type": "list"})
    ground.fill("leads", [Entity(1, ANN | {"notes": ["Called twice"]})])
    rows = [ANN | {"notes": ["Called twice", "Wants a van"]}, ANN | {"phone": None, "notes": ["Asks for Jo"]}]
    ground.run(Profile.model_validate(content), rows, lead_type="SMS")
    assert ground.contact(1)["notes"] == ["Called twice", "Wants a van", "Asks for Jo"]


def test_a_sensitive_value_is_not_written_into_a_note(ground):
    """E12: a displaced social security number stays out of the notes."""
    content = load_profile("outreach_contacts").model_dump(mode="json") | {"matched": "merge"}
    ground.fill("outreach", [Entity(1, {"account_number": "1", "ssn": "219-09-9990", "zip_code": "02139"})])
    row = {"account_number": "1", "ssn": "219-09-9998", "zip_code": "10001"}
    ground.run(Profile.model_validate(content), [row], group="G")
    assert ground.contact(1)["ssn"] == "219-09-9998"
    assert ground.contact(1)["notes"] == ["[merge] Zip code: 02139"]


def test_without_a_merge_nothing_is_displaced_into_the_notes(ground):
    """E12: where rows only update, the notes hold what could not be imported and nothing else."""
    content = load_profile("dealer_leads").model_dump(mode="json")
    content |= {"matched": "update", "within_file": "first_wins", "options": {}}
    ground.fill("leads", [Entity(1, ANN)])
    ground.run(Profile.model_validate(content), [ANN | {"email": "new@example.com"}], lead_type="SMS")
    assert "notes" not in ground.contact(1)


def test_under_create_a_new_lead_is_made_and_linked_with_the_existing_one(ground):
    """E5: the lead there is stays as it was."""
    ground.fill("leads", [Entity(1, ANN)])
    planned = ground.run("dealer_leads", [ANN | {"email": "new@example.com"}], lead_type="SMS", rule="create")
    assert planned.row_outcomes == ["linked"]
    assert [(link["contact_id"], link["linked_to"]) for link in planned.links] == [(2, 1)]
    assert ground.contact(1) == ANN
    assert ground.contact(2)["email"] == "new@example.com"


def test_under_create_the_next_lead_is_linked_with_the_oldest(ground):
    """E5: linked leads are one candidate, however often the person comes."""
    ground.fill("leads", [Entity(1, ANN)])
    ground.run("dealer_leads", [ANN], lead_type="SMS", rule="create")
    planned = ground.run("dealer_leads", [ANN], lead_type="SMS", rule="create")
    assert [(link["contact_id"], link["linked_to"]) for link in planned.links] == [(3, 1)]


def test_under_create_rows_of_the_same_lead_make_one_new_lead(ground):
    """E5: within the file they are merged, under either rule."""
    ground.fill("leads", [Entity(1, ANN)])
    planned = ground.run("dealer_leads", [ANN, ANN | {"email": "new@example.com"}], lead_type="SMS", rule="create")
    assert planned.row_outcomes == ["linked", "duplicate"]
    assert (planned.outcomes[3]["duplicate_of_row"], planned.outcomes[3]["contact_id"]) == (2, 2)


@pytest.mark.parametrize(("lead_type", "module"), [("SMS", "Lead Xpress"), ("walk-in", "Showroom")])
def test_the_lead_type_decides_the_module(ground, lead_type, module):
    """E4: the type is written as the profile spells it."""
    ground.run("dealer_leads", [ANN], lead_type=lead_type)
    assert ground.contact(1)["module"] == module


def test_the_lead_type_is_given_only_to_new_leads(ground):
    """E4: a lead that is there keeps its type and module."""
    ground.fill("leads", [Entity(1, ANN | {"lead_type": "Phone", "module": "Phone Leads"})])
    assert ground.plan("dealer_leads", [ANN], lead_type="SMS").row_outcomes == ["unchanged"]


def test_new_contacts_join_the_group_and_ignored_duplicates_do_not(ground):
    """B4, B9: the contact there is and the repeated row are left out of the group."""
    ground.fill("outreach", [Entity(1, {"email": "old@example.com"})])
    rows = [{"email": "old@example.com"}, {"email": "new@example.com"}, {"email": "new@example.com"}]
    planned = ground.run("outreach_contacts", rows, group="Spring")
    assert planned.row_outcomes == ["duplicate", "created", "duplicate"]
    assert [(m["group_name"], m["contact_id"]) for m in planned.memberships] == [("Spring", 2)]
    assert ground.store.groups() == [{"address_book": "outreach", "group": "Spring", "contacts": 1}]


def test_duplicates_of_existing_contacts_are_told_apart_from_those_within_the_file(ground):
    """B9: each says what it duplicates; both are counted."""
    ground.fill("outreach", [Entity(1, {"email": "old@example.com", "zip_code": "02139"})])
    rows = [
        {"email": "old@example.com", "zip_code": "10001"},
        {"email": "new@example.com"},
        {"email": "new@example.com"},
    ]
    planned = ground.run("outreach_contacts", rows, group="G")
    assert (planned.changeset.duplicates_of_existing, planned.changeset.duplicates_within_file) == (1, 1)
    assert planned.outcomes[2]["duplicate_of_contact"] == 1
    assert planned.outcomes[4]["duplicate_of_row"] == 3
    assert ground.contact(1)["zip_code"] == "02139"


def test_a_group_that_is_there_is_joined_not_made_again(ground):
    """B4: picked the second time."""
    for email in ("a@example.com", "b@example.com"):
        ground.run("outreach_contacts", [{"email": email}], group="Spring")
    assert ground.store.groups() == [{"address_book": "outreach", "group": "Spring", "contacts": 2}]
