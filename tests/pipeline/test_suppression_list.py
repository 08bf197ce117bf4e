"""The shipped profile of a suppression list: that a row is there is the wish not to be contacted."""

import pytest

from contact_pipeline.cli.app import run
from contact_pipeline.errors import Refusal
from tests.homes import fill_once

KNOWN = (
    {"first": "Ana", "last": "Lima", "email": "ana@example.com", "phone": "(202) 555-0143", "account": "A-100001"},
    {"first": "Ben", "last": "Lee", "email": "ben@example.com"},
    {"first": "Cy", "last": "Moss", "phone": "(202) 555-0144", "email": "cy@example.com", "account": "A-100003"},
    {"first": "Di", "last": "Moss", "phone": "(202) 555-0144", "email": "di@example.com", "account": "A-100004"},
)


@pytest.fixture
def known(pipeline, outreach):
    """Ana (contact 1, with a telephone number), Ben (2) and Cy and Di (3 and 4, of one number)."""

    def fill():
        return pipeline.apply(outreach(*KNOWN).upload_id).upload_id

    return pipeline.show(fill_once(pipeline.settings.home, fill))


@pytest.fixture
def suppress(pipeline, known, write):
    """Plans a list of the rows below the headings, and applies it."""

    def send(headings, *rows, apply=True, **options):
        upload = pipeline.plan(write("list.csv", headings, rows), "suppression_list", **options)
        return pipeline.apply(upload.upload_id) if apply else upload

    return send


@pytest.fixture
def wishes(pipeline):
    def read():
        return {contact["contact_id"]: contact["do_not_contact"] for contact in pipeline.store.contacts()}

    return read


def test_every_row_is_a_wish_of_people_known_and_unknown(pipeline, suppress, wishes):
    before = pipeline.store.contact(1)

    upload = suppress(["Email"], ["ANA@example.com"], ["new@example.com"], ["ana@example.com"])

    assert {name: count for name, count in upload.outcomes.items() if count} == {
        "created": 1,
        "updated": 1,
        "duplicate": 1,
    }
    assert wishes() == {1: True, 2: None, 3: None, 4: None, 5: True}
    moved = {"do_not_contact": True, "revision": before["revision"] + 1, "last_upload_id": upload.upload_id}
    assert pipeline.store.contact(1) == before | moved
    assert pipeline.store.contact(5)["email"] == "new@example.com"


def test_nothing_but_the_wish_is_written_to_somebody_known(pipeline, suppress):
    suppress(["Email", "Phone", "Name"], ["ben@example.com", "(202) 555-0199", "Somebody Else"])

    contact = pipeline.store.contact(2)
    assert (contact["do_not_contact"], contact["phone"], contact["full_name"]) == (True, None, None)
    assert (contact["first_name"], contact["last_name"]) == ("Ben", "Lee")


@pytest.mark.parametrize(
    ("heading", "word"),
    [
        ("Do not contact", ""), ("Unsubscribed", "yes"), ("Email Opt Out", "1"), ("OPTED OUT", "x"),
        ("Désabonné", "oui"),
        ("Unsubscribed", "n/a"), ("Unsubscribed", "unsubscribed"),
    ],
)  # fmt: skip
def test_a_column_for_it_may_say_yes_or_be_blank(suppress, wishes, heading, word):
    upload = suppress(["E-mail", heading], ["ben@example.com", word], ["new@example.com", word])

    assert upload.line.ignored == []
    assert {wishes()[number] for number in (2, 5)} == {True}


@pytest.mark.parametrize(
    ("word", "code"), [("no", "not-a-choice"), ("0", "not-a-choice"), ("ask him", "boolean-format")]
)
def test_what_does_not_say_yes_holds_the_row_and_makes_nobody_contactable(suppress, wishes, word, code):
    rows = [["ana@example.com", word], ["new@example.com", word], ["ben@example.com", ""]]

    upload = suppress(["Email", "Unsubscribed"], *rows, allow_rejected=100)

    assert upload.outcomes["rejected"] == 2
    assert upload.rejections.filter(severity="error").select("row_number", "column", "value", "code").rows() == [
        (row, "Unsubscribed", {"0": "no"}.get(word, word), code) for row in (2, 3)
    ]
    assert wishes() == {1: None, 2: True, 3: None, 4: None}


def test_a_telephone_number_is_enough(suppress, wishes):
    suppress(["Phone number", "First name"], ["202-555-0143", "Ana"], ["202-555-0177", "Eve"], ["", "Nobody"])

    assert wishes() == {1: True, 2: None, 3: None, 4: None, 5: True}


def test_a_number_of_two_contacts_is_for_a_person_to_decide(suppress, wishes, pipeline):
    upload = suppress(["Phone"], ["202-555-0144"])
    assert upload.outcomes["review"] == 1

    pipeline.resolve(upload.upload_id, 2, 4)

    assert wishes() == {1: None, 2: None, 3: None, 4: True}


def test_names_alone_are_no_list(suppress):
    upload = suppress(["Name"], ["Ana Lima"], apply=False)

    assert (upload.state, upload.reason["code"]) == ("refused", "mapping")
    assert "an e-mail address or a phone number" in upload.reason["message"]


def test_somebody_on_the_list_stays_so_when_a_later_file_brings_them(pipeline, suppress, outreach, wishes):
    suppress(["Email", "Name"], ["eve@example.com", "Eve Stone"])

    later = outreach({"first": "Eve", "last": "Stone", "email": "eve@example.com", "account": "A-100009"}, name="l.csv")
    pipeline.apply(later.upload_id)

    assert later.outcomes["duplicate"] == 1
    assert wishes()[5] is True
    contact = pipeline.store.contact(5)
    assert (contact["first_name"], contact["last_name"]) == ("Eve", "Stone")


def test_undo_makes_people_contactable_again_only_when_that_is_confirmed(pipeline, suppress, wishes):
    """X4: the list can be taken back, and says how many people could be contacted again."""
    upload = suppress(["Email"], ["ana@example.com"], ["ben@example.com"], ["new@example.com"])

    with pytest.raises(Refusal, match="from 2 contacts") as refusal:
        pipeline.undo(upload.upload_id)
    assert refusal.value.code == "clears-do-not-contact"
    assert wishes()[1] is True

    home = str(pipeline.settings.home)
    assert run(["undo", upload.upload_id, "--home", home]) == 1
    assert run(["undo", upload.upload_id, "--clear-do-not-contact", "--home", home]) == 0
    assert wishes() == dict.fromkeys((1, 2, 3, 4))
    assert run(["redo", upload.upload_id, "--home", home]) == 0
    assert wishes() == {1: True, 2: True, 3: None, 4: None, 5: True}


def test_the_same_list_again_changes_nothing(suppress):
    suppress(["Email"], ["ana@example.com"], ["new@example.com"])

    again = suppress(["Email", "Name"], ["ana@example.com", ""], ["new@example.com", "Eve"], apply=False)

    assert again.outcomes["duplicate"] == 2
    assert again.change_count == 0
