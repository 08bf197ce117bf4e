"""Undoing an applied upload, and redoing it."""

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.errors import Refusal
from tests.homes import fill_once
from tests.thorough import spread

ANN = ("Ann Bee", "(202) 555-0143", "ann@example.com")
ANN_MOVED = ("Ann Bee", "(202) 555-0143", "ann.bee@example.com")
DIRECTOR = "d.rivers"
CY = ("Cy Dee", "(202) 555-0144", "")


@pytest.fixture
def ann(pipeline, leads):
    """Ann's upload, applied."""

    def fill():
        return leads(ANN).upload_id

    return pipeline.show(fill_once(pipeline.settings.home, fill))


def test_undo_gives_updates_back_and_removes_what_was_created(pipeline, ann, leads, contacts):
    """X4: an update and a creation are taken back."""
    before = contacts()
    second = leads(ANN_MOVED, CY)

    undone = pipeline.undo(second.upload_id, user="d.rivers")

    assert undone.state == "undone"
    assert contacts() == before
    assert undone.inverse.conflicts.is_empty()


def test_redo_brings_everything_back(pipeline, ann, leads, contacts):
    """X4: what is undone comes back, ids included."""
    second = leads(ANN_MOVED, CY)
    after = contacts()

    pipeline.undo(second.upload_id, user="d.rivers")
    again = pipeline.redo(second.upload_id, user="d.rivers")

    assert again.state == "applied"
    assert contacts() == after


@pytest.mark.parametrize(("first", "then"), [("undo", "undo"), ("redo", "redo")])
def test_what_is_undone_or_in_effect_already_stays_so(pipeline, ann, first, then):
    """X4: said twice, it is done once, and the second time says so."""
    if first == "redo":
        pipeline.undo(ann.upload_id, user="d.rivers")
    getattr(pipeline, first)(ann.upload_id, user="d.rivers")
    with pipeline.store.open(read_only=True) as database:
        before = database.rows("FROM commits"), database.rows("FROM contacts")

    again = getattr(pipeline, then)(ann.upload_id, user="d.rivers")

    assert again.state == ("undone" if first == "undo" else "applied")
    assert f"It was {first}ne before; nothing was changed now." in again.warnings
    with pipeline.store.open(read_only=True) as database:
        assert (database.rows("FROM commits"), database.rows("FROM contacts")) == before


def test_what_changed_since_is_a_conflict_and_left_alone(pipeline, ann, leads, contacts):
    """X4: a value that a later upload changed stays, and is listed."""
    second = leads(ANN_MOVED)
    third = leads(("Ann Bee", "(202) 555-0143", "ann.third@example.com"))

    undone = pipeline.undo(second.upload_id, user="d.rivers")

    (contact,) = contacts().values()
    assert contact["email"] == "ann.third@example.com"
    conflicts = undone.inverse.conflicts.to_dicts()
    assert {(c["field"], c["upload_id"], c["reason"]) for c in conflicts} == {
        ("email", third.upload_id, "changed since"),
        ("notes", third.upload_id, "changed since"),
    }


def test_a_creation_that_others_built_upon_is_deactivated(pipeline, leads, contacts):
    """X4: what a later upload changed is kept, inactive."""
    first = leads(ANN, CY)
    leads(ANN_MOVED)

    undone = pipeline.undo(first.upload_id, user="d.rivers")

    (contact,) = contacts().values()
    assert contact["active"] is False
    assert contact["email"] == "ann.bee@example.com"
    assert undone.inverse.conflicts["left_as"].to_list() == ["deactivated instead of removed"]


def test_a_contact_linked_to_is_not_removed(pipeline, ann, leads, contacts):
    """X4, E5: no link points nowhere after an undo."""
    second = leads(ANN_MOVED, rule="create")

    pipeline.undo(ann.upload_id, user="d.rivers")

    assert {contact["active"] for contact in contacts().values()} == {False, True}
    pipeline.undo(second.upload_id, user="d.rivers")
    assert contacts() == {}


def test_deactivations_are_undone(pipeline, outreach, contacts, tmp_path):
    """X4, A8: contacts that were missing in a file are active again."""
    profile = tmp_path / "home" / "profiles" / "list_of_members.yaml"
    profile.parent.mkdir(exist_ok=True)
    profile.write_text(
        """
name: list_of_members
title: Members
address_book: members
file: {types: [csv]}
headings: exact
columns: [{field: email, heading: Email, type: email, required: true}]
match: [{equal: [email]}]
on_error: block
options: {deactivate_missing: true}
apply: approval
"""
    )
    file = tmp_path / "members.csv"
    file.write_text("Email\n" + "".join(f"m{n}@example.com\n" for n in range(10)))
    pipeline.apply(pipeline.plan(file, "list_of_members").upload_id)
    before = contacts()
    file.write_text("Email\n" + "".join(f"m{n}@example.com\n" for n in range(9)))
    second = pipeline.apply(pipeline.plan(file, "list_of_members", deactivate_missing=True).upload_id)
    assert second.deactivated == 1

    pipeline.undo(second.upload_id)

    assert contacts() == before


