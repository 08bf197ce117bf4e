"""Deciding many rows from one file, withdrawing a decision, and what was decided by whom."""

import csv

import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.pipeline import stages
from tests.homes import fill_once

SSN = ["219-09-9998", "219-09-9997", "219-09-9996"]


@pytest.fixture
def in_doubt(pipeline, outreach):
    """An upload of three rows, each with the SSN of a contact but another account number, and a fourth one."""

    def fill():
        pipeline.apply(outreach(*({"account": f"A-{n}", "ssn": ssn} for n, ssn in enumerate(SSN))).upload_id)
        rows = ({"account": f"B-{n}", "ssn": ssn} for n, ssn in enumerate(SSN))
        return outreach(*rows, {"account": "C-1"}, name="second.csv").upload_id

    return pipeline.show(fill_once(pipeline.settings.home, fill))


@pytest.fixture
def decisions(tmp_path):
    """Writes a file of decisions, given as (row, to)."""

    def write(*lines, headings=("row_number", "to")):
        path = tmp_path / "decisions.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([headings, *lines])
        return path

    return write


def test_many_rows_are_decided_from_one_file_and_the_changeset_is_frozen_once(
    pipeline, in_doubt, decisions, monkeypatch
):
    """D8, B9: each as its line says; a blank leaves its row in review."""
    frozen = []
    match = stages.match
    monkeypatch.setattr(stages, "match", lambda *given: (frozen.append(True), match(*given))[1])

    upload = pipeline.resolve_from(in_doubt.upload_id, decisions((2, "new"), (3, "2"), (4, "")), user="d.rivers")

    assert len(frozen) == 1
    assert [row["outcome"] for row in upload.outcome_rows.to_dicts()] == ["created", "duplicate", "review", "created"]
    assert {(d["row_number"], d["choice"], d["decided_by"]) for d in pipeline.decisions()} == {
        (2, "new", "d.rivers"),
        (3, "contact", "d.rivers"),
    }


def test_many_rows_decided_after_apply_make_one_more_changeset(pipeline, in_doubt, decisions):
    """X1, X4: one commit, all counts moved, and undone with the rest."""
    pipeline.apply(in_doubt.upload_id)

    upload = pipeline.resolve_from(in_doubt.upload_id, decisions((2, "new"), (3, "skip"), (4, "3")))

    outcomes = {name: count for name, count in upload.outcomes.items() if count}
    assert outcomes == {"created": 2, "duplicate": 1, "rejected": 1}
    assert (upload.duplicates["of_existing"], upload.error_count) == (1, 1)
    assert [row["outcome"] for row in upload.outcome_rows.to_dicts()] == ["created", "rejected", "duplicate", "created"]
    with pipeline.store.open(read_only=True) as database:
        assert database.value("SELECT count(*) FROM commits WHERE upload_id = ?", [upload.upload_id]) == 2
    pipeline.undo(upload.upload_id)
    assert len(pipeline.store.contacts()) == 3


@pytest.mark.parametrize("applied", [False, True])
def test_warnings_of_rows_that_were_decided_are_counted_once(pipeline, outreach, applied):
    pipeline.apply(outreach({"account": "A-0", "ssn": SSN[0]}).upload_id)
    rows = [{"account": f"B-{n}", "ssn": SSN[0], "email": f"ana{n}@gmial.com"} for n in range(2)]
    upload = outreach(*rows, {"account": "C-1", "email": "cy@gmial.com"}, name="second.csv")
    assert (upload.outcomes["review"], upload.row_warning_count) == (2, 3)
    if applied:
        pipeline.apply(upload.upload_id)

    decided = pipeline.resolve_many(upload.upload_id, {2: "new", 3: "skip"})

    assert decided.outcomes["review"] == 0
    assert decided.row_warning_count == decided.rejections.filter(severity="warning").height
    assert decided.row_warnings_by_code() == {"email-domain-typo": decided.row_warning_count}


