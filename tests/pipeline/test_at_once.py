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
    interrupted_by(monkeypatch, committing, "kept_tables", lambda: other.apply(quick.upload_id))

    assert pipeline.apply(waiting.upload_id).state == "applied"

    with pipeline.store.open(read_only=True) as database:
        commits = database.rows("SELECT upload_id, committed_at FROM commits ORDER BY commit_number")
    assert [upload_id for upload_id, _ in commits] == [quick.upload_id, waiting.upload_id]
    assert commits[0][1] < commits[1][1]


@pytest.mark.parametrize("instant", ["commit", "kept_tables"])
def test_a_row_decided_between_approval_and_commit_leaves_nothing_applied(
    pipeline, other, outreach, monkeypatch, instant
):
    """X2: nobody saw the new changeset, whether it comes before the staged files are looked at or after that."""
    upload = outreach({"account": "A-1", "ssn": SSN}, {"account": "A-2", "ssn": SSN})
    interrupted_by(monkeypatch, committing, instant, lambda: other.resolve(upload.upload_id, 3, "new"))

    found = pipeline.apply(upload.upload_id, changeset=upload.changeset_sha256)

    assert found.state == "staged"
    assert found.changeset_sha256 != upload.changeset_sha256
    assert pipeline.store.contacts() == []


def test_what_is_committed_while_a_row_is_decided_is_not_passed_over(pipeline, other, outreach, monkeypatch):
    """X2: somebody else makes the very contact at that moment; decided again, the row finds it."""
    upload = pipeline.apply(outreach({"account": "A-1", "ssn": SSN}, {"account": "A-2", "ssn": SSN}).upload_id)
    same = outreach({"account": "A-2", "email": "a2@example.com"}, name="same.csv")
    interrupted_by(monkeypatch, Staging, "with_outcomes", lambda: other.apply(same.upload_id))

    with pytest.raises(StoreBusy, match="Decide the row again"):
        pipeline.resolve(upload.upload_id, 3, "new")

    assert [contact["account_number"] for contact in pipeline.store.contacts()] == ["A-1", "A-2"]
    assert pipeline.show(upload.upload_id).outcomes["review"] == 1


def test_a_row_in_review_whose_candidate_an_undo_removed_is_stale(pipeline, outreach):
    """X2: planned again it is somebody new, and nobody has to judge."""
    first = pipeline.apply(outreach({"account": "A-1", "ssn": SSN}).upload_id)
    second = outreach({"account": "A-2", "ssn": SSN}, name="second.csv")
    assert second.outcomes["review"] == 1
    pipeline.undo(first.upload_id)

    stale = pipeline.apply(second.upload_id)

    assert (stale.state, stale.reason["rows"]) == ("stale", [2])
    assert pipeline.plan_again(second.upload_id).outcomes["created"] == 1


LOOSE = f"""
name: loose
title: Loose
address_book: loose
file: {{types: [csv]}}
headings: mapped
columns:
  - {{field: email, heading: Email, type: email, required: true}}
  - {{field: company, heading: Company, accepts: ["Company of 219099998", "Company of {SSN}"]}}
  - {{field: phone, heading: Phone, type: phone}}
match: [{{equal: [email]}}]
on_error: reject
apply: approval
"""


@pytest.fixture
def loose(pipeline, write):
    """Plans a file whose headings hold somebody's data, under a profile that quotes the headings it finds."""
    profile = pipeline.settings.profiles_path / "loose.yaml"
    profile.parent.mkdir(exist_ok=True, parents=True)
    profile.write_text(LOOSE)

    def plan(*headings):
        return pipeline.plan(
            write("people.csv", headings, [["a@example.com", "Acme", "x", f"(202) 555-01{n}"] for n in range(40, 60)]),
            "loose",
        )

    return plan


def test_headings_that_are_data_are_masked_wherever_the_ledger_keeps_them(pipeline, loose):
    """B2: mapped, ignored, or named in a warning; also digits that nothing but their place makes a number."""
    upload = loose("Email", "Company of 219099998", f"born 04/17/1984, {SSN}", "Line 219099998")

    assert upload.state == "staged"
    assert upload.mapping == {"Email": "email", "Company of *********": "company"}
    assert upload.ignored == ["born **/**/****, ***-**-****", "Line *********"]
    assert "Heading 'Line *********' is ignored; it may be meant for phone" in upload.line.warnings[0]
    with pipeline.store.open(read_only=True) as database:
        (line,) = database.records("SELECT * EXCLUDE resolved_profile FROM uploads")
    assert not [value for value in (SSN, "219099998", "1984") if value in str(line)]


@pytest.mark.parametrize(
    ("headings", "quoted"),
    [
        (["Name", SSN, "born 04/17/1984", "219099998"], "***-**-****"),
        (["Firm", f"Company of {SSN}", "born 04/17/1984", "219099998"], "**/**/****"),
    ],
    ids=["none is known", "one that is required is missing"],
)
def test_a_refusal_quotes_headings_that_are_data_masked(pipeline, loose, headings, quoted):
    """B2: somebody has to see which headings are meant, and nothing of what they hold."""
    upload = loose(*headings)

    assert upload.state == "refused"
    assert quoted in str(upload.reason)
    assert not [value for value in (SSN, "219099998", "1984") if value in str(upload.reason)]


def test_a_row_that_another_decided_before_the_matching_of_this_one_is_kept(pipeline, other, outreach, monkeypatch):
    """X1: the matching has seen the other's commit, but the staged files were read before it."""
    upload = outreach(*({"account": f"A-{number}", "ssn": SSN} for number in range(3)))
    pipeline.apply(upload.upload_id)
    interrupted_by(monkeypatch, committing, "match", lambda: other.resolve(upload.upload_id, 3, "new"))

    with pytest.raises(StoreBusy, match="Decide the row again"):
        pipeline.resolve(upload.upload_id, 4, "skip")
    upload = pipeline.resolve(upload.upload_id, 4, "skip")

    assert upload.outcome_rows["outcome"].to_list() == ["created", "created", "rejected"]
    assert upload.staging.differences(upload.line.staged_files) == []


def test_what_is_committed_while_an_undo_is_planned_is_not_passed_over(pipeline, other, leads, write, monkeypatch):
    """X4: the lead is edited at that moment; the undo is planned again, and the history is what it should be."""
    first = leads(("Ann Bee", "(202) 555-0143", "ann@example.com"))
    edit = write("edit.csv", ["Name", "Phone", "Email"], [("Ann Bee", "(202) 555-0143", "new@example.com")])
    planned = pipeline.plan(edit, "dealer_leads", user="d.rivers", lead_type="SMS", rule="merge")
    interrupted_by(monkeypatch, committing, "commit_turn", lambda: other.apply(planned.upload_id, user="d.rivers"))

    undone = pipeline.undo(first.upload_id, user="d.rivers")

    assert undone.state == "undone"
    assert [(contact["active"], contact["email"]) for contact in pipeline.store.contacts()] == [
        (False, "new@example.com")
    ]
    assert pipeline.verify().findings == []
