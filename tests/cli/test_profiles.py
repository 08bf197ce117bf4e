"""`profiles`: what there is, what one asks of a file, and broken ones reported without taking the others down."""

import pytest

SHIPPED = [
    "dealer_leads", "outreach_contacts", "portfolio_accounts", "portfolio_contacts", "program_contacts",
    "property_contacts", "suppression_list",
]  # fmt: skip

MINE = """\
name: mine
title: Mine
address_book: mine
file: {types: [csv]}
headings: exact
columns: [{field: email, heading: Email, type: email, required: true}]
match: [{equal: [email]}]
on_error: reject
apply: approval
"""


@pytest.fixture
def own_profile(home):
    def write(name, text):
        folder = home / "profiles"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")

    return write


def test_the_six_systems_are_listed(run):
    ended = run("profiles", "--json")
    assert ended.status == 0
    assert [profile["name"] for profile in ended.document] == SHIPPED
    assert all(set(entry) == {"name", "title", "address_book", "file_types", "apply"} for entry in ended.document)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_profile_is_shown_with_its_fields_and_options(name, run):
    """E2: the required format of each field can be shown."""
    ended = run("profiles", "show", name, "--json")
    assert ended.status == 0
    assert ended.document["name"] == name
    assert all(
        set(field) == {"field", "heading", "headings", "required", "type", "format", "choices", "sensitive"}
        for field in ended.document["fields"]
    )
    assert all(field["format"] for field in ended.document["fields"])
    assert isinstance(ended.document["options"], dict)
    assert run("profiles", "show", name).status == 0


def test_required_fields_are_starred(run):
    """E6: fields that must be given carry a star."""
    shown = run("profiles", "show", "program_contacts").out
    assert "Email *" in shown
    assert "Company *" not in shown


def test_locked_options_are_shown_as_locked(run):
    """A6: updating and adding are required, deactivating is a choice that is off."""
    options = run("profiles", "show", "program_contacts", "--json").document["options"]
    assert options["update_existing"] | {"means": ""} == {"means": "", "default": True, "choices": [], "locked": True}
    assert options["add_new"]["locked"]
    assert not options["deactivate_missing"]["locked"]


def test_lead_types_say_which_module_they_mean(run):
    """E4: SMS leads go to Lead Xpress."""
    assert "SMS → Lead Xpress" in run("profiles", "show", "dealer_leads").out


def test_an_unknown_profile_is_refused_with_the_nearest_name(run):
    ended = run("profiles", "show", "dealer_lead", "--json")
    assert ended.status == 1
    assert ended.document["error"]["code"] == "profile-unknown"
    assert "dealer_leads" in ended.document["error"]["fix"]


def test_a_broken_profile_is_named_with_key_and_reason_and_the_others_stay(run, own_profile):
    own_profile("mine", MINE.replace("on_error: reject", "on_error: sometimes"))
    ended = run("profiles", "--json")
    assert ended.status == 0
    assert [profile["name"] for profile in ended.document] == SHIPPED
    assert "mine.yaml, line 8, on_error: 'sometimes' is not known here; one of: block, reject, note" in ended.err
    assert "mine.yaml, line 8, on_error" in run("profiles").err
    shown = run("profiles", "show", "mine", "--json")
    assert shown.status == 1
    assert shown.document["error"]["code"] == "profile-broken"


def test_a_profile_of_ones_own_is_found(run, own_profile):
    own_profile("mine", MINE)
    assert "mine" in [profile["name"] for profile in run("profiles", "--json").document]
    assert "Email *" in run("profiles", "show", "mine").out


def test_the_schema_of_a_profile_s_rows_can_be_shown(run):
    """A3: the e-mail address must be filled, and be one."""
    description = run("profiles", "show", "program_contacts", "--schema", "--json").document
    email = next(column for column in description["columns"] if column["column"] == "email")
    codes = [check["code"] for check in email["checks"]]
    assert codes == ["email-syntax", "email-domain-typo", "placeholder", "required"]
    assert description["name"] == "program_contacts"
    shown = run("profiles", "show", "outreach_contacts", "--schema").out
    assert "date-before-1900" in shown
    assert "needs-one-of: an account number" in shown


