"""Single contacts: entered by hand, deactivated and reactivated, and their history."""

from datetime import UTC, datetime

import pytest

from contact_pipeline.errors import Refusal


@pytest.fixture
def rosa(pipeline):
    """A contact entered by hand."""
    values = {"first_name": "Rosa", "email": "rosa@EXAMPLE.com", "ssn": "219-09-9998"}
    upload = pipeline.plan_contact("outreach_contacts", values, group="Spring")
    return pipeline.apply(upload.upload_id)


def test_a_contact_entered_by_hand_goes_through_all_stages(pipeline, rosa):
    """A10, B1: typed in, normalized, validated, matched and put into the group."""
    (contact,) = pipeline.store.contacts()

    assert rosa.outcomes["created"] == 1
    assert (contact["first_name"], contact["email"], contact["groups"]) == ("Rosa", "rosa@example.com", ["Spring"])


@pytest.mark.parametrize("profile", ["program_contacts", "property_contacts"])
def test_a_contact_of_an_excel_profile_can_be_entered_too(pipeline, profile):
    """A10: a single contact can be created by hand."""
    upload = pipeline.plan_contact(profile, {"email": "ann@example.com", "first_name": "Ann"})

    assert (upload.state, upload.outcomes["created"]) == ("staged", 1)


def test_a_contact_that_exists_is_not_entered_twice(pipeline, rosa):
    """B1, B9: the same person is a duplicate by hand, too."""
    upload = pipeline.plan_contact("outreach_contacts", {"first_name": "R", "ssn": "219099998", "phone": "2025550143"},
                                   group="Spring")  # fmt: skip

    assert upload.outcomes["duplicate"] == 1


def test_a_field_that_the_profile_lacks_is_refused_by_name(pipeline):
    with pytest.raises(Refusal) as refusal:
        pipeline.plan_contact("outreach_contacts", {"shoe_size": "39"}, group="Spring")

    assert refusal.value.code == "field-unknown"
    assert "shoe_size" in refusal.value.message


def test_a_contact_is_deactivated_reactivated_and_that_is_undone(pipeline, rosa):
    """A8: deactivated, never deleted; reactivated at any time. X4: both are changesets."""
    upload = pipeline.set_active(1, active=False)
    assert pipeline.store.contact(1)["active"] is False

    pipeline.undo(upload.upload_id)
    assert pipeline.store.contact(1)["active"] is True

    pipeline.set_active(1, active=False)
    pipeline.set_active(1, active=True)
    assert pipeline.store.contact(1)["active"] is True


def test_what_is_so_already_is_refused(pipeline, rosa):
    with pytest.raises(Refusal) as refusal:
        pipeline.set_active(1, active=True)

    assert refusal.value.code == "nothing-to-do"


def test_history_names_upload_row_person_and_fields(pipeline, rosa):
    pipeline.set_active(1, active=False, user="d.rivers")

    created, joined, deactivated = pipeline.store.history(1)

    assert (created["action"], created["row_number"], created["upload_id"]) == ("create", 2, rosa.upload_id)
    assert created["fields"]["email"] == [None, "rosa@example.com"]
    assert joined["fields"] == {"membership": [None, "Spring"]}
    assert (deactivated["by"], deactivated["fields"]) == ("d.rivers", {"active": [True, False]})


def test_history_masks_sensitive_values(pipeline, rosa):
    """B2: an SSN is masked wherever it is shown."""
    assert pipeline.store.history(1)[0]["fields"]["ssn"] == [None, "***-**-****"]


def test_contacts_as_of_a_time_are_those_of_that_time(pipeline, leads, contacts):
    """X4: the changesets are the history, so any earlier table can be rebuilt from them."""
    moments = []
    leads(("Ann Bee", "(202) 555-0143", "ann@example.com"), ("Cy Dee", "(202) 555-0144", ""))
    moments.append((datetime.now(UTC).replace(tzinfo=None), pipeline.store.contacts()))
    second = leads(("Ann Bee", "(202) 555-0143", "ann.bee@example.com"), ("Di Eff", "", "di@example.com"))
    moments.append((datetime.now(UTC).replace(tzinfo=None), pipeline.store.contacts()))
    for turn in (pipeline.undo, pipeline.redo):
        turn(second.upload_id, user="d.rivers")
        moments.append((datetime.now(UTC).replace(tzinfo=None), pipeline.store.contacts()))
    assert [len(then) for _, then in moments] == [2, 3, 2, 3]

    for at, then in moments:
        rebuilt = pipeline.store.contacts_as_of(at)
        assert rebuilt == [{name: contact[name] for name in rebuilt[0]} for contact in then]


def test_as_of_any_time_an_erased_contact_has_no_values_and_the_others_have_theirs(pipeline, leads):
    """X4: erasing takes the values out of the history too; who was there when stays."""
    leads(("Ann Bee", "(202) 555-0143", "ann@example.com"), ("Cy Dee", "(202) 555-0144", ""))
    at, then = datetime.now(UTC).replace(tzinfo=None), pipeline.store.contacts()
    pipeline.erase(1, user="d.rivers")

    for moment in (at, datetime.now(UTC).replace(tzinfo=None)):
        erased, other = pipeline.store.contacts_as_of(moment)
        assert (erased["contact_id"], erased["full_name"], erased["email"]) == (1, None, None)
        assert other == {name: then[1][name] for name in other}
