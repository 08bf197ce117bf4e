"""Deciding rows that wait for review, before and after the upload is applied."""

import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.profiles.load import SHIPPED
from tests.homes import fill_once
from tests.pipeline.conftest import OUTREACH

SSN = "219-09-9998"


@pytest.fixture
def in_doubt(pipeline, outreach):
    """An upload whose only row has the SSN of a contact, but another account number."""

    def fill():
        pipeline.apply(outreach({"account": "A-1", "ssn": SSN}).upload_id)
        return outreach({"account": "A-2", "ssn": SSN}, name="second.csv").upload_id

    return pipeline.show(fill_once(pipeline.settings.home, fill))


def test_a_row_becomes_the_contact_that_was_chosen(pipeline, in_doubt):
    assert in_doubt.outcomes["review"] == 1

    upload = pipeline.resolve(in_doubt.upload_id, 2, 1)

    assert upload.state == "staged"
    assert upload.outcome_rows.select("outcome", "duplicate_of_contact").rows() == [("duplicate", 1)]


def test_a_row_becomes_somebody_new_under_a_new_hash(pipeline, in_doubt):
    upload = pipeline.resolve(in_doubt.upload_id, 2, "new")

    assert upload.outcomes["created"] == 1
    assert upload.changeset_sha256 != in_doubt.changeset_sha256
    assert pipeline.apply(upload.upload_id).state == "applied"
    assert [c["account_number"] for c in pipeline.store.contacts()] == ["A-1", "A-2"]


def test_a_skipped_row_is_rejected_and_says_so(pipeline, in_doubt):
    upload = pipeline.resolve(in_doubt.upload_id, 2, "skip")

    assert upload.outcomes["rejected"] == 1
    assert upload.rejections_by_code() == {"skipped": 1}


def test_a_decision_can_be_changed_before_the_upload_is_applied(pipeline, in_doubt):
    pipeline.resolve(in_doubt.upload_id, 2, "skip")

    assert pipeline.resolve(in_doubt.upload_id, 2, "new").outcomes["created"] == 1


def test_an_old_approval_does_not_fit_the_changeset_frozen_anew(pipeline, in_doubt):
    """X2: deciding a row freezes the changeset anew."""
    pipeline.resolve(in_doubt.upload_id, 2, "new")

    with pytest.raises(Refusal) as refusal:
        pipeline.apply(in_doubt.upload_id, changeset=in_doubt.changeset_sha256)

    assert refusal.value.code == "changeset-differs"


def test_a_row_decided_after_apply_makes_one_more_changeset(pipeline, in_doubt):
    applied = pipeline.apply(in_doubt.upload_id)
    assert applied.outcomes["review"] == 1

    upload = pipeline.resolve(applied.upload_id, 2, "new")

    assert (upload.state, upload.outcomes["created"], upload.outcomes["review"]) == ("applied", 1, 0)
    assert len(pipeline.store.contacts()) == 2
    assert upload.outcome_rows["outcome"].to_list() == ["created"]


def test_a_row_skipped_after_apply_is_an_error_of_the_upload(pipeline, in_doubt):
    """X1: the row moves from review to rejected, in the counts and in the rows."""
    pipeline.apply(in_doubt.upload_id)

    upload = pipeline.resolve(in_doubt.upload_id, 2, "skip")

    assert (upload.outcomes["rejected"], upload.outcomes["review"], upload.error_count) == (1, 0, 1)
    assert [error["code"] for error in upload.as_dict()["errors"]] == ["skipped"]


def test_undo_takes_back_all_changesets_of_an_upload(pipeline, outreach):
    """X4: the rows applied at once, and the one decided later."""
    upload = pipeline.apply(outreach({"account": "A-1", "ssn": SSN}, {"account": "A-2", "ssn": SSN}).upload_id)
    pipeline.resolve(upload.upload_id, 3, "new")
    assert len(pipeline.store.contacts()) == 2

    pipeline.undo(upload.upload_id)

    assert pipeline.store.contacts() == []


def test_a_row_can_be_the_same_as_one_that_the_file_creates(pipeline, outreach):
    upload = outreach({"account": "A-1", "ssn": SSN}, {"account": "A-2", "ssn": SSN})
    created = upload.outcome_rows["contact_id"][0]

    upload = pipeline.resolve(upload.upload_id, 3, created)

    assert upload.outcome_rows.select("outcome", "duplicate_of_row").rows() == [("created", None), ("duplicate", 2)]


