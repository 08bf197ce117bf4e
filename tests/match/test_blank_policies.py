"""What a blank, a value and an explicit "nothing" do to what a contact holds: fill, keep and overwrite."""

import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.profiles import Profile, load_profile
from tests.match.ground import sides
from tests.match.reference import Entity, Row


@pytest.mark.parametrize(
    ("blank", "company", "job_title", "phone"),
    [
        ("fill", "Old", "Old", "+12025550143"),
        ("keep", "New", "Old", "+12025550143"),
        ("overwrite", "New", None, "+12025550143"),
    ],
)
def test_each_blank_policy_does_what_it_says(ground, blank, company, job_title, phone):
    """A7, C4: a value, a blank, and a value where there was none, under each policy."""
    ground.fill("program", [Entity(1, {"email": "a@example.com", "company": "Old", "job_title": "Old"})])
    row = {"email": "a@example.com", "company": "New", "job_title": None, "phone": "+12025550143"}
    ground.run("program_contacts", [row], blank=blank)
    after = ground.contact(1)
    assert (after["company"], after.get("job_title"), after["phone"]) == (company, job_title, phone)


@pytest.mark.parametrize("blank", ["fill", "keep", "overwrite"])
def test_a_column_that_the_file_lacks_is_untouched_under_every_policy(ground, blank):
    """C4: not even `overwrite` clears what the file does not speak of."""
    ground.fill("program", [Entity(1, {"email": "a@example.com", "company": "Old"})])
    assert ground.plan("program_contacts", [{"email": "a@example.com"}], blank=blank).row_outcomes == ["unchanged"]


def test_a_row_that_changes_nothing_is_unchanged(ground):
    """A7: filling a contact that has everything is no change."""
    ground.fill("program", [Entity(1, {"email": "a@example.com", "company": "Old"})])
    planned = ground.plan("program_contacts", [{"email": "a@example.com", "company": "New"}])
    assert (planned.row_outcomes, planned.changes) == (["unchanged"], [])


def test_only_the_fields_that_differ_are_in_the_change_with_before_and_after(ground):
    """X2: before and after of what changes, and nothing else."""
    ground.fill("program", [Entity(1, {"email": "a@example.com", "company": "Old", "job_title": "Boss"})])
    row = {"email": "a@example.com", "company": "New", "job_title": "Boss"}
    (change,) = ground.plan("program_contacts", [row], blank="keep").changes
    assert sides(change) == {"company": ("Old", "New")}
    assert change["base_revision"] == 1


@pytest.mark.parametrize("given", ["", None])
def test_without_portfolio_empties_the_owner_and_a_blank_does_not(ground, given):
    """D4: the word is an explicit nothing; the status is untouched by it."""
    account = {"account_number": "1", "account_name": "One", "portfolio": "ann", "status": "INACTIVE"}
    ground.fill("portfolio", accounts=[Entity(1, account)])
    ground.run("portfolio_accounts", [{"account_number": "1", "account_name": "One", "portfolio": given}])
    after = ground.table("account", "portfolio")[1]
    assert after["portfolio"] == (None if given == "" else "ann")
    assert after["status"] == "INACTIVE"


def test_a_blank_status_means_active_for_a_new_account_and_nothing_for_an_old_one(ground):
    """D3: the default is for something new."""
    ground.fill("portfolio", accounts=[Entity(1, {"account_number": "1", "status": "INACTIVE"})])
    rows = [{"account_number": number, "account_name": "X", "status": None} for number in ("1", "2")]
    ground.run("portfolio_accounts", rows)
    accounts = ground.table("account", "portfolio")
    assert (accounts[1]["status"], accounts[2]["status"]) == ("INACTIVE", "ACTIVE")


def test_a_value_that_could_not_be_imported_counts_as_absent_and_clears_nothing(ground):
    """E12: even where blanks overwrite, the cell that went to the notes is no blank."""
    profile = leads_that_overwrite()
    ground.fill("leads", [Entity(1, {"full_name": "Ann", "email": "a@example.com", "phone": "+12025550143"})])
    values = {"full_name": "Ann", "email": "a@example.com", "phone": "12"}
    ground.run(profile, [Row(2, values, noted={"phone": "[import] Phone: 12"})], lead_type="SMS")
    assert ground.contact(1)["phone"] == "+12025550143"
    assert ground.contact(1)["notes"] == ["[import] Phone: 12"]


