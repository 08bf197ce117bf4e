"""Planning writes the ledger and the upload's folder, and nothing of the contacts; applying brings what they lack."""

import pytest

from contact_pipeline.errors import Refusal

CLUB = """
name: {name}
title: Members of a club
address_book: club
file: {{types: [csv]}}
headings: mapped
columns:
  - {{field: email, heading: Email, required: true, type: email}}
  - {{field: company, heading: Company, sensitive: {sensitive}}}
  - {{field: shoe_size, heading: Shoe size, type: {type}, kind: {kind}}}
match:
  - equal: [{key}, company]
  - equal: [email]
matched: update
on_error: reject
apply: approval
"""
OURS = {"uploads", "mappings", "counters"}  # the ledger, and the ids that it reserves


@pytest.fixture
def club(pipeline, write):
    """Plans a file of members."""

    def plan(*rows, name="club", sensitive="false", kind="text"):
        key = "shoe_size" if kind == "text" else "email"
        pipeline.settings.profiles_path.mkdir(parents=True, exist_ok=True)
        profile = CLUB.format(name=name, sensitive=sensitive, kind=kind, type=kind, key=key)
        (pipeline.settings.profiles_path / f"{name}.yaml").write_text(profile)
        return pipeline.plan(write(f"{name}.csv", ["Email", "Company", "Shoe size"], rows), name, user="d.rivers")

    return plan


def everything(pipeline):
    """What the contact database holds, beside the ledger: the columns and rows of every table."""
    with pipeline.store.open(read_only=True) as database:
        names = [name for (name,) in database.rows("SELECT table_name FROM duckdb_tables() ORDER BY ALL")]
        views = database.rows("SELECT view_name, sql FROM duckdb_views() WHERE NOT internal ORDER BY ALL")
        tables = {name: (database.columns(name), database.rows(f"FROM {name}")) for name in names if name not in OURS}
        return tables, views


def test_planning_leaves_the_contacts_and_their_schema_as_they_are(pipeline, club):
    club(["a@example.com", "", ""])
    before = everything(pipeline)

    upload = club(["b@example.com", "Acme", "42"], ["c@example.com", "Acme", "42"], sensitive="true")

    assert upload.state == "staged"
    assert everything(pipeline) == before


def test_applying_brings_the_fields_and_a_second_file_matches_by_them(pipeline, club):
    pipeline.apply(club(["b@example.com", "Acme", "42"]).upload_id, user="d.rivers")

    upload = club(["new@example.com", "Acme", "42"])

    assert upload.outcomes["updated"] == 1
    (contact,) = pipeline.store.contacts()
    assert (contact["company"], contact["shoe_size"]) == ("Acme", "42")


def test_plans_that_wait_for_each_others_fields_are_applied_in_either_order(pipeline, club):
    first = club(["a@example.com", "Acme", "42"])
    second = club(["b@example.com", "Bolt", "43"], name="other_club", sensitive="true")
    same = club(["c@example.com", "Acme", "42"], name="third_club")

    for upload in (second, first):
        assert pipeline.apply(upload.upload_id, user="d.rivers").state == "applied"

    assert pipeline.apply(same.upload_id, user="d.rivers").state == "stale"  # it would now be the first one's contact
    assert {contact["shoe_size"] for contact in pipeline.store.contacts()} == {"42", "43"}
    assert {contact["company"] for contact in pipeline.store.contacts()} == {"****"}  # sensitive in one is in all


def test_a_field_of_another_kind_is_refused_when_it_is_planned_or_else_when_applied(pipeline, club):
    first, second = club(["a@example.com", "Acme", "42"]), club(["b@example.com", "", "1;2"], name="lists", kind="list")
    pipeline.apply(first.upload_id, user="d.rivers")

    with pytest.raises(Refusal, match="'shoe_size' as text; the profile declares it as list"):
        pipeline.apply(second.upload_id, user="d.rivers")

    assert club(["c@example.com", "", "1;2"], name="lists", kind="list").line.reason["code"] == "field-kind"


def test_undo_and_redo_of_what_brought_a_field(pipeline, club):
    upload = club(["b@example.com", "Acme", "42"])
    pipeline.apply(upload.upload_id, user="d.rivers")

    pipeline.undo(upload.upload_id, user="d.rivers")
    assert pipeline.store.contacts() == []

    pipeline.redo(upload.upload_id, user="d.rivers")
    assert [contact["shoe_size"] for contact in pipeline.store.contacts()] == ["42"]