def test_a_file_of_a_profile_is_checked_wherever_it_lies_without_a_home(run, home, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(MINE)

    ended = run("profiles", "check", file, "--json")

    assert (ended.status, ended.document["name"], ended.document["problems"]) == (0, "mine", [])
    assert run("profiles", "check", file).status == 0
    assert not home.exists()


def test_all_that_is_wrong_with_a_profile_is_listed(run, home, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(MINE.replace("title:", "titel:").replace("exact", "exactly"))

    ended = run("profiles", "check", file, "--json")

    assert (ended.status, ended.document["error"]["code"], ended.document["error"]["file"]) == (
        1,
        "profile-broken",
        "mine.yaml",
    )
    assert "did you mean 'title'?" in ended.document["error"]["message"]
    assert "line 5, headings: 'exactly' is not known here; did you mean 'exact'?" in ended.document["error"]["message"]
    assert run("profiles", "check", tmp_path / "other.yaml").status == 1
    assert not home.exists()


def test_a_field_that_looks_like_a_known_one_is_asked_about_and_does_not_fail_the_check(run, tmp_path):
    file = tmp_path / "mine.yaml"
    own = ["fone", "e_mail", "birth_date", "shoe_size", "compny"]
    columns = "".join(f", {{field: {name}, heading: {name}}}" for name in own)
    file.write_text(MINE.replace("required: true}", f"required: true}}{columns}"))

    ended = run("profiles", "check", file, "--json")

    asked = {each["key"]: each["message"] for each in ended.document["warnings"]}
    meant = {"columns.1.field": "phone", "columns.2.field": "email", "columns.3.field": "date_of_birth"}
    assert ended.status == 0
    assert asked.keys() == {*meant, "columns.5.field"}
    assert all(f"did you mean '{field}'?" in asked[key] for key, field in meant.items())
    assert {each["line"] for each in ended.document["warnings"]} == {6}
    assert "line 6, columns.1.field: 'fone' is a field that no system knows" in run("profiles", "check", file).out

    file.write_text(MINE.replace("required: true}", "required: true}, {field: fone, heading: F, kind: text}"))
    assert run("profiles", "check", file, "--json").document["warnings"] == []


@pytest.mark.parametrize("delimiter", ["a", "7", '"', ";;", "\n"])
def test_what_parts_no_cells_is_no_delimiter(delimiter, run, samples, home):
    ended = run("inspect", samples / "dealer_leads_1.csv", "--delimiter", delimiter)

    assert (ended.status, "does not part cells: use a comma" in ended.err) == (2, True)


def test_a_drafted_profile_goes_through_check_and_plan(run, home, samples):
    """E6: which column fills which field is shown, also where all are mapped by themselves."""
    written = home / "profiles" / "ours.yaml"

    assert run("profiles", "draft", samples / "dealer_leads_1.csv", "-o", written).status == 0
    checked = run("profiles", "check", written, "--json").document
    assert (checked["name"], checked["problems"], checked["warnings"]) == ("ours", [], [])
    planned = run("plan", samples / "dealer_leads_1.csv", "--profile", "ours")
    assert planned.status == 0
    assert "Name → full_name; Phone → phone; Email → email" in planned.out

    again = run("profiles", "draft", samples / "dealer_leads_1.csv", "-o", written)
    assert (again.status, "There is a file" in again.err) == (2, True)
    shown = run("profiles", "draft", samples / "dealer_leads_1.csv", "--json").document
    assert shown["fields"] == {"Name": "full_name", "Phone": "phone", "Email": "email"}
    assert run("profiles", "draft", samples / "dealer_leads_1.csv", "--name", "Our Leads").status == 2
