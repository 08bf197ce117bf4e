"""Rows of one file that mean the same person: which row counts, and what the others are."""

from contact_pipeline.profiles import Profile, load_profile
from tests.match.reference import Entity, Row


def test_the_first_row_wins_and_the_others_say_what_they_repeat(ground):
    """A3, B9: the second row of the same new person is a duplicate of the first, and changes nothing."""
    rows = [{"email": "ann@example.com", "company": "One"}, {"email": "ANN@example.com", "company": "Two"}]
    planned = ground.run("program_contacts", rows)
    assert planned.said == ["created", "duplicate"]
    assert (planned.outcomes[3]["duplicate_of_row"], planned.outcomes[3]["duplicate_of_contact"]) == (2, None)
    assert ground.contact(1)["company"] == "One"
    assert planned.changeset.duplicates_within_file == 1


def test_the_last_row_wins_where_the_profile_says_so(ground):
    """B9: the last row carries the outcome and the values; the earlier ones are its duplicates."""
    content = load_profile("program_contacts").model_dump(mode="json") | {"within_file": "last_wins"}
    rows = [{"email": "ann@example.com", "company": company} for company in ("One", "Two", "Three")]
    planned = ground.run(Profile.model_validate(content), rows)
    assert planned.said == ["duplicate", "duplicate", "created"]
    assert planned.outcomes[2]["duplicate_of_row"] == 4
    assert ground.contact(1)["company"] == "Three"


def test_the_first_row_of_an_existing_contact_carries_its_outcome(ground):
    """A7: the first row fills, the second is a duplicate of it."""
    ground.fill("program", [Entity(1, {"email": "ann@example.com"})])
    rows = [{"email": "ann@example.com", "company": "One"}, {"email": "ann@example.com", "company": "Two"}]
    planned = ground.run("program_contacts", rows)
    assert planned.said == ["updated", "duplicate"]
    assert ground.contact(1)["company"] == "One"


def test_the_later_row_is_rejected_where_the_profile_says_so(ground):
    """C3: the same person twice is an error of the later row, which names the earlier one."""
    planned = ground.plan("property_contacts", [{"email": "ann@example.com"}, {"email": "ann@example.com"}])
    assert planned.said == ["created", "rejected"]
    (rejection,) = planned.rejections
    assert (rejection["row_number"], rejection["code"]) == (3, "duplicate-in-file")
    assert "2" in rejection["message"]


def test_planning_again_does_not_reject_twice(ground):
    """C3: what matching rejected is forgotten before it rejects anew."""
    rows = [{"email": "ann@example.com"}, {"email": "ann@example.com"}]
    assert ground.plan("property_contacts", rows).said == ground.plan("property_contacts", rows).said


def test_leads_of_the_same_person_are_merged_into_one(ground):
    """E5: the values of both rows make one lead; the later one's stand, the displaced ones are kept in notes."""
    rows = [
        {"full_name": "Ann Bee", "email": "ann@example.com", "phone": None},
        {"full_name": "Anne Bee", "email": "ann@example.com", "phone": "+12025550143"},
        {"full_name": "Ann Bee", "email": "ANN@example.com", "phone": "+12025550143"},
    ]
    planned = ground.run("dealer_leads", rows, lead_type="SMS")
    assert planned.said == ["created", "created", "duplicate"]
    assert ground.contact(1)["phone"] == "+12025550143"
    assert ground.contact(1)["email"] == "ANN@example.com"
    assert ground.contact(1)["notes"] == ["[merge] Email: ann@example.com"]


def test_a_follower_attracts_nobody(ground):
    """E5: the third row agrees with the second, which follows the first; only leaders are joined."""
    rows = [
        {"full_name": "Ann Bee", "email": "ann@example.com", "phone": None},
        {"full_name": "Ann Bee", "email": "ann@example.com", "phone": "+12025550143"},
        {"full_name": "Ann Bee", "email": "bob@example.com", "phone": "+12025550143"},
    ]
    planned = ground.plan("dealer_leads", rows, lead_type="SMS")
    assert planned.said == ["created", "duplicate", "created"]


def test_a_row_joins_the_earliest_leader_that_agrees(ground):
    """B9: the phone is the first row's, the email the second one's; the first came first."""
    rows = [
        {"phone": "+12025550143", "email": None},
        {"phone": None, "email": "ann@example.com"},
        {"phone": "+12025550143", "email": "ann@example.com"},
    ]
    planned = ground.plan("outreach_contacts", rows, group="G")
    assert planned.said == ["created", "created", "duplicate"]
    assert planned.outcomes[4]["duplicate_of_row"] == 2


def test_rows_whose_higher_key_differs_are_different_people_in_the_file_too(ground):
    """B9: a family shares its email; the account numbers tell them apart, and an equal ssn is for a person to judge."""
    rows = [
        {"account_number": "100", "email": "home@example.com", "ssn": None},
        {"account_number": "200", "email": "home@example.com", "ssn": "219-09-9990"},
        {"account_number": "300", "email": None, "ssn": "219-09-9990"},
    ]
    planned = ground.plan("outreach_contacts", rows, group="G")
    assert planned.said == ["created", "created", "review"]
    assert planned.outcomes[4]["reason"] == "could be the same as row 3 (same Social security number)"


def test_the_same_person_of_an_account_is_the_same_identifier_type_and_name(ground):
    """D8: another name or type beside it is another contact of the account."""
    ground.fill("portfolio", accounts=[Entity(1, {"account_number": "123456-SP"})])
    base = {"account_number": "123456-SP", "identifier": "123456-SP", "contact_type": "DOCTOR", "full_name": "Ana"}
    rows = [base, base | {"full_name": "Bia"}, base | {"contact_type": "OTHERS"}, base | {"full_name": "ANA"}]
    planned = ground.plan("portfolio_contacts", rows)
    assert planned.said == ["created", "created", "created", "duplicate"]


def test_rows_that_match_the_same_lead_are_merged_into_it(ground):
    """E5: both rows reach the lead there is; it gets one change."""
    ground.fill("leads", [Entity(1, {"full_name": "Ann Bee", "email": "a@example.com", "phone": "+12025550143"})])
    rows = [
        {"full_name": "Ann Bee", "email": "a@example.com", "phone": "+12025550144"},
        {"full_name": "Ann Bee", "email": "new@example.com", "phone": "+12025550143"},
    ]
    planned = ground.run("dealer_leads", rows, lead_type="SMS")
    assert planned.said == ["updated", "duplicate"]
    assert len(planned.changes) == 1
    assert ground.contact(1)["email"] == "new@example.com"
    assert ground.contact(1)["notes"] == ["[merge] Phone: +12025550144", "[merge] Email: a@example.com"]


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
    assert ground.plan("outreach_contacts", rows, group="G").said == ["rejected", "created"]
