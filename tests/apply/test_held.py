"""What is held back until it is finalized: the published contacts show neither its creations nor its edits."""

from itertools import permutations

from contact_pipeline.store.ledger import change_line
from tests.match.ground import sides

ANN = {"full_name": "Ann Bee", "phone": "+12025550143", "email": "ann@example.com"}
BOB = {"full_name": "Bob Dee", "phone": "+12025550144", "email": "bob@example.com"}


def run(ground, rows, *, held, **options):
    planned = ground.run("dealer_leads", rows, lead_type="SMS", **options)
    ground.record(planned, held=held)
    return planned


def finalize(ground, planned):
    change_line(ground.book, planned.upload_id, state="finalized")


def published(ground):
    return {c["contact_id"]: c for c in ground.store.contacts(published=True)}


def test_a_held_creation_is_not_published_until_it_is_finalized(ground):
    """E10: the lead is there for matching, and for nobody else."""
    planned = run(ground, [ANN], held=True)
    assert published(ground) == {}
    assert len(ground.store.contacts()) == 1
    finalize(ground, planned)
    assert published(ground)[1]["email"] == "ann@example.com"


def test_a_held_edit_is_not_published_until_it_is_finalized(ground):
    """E10: the published lead keeps its value, and its notes, until then."""
    run(ground, [ANN], held=False)
    planned = run(ground, [ANN | {"email": "new@example.com"}], held=True)
    assert (published(ground)[1]["email"], published(ground)[1]["notes"]) == ("ann@example.com", [])
    finalize(ground, planned)
    assert published(ground)[1]["email"] == "new@example.com"
    assert published(ground)[1]["notes"] == ["[merge] Email: ann@example.com"]


def test_an_edit_of_a_held_lead_that_is_not_held_shows_nothing_of_what_is(ground):
    """E10: until the lead is finalized there is but what the edit gave it, inactive."""
    planned = run(ground, [ANN], held=True)
    run(ground, [ANN | {"email": "new@example.com"}], held=False)
    shown = {name: value for name, value in published(ground)[1].items() if value not in (None, [])}
    assert {name: shown.get(name) for name in ("full_name", "phone", "active", "email")} == {
        "full_name": None, "phone": None, "active": False, "email": "new@example.com",
    }  # fmt: skip
    finalize(ground, planned)
    assert (published(ground)[1]["email"], published(ground)[1]["active"]) == ("new@example.com", True)


def test_a_link_to_a_held_lead_is_not_published(ground):
    """E10: the lead that is there shows no link to one that is not."""
    run(ground, [ANN], held=False)
    planned = run(ground, [ANN], held=True, rule="create")
    assert published(ground)[1]["links"] == []
    finalize(ground, planned)
    assert published(ground)[1]["links"] == [2]


def test_a_link_that_is_not_held_shows_the_held_lead_that_it_leads_to_inactive_and_without_a_value(ground):
    """E10: no published link leads to a contact that is not there."""
    planned = run(ground, [ANN], held=True)
    run(ground, [ANN], held=False, rule="create")
    assert {number: contact["links"] for number, contact in published(ground).items()} == {1: [2], 2: [1]}
    assert [published(ground)[1][name] for name in ("active", *ANN)] == [False, None, None, None]
    finalize(ground, planned)
    assert [published(ground)[1][name] for name in ("active", *ANN)] == [True, *ANN.values()]


def test_contacts_that_no_held_upload_touches_are_published_as_they_are(ground):
    """E10: beside a held lead another one stands as usual."""
    run(ground, [BOB], held=False)
    run(ground, [ANN], held=True)
    assert list(published(ground)) == [1]


def test_matching_sees_what_is_held(ground):
    """E5, E10: a held lead is found, not made again."""
    run(ground, [ANN], held=True)
    assert ground.plan("dealer_leads", [ANN], lead_type="SMS").row_outcomes == ["unchanged"]


def test_held_uploads_over_one_contact_can_be_finalized_in_any_order(ground):
    """E10: a field's published value is that of the newest change to it, in commit order, that is not held."""
    held = {1, 2, 3}
    edits = [
        {},
        {"email": "one@example.com"},
        {"email": "two@example.com"},
        {"email": "two@example.com", "phone": "+12025550199"},
        {"full_name": "ANN BEE"},
    ]
    uploads, values = [], dict(ANN)
    for number, edit in enumerate(edits):
        values |= edit
        uploads.append(run(ground, [dict(values)], held=number in held))
    assert [planned.row_outcomes for planned in uploads] == [["created"], *[["updated"]] * 4]

    for order in permutations(held):
        for number in held:
            change_line(ground.book, uploads[number].upload_id, state="applied")
        for done in range(len(order) + 1):
            if done:
                finalize(ground, uploads[order[done - 1]])
            visible = {0, 4, *order[:done]}
            expected = dict(ANN)
            for number in sorted(visible):
                expected |= changes(uploads[number])
            (contact,) = ground.store.contacts(published=True)
            assert {name: contact[name] for name in expected} == expected, (order, done)


def changes(planned):
    (change,) = planned.changes
    return {name: after for name, (_, after) in sides(change).items() if name in ("full_name", "phone", "email")}