@pytest.mark.parametrize("applied", [False, True])
def test_one_wrong_line_decides_nothing(pipeline, in_doubt, decisions, applied):
    """X1: every row that cannot be decided is named, and the others wait as before."""
    if applied:
        pipeline.apply(in_doubt.upload_id)

    with pytest.raises(Refusal) as refusal:
        pipeline.resolve_from(in_doubt.upload_id, decisions((2, "new"), (5, "new"), (3, "4711")))

    assert (refusal.value.code, refusal.value.row_number) == ("not-in-review", 5)
    assert (
        "Row 5 of second.csv is not in review. There is no contact 4711 in address book outreach, for row 3."
        in refusal.value.message
    )
    assert pipeline.decisions() == []
    assert pipeline.show(in_doubt.upload_id).outcomes["review"] == 3


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([(2, "new"), (3, "nwe")], "row 3, column to: 'nwe' is no contact id, new or skip"),
        ([("two", "new")], "row 2, column row_number: 'two' is not a row of the upload"),
        ([(2, "new"), (2, "skip")], "row 3, column row_number: '2' is decided in an earlier row already"),
        ([(2, ""), (3, " ")], "decides nothing"),
    ],
)
def test_a_cell_that_cannot_be_meant_is_named_with_row_and_column(pipeline, in_doubt, decisions, lines, said):
    with pytest.raises(Refusal, match=r"decisions\.csv") as refusal:
        pipeline.resolve_from(in_doubt.upload_id, decisions(*lines))
    assert (refusal.value.code, said in refusal.value.message) == ("decisions-file", True)
    assert pipeline.decisions() == []


def test_a_file_without_the_column_is_refused(pipeline, in_doubt, decisions):
    with pytest.raises(Refusal, match="no column to"):
        pipeline.resolve_from(in_doubt.upload_id, decisions((2, "new"), headings=("row_number", "who")))


def test_a_file_that_is_not_there_is_refused(pipeline, in_doubt, tmp_path):
    with pytest.raises(Refusal) as refusal:
        pipeline.resolve_from(in_doubt.upload_id, tmp_path / "gone.csv")
    assert refusal.value.code == "decisions-file"


def test_a_withdrawn_decision_is_judged_anew_and_not_remembered(pipeline, outreach, in_doubt):
    """X2: before apply the row is in review again, in this upload and in later ones."""
    decided = pipeline.resolve(in_doubt.upload_id, 2, 1)
    assert decided.outcomes["review"] == 2

    withdrawn = pipeline.withdraw(in_doubt.upload_id, 2, user="d.rivers")

    assert (withdrawn.outcomes["review"], withdrawn.state) == (3, "staged")
    assert [d["withdrawn"] for d in pipeline.decisions()] == [True]
    assert outreach({"account": "B-0", "ssn": SSN[0]}, name="third.csv").outcomes["review"] == 1


def test_a_decision_withdrawn_after_apply_stays_applied_and_is_not_followed_again(pipeline, outreach, in_doubt):
    """X4: what is applied is for undo; what is remembered can be taken back by itself."""
    pipeline.apply(pipeline.resolve(in_doubt.upload_id, 2, 1).upload_id)
    again = {"account": "B-0", "ssn": SSN[0]}
    assert outreach(again, name="third.csv").outcomes["duplicate"] == 1

    upload = pipeline.withdraw(in_doubt.upload_id, 2)

    assert (upload.state, upload.outcomes["duplicate"]) == ("applied", 1)
    assert outreach(again, name="fourth.csv").outcomes["review"] == 1


def test_only_a_decision_that_there_is_can_be_withdrawn(pipeline, in_doubt):
    with pytest.raises(Refusal) as refusal:
        pipeline.withdraw(in_doubt.upload_id, 2)
    assert refusal.value.code == "not-decided"


def test_decisions_are_listed_without_the_values_that_they_go_by(pipeline, in_doubt):
    """B2: an SSN is sensitive wherever it is shown."""
    pipeline.resolve(in_doubt.upload_id, 2, 1, user="d.rivers")
    (decision,) = pipeline.decisions()
    assert decision["compared"] == ["account_number", "ssn"]
    assert (decision["file_name"], decision["contact_id"], decision["decided_by"]) == ("second.csv", 1, "d.rivers")
    assert SSN[0] not in str(decision)


def test_the_document_of_a_row_in_review_has_each_candidate_and_what_it_shares(in_doubt):
    """B9, C2: who it could be, and why."""
    rows = in_doubt.as_dict(rows=True)["rows"]
    assert rows[0]["candidates"] == [{"contact_id": 1, "shares": ["ssn"], "active": True}]
    assert "candidates" not in rows[3]


def test_a_file_of_decisions_about_what_was_done_by_hand_is_refused(pipeline, outreach, tmp_path):
    """No file made it, so nothing of a file is known."""
    row = {"first": "Ann", "last": "Bee", "phone": "202-555-0143", "email": "ann@example.com", "account": "AC-1"}
    pipeline.apply(outreach(row).upload_id)
    by_hand = pipeline.set_active(1, active=False)
    decisions = tmp_path / "decisions.csv"
    decisions.write_text("row_number,to\n2,new\n")

    with pytest.raises(Refusal) as refusal:
        pipeline.resolve_from(by_hand.upload_id, decisions)

    assert refusal.value.code == "not-in-review"
