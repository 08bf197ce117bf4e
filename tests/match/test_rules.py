"""Whom a row means: match rules in order, counting rules, narrowing, and when only a person can say."""

import pytest

from contact_pipeline.profiles import Profile, load_profile
from tests.match.reference import Entity


def changed(profile: str, **content) -> Profile:
    return Profile.model_validate(load_profile(profile).model_dump(mode="json") | content)


def outreach(ground, *contacts):
    ground.fill("outreach", [Entity(number, values) for number, values in enumerate(contacts, 1)])


def leads(ground, *contacts):
    ground.fill("leads", [Entity(number, values) for number, values in enumerate(contacts, 1)])


ANN = {"full_name": "Ann Bee", "phone": "+12025550143", "email": "ann@example.com"}


# In order


def test_the_first_rule_that_finds_somebody_decides(ground):
    """B9: the account number finds the second contact, though the email is the first one's."""
    outreach(ground, {"email": "ann@example.com"}, {"account_number": "100"})
    planned = ground.plan("outreach_contacts", [{"account_number": "100", "email": "ann@example.com"}], group="G")
    assert planned.outcomes[2]["duplicate_of_contact"] == 2


def test_a_row_with_the_keys_of_two_says_whom_a_later_rule_would_find(ground):
    """B9: overwriting the first of them may not be what the row means."""
    outreach(ground, {"email": "ann@example.com"}, {"account_number": "100"}, {"email": "bo@example.com"})
    rows = [
        {"account_number": "100", "email": "ann@example.com"},
        {"email": "bo@example.com"},
        {"account_number": "100", "email": "new@example.com"},
    ]
    planned = ground.plan("outreach_contacts", rows, group="G")
    (warning,) = planned.rejections
    assert (warning["row_number"], warning["code"]) == (2, "another-match")
    assert warning["message"] == (
        "The row's keys are those of two: contact 2 was found first; by Email it would be contact 1."
    )


def test_the_next_rule_is_tried_when_the_key_is_blank(ground):
    """B9: without an account number the social security number is tried, then the email, then the phone."""
    outreach(ground, {"ssn": "219-09-9990"}, {"email": "ann@example.com"}, {"phone": "+12025550143"})
    rows = [{"ssn": "219-09-9990"}, {"email": "ann@example.com"}, {"phone": "+12025550143"}]
    planned = ground.plan("outreach_contacts", rows, group="G")
    assert [planned.outcomes[row]["duplicate_of_contact"] for row in (2, 3, 4)] == [1, 2, 3]


def test_the_next_rule_is_tried_when_the_key_finds_nobody(ground):
    """B9: an account number that nobody has leaves it to the email."""
    outreach(ground, {"email": "ann@example.com"})
    planned = ground.plan("outreach_contacts", [{"account_number": "100", "email": "ann@example.com"}], group="G")
    assert planned.row_outcomes == ["duplicate"]


def test_a_blank_equals_nothing(ground):
    """E5: two contacts without a phone do not share it."""
    leads(ground, {"full_name": "Ann Bee"})
    planned = ground.plan("dealer_leads", [{"full_name": "Ann Bee", "phone": None, "email": None}], lead_type="SMS")
    assert planned.row_outcomes == ["created"]


@pytest.mark.parametrize("rule", ["email", "phone"])
def test_a_contact_whose_own_higher_key_differs_is_another_person(ground, rule):
    """B9: the same email or phone under another account number is somebody new."""
    outreach(ground, {"account_number": "100", rule: "+12025550143"})
    planned = ground.plan("outreach_contacts", [{"account_number": "200", rule: "+12025550143"}], group="G")
    assert planned.row_outcomes == ["created"]


def test_the_same_social_security_number_under_another_account_number_is_for_a_person_to_judge(ground):
    """B9: a row that may be somebody else's number is never guessed; the reason names the candidate."""
    outreach(ground, {"account_number": "100", "ssn": "219-09-9990"})
    planned = ground.plan("outreach_contacts", [{"account_number": "200", "ssn": "219-09-9990"}], group="G")
    assert planned.row_outcomes == ["review"]
    assert "contact 1" in planned.outcomes[2]["reason"]
    assert planned.changes == []


def test_of_two_with_the_same_email_the_one_whose_account_number_differs_does_not_count(ground):
    """B9: only one candidate is left, so the row is not ambiguous."""
    outreach(ground, {"account_number": "100", "email": "ann@example.com"}, {"email": "ann@example.com"})
    planned = ground.plan("outreach_contacts", [{"account_number": "200", "email": "ann@example.com"}], group="G")
    assert planned.outcomes[2]["duplicate_of_contact"] == 2


