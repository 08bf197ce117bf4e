"""Two people, or two processes, at the same upload: one of them wins, and nothing is half done.

The other one's call is placed at the critical instant, inside the first one's.
"""

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.errors import MachineFault, Refusal, StoreBusy
from contact_pipeline.pipeline import committing, stages, uploads
from contact_pipeline.store import Staging

SSN = "219-09-9998"


@pytest.fixture
def other(pipeline):
    """The other process on the same home."""
    return Pipeline(home=pipeline.settings.home)


def interrupted_by(monkeypatch, target, name, act):
    """Runs `act` once, just before a method does its work."""
    original, done = getattr(target, name), []

    def both(*arguments, **options):
        if not done:
            done.append(True)
            act()
        return original(*arguments, **options)

    monkeypatch.setattr(target, name, both)


def test_an_upload_cancelled_while_it_is_applied_is_one_or_the_other(pipeline, other, outreach, monkeypatch):
    """X2: the apply that comes second finds the upload cancelled and writes nothing."""
    upload = outreach({"account": "A-1"})
    interrupted_by(monkeypatch, committing, "commit", lambda: other.cancel(upload.upload_id))

    assert pipeline.apply(upload.upload_id).state == "cancelled"
    assert pipeline.store.contacts() == []


def test_an_upload_applied_while_it_is_cancelled_stays_applied(pipeline, other, outreach, monkeypatch):
    """B5: only what is not applied can be cancelled."""
    upload = outreach({"account": "A-1"})
    interrupted_by(monkeypatch, uploads, "end", lambda: other.apply(upload.upload_id))

    with pytest.raises(Refusal) as refusal:
        pipeline.cancel(upload.upload_id)

    assert refusal.value.code == "wrong-state"
    assert pipeline.show(upload.upload_id).state == "applied"
    assert pipeline.store.staging(upload.upload_id).exists()


@pytest.mark.parametrize("stage", ["normalize", "validate", "match"])
def test_an_upload_cancelled_while_it_is_staged_stays_cancelled(pipeline, other, outreach, monkeypatch, stage):
    """B5: nothing of a cancelled upload stays but its ledger line."""
    interrupted_by(monkeypatch, stages, stage, lambda: other.cancel(other.uploads()[0].upload_id))

    upload = outreach({"account": "A-1"})

    assert upload.state == "cancelled"
    assert not upload.staging.folder.exists()


def test_of_two_undos_at_once_one_undoes(pipeline, other, outreach, monkeypatch):
    """X4: the second does not take back what the first did."""
    upload = pipeline.apply(outreach({"account": "A-1"}).upload_id)
    interrupted_by(monkeypatch, committing, "commit_turn", lambda: other.undo(upload.upload_id))

    assert pipeline.undo(upload.upload_id).state == "undone"
    assert pipeline.store.contacts() == []


def test_a_row_decided_while_the_upload_is_applied_does_not_stage_it_again(pipeline, other, outreach, monkeypatch):
    """X2: one upload is applied once."""
    upload = outreach({"account": "A-1", "ssn": SSN}, {"account": "A-2", "ssn": SSN})
    interrupted_by(monkeypatch, uploads, "change", lambda: other.apply(upload.upload_id))

    with pytest.raises(Refusal):
        pipeline.resolve(upload.upload_id, 3, "new")

    assert pipeline.show(upload.upload_id).state == "applied"
    assert len(pipeline.store.contacts()) == 1


def test_a_row_decided_later_is_not_written_twice_after_a_crash(pipeline, outreach, monkeypatch):
    """X1: cut off between the commit and the staged tables, deciding again only completes these."""
    upload = pipeline.apply(outreach({"account": "A-1", "ssn": SSN}, {"account": "A-2", "ssn": SSN}).upload_id)

    def crash(*_):
        raise OSError("cut off")

    with monkeypatch.context() as cut:
        cut.setattr("contact_pipeline.store.staging.Staging.finish", crash)
        with pytest.raises(MachineFault, match="cut off"):
            pipeline.resolve(upload.upload_id, 3, "new")
    upload = pipeline.resolve(upload.upload_id, 3, "new")

    assert (upload.outcomes["created"], upload.outcomes["review"]) == (2, 0)
    assert len(pipeline.store.contacts()) == 2
    assert upload.outcome_rows["outcome"].to_list() == ["created", "created"]
    assert pipeline.resolve(upload.upload_id, 3, "new").line == upload.line
    with pytest.raises(Refusal, match="not in review"):
        pipeline.resolve(upload.upload_id, 3, "skip")


