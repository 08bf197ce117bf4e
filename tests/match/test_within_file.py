"""Rows of one file that mean the same person: which row counts, and what the others are."""

from itertools import permutations

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.profiles import Profile, load_profile
from tests.match.reference import Entity, Row


def test_the_first_row_wins_and_the_others_say_what_they_repeat(ground):
    """A3, B9: the second row of the same new person is a duplicate of the first, and changes nothing."""
    rows = [{"email": "ann@example.com", "company": "One"}, {"email": "ANN@example.com", "company": "Two"}]
    planned = ground.run("program_contacts", rows)
    assert planned.row_outcomes == ["created", "duplicate"]
    assert (planned.outcomes[3]["duplicate_of_row"], planned.outcomes[3]["duplicate_of_contact"]) == (2, None)
    assert ground.contact(1)["company"] == "One"
    assert planned.changeset.duplicates_within_file == 1


def test_the_last_row_wins_where_the_profile_says_so(ground):
    """B9: the last row carries the outcome and the values; the earlier ones are its duplicates."""
    content = load_profile("program_contacts").model_dump(mode="json") | {"within_file": "last_wins", "blank": "keep"}
    rows = [{"email": "ann@example.com", "company": company} for company in ("One", "Two", "Three")]
    planned = ground.run(Profile.model_validate(content), rows)
    assert planned.row_outcomes == ["duplicate", "duplicate", "created"]
    assert planned.outcomes[2]["duplicate_of_row"] == 4
    assert ground.contact(1)["company"] == "Three"


def test_where_the_last_row_wins_it_updates_what_the_earlier_ones_gave(ground):
    """B9: a row writes to what earlier rows left as it writes to what is there: by the blank policy of the column."""
    rows = [{"email": "ann@example.com", "company": "One"}, {"email": "ann@example.com", "company": None}]
    found = []
    for blank in ("keep", "fill", "overwrite"):
        content = load_profile("program_contacts").model_dump(mode="json")
        profile = Profile.model_validate(content | {"within_file": "last_wins", "blank": blank})
        ground.empty()
        ground.run(profile, [*rows, {"email": "ann@example.com", "company": "Three"}, rows[1]])
        found.append(ground.contact(1).get("company"))
    assert found == ["Three", "One", None]


def test_the_first_row_of_an_existing_contact_carries_its_outcome(ground):
    """A7: the first row fills, the second is a duplicate of it."""
    ground.fill("program", [Entity(1, {"email": "ann@example.com"})])
    rows = [{"email": "ann@example.com", "company": "One"}, {"email": "ann@example.com", "company": "Two"}]
    planned = ground.run("program_contacts", rows)
    assert planned.row_outcomes == ["updated", "duplicate"]
    assert ground.contact(1)["company"] == "One"


def test_the_later_row_is_rejected_where_the_profile_says_so(ground):
    """C3: the same person twice is an error of the later row, which names the earlier one."""
    planned = ground.plan("property_contacts", [{"email": "ann@example.com"}, {"email": "ann@example.com"}])
    assert planned.row_outcomes == ["created", "rejected"]
    (rejection,) = planned.rejections
    assert (rejection["row_number"], rejection["code"]) == (3, "duplicate-in-file")
    assert "2" in rejection["message"]


def test_planning_again_does_not_reject_twice(ground):
    """C3: what matching rejected is forgotten before it rejects anew."""
    rows = [{"email": "ann@example.com"}, {"email": "ann@example.com"}]
    assert ground.plan("property_contacts", rows).row_outcomes == ground.plan("property_contacts", rows).row_outcomes


