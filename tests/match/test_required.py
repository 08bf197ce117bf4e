"""What a profile requires of a contact is never cleared: the row whose blanks would do that is rejected."""

import pytest

from contact_pipeline.profiles import Profile
from tests.match.reference import Entity

REACHABLE = {
    "any_of": [["phone"], ["email"]],
    "when_any": ["company"],
    "message": "a phone number or an e-mail address",
}
QUALIFIED = {"required": "qualifications", "when": {"contact_type": ["DOCTOR"]}}


def members(*rules, match="account_number", **content) -> Profile:
    columns = [
        {"field": "account_number", "heading": "Number"},
        {"field": "full_name", "heading": "Name", "required": True},
        {"field": "phone", "heading": "Phone"},
        {"field": "email", "heading": "Email"},
        {"field": "company", "heading": "Company"},
        {"field": "contact_type", "heading": "Type"},
        {"field": "qualifications", "heading": "Qualifications", "type": "list"},
    ]
    return Profile.model_validate(
        {
            "name": "members", "title": "Members", "address_book": "members", "file": {"types": ["csv"]},
            "headings": "mapped", "columns": columns, "match": [{"equal": [match]}], "rules": rules,
            "blank": "overwrite", "on_error": "reject", "apply": "approval",
        } | content
    )  # fmt: skip


def test_a_row_that_would_clear_a_required_field_is_rejected_and_clears_nothing(ground):
    """C4: the code names what would be lost; the contact stays as it was, and nothing else of the row is written."""
    ground.fill("members", [Entity(1, {"account_number": "1", "full_name": "Ann", "phone": "+12025550143"})])

    planned = ground.run(members(), [{"account_number": "1", "full_name": None, "phone": None}])

    (rejection,) = planned.rejections
    assert (rejection["row_number"], rejection["code"], rejection["severity"]) == (2, "would-clear-required", "error")
    assert rejection["message"] == "The row's blanks would leave the contact without Name."
    assert (planned.row_outcomes, planned.changes) == (["rejected"], [])
    assert ground.contact(1)["phone"] == "+12025550143"


def test_the_last_one_of_a_required_set_is_not_cleared_by_a_file_that_lacks_a_column(ground):
    """C4: the contact has a company, which the file does not speak of, so it needs a phone number or an address."""
    there = {"account_number": "1", "full_name": "Ann", "phone": "+12025550143", "company": "One"}
    ground.fill("members", [Entity(1, there)])

    planned = ground.plan(members(REACHABLE), [{"account_number": "1", "full_name": "Ann", "phone": None}])

    assert planned.rejections[0]["message"].endswith("without a phone number or an e-mail address.")


def test_one_of_a_required_set_may_be_cleared_while_another_stays(ground):
    """C4: an address is left."""
    there = {"account_number": "1", "full_name": "Ann", "phone": "+1", "email": "a@example.com", "company": "One"}
    ground.fill("members", [Entity(1, there)])
    planned = ground.run(members(REACHABLE), [{"account_number": "1", "full_name": "Ann", "phone": None}])
    assert planned.row_outcomes == ["updated"]
    assert "phone" not in ground.contact(1)


def test_what_another_value_makes_required_is_not_cleared(ground):
    """C4: the type of the contact, which the file lacks, asks for qualifications."""
    there = {"account_number": "1", "full_name": "Ann", "contact_type": "DOCTOR", "qualifications": ["Surgery"]}
    ground.fill("members", [Entity(1, there), Entity(2, there | {"account_number": "2", "contact_type": "OTHERS"})])
    rows = [{"account_number": n, "full_name": "Ann", "qualifications": None} for n in ("1", "2")]
    assert ground.plan(members(QUALIFIED), rows).row_outcomes == ["rejected", "updated"]


def test_what_a_contact_never_had_is_not_held_against_a_row(ground):
    """C4: a row takes nothing from a contact that lacks the required name already."""
    ground.fill("members", [Entity(1, {"account_number": "1", "phone": "+12025550143"})])
    rows = [{"account_number": "1", "full_name": None, "phone": None}]
    assert ground.plan(members(), rows).row_outcomes == ["updated"]


@pytest.mark.parametrize("blank", ["keep", "fill"])
def test_under_the_other_policies_nothing_is_cleared(ground, blank):
    """C4: a blank clears only under `overwrite`."""
    ground.fill("members", [Entity(1, {"account_number": "1", "full_name": "Ann"})])
    rows = [{"account_number": "1", "full_name": None}]
    assert ground.plan(members(blank=blank), rows).row_outcomes == ["unchanged"]


def test_of_merged_rows_the_last_one_is_rejected_and_the_others_are_written(ground):
    """C4: the row that would clear the name is left out of the merge, and the first one is judged without it."""
    ground.fill("members", [Entity(1, {"account_number": "1", "full_name": "Ann"})])
    rows = [{"account_number": "1", "full_name": "Anna"}, {"account_number": "1", "full_name": None}]
    planned = ground.run(members(within_file="merge"), rows)
    assert planned.row_outcomes == ["updated", "rejected"]
    assert ground.contact(1)["full_name"] == "Anna"


def test_when_the_row_that_counts_is_rejected_the_next_one_counts(ground):
    """C4: the first row for the contact would clear its name; the second one is no duplicate of a rejected row."""
    ground.fill("members", [Entity(1, {"account_number": "1", "full_name": "Ann"})])
    rows = [{"account_number": "1", "full_name": None}, {"account_number": "1", "full_name": "Anna"}]
    assert ground.plan(members(), rows).row_outcomes == ["rejected", "updated"]
    assert ground.plan(members(within_file="reject_later"), rows).row_outcomes == ["rejected", "updated"]


def test_a_word_for_nothing_does_not_clear_what_is_required(ground):
    """C4: not even an explicit nothing, which empties a field under every policy."""
    columns = members().model_dump(mode="json")["columns"]
    columns[2] |= {"nothing": "none"}
    there = {"account_number": "1", "full_name": "Ann", "phone": "+12025550143", "company": "One"}
    ground.fill("members", [Entity(1, there)])
    rows = [{"account_number": "1", "full_name": "Ann", "phone": ""}]
    assert ground.plan(members(REACHABLE, blank="keep", columns=columns), rows).row_outcomes == ["rejected"]
