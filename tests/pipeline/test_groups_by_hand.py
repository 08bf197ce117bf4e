"""Contacts join and leave groups by hand: a changeset that is planned, applied, undone and redone like any other."""

import pytest

from contact_pipeline.errors import Refusal
from tests.homes import fill_once

WHO = "d.rivers"


@pytest.fixture
def people(pipeline, outreach):
    """Ana, Ben and Cy (contacts 1 to 3) in the group Spring."""

    def fill():
        rows = [{"first": name, "last": "Lee", "email": f"{name}@example.com"} for name in ("ana", "ben", "cy")]
        return pipeline.apply(outreach(*rows).upload_id).upload_id

    return pipeline.show(fill_once(pipeline.settings.home, fill))


@pytest.fixture
def add(pipeline, people):
    def apply(group, *contacts):
        return pipeline.apply(pipeline.plan_group_add(group, contacts, user=WHO).upload_id, user=WHO)

    return apply


@pytest.fixture
def remove(pipeline, people):
    def apply(group, *contacts):
        return pipeline.apply(pipeline.plan_group_remove(group, contacts, user=WHO).upload_id, user=WHO)

    return apply


@pytest.fixture
def groups(pipeline):
    """Contacts by group."""

    def read():
        found = {entry["group"]: set() for entry in pipeline.store.groups()}
        for contact in pipeline.store.contacts():
            for name in contact["groups"]:
                found[name].add(contact["contact_id"])
        return found

    return read


def test_planning_shows_who_joins_and_changes_nothing(pipeline, people, groups):
    upload = pipeline.plan_group_add("Autumn", [2, 1, 2], user=WHO)

    assert (upload.state, upload.group, upload.file_name) == ("staged", "Autumn", "add 2 contacts to group Autumn")
    assert upload.warnings == ["The group 'Autumn' is new in the address book outreach."]
    names = pipeline.store.names([1, 2])
    assert len({*names.values()}) == 2
    assert upload.first_changes(None) == [
        {
            "target": "membership", "action": "create", "group_name": "Autumn", "contact_id": number, "fields": {},
            "name": names[number],
        }
        for number in (1, 2)
    ]  # fmt: skip
    assert groups() == {"Spring": {1, 2, 3}}


def test_contacts_join_a_group_and_leave_it(add, remove, groups):
    """B4: groups are made and changed by hand, too."""
    added = add("Autumn", 1, 2)
    assert (added.state, groups()) == ("applied", {"Spring": {1, 2, 3}, "Autumn": {1, 2}})

    remove("Autumn", 2)
    remove("Spring", 1, 2, 3)
    assert groups() == {"Spring": set(), "Autumn": {1}}


def test_undo_and_redo_of_both_in_any_order(pipeline, add, remove, groups):
    """X4: every change can be taken back; the newest that is in effect counts, whatever the order of undoing."""
    added, removed = add("Autumn", 1, 2), remove("Autumn", 2)

    pipeline.undo(added.upload_id, user=WHO)
    assert groups() == {"Spring": {1, 2, 3}}
    pipeline.undo(removed.upload_id, user=WHO)
    pipeline.redo(added.upload_id, user=WHO)
    assert groups()["Autumn"] == {1, 2}
    pipeline.redo(removed.upload_id, user=WHO)
    assert groups()["Autumn"] == {1}
    assert pipeline.verify().findings == []


def test_undoing_an_upload_leaves_whom_somebody_has_added_again(pipeline, people, remove, add, groups):
    remove("Spring", 1)
    add("spring", 1)

    pipeline.undo(people.upload_id, user=WHO)

    assert groups() == {"Spring": {1}}
    assert [contact["active"] for contact in pipeline.store.contacts()] == [False]
    assert pipeline.verify().findings == []


def test_an_inactive_contact_joins_too(pipeline, add, groups):
    pipeline.set_active(3, active=False)

    add("Autumn", 3)

    assert groups()["Autumn"] == {3}


@pytest.mark.parametrize("name", ["spring", " SPRING ", "Sp ring"])
def test_names_compare_without_case_and_spaces(remove, groups, name):
    upload = remove(name, 1)

    assert upload.group == "Spring"
    assert groups() == {"Spring": {2, 3}}


def test_several_spaces_in_the_name_of_a_new_group_are_one(add, groups):
    add("  Late   autumn ", 1)
    add("LATE AUTUMN", 2)

    assert groups()["Late autumn"] == {1, 2}


def test_a_name_keeps_its_spelling_while_the_upload_that_wrote_it_is_undone(pipeline, people, add, remove, groups):
    """So that redoing it meets no other spelling of the same name."""
    first = add("Autumn", 1)
    pipeline.undo(first.upload_id, user=WHO)
    second = add("AUTUMN", 2)
    assert (second.group, groups()["Autumn"]) == ("Autumn", {2})

    pipeline.redo(first.upload_id, user=WHO)
    assert groups()["Autumn"] == {1, 2}
    pipeline.undo(first.upload_id, user=WHO)
    pipeline.undo(second.upload_id, user=WHO)
    assert groups() == {"Spring": {1, 2, 3}}
    assert pipeline.verify().findings == []


def test_who_is_in_the_group_or_not_in_it_already_is_counted_and_left_out(pipeline, add, remove):
    add("Autumn", 1)

    added, removed = add("Autumn", 1, 2, 3), remove("Spring", 3)
    again = remove("Spring", 2, 3)

    assert added.warnings == ["1 of 3 contacts is in the group 'Autumn' already."]
    assert added.changes["contact_id"].to_list() == [2, 3]
    assert removed.warnings == []
    assert again.warnings == ["1 of 2 contacts is not in the group 'Spring'."]
    assert again.changes["action"].to_list() == ["remove"]


