"""A field of a profile may be called as something inside is called: no value is lost, and nothing breaks."""

from itertools import product

import polars as pl
import pytest
from pydantic import ValidationError

from contact_pipeline.profiles import Profile, load_profile
from tests.thorough import spread

NAMES = {
    "of rows": [
        "last", "bad", "given", "value", "number", "row", "field", "code", "message", "other", "rank", "keys", "shares",
        "why", "cells", "text", "entity", "decision", "in_doubt", "candidate", "differs", "order", "select", "user",
        "several", "maker", "counts", "said", "id", "other_row", "steps", "turns", "together", "rows", "column",
        "before", "after", "outcome", "reason", "severity", "key",
    ],
    "of matching and of what is effective": [
        "last", "first", "target", "place", "followed", "leader", "representative", "linked_to", "changed", "made_here",
        "own_commit", "was_there", "is_there", "is_missing", "is_own", "is_counting", "is_otherwise_made",
        "is_known_otherwise", "is_extra", "knows", "row_of_it", "first_number", "has_status", "naming_commit", "old",
        "new", "made", "history", "counting", "becoming", "own", "gathered", "total", "fields",
        "actor", "committed_at", "undone_by", "changeset_sha256", "action", "upload_id", "commit_number",
        "base_revision", "repeated",
    ],
    "like those made of another field's": [
        "last", *(
            f"{prefix}{name}"
            for prefix in ("old_", "new_", "given_", "there_", "before_", "after_", "key_", "sets_")
            for name in ("email", "last", "active", "notes", "phone", "name")
        ),
    ],
}  # fmt: skip
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
match: [{equal: [email]}, {equal: [phone]}RULES]
matched: MATCHED
within_file: WITHIN
blank: BLANK
rules: [{unique: [email, last]}, {any_of: [[last], [phone]], message: a last or a phone}]
on_error: ON_ERROR
apply: approval
options: {deactivate_missing: true}
guards: {deactivated_percent: 100}
"""


@pytest.fixture(params=spread([*NAMES], 2))
def names(request):
    return NAMES[request.param]


@pytest.fixture
def plan(names, pipeline, write):
    """Plans rows of an address, a phone number, and one value for every field."""
    pipeline.settings.profiles_path.mkdir(parents=True, exist_ok=True)
    columns = "\n".join(f"  - {{field: {name}, heading: Column {n}}}" for n, name in enumerate(names))
    headings = ["Email", "Phone", *(f"Column {n}" for n in range(len(names)))]

    def plan_it(*rows, matched="merge", within_file="merge", blank="keep", on_error="reject", compared=(), **options):
        rules = "".join(f", {{equal: [{name}]}}" for name in compared)
        said = {
            "COLUMNS": columns,
            "RULES": rules,
            "MATCHED": matched,
            "WITHIN": within_file,
            "BLANK": blank,
            "ON_ERROR": on_error,
        }
        text = PROFILE
        for word, value in said.items():
            text = text.replace(word, value)
        (pipeline.settings.profiles_path / "names.yaml").write_text(text)
        cells = [
            [email, phone, *(f"{value}{n}" if value else "" for n in range(len(names)))] for email, phone, value in rows
        ]
        return pipeline.plan(write("names.csv", headings, cells), "names", user="d.rivers", force=True, **options)

    return plan_it


@pytest.fixture
def send(plan, pipeline):
    def plan_and_apply(*rows, **options):
        return pipeline.apply(plan(*rows, **options).upload_id, user="d.rivers")

    return plan_and_apply


WAYS = {
    "merged": {"matched": "merge", "within_file": "merge"},
    "updated": {"matched": "update", "within_file": "last_wins"},
}


@pytest.mark.parametrize(("way", "names"), spread([*product(WAYS, NAMES)], 3), indirect=["names"])
def test_values_go_in_are_merged_and_undone_whatever_their_fields_are_called(send, names, pipeline, way):
    def values(contacts):
        return {c["email"]: [c[name] for name in names] for c in contacts}

    def every(value):
        return [f"{value}{n}" for n in range(len(names))]

    send(("a@example.com", "202 555 0143", "A"), ("b@example.com", "", "B"), ("no address", "", "C"), **WAYS[way])
    before = pipeline.store.contacts()
    assert values(before) == {"a@example.com": every("A"), "b@example.com": every("B")}

    rows = ("a@example.com", "", "N"), ("a@example.com", "202 555 0143", ""), ("b@example.com", "12", "X")
    upload = send(*rows, deactivate_missing=True, **WAYS[way])
    after = pipeline.store.contacts()
    assert values(after)["a@example.com"] == every("N")
    assert (upload.state, list(upload.rejections["row_number"])) == ("applied", [4])
    history = pipeline.store.history(1)[-1]["fields"]
    assert {name: history[name] for name in names} == {name: [f"A{n}", f"N{n}"] for n, name in enumerate(names)}
    assert values(pipeline.store.contacts(published=True)) == values(after)

    pipeline.undo(upload.upload_id, user="d.rivers")
    assert values(pipeline.store.contacts()) == values(before)
    pipeline.redo(upload.upload_id, user="d.rivers")
    assert values(pipeline.store.contacts()) == values(after)
    assert pipeline.verify().findings == []


FURTHER = {
    "emptied and required": {"matched": "update", "within_file": "last_wins", "blank": "overwrite"},
    "noted": {"matched": "merge", "within_file": "merge", "blank": "overwrite", "on_error": "note"},
    "made and linked": {"matched": "create", "within_file": "first_wins", "blank": "fill", "on_error": "note"},
    "repeated": {"matched": "update", "within_file": "reject_later", "blank": "fill"},
}


# Each takes long, as every statement names every field.
@pytest.mark.parametrize(("names", "way"), spread([*product(NAMES, FURTHER)], 2, 9), indirect=["names"])
@pytest.mark.slow
def test_every_way_of_a_profile_does_with_fields_of_any_name(plan, send, pipeline, way):
    send(("a@example.com", "202 555 0143", "A"), ("b@example.com", "", "B"), ("c@example.com", "", "C"), **FURTHER[way])
    before = pipeline.store.contacts()
    uploads = [
        plan(
            ("a@example.com", "x", "N"),
            ("a@example.com", "202 555 0143", ""),
            ("b@example.com", "", ""),
            **FURTHER[way],
        ),
        plan(("c@example.com", "202 555 0144", "M"), ("d@example.com", "202 555 0144", "D"), **FURTHER[way]),
    ]
    for upload in uploads:
        assert pipeline.apply(upload.upload_id, user="d.rivers").state in {"applied", "stale"}
        if pipeline.show(upload.upload_id).state == "stale":
            pipeline.plan_again(upload.upload_id)
            assert pipeline.apply(upload.upload_id, user="d.rivers").state == "applied"
    after = pipeline.store.contacts()
    assert after != before
    assert pipeline.verify().findings == []

    for turn, expected in ((pipeline.undo, before), (pipeline.redo, after)):
        for upload in uploads:
            turn(upload.upload_id, user="d.rivers")
        found = pipeline.store.contacts()
        assert [each | {"revision": 0} for each in found] == [each | {"revision": 0} for each in expected]
        assert pipeline.verify().findings == []


def test_repairs_are_listed_whatever_the_field_is_called(send, names, pipeline):
    upload = send(("a@example.com", "", "J&uuml;rgen "))

    found = pipeline.repairs(upload.upload_id).filter(pl.col("why") == "HTML entities decoded")

    assert found["field"].to_list() == names
    assert found["before"].to_list() == [f"J&uuml;rgen {n}" for n in range(len(names))]
    assert found["after"].to_list() == [f"Jürgen {n}" for n in range(len(names))]


def test_a_person_is_erased_whatever_the_fields_are_called(send, names, pipeline):
    send(("a@example.com", "", "Mistinguett"), ("b@example.com", "", "B"))

    pipeline.erase(1, user="d.rivers")

    for path in pipeline.settings.home.rglob("*"):
        assert not path.is_file() or b"Mistinguett" not in path.read_bytes(), path
    assert pipeline.verify().findings == []


@pytest.mark.parametrize("names", ["of matching and of what is effective"], indirect=True)
def test_a_person_is_erased_where_a_rule_compares_a_field_that_is_called_as_the_commit_is(send, pipeline):
    """The field could not be told from the commit, and nobody could be erased."""
    compared = ("commit_number", "committed_at", "actor")
    send(("a@example.com", "", "Mistinguett"), compared=compared)

    pipeline.erase(1, user="d.rivers")

    again = send(("b@example.com", "", "Mistinguett"), compared=compared)
    assert again.outcomes["review"] == 1


BESIDE = [
    "erased",
    "created_commit",
    "last_upload_id",
    "active",
    "groups",
    "row_number",
    "name",
    "check_output",
    "unread_x",
    "further_x",
]


@pytest.mark.parametrize("name", BESIDE)
def test_a_name_that_stands_beside_the_fields_is_refused(name):
    content = load_profile("dealer_leads").model_dump(mode="json")
    content["columns"].append({"field": name, "heading": "X"})

    with pytest.raises(ValidationError, match=f"field '{name}' is a name of the system; choose another"):
        Profile.model_validate(content)
