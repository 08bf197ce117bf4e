"""A wish not to be contacted reaches every contact that is linked with the one that a row reaches."""

import pytest

from contact_pipeline.apply.stale import rows_with_new_links
from contact_pipeline.profiles import Profile
from tests.match.ground import sides
from tests.match.reference import Entity, Row

BOOK = "news"
YES, NO = {"do_not_contact": True}, {"do_not_contact": False}


def person(name):
    return {"email": f"{name}@example.com", "full_name": name.title()}


ANA, ANN, BO = person("ana"), person("ann"), person("bo")
WISH = {"do_not_contact": (None, True)}


def profile(matched="update", **choices):
    return Profile.model_validate(
        {
            "name": "readers", "title": "Readers", "address_book": BOOK, "file": {"types": ["csv"]},
            "headings": "mapped", "on_error": "reject", "apply": "approval", "matched": matched,
            "columns": [
                {"field": "email", "heading": "Email", "type": "email", "required": True},
                {"field": "full_name", "heading": "Name", "type": "name"},
                {"field": "phone", "heading": "Phone", "type": "phone"},
                {"field": "do_not_contact", "heading": "Unsubscribed", "type": "boolean"},
            ],
            "match": [{"equal": ["email"]}],
        }
        | choices
    )  # fmt: skip


def wishes(ground):
    return {number: contact["do_not_contact"] for number, contact in ground.table("contact", BOOK).items()}


def changed(planned):
    """Each change: its target, action and row, and the fields."""
    return [(c["contact_id"], c["action"], c["row_number"], sides(c)) for c in planned.changes]


@pytest.mark.parametrize("matched", ["update", "create"])
def test_fields_may_be_called_like_columns_of_links(ground, matched):
    called = [{"field": name, "heading": f"{name} ?"} for name in ("target", "linked_to", "other", "row")]
    columns = profile().model_dump(mode="json", exclude_none=True)["columns"]
    named = profile(matched, columns=[*columns, *called])
    ground.fill(BOOK, [Entity(1, ANA), Entity(2, ANN, linked_to=1)])

    values = {column["field"]: "A" for column in called}
    ground.run(named, [BO | values])  # brings the columns

    planned = ground.plan(named, [ANA | YES | values])
    assert {c["contact_id"] for c in planned.changes} >= {1, 2}
    assert rows_with_new_links(ground.book, planned.changeset.snapshot) == []


@pytest.mark.parametrize("matched", ["update", "merge", "ignore"])
def test_every_linked_contact_gets_the_wish_in_a_change_of_its_own(ground, matched):
    ground.fill(BOOK, [Entity(1, ANA), Entity(2, ANN | NO, linked_to=1), Entity(3, BO), Entity(4, ANA, linked_to=1)])
    planned = ground.run(profile(matched), [ANA | YES])
    assert changed(planned) == [
        (1, "update", 2, WISH),
        (2, "update", 2, {"do_not_contact": (False, True)}),
        (4, "update", 2, WISH),
    ]
    assert wishes(ground) == {1: True, 2: True, 3: None, 4: True}
    assert {n: c["revision"] for n, c in ground.table("contact", BOOK).items()} == {1: 2, 2: 2, 3: 1, 4: 2}
    assert (planned.row_outcomes, planned.changeset.changed) == (["updated"], 3)


@pytest.mark.parametrize("matched", ["update", "ignore"])
def test_a_row_that_reaches_a_younger_one_gives_the_wish_to_the_oldest_and_its_like(ground, matched):
    ground.fill(BOOK, [Entity(1, ANA), Entity(2, ANN, linked_to=1), Entity(3, BO, linked_to=1)])
    ground.run(profile(matched), [{"email": ANN["email"]} | YES])
    assert wishes(ground) == {1: True, 2: True, 3: True}


@pytest.mark.parametrize("matched", ["update", "merge", "ignore"])
def test_the_wish_reaches_the_others_where_the_one_that_is_reached_has_it_already(ground, matched):
    ground.fill(BOOK, [Entity(1, ANA | YES), Entity(2, ANN, linked_to=1), Entity(3, BO)])
    planned = ground.run(profile(matched), [ANA | YES, BO])
    assert changed(planned) == [(2, "update", 2, WISH)]
    assert planned.row_outcomes == ["updated", "duplicate" if matched == "ignore" else "unchanged"]
    assert (planned.outcomes[2]["contact_id"], planned.changeset.changed) == (1, 1)
    assert [r["code"] for r in planned.rejections] == (["consent-set"] if matched == "ignore" else [])
    again = ground.plan(profile(matched), [ANA | YES])
    assert (again.changes, again.row_outcomes) == ([], ["duplicate" if matched == "ignore" else "unchanged"])


def test_under_create_the_contacts_that_are_there_get_it_too(ground):
    """A contact is made that is linked with them; so it is the same person's wish."""
    ground.fill(BOOK, [Entity(1, ANA), Entity(2, ANN, linked_to=1), Entity(3, BO | NO), Entity(4, person("cy"))])
    planned = ground.run(profile("create"), [ANA | YES, BO | YES, person("cy")])
    assert wishes(ground) == {1: True, 2: True, 3: True, 4: None, 5: True, 6: True, 7: None}
    assert planned.row_outcomes == ["linked"] * 3
    assert [outcome["contact_id"] for outcome in planned.outcomes.values()] == [5, 6, 7]
    assert [(link["contact_id"], link["linked_to"]) for link in planned.links] == [(5, 1), (6, 3), (7, 4)]
    assert [(r["row_number"], r["code"]) for r in planned.rejections] == [(2, "consent-set"), (3, "consent-set")]