def test_a_value_that_could_not_be_imported_leaves_what_an_earlier_row_said(ground):
    """E12: of merged rows, the one whose cell went to the notes says nothing of that field."""
    profile = leads_that_overwrite()
    ground.fill("leads", [Entity(1, {"full_name": "Ann", "email": "a@example.com"})])
    values = {"full_name": "Ann", "email": "a@example.com", "phone": "+12025550144"}
    rows = [Row(2, values), Row(3, values | {"phone": "12"}, noted={"phone": "[import] Phone: 12"})]
    ground.run(profile, rows, lead_type="SMS")
    assert ground.contact(1)["phone"] == "+12025550144"


def leads_that_overwrite() -> Profile:
    return Profile.model_validate(load_profile("dealer_leads").model_dump(mode="json") | {"blank": "overwrite"})


def test_a_column_may_have_a_policy_of_its_own(ground):
    """A7, C4: the company is kept where the others are cleared."""
    profile = with_policies({"company": "keep"}, blank="overwrite")
    ground.fill("program", [Entity(1, {"email": "a@example.com", "company": "Old", "job_title": "Old"})])
    ground.run(profile, [{"email": "a@example.com", "company": None, "job_title": None}])
    assert ground.contact(1) == {"email": "a@example.com", "company": "Old"}


def test_a_policy_chosen_for_the_upload_leaves_a_column_that_has_its_own(ground):
    """A7: `--blank` is for the columns that say nothing themselves."""
    profile = with_policies({"company": "keep"})
    ground.fill("program", [Entity(1, {"email": "a@example.com", "company": "Old", "job_title": "Old"})])
    ground.run(profile, [{"email": "a@example.com", "company": None, "job_title": None}], blank="overwrite")
    assert ground.contact(1) == {"email": "a@example.com", "company": "Old"}


@pytest.mark.parametrize("named", ["Company", "company"])
def test_a_policy_chosen_for_a_column_of_the_upload_stands_above_all_others(ground, named):
    """A7: by heading or by field."""
    profile = with_policies({"company": "keep"})
    ground.fill("program", [Entity(1, {"email": "a@example.com", "company": "Old", "job_title": "Old"})])
    rows = [{"email": "a@example.com", "company": None, "job_title": None}]
    ground.run(profile, rows, blank="fill", blank_in={named: "overwrite"})
    assert ground.contact(1) == {"email": "a@example.com", "job_title": "Old"}


def test_a_policy_for_a_column_that_there_is_not_is_refused(ground):
    """A7: with the columns that there are."""
    with pytest.raises(Refusal, match="no column 'Shoe size'") as refusal:
        ground.plan("program_contacts", [], blank_in={"Shoe size": "keep"})
    assert (refusal.value.code, "Job Title" in refusal.value.fix) == ("option-value", True)


def test_a_policy_that_there_is_not_is_refused_with_the_column(ground):
    """A7: and with the policies that there are."""
    with pytest.raises(Refusal, match="'blank-in' for 'Company': Input should be 'fill', 'keep' or 'overwrite'"):
        ground.plan("program_contacts", [], blank_in={"Company": "ovr"})


def test_a_policy_that_the_profile_does_not_offer_is_refused_for_a_column_too(ground):
    """C4: property contacts are kept or overwritten."""
    with pytest.raises(Refusal) as refusal:
        ground.plan("property_contacts", [], blank_in={"Company": "fill"})
    assert refusal.value.code == "option-value"


def test_merged_rows_are_put_together_by_each_column_s_policy(ground):
    """A7: of two rows the first value counts where blanks are filled, the last one where they are kept."""
    profile = with_policies({"company": "fill"}, blank="keep", within_file="merge")
    rows = [{"email": "a@example.com", "company": name, "job_title": name} for name in ("One", "Two")]
    ground.run(profile, rows)
    assert {name: ground.contact(1)[name] for name in ("company", "job_title")} == {
        "company": "One",
        "job_title": "Two",
    }


def with_policies(policies: dict[str, str], **content) -> Profile:
    given = load_profile("program_contacts").model_dump(mode="json")
    for column in given["columns"]:
        column["blank"] = policies.get(column["field"])
    return Profile.model_validate(given | content)
