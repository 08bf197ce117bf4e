"""What a profile must not say: each is refused with its key and a reason, before any file is read."""

import pytest
from pydantic import ValidationError

from contact_pipeline.errors import Refusal
from contact_pipeline.profiles import Profile, find_profiles, load_profile
from contact_pipeline.profiles.options import choose

LEADS = {
    "name": "some_leads",
    "title": "Leads",
    "address_book": "some",
    "file": {"types": ["csv"]},
    "headings": "exact",
    "columns": [{"field": "email", "heading": "Email"}, {"field": "full_name", "heading": "Name"}],
    "match": [{"equal": ["email"]}],
    "on_error": "reject",
    "apply": "approval",
}
ACCOUNTS = LEADS | {
    "target": "account",
    "columns": [{"field": "account_number", "heading": "Number"}],
    "match": [{"equal": ["account_number"]}],
}


def refused(content):
    with pytest.raises(ValidationError) as error:
        Profile.model_validate(content)
    return error.value.errors()[0]["msg"]


def test_the_shipped_profiles_are_all_usable():
    found, broken = find_profiles()

    assert sorted(found) == [
        "dealer_leads",
        "outreach_contacts",
        "portfolio_accounts",
        "portfolio_contacts",
        "program_contacts",
        "property_contacts",
        "suppression_list",
    ]
    assert broken == []


def test_a_resolved_profile_survives_the_ledger():
    names = [*find_profiles()[0]]
    assert "dealer_leads" in names
    for name in names:
        profile = load_profile(name)
        assert Profile.model_validate(profile.model_dump(mode="json")) == profile


def test_an_unknown_key_is_refused():
    assert "Extra inputs" in refused(LEADS | {"blankk": "keep"})


@pytest.mark.parametrize("name", ["row_number", "active", "noted", "last_commit", "groups"])
def test_a_name_of_the_system_is_no_field(name):
    assert f"'{name}' is a name of the system" in refused(LEADS | {"columns": [{"field": name, "heading": "X"}]})


def test_a_rule_over_a_field_that_no_column_fills_is_refused():
    assert "'phone', which no column fills" in refused(LEADS | {"match": [{"equal": ["phone"]}]})


def test_a_list_is_not_matched():
    columns = [*LEADS["columns"], {"field": "qualifications", "heading": "Q", "type": "list"}]

    assert "'qualifications', which holds no single text" in refused(
        LEADS | {"columns": columns, "match": [{"equal": ["qualifications"]}]}
    )


@pytest.mark.parametrize("what", [{"matched": "merge"}, {"matched": "create"}, {"on_error": "note"}])
def test_accounts_are_not_merged_linked_or_noted(what):
    assert "accounts have neither notes nor links" in refused(ACCOUNTS | what)


def test_an_account_has_the_fields_of_accounts():
    columns = [*ACCOUNTS["columns"], {"field": "colour", "heading": "Colour"}]

    assert "'colour' is no account's" in refused(ACCOUNTS | {"columns": columns})


def test_a_rule_that_can_never_be_met_is_refused():
    rule = {"at_least": 3, "of": ["email", "full_name"]}

    assert "can never be met" in refused(LEADS | {"match": [rule]})


def test_a_broken_profile_is_named_by_file_key_and_reason_and_hides_no_other(tmp_path):
    (tmp_path / "mine.yaml").write_text("name: mine\ntitle: Mine\non_error: perhaps\n")
    (tmp_path / "torn.yaml").write_text("name: [torn\n")

    found, broken = find_profiles(tmp_path)

    assert len(found) == 7
    assert {problem.file.name for problem in broken} == {"mine.yaml", "torn.yaml"}
    assert all(each.problem.key or each.problem.line for each in broken)


def test_a_profile_of_ones_own_stands_before_a_shipped_one(tmp_path):
    text = (find_profiles.__globals__["SHIPPED"] / "program_contacts.yaml").read_text()
    (tmp_path / "program_contacts.yaml").write_text(text.replace("Program enforcement contacts", "Ours"))

    assert load_profile("program_contacts", tmp_path).title == "Ours"


def test_a_group_is_chosen_or_the_default_of_the_profile_or_the_upload_is_refused():
    """B4: every upload has a group."""
    shipped = load_profile("outreach_contacts")
    without = Profile.model_validate(LEADS | {"group": {}})

    assert choose(shipped, {})[1].group == "Uploads"
    assert choose(shipped, {"group": "Spring"})[1].group == "Spring"
    assert choose(without, {"group": "Spring"})[1].group == "Spring"
    with pytest.raises(Refusal, match="needs a group") as refusal:
        choose(without, {})
    assert refusal.value.code == "option-missing"