@pytest.mark.parametrize("said", [{}, NO])
def test_a_new_contact_has_the_wish_of_any_contact_of_its_person(ground, said):
    ground.fill(BOOK, [Entity(1, ANA), Entity(2, ANN | YES, linked_to=1), Entity(3, BO)])
    planned = ground.run(profile("create"), [ANA | said, BO | said])
    assert wishes(ground)[4] is True
    assert wishes(ground)[5] is not True
    assert [(r["row_number"], r["code"]) for r in planned.rejections] == [(2, "consent-carried")]


def test_a_file_without_that_column_carries_it_too(ground):
    ground.fill(BOOK, [Entity(1, ANA), Entity(2, ANN | YES, linked_to=1)])
    ground.run(profile("create"), [ANA])
    assert wishes(ground) == {1: None, 2: True, 3: True}


def test_a_deactivated_one_gets_it_and_stays_deactivated(ground):
    ground.fill(BOOK, [Entity(1, ANA, active=False), Entity(2, ANN, active=False, linked_to=1)])
    ground.run(profile(options={"reactivate": True}), [ANA | YES], reactivate=True)
    contacts = ground.table("contact", BOOK)
    assert {n: (c["active"], c["do_not_contact"]) for n, c in contacts.items()} == {1: (True, True), 2: (False, True)}


def test_links_are_followed_however_many_there_are(ground):
    ground.fill(BOOK, [Entity(1, ANA), Entity(2, ANN, linked_to=1), Entity(3, BO, linked_to=2)])
    ground.run(profile(), [ANA | YES])
    assert wishes(ground) == {1: True, 2: True, 3: True}


@pytest.mark.parametrize(("within_file", "name"), [("first_wins", "Bo Bee"), ("last_wins", "Bo")])
def test_a_contact_that_another_row_writes_to_gets_it_with_that_change(ground, within_file, name):
    """By a chain of links two rows can reach two contacts of one person; each has one change."""
    ground.fill(BOOK, [Entity(1, ANA), Entity(2, ANN, linked_to=1), Entity(3, BO, linked_to=2)])
    rows = [BO | {"full_name": "Bo Bee"} | NO, BO, ANA | YES]
    planned = ground.run(profile(within_file=within_file), rows)
    row = 3 if within_file == "last_wins" else 2
    written = WISH | {"email": ("ann@example.com", "bo@example.com"), "full_name": ("Ann", name)}
    assert changed(planned) == [
        (1, "update", 4, WISH),
        (2, "update", row, written),
        (3, "update", 4, WISH),
    ]
    assert sorted(planned.row_outcomes) == ["duplicate", "updated", "updated"]


def test_a_contact_that_is_to_be_deactivated_and_gets_the_wish_stays(ground):
    """It is the person that a row reaches; and it can have one change."""
    ground.fill(BOOK, [Entity(1, ANA), Entity(2, ANN, linked_to=1), Entity(3, BO, linked_to=2)])
    planned = ground.run(profile(options={"deactivate_missing": True}), [ANA | YES], deactivate_missing=True)
    assert [(number, action) for number, action, *_ in changed(planned)] == [
        (1, "update"),
        (2, "update"),
        (3, "update"),
    ]


@pytest.mark.parametrize("within_file", ["first_wins", "last_wins", "merge", "reject_later"])
def test_the_wish_of_a_row_that_does_not_count_reaches_them(ground, within_file):
    ground.fill(BOOK, [Entity(1, ANA), Entity(2, ANN, linked_to=1)])
    ground.run(profile(within_file=within_file), [ANA, ANA | YES, ANA | NO])
    assert wishes(ground) == {1: True, 2: True}


def test_a_row_that_finds_its_contact_by_what_an_earlier_row_gave_reaches_them(ground):
    ground.fill(BOOK, [Entity(1, ANA), Entity(2, ANN, linked_to=1)])
    by_both = profile(match=[{"equal": ["email"]}, {"equal": ["phone"]}])
    phone = {"phone": "+12025550143"}
    ground.run(by_both, [ANA | phone, {"email": "new@example.com"} | phone | YES])
    assert wishes(ground) == {1: True, 2: True}


def test_the_wish_of_a_row_that_is_rejected_or_in_review_reaches_nobody(ground):
    contacts = [Entity(1, ANA), Entity(2, ANN, linked_to=1), Entity(3, BO), Entity(4, BO)]
    ground.fill(BOOK, [*contacts, Entity(5, person("cy")), Entity(6, person("dee"), linked_to=5)])
    rows = [Row(2, ANA | YES, wrong=frozenset({"phone"})), Row(3, BO | YES)]
    rows.append(Row(4, person("cy") | {"full_name": ""} | YES))
    columns = profile().model_dump(mode="json")["columns"]
    columns[1] |= {"nothing": "None", "required": False}
    rule = [{"any_of": [["name"]], "message": "a name"}]
    planned = ground.run(profile(columns=columns, rules=rule), rows)
    assert planned.row_outcomes == ["rejected", "review", "rejected"]
    assert set(wishes(ground).values()) == {None}


def test_another_address_book_and_people_without_links_are_left_alone(ground):
    ground.fill(BOOK, [Entity(1, ANA), Entity(2, ANN)])
    ground.fill("other", [Entity(11, ANA), Entity(12, ANN, linked_to=11)])
    planned = ground.run(profile(), [ANA | YES])
    assert changed(planned) == [(1, "update", 2, WISH)]
    assert {c["do_not_contact"] for c in ground.table("contact", "other").values()} == {None}
