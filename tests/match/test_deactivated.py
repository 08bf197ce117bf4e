"""Deactivated contacts that a file contains: reactivated where that is asked for, else said on the row."""

import pytest
from pydantic import ValidationError

from contact_pipeline.profiles import Profile, load_profile
from tests.match.reference import Entity


def program(**content) -> Profile:
    given = load_profile("program_contacts").model_dump(mode="json")
    return Profile.model_validate(given | content | {"options": {"reactivate": True}})


def test_a_deactivated_contact_stays_so_and_its_row_says_it(ground):
    """A8: whether or not the row changes anything else of it."""
    ground.fill("program", [Entity(n, {"email": f"{n}@example.com"}, active=n == 3) for n in (1, 2, 3)])
    rows = [{"email": f"{n}@example.com", "company": "One" if n == 1 else None} for n in (1, 2, 3)]

    planned = ground.run("program_contacts", rows)

    assert planned.row_outcomes == ["updated", "unchanged", "unchanged"]
    reasons = [planned.outcomes[row]["reason"] for row in (2, 3, 4)]
    assert reasons == ["contact 1 is deactivated", "contact 2 is deactivated", None]
    assert [c["active"] for c in ground.table("contact", "program").values()] == [False, False, True]


def test_by_option_a_deactivated_contact_that_is_in_the_file_is_reactivated(ground):
    """A8: one change, which says so; the contact's other fields change in it as well."""
    ground.fill("program", [Entity(1, {"email": "1@example.com"}, active=False), Entity(2, {"email": "2@example.com"})])
    rows = [{"email": "1@example.com", "company": "One"}, {"email": "2@example.com", "company": None}]

    planned = ground.run(program(), rows, reactivate=True)

    assert planned.row_outcomes == ["updated", "unchanged"]
    (change,) = planned.changes
    assert (change["action"], planned.change(1)) == ("reactivate", {"company": "One", "active": True})
    assert ground.table("contact", "program")[1]["active"] is True
    assert planned.outcomes[2]["reason"] is None


def test_a_reactivation_alone_is_an_update_of_the_row(ground):
    """A8: nothing else changes."""
    ground.fill("program", [Entity(1, {"email": "1@example.com"}, active=False)])
    planned = ground.plan(program(), [{"email": "1@example.com"}], reactivate=True)
    assert (planned.row_outcomes, planned.change(1)) == (["updated"], {"active": True})


def test_a_deactivated_candidate_of_a_row_in_review_is_said_to_be_so(ground):
    """A8: whoever decides the row sees it."""
    ground.fill("program", [Entity(n, {"email": "a@example.com"}, active=n == 1) for n in (1, 2)])
    planned = ground.plan("program_contacts", [{"email": "a@example.com"}])
    assert planned.outcomes[2]["reason"] == "could be contact 1 (same Email) or 2 (same Email; deactivated)"


def test_a_duplicate_of_a_deactivated_contact_says_so(ground):
    """A8, B9: it is ignored, and nobody is reactivated by that."""
    ground.fill("outreach", [Entity(1, {"account_number": "A-1"}, active=False)])
    planned = ground.plan("outreach_contacts", [{"account_number": "A-1"}], group="Spring")
    assert planned.row_outcomes == ["duplicate"]
    assert planned.outcomes[2]["reason"] == "contact 1 is deactivated"


def test_a_profile_that_leaves_contacts_alone_cannot_offer_to_reactivate_them():
    """A8: an option that could do nothing is refused."""
    with pytest.raises(ValidationError, match="reactivate"):
        program(matched="ignore")
