"""What is unique in a file, over all of its slices; and what else only a whole upload shows."""

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.settings import Settings

PROFILE = """\
name: members
title: Members
address_book: members
file: {{types: [csv]}}
headings: exact
region: US
columns:
  - {{field: email, heading: Email, type: email}}
  - {{field: identifier, heading: Badge, case: {case}}}
  - {{field: ssn, heading: SSN, type: ssn, sensitive: true}}
  - {{field: do_not_contact, heading: Leave alone, type: boolean}}
rules:
  - unique: [identifier]
  - unique: [ssn]
match: [{{equal: [email]}}]
matched: update
blank: overwrite
on_error: {on_error}
options: {{clear_do_not_contact: {permitted}}}
apply: automatic
"""


@pytest.fixture
def upload(tmp_path):
    """Imports a file, read two rows at a time."""
    (tmp_path / "home" / "profiles").mkdir(parents=True)
    pipeline = Pipeline(settings=Settings(home=tmp_path / "home", slice_rows=2))

    def imported(*lines, on_error="reject", permitted="false", case="fold", **options):
        profile = PROFILE.format(on_error=on_error, permitted=permitted, case=case)
        (tmp_path / "home" / "profiles" / "members.yaml").write_text(profile, encoding="utf-8")
        (tmp_path / "members.csv").write_text("\n".join(["Email,Badge,SSN,Leave alone", *lines]), encoding="utf-8")
        planned = pipeline.plan(tmp_path / "members.csv", "members", force=True, **options)
        assert pipeline.apply(planned.upload_id).state == "applied"
        return pipeline, planned

    return imported


def test_a_later_row_that_repeats_a_unique_value_is_rejected_across_slices(upload):
    _, planned = upload("a@example.com,B-1,,", "b@example.com,,,", "c@example.com,,,", "d@example.com,b-1,,")
    assert planned.rejections.select("row_number", "column", "field", "code", "message").rows() == [
        (5, "Badge", "identifier", "not-unique", "Badge 'b-1' stands in row 2 already.")
    ]
    assert planned.outcomes["rejected"] == 1


def test_values_that_differ_in_case_are_unique_only_where_the_column_keeps_it(upload):
    lines = ("a@example.com,B-a,,", "b@example.com,b-A,,")
    _, planned = upload(*lines)
    assert planned.outcomes["rejected"] == 1
    _, planned = upload(*lines, case="keep")
    assert planned.outcomes["rejected"] == 0


def test_a_rejected_row_repeats_nothing(upload):
    _, planned = upload("a@,B-1,,", "b@example.com,B-1,,")
    assert planned.rejections["code"].to_list() == ["email-syntax"]


def test_a_cell_that_was_taken_out_repeats_nothing(upload):
    _, planned = upload("a@example.com,4.479E+11,,", "b@example.com,4.479E+11,,", on_error="note")
    assert set(planned.rejections["code"]) == {"excel-scientific"}
    assert planned.outcomes["created"] == 2


def test_a_sensitive_value_that_is_not_unique_is_masked(upload):
    """B2: SSN is masked wherever it is shown."""
    pipeline, planned = upload("a@example.com,,219-09-9990,", "b@example.com,,219-09-9990,")
    staged = pipeline.store.staging(planned.upload_id).table("rejections")
    assert staged.select("code", "value").rows() == [("not-unique", "***-**-****")]
    assert "219" not in staged["message"][0]


def consent(pipeline):
    return pipeline.store.contacts()[0]["do_not_contact"]


@pytest.mark.parametrize("said", ["no", ""])
def test_a_wish_not_to_be_contacted_stays(upload, said):
    upload("a@example.com,,,yes")
    pipeline, planned = upload(f"a@example.com,B-9,,{said}")
    assert consent(pipeline) is True
    assert planned.outcomes["updated"] == 1
    assert planned.rejections.select("code", "severity").rows() == [("consent-kept", "warning")] * bool(said)


def test_the_wish_is_taken_back_only_where_profile_and_upload_both_say_so(upload):
    upload("a@example.com,,,yes")
    pipeline, _ = upload("a@example.com,,,no", permitted="true")
    assert consent(pipeline) is True
    pipeline, _ = upload("a@example.com,,,", permitted="true", clear_do_not_contact=True)
    assert consent(pipeline) is True
    pipeline, planned = upload("a@example.com,,,no", permitted="true", clear_do_not_contact=True)
    assert consent(pipeline) is False
    assert planned.rejections.is_empty()


def test_an_option_that_the_profile_does_not_permit_is_refused(upload, tmp_path):
    pipeline, _ = upload("a@example.com,,,yes")
    refused = pipeline.plan(tmp_path / "members.csv", "members", clear_do_not_contact=True)
    assert (refused.state, refused.reason["code"]) == ("refused", "option-unknown")


def test_further_addresses_go_to_the_notes_under_any_profile(upload):
    """E12: nothing is lost."""
    pipeline, planned = upload("a@example.com b@example.com,B-1,,")
    (contact,) = pipeline.store.contacts()
    assert (contact["email"], contact["notes"]) == ("a@example.com", ["[import] Email: b@example.com"])
    assert pipeline.repairs(planned.upload_id)["why"].to_list() == ["first of several addresses"]


def test_a_full_name_is_made_anew_without_a_part_that_was_taken_out(tmp_path):
    """E12: a value that could not be imported goes to the notes, and nowhere else."""
    file = tmp_path / "leads.csv"
    file.write_text(f"First name,Last name,Email\n{'x' * 501},Avery,j@example.com\n", encoding="utf-8")
    pipeline = Pipeline(home=tmp_path / "home")
    users = tmp_path / "users.yaml"
    users.write_text("- {login: t.osei, name: Tomi Osei, roles: [director], can_import: true}\n", encoding="utf-8")
    pipeline.store.load_users(users)
    planned = pipeline.plan(file, "dealer_leads", lead_type="SMS", rule="merge", user="t.osei")
    pipeline.apply(planned.upload_id, user="t.osei")
    (contact,) = pipeline.store.contacts()
    assert (contact["full_name"], contact["first_name"], contact["last_name"]) == ("Avery", None, "Avery")
    assert contact["notes"] == [f"[import] First name: {'x' * 501}"]