def test_a_group_membership_is_taken_back(pipeline, outreach):
    """X4, B4: who was created leaves the group too."""
    upload = pipeline.apply(outreach({"account": "A-1"}).upload_id)

    pipeline.undo(upload.upload_id)

    assert pipeline.store.groups() == []
    assert pipeline.store.contacts() == []
    pipeline.redo(upload.upload_id)
    assert pipeline.store.groups() == [{"address_book": "outreach", "group": "Spring", "contacts": 1}]


def test_planning_an_undo_changes_nothing_and_shows_the_inverse(pipeline, ann, contacts):
    """X4: the inverse is shown before it is applied."""
    before = contacts()

    planned = pipeline.plan_undo(ann.upload_id)

    assert contacts() == before
    assert planned.state == "applied"
    assert planned.inverse.changes["action"].to_list() == ["remove"]


def test_a_held_upload_is_undone_and_published_contacts_stay(pipeline, ann, leads, contacts):
    """X4, E10: undo works before finalizing, and after it."""
    pipeline.finalize(ann.upload_id, user="d.rivers")
    published = contacts(published=True)
    second = leads(ANN_MOVED)

    pipeline.undo(second.upload_id, user="d.rivers")
    assert contacts(published=True) == published == contacts()
    pipeline.redo(second.upload_id, user="d.rivers")
    assert contacts(published=True) == published
    pipeline.undo(ann.upload_id, user="d.rivers")
    assert pipeline.redo(ann.upload_id, user="d.rivers").state == "finalized"
    assert contacts(published=True) == published


def test_the_same_file_after_an_undo_is_a_new_upload(pipeline, ann, leads):
    """X3, X4: an upload repeats only one that is applied and not undone."""
    pipeline.undo(ann.upload_id, user="d.rivers")

    assert leads(ANN).state == "applied"


def test_a_staged_upload_cannot_be_undone(pipeline, outreach):
    upload = outreach({"account": "A-1"})

    with pytest.raises(Refusal) as refusal:
        pipeline.undo(upload.upload_id)

    assert refusal.value.code == "wrong-state"


@pytest.fixture
def edits(pipeline, leads):
    """Uploads over one lead: the first one makes it, each of the others gives it another address."""

    def fill(*emails):
        each = enumerate(emails)
        return tuple(leads((*ANN[:2], email), name=f"{number}.csv").upload_id for number, email in each)

    return lambda *emails: fill_once(pipeline.settings.home, fill, *emails)


def email_of(pipeline, **options):
    return [contact["email"] for contact in pipeline.store.contacts(**options)]


def test_an_older_upload_is_undone_after_a_newer_one_and_its_value_does_not_come_back(pipeline, edits):
    """X4: undoing the second edit does not give back what the first one gave, once that is undone."""
    _, older, newer = edits("a@example.com", "b@example.com", "c@example.com")

    pipeline.undo(older, user="d.rivers")
    assert email_of(pipeline) == ["c@example.com"]
    undone = pipeline.undo(newer, user="d.rivers")

    assert email_of(pipeline) == ["a@example.com"]
    assert pipeline.store.contact(1)["notes"] == []
    assert undone.inverse.conflicts.is_empty()


def test_whatever_is_undone_and_redone_a_value_is_that_of_the_newest_upload_that_counts(pipeline, edits):
    """X4: of three edits of one value, each is taken back and brought back while older and newer ones do and do not."""
    emails = ["a@example.com", "b@example.com", "c@example.com", "d@example.com"]
    uploads = edits(*emails)
    counting = {0, 1, 2, 3}

    for number in (1, 3, 1, 2, 1, 3, 2, 1, 3, 3, 2, 1):
        turn = pipeline.undo if number in counting else pipeline.redo
        turn(uploads[number], user="d.rivers")
        counting ^= {number}
        assert email_of(pipeline) == [emails[max(counting)]], (number, counting)