def test_leads_of_the_same_person_are_merged_into_one(ground):
    """E5: the values of both rows make one lead; the later one's stand, the displaced ones are kept in notes."""
    rows = [
        {"full_name": "Ann Bee", "email": "ann@example.com", "phone": None},
        {"full_name": "Anne Bee", "email": "anne@example.com", "phone": "+12025550143"},
        {"full_name": "Ann Bee", "email": "ANN@example.com", "phone": "+12025550144"},
    ]
    planned = ground.run("dealer_leads", rows, lead_type="SMS")
    assert planned.row_outcomes == ["created", "created", "duplicate"]
    assert ground.contact(1)["phone"] == "+12025550144"
    assert ground.contact(1)["email"] == "ANN@example.com"
    assert ground.contact(1)["notes"] == ["[merge] Email: ann@example.com"]


def test_a_value_that_comes_back_was_displaced_all_the_same(ground):
    """E5: the notes are those that one file after the other would make."""
    lead = {"full_name": "Ann Bee", "email": "ann@example.com"}
    numbers = ("+12025550143", "+12025550144", "+12025550143")
    ground.run("dealer_leads", [lead | {"phone": number} for number in numbers], lead_type="SMS")
    assert ground.contact(1)["phone"] == "+12025550143"
    assert ground.contact(1)["notes"] == ["[merge] Phone: +12025550143", "[merge] Phone: +12025550144"]


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_a_chain_of_rows_makes_one_lead_in_every_order(ground, order):
    """E5: each row agrees in two fields with the lead as the rows before have left it, but in one order."""
    chain = [
        {"full_name": "Rosa Delgado", "phone": "+12025550143", "email": None},
        {"full_name": "Rosa Delgado", "phone": "+12025550143", "email": "rosa@example.com"},
        {"full_name": "Rosa Delgado", "phone": None, "email": "rosa@example.com"},
    ]
    planned = ground.run("dealer_leads", [chain[place] for place in order], lead_type="SMS")
    ends_first = order[2] == 1  # the two ends share a name alone, and the row between them fits both
    later = ["created", "review"] if ends_first else ["duplicate", "duplicate"]
    assert planned.row_outcomes == ["created", *later]


def test_a_row_that_fits_two_leads_of_the_file_equally_is_in_review(ground):
    """E5, A5: as if the leads had come in a file before; no second lead with the e-mail address of the other."""
    rows = [
        {"full_name": "Ana Lopez", "phone": "+12025550101", "email": "ana.one@example.com"},
        {"full_name": "Ana Lopez", "phone": "+12025550102", "email": "ana.two@example.com"},
        {"full_name": "Ana Lopez", "phone": "+12025550101", "email": "ana.two@example.com"},
    ]
    planned = ground.plan("dealer_leads", rows, lead_type="SMS")
    assert planned.row_outcomes == ["created", "created", "review"]
    said = "could be the same as row 2 (same name, Phone) or row 3 (same name, Email)"
    assert planned.outcomes[4]["reason"] == said


def test_a_row_that_fits_a_lead_there_is_and_one_of_the_file_is_in_review(ground):
    """E5, A5: both are named, with what they share by then."""
    ground.fill("leads", [Entity(7, {"full_name": "Ana Lopez", "email": "a@example.com", "phone": "+12025550101"})])
    rows = [
        {"full_name": "Ana Lopez", "phone": "+12025550102", "email": "ana.two@example.com"},
        {"full_name": "Ana Lopez", "phone": "+12025550101", "email": "ana.two@example.com"},
    ]
    planned = ground.plan("dealer_leads", rows, lead_type="SMS")
    assert planned.row_outcomes == ["created", "review"]
    said = "could be contact 7 (same name, Phone); could be the same as row 2 (same name, Email)"
    assert planned.outcomes[3]["reason"] == said


def test_a_row_matches_the_values_that_earlier_rows_gave_a_contact(ground):
    """E5: the lead has another e-mail address by then; by its old one nobody is found any more."""
    ground.fill("leads", [Entity(1, {"full_name": "Ann Bee", "email": "old@example.com", "phone": "+12025550143"})])
    rows = [
        {"full_name": "Ann Bee", "phone": "+12025550143", "email": "new@example.com"},
        {"full_name": "Ann Bee", "phone": None, "email": "new@example.com"},
        {"full_name": "Ann Bee", "phone": None, "email": "old@example.com"},
    ]
    assert ground.plan("dealer_leads", rows, lead_type="SMS").row_outcomes == ["updated", "duplicate", "created"]


