"""One row is walked through the steps, and each says in words what it did."""

import pytest

from contact_pipeline.errors import Refusal
from tests.pipeline.conftest import OUTREACH

ANN = {"first": "Ann", "last": "Bee", "phone": "(202) 555-0143", "email": "ann@example.com", "account": "AC-1"}
STRICT = """
name: strict
title: Strict
address_book: strict
file: {types: [csv]}
headings: exact
columns:
  - {field: email, heading: Email, type: email}
  - {field: full_name, heading: Name, type: name}
match:
  - equal: [email]
matched: update
within_file: reject_later
on_error: reject
apply: approval
"""
SECRETS = ("219-09-9990", "219099990", "1984-04-17", "04/17/1984")


def said(pipeline, upload, row_number):
    """Step → what it says, of one row."""
    steps = pipeline.explain(upload.upload_id, row_number)
    assert [step.step for step in steps] == list(dict.fromkeys(step.step for step in steps))
    return {step.step: " ".join(step.says) for step in steps}


def test_a_new_contact_is_explained_from_the_cell_to_the_change(pipeline, outreach):
    steps = said(pipeline, outreach(ANN | {"phone": "202.555.0143 x5"}), 2)

    assert list(steps) == [
        "upload", "read", "normalized", "validated", "compared", "rules", "decided", "written", "outcome",
    ]  # fmt: skip
    assert steps["upload"].startswith("staged: the changeset is frozen")
    assert steps["read"].startswith("Line 2 of the file: First name 'Ann'; Phone number '202.555.0143 x5'")
    assert "phone '+12025550143;ext=5'" in steps["normalized"]
    assert steps["validated"] == "No rule of the profile is broken."
    assert "Account number 'ac-1'" in steps["compared"]
    assert "no contact agrees" in steps["rules"]
    assert steps["decided"] == "No rule finds anybody that it could be: it is somebody new."
    assert "Create contact 1: first_name 'Ann'; phone '+12025550143;ext=5'" in steps["written"]
    assert steps["outcome"] == "created: contact 1 is new."


def test_a_known_contact_names_the_rule_that_found_the_contact(pipeline, outreach):
    pipeline.apply(outreach(ANN).upload_id)

    steps = said(pipeline, outreach(ANN | {"email": "ann.bee@example.com"}, name="more.csv"), 2)

    assert "Account number: finds contact 1." in steps["rules"]
    assert steps["decided"].endswith("is the first that finds anybody: it is contact 1.")
    assert steps["outcome"] == "duplicate: contact 1 is there already, and is left as it is."


def test_a_change_is_shown_before_and_after(pipeline, leads):
    leads(("Ann Bee", "202-555-0143", "ann@example.com"))
    upload = leads(("Ann Bee", "202-555-0143", "ann.bee@example.com"), name="more.csv", rule="merge")

    steps = said(pipeline, upload, 2)

    assert steps["rules"] == "Rule 1, at least 2 of name, Phone, Email: finds contact 1."
    assert steps["written"].startswith("Update contact 1: email 'ann@example.com' → 'ann.bee@example.com'")
    assert steps["outcome"] == "updated: contact 1 changes."


def test_what_a_rule_lacks_in_the_row_is_said(pipeline, outreach):
    steps = said(pipeline, outreach({name: value for name, value in ANN.items() if name != "account"}), 2)

    assert "the row has no Account number, so it finds nobody." in steps["rules"]
    assert "Not compared by Account number" in steps["compared"]


def test_a_repeated_row_names_the_row_that_counts(pipeline, outreach):
    upload = outreach(ANN, ANN | {"zip": "02139"})

    steps = said(pipeline, upload, 3)

    assert steps["decided"].startswith("Row 2 of the file shares a key or the same contact with it.")
    assert steps["written"].startswith("Row 2 comes first and counts;")
    assert "It writes: Create contact 1:" in steps["written"]
    assert steps["outcome"] == "duplicate: it means the same as row 2 (contact 1)."
    assert said(pipeline, upload, 2)["decided"].startswith("Row 3 of the file shares")


def test_a_rejected_row_ends_with_its_error_and_a_blank_one_at_once(pipeline, outreach):
    upload = outreach(ANN | {"born": "02/30/1980"}, {}, ANN | {"account": "AC-2", "email": "bea@example.com"})

    steps = said(pipeline, upload, 2)
    assert steps["validated"].startswith("Error, Date of birth")
    assert steps["outcome"] == "rejected: nothing of it is imported."
    assert list(said(pipeline, upload, 3)) == ["upload", "read", "outcome"]
    assert said(pipeline, upload, 3)["outcome"] == "blank: it holds nothing."


def test_a_row_that_matching_rejects_is_explained_as_far_as_matching_came(pipeline, write):
    """Its error stands where it was found, behind the rules; an error that was found before leaves them out."""
    pipeline.settings.profiles_path.mkdir(parents=True, exist_ok=True)
    (pipeline.settings.profiles_path / "strict.yaml").write_text(STRICT, encoding="utf-8")
    rows = [("ann@example.com", "Ann Bee"), ("ann@example.com", "Ann Bee"), ("broken@", "Cid Dee")]
    upload = pipeline.plan(write("people.csv", ["Email", "Name"], rows), "strict")

    steps = said(pipeline, upload, 3)

    assert steps["validated"] == "No rule of the profile is broken."
    assert steps["decided"].startswith("Row 2 of the file shares")
    assert steps["matched"].startswith("Error: ")
    assert "row 2" in steps["matched"].lower()
    assert steps["outcome"] == "rejected: nothing of it is imported."
    assert list(said(pipeline, upload, 4)) == ["upload", "read", "normalized", "validated", "outcome"]