@pytest.mark.parametrize(
    ("action", "group", "contacts", "code", "said"),
    [
        ("add", "Spring", [1], "nothing-to-do", "Contact 1 is in the group 'Spring' already."),
        ("add", "Spring", [1, 2], "nothing-to-do", "All of the 2 contacts are in the group 'Spring' already."),
        ("add", "Spring", [], "nothing-to-do", "No contact is given."),
        ("add", "  ", [1], "group-missing", "The name of the group is blank."),
        ("add", "Autumn", [1, 7, 9], "contact-unknown", "There is no contact 7, 9."),
        ("add", "Autumn", [10**30], "contact-unknown", f"There is no contact {10**30}."),
        ("remove", "Autumn", [1], "group-unknown", "Address book outreach has no group 'Autumn'."),
        ("remove", "123-45-6789", [1], "group-unknown", "Address book outreach has no group '***-**-****'."),
        ("remove", "Spring", [8], "contact-unknown", "There is no contact 8."),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_nothing(pipeline, people, action, group, contacts, code, said):
    plan = pipeline.plan_group_add if action == "add" else pipeline.plan_group_remove
    with pytest.raises(Refusal) as refusal:
        plan(group, contacts, user=WHO)

    assert (refusal.value.code, refusal.value.message) == (code, said)
    assert len(pipeline.uploads()) == 1


def test_contacts_not_in_the_group_to_leave_are_nothing_to_do(pipeline, remove):
    remove("Spring", 1, 2)

    with pytest.raises(Refusal, match="All of the 2 contacts are not in the group 'Spring'") as refusal:
        pipeline.plan_group_remove("Spring", [1, 2])

    assert refusal.value.code == "nothing-to-do"


def test_contacts_of_two_address_books_are_refused_by_name(pipeline, people, leads):
    leads(("Dee Eff", "(202) 555-0144", "dee@example.com"))

    with pytest.raises(Refusal) as refusal:
        pipeline.plan_group_add("Autumn", [1, 2, 4])

    assert refusal.value.code == "address-books"
    assert "outreach has 1, 2; leads has 4" in refusal.value.message


def test_a_group_of_that_name_in_another_address_book_is_another_one(pipeline, people, leads):
    leads(("Dee Eff", "(202) 555-0144", "dee@example.com"))
    with pytest.raises(Refusal) as refusal:
        pipeline.plan_group_remove("Spring", [4])
    assert refusal.value.code == "group-unknown"

    pipeline.apply(pipeline.plan_group_add("SPRING", [4], user=WHO).upload_id, user=WHO)

    assert {entry["group"]: entry["contacts"] for entry in pipeline.store.groups()} == {"Spring": 3, "SPRING": 1}


def test_somebody_erased_joins_no_group(pipeline, people):
    planned = pipeline.plan_group_add("Autumn", [1, 2], user=WHO)
    pipeline.erase(1, user=WHO)

    with pytest.raises(Refusal) as refusal:
        pipeline.plan_group_add("Autumn", [1, 2])
    applied = pipeline.apply(planned.upload_id, user=WHO)

    assert refusal.value.code == "erased"
    assert (applied.state, applied.reason["fix"]) == (
        "stale", "It was made by hand: give the command for it again.",
    )  # fmt: skip
    assert {entry["group"] for entry in pipeline.store.groups()} == {"Spring"}


def test_a_contact_that_is_gone_makes_it_stale_and_it_cannot_be_planned_again(pipeline, people):
    planned = pipeline.plan_group_add("Autumn", [1], user=WHO)
    pipeline.undo(people.upload_id, user=WHO)

    assert pipeline.apply(planned.upload_id, user=WHO).state == "stale"
    with pytest.raises(Refusal, match="made by hand"):
        pipeline.plan_again(planned.upload_id)
    assert pipeline.cancel(planned.upload_id, user=WHO).state == "cancelled"


def test_two_plans_for_one_contact_are_both_in_effect(pipeline, people, groups):
    plans = [pipeline.plan_group_add(name, [1], user=WHO) for name in ("Autumn", "AUTUMN")]
    for planned in plans:
        assert pipeline.apply(planned.upload_id, user=WHO).state == "applied"
    assert groups() == {"Spring": {1, 2, 3}, "Autumn": {1}}

    pipeline.undo(plans[0].upload_id, user=WHO)
    assert groups()["Autumn"] == {1}
    pipeline.undo(plans[1].upload_id, user=WHO)
    assert groups() == {"Spring": {1, 2, 3}}
    assert pipeline.verify().findings == []


def test_the_same_change_has_the_same_hash_and_another_one_another(pipeline, people):
    plans = [("Autumn", [1, 2]), ("Autumn", [2, 1, 1]), ("Autumn", [1, 3]), ("Winter", [1, 2])]
    first, same, *others = [pipeline.plan_group_add(*plan).changeset_sha256 for plan in plans]
    others.append(pipeline.plan_group_remove("Spring", [1, 2]).changeset_sha256)

    assert first == same
    assert len({first, *others}) == 4


def test_the_history_of_a_contact_tells_it(pipeline, add, remove):
    add("Autumn", 1)
    remove("Autumn", 1)

    *_, joined, left = pipeline.store.history(1)

    assert (joined["action"], joined["by"], joined["fields"]) == ("create", WHO, {"membership": [None, "Autumn"]})
    assert (left["action"], left["fields"]) == ("remove", {"membership": ["Autumn", None]})
    assert left["file_name"] == "remove contact 1 from group Autumn"
