"""New rows of a plan are shown beside contacts that they are near; a person may say that a row is one of them."""

import json

import pytest

from contact_pipeline.cli.app import run
from contact_pipeline.errors import Refusal


@pytest.fixture
def plan(base, write):
    def plan_rows(*cells):
        return base.plan(write("new.csv", ["Name", "Email", "Phone"], cells), "people")

    return plan_rows


def test_new_rows_are_shown_beside_near_contacts_and_nothing_is_decided(base, enter, plan, capsys):
    enter(
        {"name": "Katherine Bellweather", "email": "kbell@example.com", "phone": "2025550143"},
        {"name": "Ben Lee", "email": "ben@example.com", "phone": "2025550111"},
    )
    upload = plan(
        ("Kathrine Bellweather", "kbell@example.org", "2025550143"),
        ("Ben Lee", "ben@example.com", ""),
        ("Omar Haddad", "omar@example.com", ""),
    )
    home = ["--home", str(base.settings.home)]

    found = base.suggestions(upload.upload_id)
    assert run(["show", upload.upload_id, "--suggestions", "--json", *home]) == 0
    told = json.loads(capsys.readouterr().out)
    assert run(["show", upload.upload_id, "--suggestions", *home]) == 0
    shown = capsys.readouterr().out

    assert (found.new, found.looked_at) == (2, 2)
    (row,) = found.rows
    assert (row["row_number"], [near["contact"]["contact_id"] for near in row["suggestions"]]) == (2, [1])
    assert told["suggestions"] == found.as_dict()
    assert told["outcomes"]["created"] == 2
    assert "Row 2 is new, and near" in shown
    assert base.suggestions(upload.upload_id, most=0).looked_at == 0
    base.apply(upload.upload_id)
    assert base.suggestions(upload.upload_id).rows == found.rows, "nobody is near the contact that was made of the row"


def test_a_new_row_can_be_said_to_be_a_contact_and_that_be_taken_back(base, enter, plan):
    enter({"name": "Katherine Bellweather", "email": "kbell@example.com", "phone": "2025550143"})
    upload = plan(("Kathrine Bellweather", "kbell@example.org", "2025550143"), ("Omar Haddad", "o@example.com", ""))

    decided = base.resolve(upload.upload_id, 2, 1)
    assert (decided.outcomes["updated"], decided.outcomes["created"]) == (1, 1)
    assert decided.changeset_sha256 != upload.changeset_sha256
    again = base.withdraw(upload.upload_id, 2)
    assert again.changeset_sha256 == upload.changeset_sha256

    base.resolve(upload.upload_id, 2, 1)
    base.apply(upload.upload_id)
    assert base.store.contact(1)["email"] == "kbell@example.org"
    assert len(base.store.contacts()) == 2
    with pytest.raises(Refusal, match="not in review"):
        base.resolve(upload.upload_id, 3, 1)


def test_no_row_that_has_another_outcome_can(base, enter, plan):
    enter({"name": "Ana Lee", "email": "a@example.com"}, {"name": "Ben Lee", "email": "b@example.com"})
    upload = plan(("Ana Lee", "a@example.com", ""))

    with pytest.raises(Refusal, match="not in review"):
        base.resolve(upload.upload_id, 2, 2)
    with pytest.raises(Refusal, match="not in review"):
        base.resolve(upload.upload_id, 2, "new")
