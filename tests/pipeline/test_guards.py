"""Guards on the share of rows rejected and of contacts changed: an upload waits until somebody confirms it."""

import pytest

from checks.change_guard import change_guard
from checks.rejection_guard import rejection_guard
from contact_pipeline.errors import Refusal

GUARDED = """
name: guarded
title: Members
address_book: members
file: {types: [csv]}
headings: exact
columns:
  - {field: email, heading: Email, type: email, required: true}
  - {field: company, heading: Company}
match: [{equal: [email]}]
on_error: reject
options: {deactivate_missing: true}
guards: {rejected_percent: 25, changed_percent: 50, deactivated_percent: 20}
apply: automatic
"""


@pytest.fixture
def members(pipeline, write):
    """Plans an upload of (email, company) under a profile whose guards let pass a quarter rejected, half changed."""
    profile = pipeline.settings.profiles_path / "guarded.yaml"
    profile.parent.mkdir(exist_ok=True, parents=True)
    profile.write_text(GUARDED)

    def plan(*rows, name="members.csv", **options):
        return pipeline.plan(write(name, ["Email", "Company"], rows), "guarded", **options)

    return plan


def people(company, *numbers):
    return [(f"m{number}@example.com", company) for number in numbers]


def test_too_many_rejected_rows_wait_for_a_confirmation(pipeline, members):
    """B8: two of four rows are wrong, perhaps the wrong column."""
    upload = members(*people("One", 1, 2), ("m3@", "One"), ("m4@", "One"))

    assert (upload.state, upload.reason["code"], upload.reason["confirm"]) == (
        "blocked",
        "rejection-guard",
        ["rejected"],
    )
    assert upload.reason["message"] == "2 of 4 rows of members.csv are rejected (50 %); the limit is 25 %."
    rejected, changed = rejection_guard.judge(upload), change_guard.judge(upload)
    assert (rejected.passed, rejected.details) == (False, {"limit_percent": 25})
    assert (changed.passed, changed.details) == (True, {"limit_percent": 50})
    assert pipeline.apply_automatic(upload.upload_id).state == "blocked"
    assert pipeline.apply(upload.upload_id, confirm_changed=True).state == "blocked"
    assert pipeline.apply(upload.upload_id, confirm_rejected=True).imports == 2


def test_blank_rows_do_not_make_the_share_of_rejected_ones_smaller(members):
    """B8: the share is that of the rows with data."""
    upload = members(*people("One", 1, 2), ("", ""), ("", ""), ("m3@", "One"), name="blanks.csv")
    assert upload.reason["message"].startswith("1 of 3 rows")


def test_too_many_changed_contacts_wait_for_a_confirmation(pipeline, members):
    """X2: of four contacts three would be changed; those that are new do not count."""
    pipeline.apply(members(*people("One", 1, 2, 3, 4)).upload_id)

    upload = members(*people("Two", 1, 2, 3, 5, 6, 7), name="second.csv")

    assert upload.reason["message"] == "second.csv would change 3 of 4 contacts (75 %); the limit is 50 %."
    assert not change_guard.judge(upload).passed
    applied = pipeline.apply(upload.upload_id, confirm_changed=True)
    assert (applied.state, applied.outcomes["updated"]) == ("applied", 3)
    assert change_guard.judge(applied).passed


def test_each_limit_can_be_chosen_for_an_upload(pipeline, members):
    """A8, X2: wider, and narrower, than the profile's."""
    assert members(*people("One", 1, 2, 3), ("m4@", ""), allow_rejected=10).reason["code"] == "rejection-guard"
    first = members(*people("One", 1, 2), ("m4@", ""), ("m5@", ""), name="wider.csv", allow_rejected=50)
    assert rejection_guard.judge(first).details == {"limit_percent": 50}
    assert pipeline.apply(first.upload_id).state == "applied"
    assert members(*people("Two", 1, 2), name="all.csv", allow_changed=100).state == "staged"
    assert members(*people("Two", 1), name="half.csv", allow_changed=49).reason["code"] == "change-guard"


def test_every_guard_that_is_passed_has_to_be_confirmed(pipeline, members):
    """A8: one confirmation does not stand for another."""
    pipeline.apply(members(*people("One", 1, 2, 3, 4)).upload_id)
    upload = members(*people("Two", 1, 2, 3), ("m9@", ""), name="second.csv", deactivate_missing=True, allow_rejected=5)

    assert upload.reason["confirm"] == ["deactivations", "rejected", "changed"]
    some = {"confirm_deactivations": True, "confirm_changed": True}
    assert pipeline.apply(upload.upload_id, **some).state == "blocked"
    assert pipeline.apply(upload.upload_id, confirm_rejected=True, **some).state == "applied"


def test_a_confirmation_names_the_changeset_as_an_approval_does(pipeline, members):
    """X2: what is confirmed is what was shown."""
    upload = members(*people("One", 1), ("m2@", "One"))
    with pytest.raises(Refusal, match="changeset"):
        pipeline.apply(upload.upload_id, changeset="0" * 64, confirm_rejected=True)


def test_defects_of_a_profile_that_imports_all_or_nothing_cannot_be_confirmed_away(pipeline, write):
    """C3: a row in error blocks, whatever is confirmed."""
    profile = pipeline.settings.profiles_path / "guarded.yaml"
    profile.parent.mkdir(exist_ok=True, parents=True)
    profile.write_text(GUARDED.replace("on_error: reject", "on_error: block"))
    upload = pipeline.plan(write("m.csv", ["Email", "Company"], [("m1@", "")]), "guarded")
    assert upload.reason["code"] == "rows-rejected"
    assert pipeline.apply(upload.upload_id, confirm_rejected=True, confirm_deactivations=True).state == "blocked"


def test_a_share_that_is_exactly_the_limit_passes_every_guard(pipeline, members):
    """A8: the limit itself is allowed: a fifth deactivated, a quarter rejected, half changed."""
    pipeline.apply(members(*people("One", 1, 2, 3, 4, 5), name="first.csv").upload_id)
    at_the_limit = members(*people("One", 1, 2, 3, 4), name="second.csv", deactivate_missing=True)
    assert (at_the_limit.state, at_the_limit.deactivated) == ("staged", 1)

    rejected = members(*people("Two", 6, 7, 8), ("m9@", ""), name="third.csv")
    assert (rejected.state, rejected.outcomes["rejected"]) == ("staged", 1)
    narrower = members(*people("Two", 1, 2), name="fourth.csv", allow_changed=40)
    assert (narrower.state, narrower.outcomes["updated"]) == ("staged", 2)