def test_a_redo_lists_who_changed_the_value_since(pipeline, edits):
    """X4: brought back, an older edit stays behind a newer one, and that is said."""
    _, older, newer = edits("a@example.com", "b@example.com", "c@example.com")
    pipeline.undo(older, user="d.rivers")

    again = pipeline.redo(older, user="d.rivers")

    assert (again.state, email_of(pipeline)) == ("applied", ["c@example.com"])
    conflicts = again.inverse.conflicts.select("field", "upload_id", "left_as").rows()
    assert ("email", newer, "left as it is") in conflicts


def test_a_lead_made_again_has_what_counts_of_all_that_was_done_to_it(pipeline, edits):
    """X4: an edit was brought back while the lead itself was away."""
    first, second = edits("a@example.com", "b@example.com")
    for upload in (second, first):
        pipeline.undo(upload, user="d.rivers")
    assert pipeline.store.contacts() == []
    pipeline.redo(second, user="d.rivers")
    (contact,) = pipeline.store.contacts()
    assert (contact["active"], contact["full_name"], contact["email"]) == (False, None, "b@example.com")

    pipeline.redo(first, user="d.rivers")

    assert email_of(pipeline) == ["b@example.com"]
    assert pipeline.store.contact(1)["active"]


def test_a_lead_that_is_there_for_its_edit_alone_goes_with_it(pipeline, edits, contacts):
    """X4: while its making is undone and its edit is not, it is inactive and has what the edit gave it."""
    first, second = edits("a@example.com", "b@example.com")
    pipeline.undo(first, user="d.rivers")
    (contact,) = contacts().values()
    assert (contact["active"], contact["email"], "full_name" in contact) == (False, "b@example.com", False)
    pipeline.undo(second, user="d.rivers")
    assert contacts() == {}

    pipeline.redo(first, user="d.rivers")

    (contact,) = contacts().values()
    assert (contact["active"], contact["email"]) == (True, "a@example.com")


# Every second one of these orders: each upload comes first, second and last.
ORDERS = [(1, 3, 2), (1, 2, 3), (2, 1, 3), (2, 3, 1), (3, 2, 1), (3, 1, 2)]


@pytest.mark.parametrize("order", spread(ORDERS, 3))
def test_held_uploads_over_one_contact_are_undone_before_and_after_they_are_finalized(pipeline, edits, order):
    """X4, E10: published is the newest value that is neither held nor undone, whatever was finalized first."""
    emails = ["a@example.com", "b@example.com", "c@example.com", "d@example.com"]
    uploads = edits(*emails)
    first, second, third = order
    pipeline.finalize(uploads[0], user="d.rivers")
    assert email_of(pipeline, published=True) == ["a@example.com"]

    pipeline.undo(uploads[first], user="d.rivers")
    for visible, number in (({0, second}, second), ({0, second, third}, third)):
        pipeline.finalize(uploads[number], user="d.rivers")
        assert email_of(pipeline, published=True) == [emails[max(visible)]]
    pipeline.undo(uploads[second], user="d.rivers")
    assert email_of(pipeline, published=True) == [emails[max(0, third)]]
    assert email_of(pipeline) == [emails[max(0, third)]]
    pipeline.redo(uploads[first], user="d.rivers")
    assert email_of(pipeline, published=True) == [emails[third]]
    assert email_of(pipeline) == [emails[max(first, third)]]


def test_a_home_may_have_any_pattern_as_its_name(pipeline, tmp_path, write):
    """Polars and DuckDB read a path with brackets or asterisks as a pattern, unless they are told not to."""
    pipeline.settings.home.rename(tmp_path / "home [1]*")
    pipeline = Pipeline(home=tmp_path / "home [1]*")
    file = write("people.csv", ["Name", "Phone", "Email"], [ANN])
    planned = pipeline.plan(file, "dealer_leads", user=DIRECTOR, lead_type="SMS")
    applied = pipeline.apply(planned.upload_id, user=DIRECTOR)

    undone = pipeline.undo(applied.upload_id, user=DIRECTOR)

    assert (applied.state, undone.state, pipeline.store.contacts()) == ("applied", "undone", [])


def test_a_contact_that_a_decided_row_of_its_own_file_changed_goes_with_the_upload(pipeline, leads):
    """It has a creation and a change in two changesets of one upload."""
    rows = [("Ann Bee", f"(202) 555-010{n}", f"ann.{n}@example.com") for n in (1, 2)]
    upload = leads(*rows, ("Ann Bee", "(202) 555-0101", "ann.2@example.com"), rule="merge")
    assert upload.outcomes["review"] == 1
    pipeline.resolve(upload.upload_id, 4, 1, user=DIRECTOR)
    assert [contact["revision"] for contact in pipeline.store.contacts()] == [2, 1]

    pipeline.undo(upload.upload_id, user=DIRECTOR)

    assert pipeline.store.contacts() == []