def test_two_contacts_with_the_same_key_are_for_a_person_to_judge(ground):
    """C2: an email that two contacts have names both of them."""
    ground.fill("property", [Entity(1, {"email": "ann@example.com"}), Entity(2, {"email": "ann@example.com"})])
    planned = ground.plan("property_contacts", [{"email": "ann@example.com"}])
    assert planned.row_outcomes == ["review"]
    assert planned.outcomes[2]["reason"] == "could be contact 1 (same Email) or 2 (same Email)"


def test_emails_are_compared_without_regard_to_case(ground):
    """A3: the address is the key, trimmed and case-folded."""
    ground.fill("program", [Entity(1, {"email": "Ann@Example.com"})])
    assert ground.plan("program_contacts", [{"email": "ann@example.COM"}]).outcomes[2]["contact_id"] == 1


def test_names_are_compared_without_accents_and_case_whole_or_in_parts(ground):
    """C2, E5: full name and phone find a contact whose name stands in parts, with accents."""
    ground.fill("property", [Entity(1, {"full_name": "José Groß", "phone": "+12025550143"})])
    rows = [{"first_name": "JOSE", "last_name": "gross", "email": None, "phone": "+12025550143"}]
    assert ground.plan("property_contacts", rows).outcomes[2]["contact_id"] == 1


def test_inactive_contacts_are_candidates(ground):
    """A8: a deactivated contact is found again, not made twice; it stays inactive."""
    ground.fill("program", [Entity(1, {"email": "ann@example.com"}, active=False)])
    planned = ground.run("program_contacts", [{"email": "ann@example.com", "company": "One"}])
    assert planned.row_outcomes == ["updated"]
    assert ground.table("contact", "program")[1]["active"] is False


def test_other_address_books_are_never_looked_at(ground):
    """A1: the same email in another address book is another contact."""
    ground.fill("property", [Entity(1, {"email": "ann@example.com"})])
    assert ground.plan("program_contacts", [{"email": "ann@example.com"}]).row_outcomes == ["created"]


def test_a_rule_whose_columns_the_file_lacks_is_passed_over(ground):
    """E6: a file without any two of name, phone and email matches nobody and is no fault."""
    leads(ground, ANN)
    assert ground.plan("dealer_leads", [{"full_name": "Ann Bee"}], lead_type="SMS").row_outcomes == ["created"]


# At least k of n


@pytest.mark.parametrize("pair", [("full_name", "phone"), ("full_name", "email"), ("phone", "email")])
def test_any_two_of_three_are_the_same_lead(ground, pair):
    """E5: two of name, phone and email agree, the third differs."""
    leads(ground, ANN)
    other = {"full_name": "Bob Dee", "phone": "+12025550144", "email": "bob@example.com"}
    planned = ground.plan("dealer_leads", [other | {name: ANN[name] for name in pair}], lead_type="SMS")
    assert planned.row_outcomes == ["updated"]


def test_one_of_three_is_somebody_else(ground):
    """E5: the name alone does not make the same lead."""
    leads(ground, ANN)
    row = {"full_name": "Ann Bee", "phone": "+12025550144", "email": "bob@example.com"}
    assert ground.plan("dealer_leads", [row], lead_type="SMS").row_outcomes == ["created"]


def test_the_contact_with_the_most_fields_in_common_wins(ground):
    """E5: three of three go before two of three."""
    leads(ground, ANN | {"email": "other@example.com"}, ANN)
    assert ground.plan("dealer_leads", [ANN], lead_type="SMS").outcomes[2]["contact_id"] == 2


def test_a_tie_between_different_people_is_for_a_person_to_judge(ground):
    """E5: one shares name and phone, the other name and email."""
    leads(ground, ANN | {"email": "x@example.com"}, ANN | {"phone": "+12025550144"})
    planned = ground.plan("dealer_leads", [ANN], lead_type="SMS")
    assert planned.row_outcomes == ["review"]
    assert planned.outcomes[2]["reason"] == "could be contact 1 (same name, Phone) or 2 (same name, Email)"


def test_contacts_linked_to_each_other_are_one_candidate_represented_by_the_oldest(ground):
    """E5: a tie between linked leads is no tie; the oldest of them is updated."""
    linked = [Entity(1, ANN | {"email": "x@example.com"}), Entity(2, ANN | {"phone": "+12025550144"}, linked_to=1)]
    ground.fill("leads", linked)
    planned = ground.plan("dealer_leads", [ANN], lead_type="SMS")
    assert (planned.row_outcomes, planned.outcomes[2]["contact_id"]) == (["updated"], 1)