def test_what_becomes_of_groups_is_said(pipeline, outreach):
    assert "Create contact 1 in group Spring." in said(pipeline, outreach(ANN), 2)["written"]


def test_a_heading_that_is_data_is_masked(pipeline, write):
    file = write("people.csv", ["Name", "Phone", "Email", "219-09-9990"], [("Ann Bee", "", "ann@example.com", "x")])
    upload = pipeline.plan(file, "dealer_leads", user="d.rivers", lead_type="SMS")

    steps = pipeline.explain(upload.upload_id, 2)

    assert "'x'" in steps[1].says[0]
    assert "219-09-9990" not in str(steps)


def test_a_row_in_review_and_what_a_person_decides_about_it(pipeline, leads):
    leads(("Ann Bee", "202-555-0143", ""), ("Ann Bee", "", "ann@example.com"))
    upload = leads(("Ann Bee", "202-555-0143", "ann@example.com"), name="more.csv", rule="merge")

    steps = said(pipeline, upload, 2)
    assert "finds contact 1, contact 2." in steps["rules"]
    assert steps["decided"].startswith("Only a person can say who it is: it could be contact 1")
    assert steps["outcome"] == "review: it waits for a person, and changes nothing until then."

    pipeline.resolve(upload.upload_id, 2, 1, user="d.rivers")
    steps = said(pipeline, upload, 2)
    assert steps["decided"].startswith("A person decided: it is contact 1.")
    assert steps["outcome"] == "updated: contact 1 changes."


def test_repairs_are_explained_and_sensitive_values_hidden(pipeline, outreach):
    upload = outreach(ANN | {"ssn": "219099990", "born": "04/17/1984", "zip": "2139"})

    steps = said(pipeline, upload, 2)

    assert "Repaired in Zip code: '2139' → '02139'" in steps["normalized"]
    assert not [secret for secret in SECRETS for step in steps.values() if secret in step]


def test_a_row_that_cannot_be_split_is_explained(pipeline, write):
    rows = [[ANN.get(name, "") for name in OUTREACH], ["too", "many", *[""] * 8, "values"]]
    upload = pipeline.plan(write("broken.csv", OUTREACH.values(), rows), "outreach_contacts", group="Spring")

    steps = said(pipeline, upload, 3)

    assert steps["read"] == "The row could not be split into the columns of the heading."
    assert steps["outcome"].startswith("rejected")


def test_a_row_that_is_not_there_is_refused(pipeline, outreach):
    upload = outreach(ANN)
    with pytest.raises(Refusal) as refused:
        pipeline.explain(upload.upload_id, 9)
    assert (refused.value.code, refused.value.row_number) == ("row-unknown", 9)

    pipeline.cancel(upload.upload_id)
    with pytest.raises(Refusal) as refused:
        pipeline.explain(upload.upload_id, 2)
    assert refused.value.code == "nothing-staged"


def test_an_upload_that_is_only_read_is_explained_as_far_as_it_came(pipeline, write):
    file = write("people.csv", OUTREACH.values(), [[ANN.get(name, "") for name in OUTREACH]])
    upload = pipeline.receive(file, "outreach_contacts", group="Spring")
    with pytest.raises(Refusal) as refused:
        pipeline.explain(upload.upload_id, 2)
    assert refused.value.code == "nothing-staged"

    upload = pipeline.read(upload)
    assert list(said(pipeline, upload, 2)) == ["upload", "read"]
    assert list(said(pipeline, pipeline.normalize(upload), 2)) == ["upload", "read", "normalized"]


def test_where_rows_are_merged_the_first_writes_what_both_say(pipeline, leads):
    upload = leads(("Ann Bee", "202-555-0143", ""), ("Ann Bee", "202-555-0143", "ann@example.com"), rule="merge")

    assert said(pipeline, upload, 3)["written"].startswith("Row 2 writes what both say together: Create contact 1:")


def test_a_link_names_both_contacts(pipeline, leads):
    leads(("Ann Bee", "202-555-0143", "ann@example.com"))
    upload = leads(("Ann Bee", "202-555-0143", "ann.bee@example.com"), name="more.csv", rule="create")

    assert "Create contact 2 linked to 1." in said(pipeline, upload, 2)["written"]


def test_the_row_of_an_erased_person_says_so(pipeline, outreach):
    upload = outreach(ANN)
    pipeline.apply(upload.upload_id)
    pipeline.erase(1)

    steps = said(pipeline, upload, 2)

    assert list(steps) == ["upload", "read", "outcome"]
    assert steps["read"] == "Its values are gone: the person that it is of was erased."


def test_what_became_of_the_upload_is_said_first(pipeline, leads):
    upload = leads(("Ann Bee", "202-555-0143", "ann@example.com"))
    pipeline.undo(upload.upload_id, user="d.rivers")

    assert said(pipeline, upload, 2)["upload"].startswith("undone: it is out of effect")


def test_what_was_done_by_hand_has_no_rows(pipeline, outreach):
    pipeline.apply(outreach(ANN).upload_id)
    by_hand = pipeline.set_active(1, active=False)

    with pytest.raises(Refusal) as refused:
        pipeline.explain(by_hand.upload_id, 2)
    assert refused.value.code == "nothing-staged"
    assert refused.value.fix == "Nobody sent a file: `show` lists what was changed by hand."