def test_an_earlier_rule_decides_before_an_earlier_row(ground):
    """B9: the phone is the first row's, the email the second one's; the rule for emails comes first."""
    content = load_profile("outreach_contacts").model_dump(mode="json") | {"within_file": "merge", "matched": "merge"}
    rows = [
        {"full_name": "Office Desk", "phone": "+12025550101", "email": None},
        {"full_name": "Ben Stone", "phone": "+12025550102", "email": "ben@example.com"},
        {"full_name": "Ben Stone", "phone": "+12025550101", "email": "ben@example.com"},
    ]
    planned = ground.plan(Profile.model_validate(content), rows, group="G")
    assert planned.row_outcomes == ["created", "created", "duplicate"]
    assert planned.outcomes[4]["duplicate_of_row"] == 3


def test_ignored_values_match_nobody(ground):
    """B9: the third row has only what the second one had, and that did not count."""
    rows = [
        {"email": "ann@example.com", "phone": None},
        {"email": "ann@example.com", "phone": "+12025550143"},
        {"email": None, "phone": "+12025550143"},
    ]
    assert ground.plan("outreach_contacts", rows, group="G").row_outcomes == ["created", "duplicate", "created"]


def test_a_key_that_a_contact_and_an_earlier_row_have_only_together_is_found(ground):
    """E5: the name stood there, the phone came with row 2; row 3 has both, and shares neither key with row 2."""
    content = load_profile("property_contacts").model_dump(mode="json") | {"within_file": "merge"}
    ground.fill("property", [Entity(1, {"email": "ann@example.com", "last_name": "Bee"})])
    rows = [
        {"email": "ann@example.com", "last_name": None, "phone": "+12025550143"},
        {"email": None, "last_name": "Bee", "phone": "+12025550143"},
    ]
    planned = ground.plan(Profile.model_validate(content), rows)
    assert planned.row_outcomes == ["updated", "duplicate"]
    assert planned.outcomes[3]["contact_id"] == 1


def test_a_key_that_rows_have_only_together_is_found(ground):
    """E5: row 2 has the name, row 3 the phone; row 4 has both, and shares no whole key with either."""
    content = load_profile("property_contacts").model_dump(mode="json") | {"within_file": "merge"}
    rows = [
        {"email": "ann@example.com", "last_name": "Bee", "phone": None},
        {"email": "ann@example.com", "last_name": None, "phone": "+12025550143"},
        {"email": None, "last_name": "Bee", "phone": "+12025550143"},
    ]
    assert ground.plan(Profile.model_validate(content), rows).row_outcomes == ["created", "duplicate", "duplicate"]


def test_a_row_in_review_or_rejected_has_no_effect_on_later_ones(ground):
    """X1: nobody has the values of a row of which nothing is written."""
    ground.fill("leads", [
        Entity(1, {"full_name": "Ann Bee", "email": "ann@example.com"}),
        Entity(2, {"full_name": "Ann Bee", "email": "ann@example.com"}),
    ])  # fmt: skip
    rows = [
        {"full_name": "Ann Bee", "email": "ann@example.com", "phone": "+12025550143"},
        {"full_name": "Ann Bee", "email": None, "phone": "+12025550143"},
        {"full_name": "Ann Bee", "email": None, "phone": "+12025550143"},
    ]
    assert ground.plan("dealer_leads", rows, lead_type="SMS").row_outcomes == ["review", "created", "duplicate"]


