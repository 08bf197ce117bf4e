"""A field of a profile may be called as something inside is called: no value is lost, and nothing breaks."""

import pytest
from pydantic import ValidationError

from contact_pipeline.profiles import Profile, load_profile

NAMES = [
    "last", "bad", "given", "value", "number", "row", "field", "code", "message", "other", "rank", "keys", "shares",
    "why", "cells", "text", "entity", "decision", "in_doubt", "candidate", "differs", "order", "select", "user",
    "several", "maker", "counts", "said", "id", "other_row", "steps", "turns", "together", "rows",
]  # fmt: skip
PROFILE = """
name: names
title: Names
address_book: names
file: {types: [csv]}
headings: mapped
columns:
  - {field: email, heading: Email, type: email, required: true}
  - {field: phone, heading: Phone, type: phone}
COLUMNS
region: US
match: [{equal: [email]}, {equal: [phone]}]
matched: merge
within_file: merge
blank: keep
rules: [{unique: [email, last]}]
on_error: reject
apply: approval
options: {deactivate_missing: true}
guards: {deactivated_percent: 100}
"""


@pytest.fixture
def send(pipeline, write):
    """Imports rows of an address, a phone number, and one value for every field."""
    pipeline.settings.profiles_path.mkdir(parents=True, exist_ok=True)
    columns = "\n".join(f"  - {{field: {name}, heading: Column {n}}}" for n, name in enumerate(NAMES))
    (pipeline.settings.profiles_path / "names.yaml").write_text(PROFILE.replace("COLUMNS", columns))
    headings = ["Email", "Phone", *(f"Column {n}" for n in range(len(NAMES)))]

    def plan_and_apply(*rows, **options):
        cells = [
            [email, phone, *(f"{value}{n}" if value else "" for n in range(len(NAMES)))] for email, phone, value in rows
        ]
        upload = pipeline.plan(write("names.csv", headings, cells), "names", user="d.rivers", **options)
        return pipeline.apply(upload.upload_id, user="d.rivers")

    return plan_and_apply


def test_values_go_in_are_merged_and_undone_whatever_their_fields_are_called(send, pipeline):
    def values():
        return {c["email"]: [c[name] for name in NAMES] for c in pipeline.store.contacts()}

    def every(value):
        return [f"{value}{n}" for n in range(len(NAMES))]

    send(("a@example.com", "202 555 0143", "A"), ("b@example.com", "", "B"), ("no address", "", "C"))
    assert values() == {"a@example.com": every("A"), "b@example.com": every("B")}

    upload = send(
        ("a@example.com", "", "N"), ("a@example.com", "", ""), ("b@example.com", "12", "X"), deactivate_missing=True
    )
    assert values()["a@example.com"] == every("N")
    assert (upload.state, list(upload.rejections["row_number"])) == ("applied", [4])

    pipeline.undo(upload.upload_id, user="d.rivers")
    assert values()["a@example.com"] == every("A")


BESIDE = ["erased", "commit_number", "naming_commit", "upload_id", "knows", "groups", "key_email", "before_x"]


@pytest.mark.parametrize("name", BESIDE)
def test_a_name_that_stands_beside_the_fields_is_refused(name):
    content = load_profile("dealer_leads").model_dump(mode="json")
    content["columns"].append({"field": name, "heading": "X"})

    with pytest.raises(ValidationError, match=f"field '{name}' is a name of the system; choose another"):
        Profile.model_validate(content)