def test_a_decision_is_remembered_for_a_later_upload(pipeline, outreach, in_doubt):
    pipeline.apply(pipeline.resolve(in_doubt.upload_id, 2, "new").upload_id)

    later = outreach({"account": "A-3", "ssn": SSN}, name="third.csv")
    assert later.outcomes["review"] == 1
    pipeline.apply(pipeline.resolve(later.upload_id, 2, 2).upload_id)
    again = outreach({"account": "A-3", "ssn": SSN, "first": "Rosa"}, name="fourth.csv")

    assert again.outcome_rows.select("outcome", "duplicate_of_contact").rows() == [("duplicate", 2)]


def test_a_row_that_is_not_in_review_is_not_decided(pipeline, outreach):
    upload = outreach({"account": "A-1"})

    with pytest.raises(Refusal) as refusal:
        pipeline.resolve(upload.upload_id, 2, "new")

    assert (refusal.value.code, refusal.value.row_number) == ("not-in-review", 2)


def test_an_unknown_contact_is_refused(pipeline, in_doubt):
    with pytest.raises(Refusal) as refusal:
        pipeline.resolve(in_doubt.upload_id, 2, 4711)

    assert refusal.value.code == "contact-unknown"


def test_applying_with_open_reviews_applies_the_rest_and_leaves_them_waiting(pipeline, outreach):
    """D8: the row in doubt is neither written nor lost."""
    pipeline.apply(outreach({"account": "A-1", "ssn": SSN}).upload_id)
    upload = outreach({"account": "A-2", "ssn": SSN}, {"account": "A-3"}, name="second.csv")

    applied = pipeline.apply(upload.upload_id)

    assert (applied.state, applied.outcome_rows["outcome"].to_list()) == ("applied", ["review", "created"])
    assert [contact["account_number"] for contact in pipeline.store.contacts()] == ["A-1", "A-3"]


def test_where_a_profile_imports_all_or_nothing_an_open_review_blocks(pipeline, write):
    """C3: until every row in doubt is decided, nothing is applied."""
    profile = pipeline.settings.profiles_path / "all_or_nothing.yaml"
    profile.parent.mkdir(exist_ok=True, parents=True)
    profile.write_text("""
name: all_or_nothing
title: Members
address_book: members
file: {types: [csv]}
headings: exact
columns:
  - {field: email, heading: Email, type: email, required: true}
  - {field: account_number, heading: Number}
match: [{equal: [account_number]}, {equal: [email], higher_differs: review}]
on_error: block
apply: approval
""")
    headings = ["Email", "Number"]
    first = write("first.csv", headings, [("a@example.com", "1")])
    pipeline.apply(pipeline.plan(first, "all_or_nothing").upload_id)
    second = write("second.csv", headings, [("a@example.com", "2"), ("b@example.com", "3")])

    upload = pipeline.plan(second, "all_or_nothing")

    assert (upload.state, upload.reason["code"]) == ("blocked", "rows-rejected")
    assert "1 row needs review" in upload.reason["message"]
    assert pipeline.apply(upload.upload_id).state == "blocked"
    assert len(pipeline.store.contacts()) == 1
    assert pipeline.resolve(upload.upload_id, 2, 1).state == "staged"
    assert pipeline.apply(upload.upload_id).state == "applied"
    assert len(pipeline.store.contacts()) == 2


def test_planning_a_stale_upload_again_keeps_what_was_decided(pipeline, outreach, in_doubt):
    """X2: the row stays as somebody decided it; only the new changeset is to be approved."""
    more = outreach({"account": "A-2", "ssn": SSN}, {"account": "A-9"}, name="third.csv")
    pipeline.resolve(more.upload_id, 2, 1)
    pipeline.apply(outreach({"account": "A-9"}, name="fourth.csv").upload_id)
    other = pipeline.store.contacts()[-1]["contact_id"]
    assert pipeline.apply(more.upload_id).state == "stale"

    again = pipeline.plan_again(more.upload_id)

    assert again.outcome_rows["duplicate_of_contact"].to_list() == [1, other]
    assert pipeline.apply(more.upload_id).state == "applied"


def test_a_decision_is_remembered_until_its_upload_is_undone(pipeline, outreach, in_doubt):
    """X4: undo takes back the decision too, and redo brings it back."""
    pipeline.apply(pipeline.resolve(in_doubt.upload_id, 2, 1).upload_id)
    same = {"account": "A-2", "ssn": SSN}
    assert outreach(same | {"first": "Rosa"}, name="third.csv").outcomes["duplicate"] == 1

    pipeline.undo(in_doubt.upload_id)
    assert outreach(same | {"first": "Rosie"}, name="fourth.csv").outcomes["review"] == 1

    pipeline.redo(in_doubt.upload_id)
    assert outreach(same | {"first": "Roz"}, name="fifth.csv").outcomes["duplicate"] == 1