def test_rows_whose_higher_key_differs_are_different_people_in_the_file_too(ground):
    """B9: a family shares its email; the account numbers tell them apart, and an equal ssn is for a person to judge."""
    rows = [
        {"account_number": "100", "email": "home@example.com", "ssn": None},
        {"account_number": "200", "email": "home@example.com", "ssn": "219-09-9990"},
        {"account_number": "300", "email": None, "ssn": "219-09-9990"},
    ]
    planned = ground.plan("outreach_contacts", rows, group="G")
    assert planned.row_outcomes == ["created", "created", "review"]
    assert planned.outcomes[4]["reason"] == "could be the same as row 3 (same Social security number)"


def test_the_same_person_of_an_account_is_the_same_identifier_type_and_name(ground):
    """D8: another type beside it is another contact of the account; another name is for a person to judge."""
    ground.fill("portfolio", accounts=[Entity(1, {"account_number": "123456-SP"})])
    base = {"account_number": "123456-SP", "identifier": "123456-SP", "contact_type": "DOCTOR", "full_name": "Ana"}
    rows = [base, base | {"full_name": "Bia"}, base | {"contact_type": "OTHERS"}, base | {"full_name": "ANA"}]
    planned = ground.plan("portfolio_contacts", rows)
    assert planned.row_outcomes == ["created", "review", "created", "duplicate"]


def test_rows_that_match_the_same_lead_are_merged_into_it(ground):
    """E5: both rows reach the lead there is; it gets one change."""
    ground.fill("leads", [Entity(1, {"full_name": "Ann Bee", "email": "a@example.com", "phone": "+12025550143"})])
    rows = [
        {"full_name": "Ann Bee", "email": "a@example.com", "phone": "+12025550144"},
        {"full_name": "Ann Bee", "email": "new@example.com", "phone": "+12025550144"},
    ]
    planned = ground.run("dealer_leads", rows, lead_type="SMS")
    assert planned.row_outcomes == ["updated", "duplicate"]
    assert len(planned.changes) == 1
    assert ground.contact(1)["email"] == "new@example.com"
    assert ground.contact(1)["notes"] == ["[merge] Phone: +12025550143", "[merge] Email: a@example.com"]


def test_of_rows_merged_under_fill_an_explicit_nothing_does_not_keep_a_later_value_out(ground):
    """A7: the first value given counts; "nothing" is no value."""
    content = load_profile("program_contacts").model_dump(mode="json")
    content["columns"][4]["nothing"] = "None"
    profile = Profile.model_validate(content | {"within_file": "merge"})
    ground.run(profile, [{"email": "ann@example.com", "company": ""}, {"email": "ann@example.com", "company": "One"}])
    assert ground.contact(1)["company"] == "One"


def test_the_rows_before_a_rejected_one_are_not_touched_by_it(ground):
    """B8: a rejected row matches nobody and leads nobody."""
    rows = [Row(2, {"email": "ann@example.com"}, wrong=frozenset({"email"})), Row(3, {"email": "ann@example.com"})]
    assert ground.plan("outreach_contacts", rows, group="G").row_outcomes == ["rejected", "created"]


def test_what_is_set_on_something_new_stays_though_the_cells_went_to_the_notes(tmp_path):
    (tmp_path / "home" / "profiles").mkdir(parents=True)
    (tmp_path / "home" / "profiles" / "staff.yaml").write_text("""
name: staff
title: Staff
description: People who work here.
address_book: staff
file: {types: [csv]}
headings: mapped
columns:
  - {field: email, heading: Email, type: email, required: true}
  - {field: contact_type, heading: Kind, type: choice, choices: [DOCTOR, OTHERS], default: OTHERS}
match: [{equal: [email]}]
matched: merge
within_file: merge
blank: overwrite
on_error: note
apply: approval
""")
    (tmp_path / "file.csv").write_text("Email,Kind\nana@example.com,12\nana@example.com,34\n")
    pipeline = Pipeline(tmp_path / "home")
    pipeline.apply(pipeline.plan(tmp_path / "file.csv", "staff", allow_rejected=100).upload_id)
    (contact,) = pipeline.store.contacts()
    assert contact["contact_type"] == "OTHERS"
    assert contact["notes"] == ["[import] Kind: 12", "[import] Kind: 34"]