def test_rows_decided_later_by_two_at_once_are_both_kept(pipeline, other, outreach, monkeypatch):
    """X1: the second is told to decide again, and nothing of the first is lost."""
    upload = outreach(*({"account": f"A-{number}", "ssn": SSN} for number in range(3)))
    pipeline.apply(upload.upload_id)
    interrupted_by(monkeypatch, Staging, "with_outcomes", lambda: other.resolve(upload.upload_id, 3, "new"))

    with pytest.raises(StoreBusy):
        pipeline.resolve(upload.upload_id, 4, "skip")
    upload = pipeline.resolve(upload.upload_id, 4, "skip")

    assert upload.outcome_rows["outcome"].to_list() == ["created", "created", "rejected"]
    assert upload.staging.differences(upload.line.staged_files) == []
    assert upload.outcomes["created"] + upload.outcomes["rejected"] == 3


def test_a_decision_for_a_contact_that_is_gone_is_stale(pipeline, outreach):
    """X2: the contact that somebody chose was taken back before the upload was applied."""
    first = pipeline.apply(outreach({"account": "A-1", "ssn": SSN}).upload_id)
    second = outreach({"account": "A-2", "ssn": SSN}, name="second.csv")
    pipeline.resolve(second.upload_id, 2, 1)
    pipeline.undo(first.upload_id)

    assert pipeline.apply(second.upload_id).state == "stale"
    assert pipeline.plan_again(second.upload_id).outcomes["created"] == 1


def test_a_link_that_comes_back_brings_back_whom_it_names(pipeline, leads):
    """X4: no link points nowhere; whose making is undone is there without values, inactive, until the link goes."""
    first = leads(("Ann Bee", "(202) 555-0143", "ann@example.com"))
    second = leads(("Ann Bee", "(202) 555-0143", "ann.bee@example.com"), rule="create")
    pipeline.undo(second.upload_id, user="d.rivers")
    pipeline.undo(first.upload_id, user="d.rivers")

    pipeline.redo(second.upload_id, user="d.rivers")

    old, new = pipeline.store.contacts()
    assert (old["active"], old["email"], old["links"]) == (False, None, [new["contact_id"]])
    assert (new["active"], new["email"]) == (True, "ann.bee@example.com")
    pipeline.undo(second.upload_id, user="d.rivers")
    assert pipeline.store.contacts() == []


def test_a_heading_that_is_data_shows_no_number(pipeline, write):
    """B2: a file without its heading line has an SSN where a heading should be."""
    file = write("people.csv", ["Ada", SSN, "04/17/1984"], [["Bob", SSN, "04/17/1984"]])

    upload = pipeline.plan(file, "outreach_contacts", group="Spring")

    assert upload.state == "refused"
    assert SSN not in str(upload.reason)
    assert "1984" not in str(upload.reason)


def test_a_later_commit_never_has_an_earlier_time(pipeline, other, outreach, monkeypatch):
    """X4: the contacts as of a time are those of all commits until then, even where one waited for another."""
    waiting, quick = outreach({"account": "A-1"}), outreach({"account": "A-2"}, name="quick.csv")
    interrupted_by(monkeypatch, committing, "_both", lambda: other.apply(quick.upload_id))

    assert pipeline.apply(waiting.upload_id).state == "applied"

    with pipeline.store.open(read_only=True) as database:
        commits = database.rows("SELECT upload_id, committed_at FROM commits ORDER BY commit_number")
    assert [upload_id for upload_id, _ in commits] == [quick.upload_id, waiting.upload_id]
    assert commits[0][1] < commits[1][1]