def test_a_contact_of_another_address_book_is_not_chosen(pipeline, leads, in_doubt):
    lead = leads(("Ann Bee", "(202) 555-0143", "ann@example.com")).outcome_rows["contact_id"][0]

    with pytest.raises(Refusal, match="There is no contact") as refusal:
        pipeline.resolve(in_doubt.upload_id, 2, lead)

    assert refusal.value.code == "contact-unknown"


def test_a_decision_is_remembered_in_its_own_address_book_alone(pipeline, outreach, write, in_doubt):
    """D8: the same keys may mean somebody else among other people."""
    other = (SHIPPED / "outreach_contacts.yaml").read_text(encoding="utf-8")
    other = other.replace("name: outreach_contacts", "name: other").replace("address_book: outreach", "address_book: o")
    pipeline.settings.profiles_path.mkdir(exist_ok=True, parents=True)
    (pipeline.settings.profiles_path / "other.yaml").write_text(other, encoding="utf-8")
    pipeline.apply(pipeline.resolve(in_doubt.upload_id, 2, 1).upload_id)
    for number in (1, 2):
        row = [{"ssn": SSN, "account": f"A-{number}"}.get(column, "") for column in OUTREACH]
        file = write(f"other {number}.csv", OUTREACH.values(), [row])
        upload = pipeline.apply(pipeline.plan(file, "other", group="Spring").upload_id)

    assert upload.line.address_book == "o"
    assert upload.outcomes["review"] == 1


def test_rows_decided_one_by_one_after_the_upload_are_counted_once(pipeline, outreach):
    """Also where one of them was skipped before: it was rejected then, and is not again."""
    people = [{"account": f"A-{n}", "ssn": f"219-09-999{n}"} for n in (1, 2, 3)]
    pipeline.apply(outreach(*people).upload_id)
    doubtful = [{"account": f"B-{n}", "ssn": f"219-09-999{n}"} for n in (1, 2, 3)]
    upload = pipeline.apply(outreach(*doubtful, name="second.csv").upload_id)
    assert upload.outcomes["review"] == 3

    for row, choice, expected in ((2, "skip", (1, 2, 0)), (3, "skip", (2, 1, 0)), (4, "new", (2, 0, 1))):
        upload = pipeline.resolve(upload.upload_id, row, choice)
        assert tuple(upload.outcomes[name] for name in ("rejected", "review", "created")) == expected

    assert upload.error_count == 2
    assert pipeline.verify().findings == []


def test_a_skipped_row_is_skipped_again_until_the_decision_is_withdrawn(pipeline, outreach, in_doubt):
    """A nightly file does not ask every night. Whoever wants the row after all decides it in the plan, or withdraws."""
    first = pipeline.apply(pipeline.resolve(in_doubt.upload_id, 2, "skip").upload_id)
    new, matched = {"account": "A-3", "ssn": "219-09-9997"}, {"account": "A-1", "ssn": SSN, "first": "Rosa"}

    again = outreach({"account": "A-2", "ssn": SSN}, new, matched, name="third.csv")
    assert again.outcome_rows["outcome"].to_list() == ["rejected", "created", "duplicate"]
    assert again.rejections_by_code() == {"skipped-before": 1}
    assert f"row 2 of upload {first.upload_id}" in again.as_dict()["errors"][0]["message"]
    assert f"row 2 of upload {first.upload_id}" in str(pipeline.explain(again.upload_id, 2))

    for choice, outcome in ((1, "duplicate"), ("skip", "rejected"), ("new", "created")):
        decided = pipeline.resolve(again.upload_id, 2, choice)
        assert (decided.outcome_rows["outcome"][0], decided.outcomes["review"]) == (outcome, 0)
    assert pipeline.withdraw(again.upload_id, 2).rejections_by_code() == {"skipped-before": 1}

    pipeline.withdraw(first.upload_id, 2)
    assert outreach({"account": "A-2", "ssn": SSN, "last": "Lee"}, name="fourth.csv").outcomes["review"] == 1


def test_the_newest_of_several_decisions_is_followed(pipeline, outreach, in_doubt):
    """Also where it is to skip the row, and the one before it was not."""
    row, upload = {"account": "A-2", "ssn": SSN}, in_doubt
    for number, (choice, outcome) in enumerate([(1, "duplicate"), ("skip", "rejected"), (1, "duplicate")]):
        pipeline.resolve(upload.upload_id, 2, choice)
        with pipeline.store.change() as contacts:  # those of one second have no order
            contacts.run("UPDATE decisions SET decided_at = decided_at - INTERVAL 1 MINUTE")
        upload = outreach(row, name=f"{number}.csv")
        assert upload.outcome_rows["outcome"].to_list() == [outcome]