def test_a_row_that_agrees_with_a_linked_contact_alone_updates_the_oldest(ground):
    """E5: the oldest stands for the others even where it shares nothing with the row."""
    ground.fill("leads", [Entity(1, {"full_name": "Anna Old"}), Entity(2, ANN, linked_to=1)])
    planned = ground.run("dealer_leads", [ANN], lead_type="SMS")
    assert planned.outcomes[2]["contact_id"] == 1
    assert ground.contact(1)["email"] == "ann@example.com"


# Narrowing

DOCTOR = {"account_number": "123456-SP", "identifier": "123456-SP", "contact_type": "DOCTOR"}


def people(ground, *contacts):
    ground.fill(
        "portfolio",
        [Entity(number, DOCTOR | values) for number, values in enumerate(contacts, 1)],
        [Entity(1, {"account_number": "123456-SP"})],
    )


def test_an_identifier_with_type_and_name_finds_one_of_several(ground):
    """D8: the account's contacts are narrowed by type, then by name."""
    people(ground, {"full_name": "Ana"}, {"full_name": "Bia"}, {"full_name": "Ana", "contact_type": "OTHERS"})
    assert ground.plan("portfolio_contacts", [DOCTOR | {"full_name": "BIA"}]).outcomes[2]["contact_id"] == 2


def test_another_type_is_a_new_contact(ground):
    """D8: the account has a doctor; a secretary is somebody new."""
    people(ground, {"full_name": "Ana"})
    planned = ground.plan("portfolio_contacts", [DOCTOR | {"contact_type": "SECRETARY", "full_name": "Ana"}])
    assert planned.row_outcomes == ["created"]


def test_the_same_type_with_another_name_is_for_a_person_to_judge(ground):
    """D8: a doctor of another name may be the same one, corrected; it is never guessed."""
    people(ground, {"full_name": "Ana"})
    assert ground.plan("portfolio_contacts", [DOCTOR | {"full_name": "Anna"}]).row_outcomes == ["review"]


def test_two_of_the_same_type_and_name_are_for_a_person_to_judge(ground):
    """D8: still more than one after narrowing."""
    people(ground, {"full_name": "Ana"}, {"full_name": "Ana"})
    assert ground.plan("portfolio_contacts", [DOCTOR | {"full_name": "Ana"}]).row_outcomes == ["review"]


def test_doubt_about_a_candidate_that_narrowing_rules_out_does_not_count(ground):
    """D8: only those that are left after narrowing can make a row doubtful."""
    rules = [
        {"equal": ["account_number"]},
        {"equal": ["email"], "higher_differs": "review", "narrow": [{"field": "contact_type", "otherwise": "new"}]},
    ]
    profile = changed("portfolio_contacts", match=rules, needs_account=False)
    other = {"account_number": "9", "email": "ana@example.com", "contact_type": "OTHERS"}
    ground.fill("portfolio", [Entity(1, {"email": "ana@example.com", "contact_type": "DOCTOR"}), Entity(2, other)])
    planned = ground.plan(profile, [{"account_number": "1", "email": "ana@example.com", "contact_type": "DOCTOR"}])
    assert planned.outcomes[2]["contact_id"] == 1


def test_a_row_whose_account_is_unknown_is_rejected_and_says_which(ground):
    """D7: the contact's account must be there first."""
    row = DOCTOR | {"account_number": "9", "identifier": "9", "full_name": "Ana"}
    planned = ground.plan("portfolio_contacts", [row])
    assert planned.row_outcomes == ["rejected"]
    assert [(r["row_number"], r["code"], r["value"]) for r in planned.rejections] == [(2, "account-unknown", "9")]


@pytest.mark.parametrize(
    ("there", "given"),
    [("Jean-Luc O'Neil", "JEAN LUC ONEIL"), ("Jean Luc O’Neil", "Jean-Luc O'Neil"), ("Ana - Maria Sá", "Ana‐Maria Sa")],
)
def test_names_are_compared_without_hyphens_and_apostrophes(ground, there, given):
    leads(ground, {"full_name": there, "phone": "+12025550143"})
    row = {"full_name": given, "phone": "+12025550143"}
    assert ground.plan("dealer_leads", [row], lead_type="SMS", rule="create").row_outcomes == ["linked"]


def test_names_keep_their_spaces_apart(ground):
    leads(ground, {"full_name": "Ann Abel", "phone": "+12025550143"})
    row = {"full_name": "Anna Bel", "phone": "+12025550143"}
    assert ground.plan("dealer_leads", [row], lead_type="SMS").row_outcomes == ["created"]