def test_a_row_skipped_once_that_is_no_longer_in_doubt_is_imported(pipeline, outreach, in_doubt):
    """As every remembered decision, it holds where the row would be in review."""
    pipeline.resolve(in_doubt.upload_id, 2, "skip")
    pipeline.undo(pipeline.uploads()[-1].upload_id)

    later = outreach({"account": "A-2", "ssn": SSN}, name="third.csv")
    assert (later.outcome_rows["outcome"].to_list(), later.rejections_by_code()) == (["created"], {})
    assert "wherever this row would be in review" in str(pipeline.explain(later.upload_id, 2))


def test_a_remembered_decision_that_is_not_needed_hides_no_contact_that_came_since(pipeline, outreach, in_doubt):
    """The row is nobody's when it is planned; when it is applied, somebody else has made the person."""
    row = {"account": "A-2", "ssn": SSN}
    pipeline.resolve(in_doubt.upload_id, 2, "skip")
    pipeline.undo(pipeline.uploads()[-1].upload_id)
    planned = outreach(row, name="third.csv")
    made = pipeline.apply(outreach(row | {"first": "Rosa"}, name="fourth.csv").upload_id)

    late = pipeline.apply(planned.upload_id)

    assert made.outcomes["created"] == planned.outcomes["created"] == 1
    assert (late.state, late.reason["rows"]) == ("stale", [2])


def test_the_contact_that_another_row_has_become_is_remembered_too(pipeline, outreach, in_doubt):
    """It is newer than the decision to skip the row. It is not lost where the plan is made again."""
    row = {"account": "A-2", "ssn": SSN}
    pipeline.resolve(in_doubt.upload_id, 2, "skip")
    upload = outreach({"account": "A-9", "ssn": "219-09-9997"}, row, {"account": "A-8"}, name="third.csv")
    upload = pipeline.resolve(upload.upload_id, 3, upload.outcome_rows["contact_id"][0])
    upload = pipeline.apply(pipeline.leave_out(upload.upload_id, rows=[4]).upload_id)
    contact = upload.outcome_rows["contact_id"][0]

    assert pipeline.decisions()[0]["contact_id"] == contact
    later = outreach(row, name="fourth.csv")
    assert later.outcome_rows.select("outcome", "duplicate_of_contact").rows() == [("duplicate", contact)]


def test_a_decision_for_a_contact_that_was_merged_since_is_for_the_one_that_is_left(pipeline, outreach, in_doubt):
    """Else the values of later files go to a contact that nobody sees any more."""
    row = {"account": "A-3", "ssn": SSN}
    pipeline.apply(pipeline.resolve(in_doubt.upload_id, 2, "new").upload_id)
    pipeline.resolve(pipeline.apply(outreach(row, name="third.csv").upload_id).upload_id, 2, 1)
    planned = outreach(row, {"account": "A-8"}, name="fourth.csv")
    assert planned.outcome_rows["duplicate_of_contact"].to_list() == [1, None]

    pipeline.apply(pipeline.merge_duplicates("outreach_contacts", sets=[[1, 2]]).upload_id)

    assert pipeline.apply(planned.upload_id).reason["rows"] == [2]
    assert pipeline.plan_again(planned.upload_id).outcome_rows["duplicate_of_contact"].to_list() == [2, None]


def test_a_decision_for_somebody_who_left_is_no_decision_for_who_is_linked_with_them(pipeline, outreach, in_doubt):
    """Only a contact that was merged has another one in its place."""
    row = {"account": "A-3", "ssn": SSN}
    pipeline.apply(pipeline.resolve(in_doubt.upload_id, 2, "new").upload_id)
    pipeline.resolve(pipeline.apply(outreach(row, name="third.csv").upload_id).upload_id, 2, 1)
    with pipeline.store.change() as database:  # as a file makes it that asks for new contacts, linked
        database.run("INSERT INTO links VALUES (1, 2)")
    planned = outreach(row, {"account": "A-8"}, name="fourth.csv")
    pipeline.set_active(1, active=False)

    again = pipeline.plan_again(pipeline.apply(planned.upload_id).upload_id)
    assert [again.outcome_rows["duplicate_of_contact"][0], pipeline.decisions()[0]["contact_id"]] == [1, 1]
