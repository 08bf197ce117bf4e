"""Deciding rows in review, and undoing, on the command line."""

import csv
import json

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.errors import Refusal
from tests.homes import fill_once

ACCOUNT = ",,219-09-9998,,,A-1,,"
SAME_SSN = ",,219-09-9998,,,A-2,,"


@pytest.fixture
def imported(home, run, outreach):
    """Imports lines for the outreach profile; the upload's document."""

    def fill(name, *lines):
        file = outreach(*lines, name=name)
        ended = run("import", file, "--profile", "outreach_contacts", "--group", "Spring", "--yes", "--json")
        assert ended.status == 0
        return ended.out

    def import_lines(*lines, name="people.csv"):
        begins = not home.exists()
        return json.loads(fill_once(home, fill, name, *lines) if begins else fill(name, *lines))

    return import_lines


def test_undo_plan_shows_the_inverse_and_changes_nothing(run, imported):
    """X4: what an undo would take back is shown first."""
    upload = imported(ACCOUNT)

    ended = run("undo", upload["upload_id"], "--plan", "--changes", "--json")

    assert ended.status == 0
    assert ended.document["state"] == "applied"
    assert ended.document["inverse_counts"] == {"contact": {"remove": 1}, "membership": {"remove": 1}}
    assert {change["action"] for change in ended.document["inverse"]} == {"remove"}
    assert ended.document["conflicts"] == []


def test_undo_and_redo(run, imported):
    """X4: what is undone can be brought back, and neither is done twice."""
    upload = imported(ACCOUNT)

    assert run("undo", upload["upload_id"], "--json").document["state"] == "undone"
    assert run("contacts", "list", "--json").document == []
    again = run("undo", upload["upload_id"], "--json")
    assert (again.status, again.document["state"]) == (0, "undone")
    assert "It was undone before; nothing was changed now." in again.document["warnings"]
    assert run("redo", upload["upload_id"], "--plan", "--json").document["state"] == "undone"
    assert run("redo", upload["upload_id"], "--json").document["state"] == "applied"
    assert len(run("contacts", "list", "--json").document) == 1
    assert "It was redone before; nothing was changed now." in run("redo", upload["upload_id"]).out


def test_undo_shows_the_first_changes_and_says_how_to_see_all(run, imported, monkeypatch):
    upload = imported(ACCOUNT)
    monkeypatch.setattr("contact_pipeline.cli.upload_view.SHOWN_CHANGES", 1)

    planned = run("undo", upload["upload_id"], "--plan", "--json").document
    ended = run("undo", upload["upload_id"])

    assert "inverse" not in planned
    assert sum(sum(actions.values()) for actions in planned["inverse_counts"].values()) == 2
    assert f"1 more: contact-pipeline show {upload['upload_id']} --changes" in ended.out


def test_undo_shows_its_plan_at_a_terminal_and_asks(run, imported, monkeypatch):
    """X4: a no changes nothing; what is agreed to is what was shown. A script is not asked."""
    upload = imported(ACCOUNT)["upload_id"]
    monkeypatch.setattr("contact_pipeline.cli.undoing.may_ask", lambda _invocation: True)

    refused = run("undo", upload, answer="n\n")
    assert (refused.status, "1 contact to remove" in refused.err) == (1, True)
    assert run("show", upload, "--json").document["state"] == "applied"
    assert run("undo", upload, answer="").status == 1
    undone = run("undo", upload, answer="y\n")

    assert undone.out.startswith("Undone: 1 contact removed, 1 membership removed.")
    assert undone.out.rstrip().splitlines()[-1].startswith("Bring it back: contact-pipeline redo")
    assert run("redo", upload, "--yes").out.startswith("Redone: 1 contact created")


def test_an_undo_that_was_agreed_to_does_nothing_else(home, imported):
    upload = imported(ACCOUNT)["upload_id"]
    pipeline = Pipeline(home)
    agreed = pipeline.plan_undo(upload).inverse_sha256
    pipeline.set_active(1, active=False)

    with pytest.raises(Refusal, match="would now write something else"):
        pipeline.undo(upload, agreed=agreed)

    assert pipeline.show(upload).state == "applied"


def test_undo_says_for_people_what_was_written(run, imported):
    upload = imported(ACCOUNT)

    ended = run("undo", upload["upload_id"])

    assert ended.status == 0
    assert "undone" in ended.out
    assert "219-09-9998" not in ended.out


def test_a_staged_upload_is_not_undone(run, outreach):
    planned = run("plan", outreach(ACCOUNT), "--profile", "outreach_contacts", "--group", "Spring", "--json").document

    ended = run("undo", planned["upload_id"], "--json")

    assert ended.status == 1
    assert ended.document["error"]["code"] == "wrong-state"


def test_a_row_in_review_is_resolved(run, imported):
    """D8: what is in doubt is decided by a person, never guessed."""
    upload = imported(ACCOUNT, SAME_SSN)
    assert upload["outcomes"]["review"] == 1

    ended = run("resolve", upload["upload_id"], "--row", "3", "--to", "new", "--json")

    assert ended.status == 0
    assert ended.document["outcomes"]["created"] == 2
    assert ended.document["outcomes"]["review"] == 0


def test_a_row_that_is_not_in_review_is_refused_by_number(run, imported):
    upload = imported(ACCOUNT)

    ended = run("resolve", upload["upload_id"], "--row", "2", "--to", "skip", "--json")

    assert ended.status == 1
    assert ended.document["error"]["code"] == "not-in-review"
    assert ended.document["error"]["row_number"] == 2


def test_a_stale_upload_is_planned_again(run, outreach, imported):
    """X2: the plan that no longer holds is refused, and planned again by one command."""
    arguments = ("--profile", "outreach_contacts", "--group", "Spring", "--json")
    planned = run("plan", outreach(ACCOUNT, name="first.csv"), *arguments).document
    imported(ACCOUNT, name="second.csv")

    stale = run("apply", planned["upload_id"], "--json")
    again = run("replan", planned["upload_id"], "--json")

    assert (stale.status, stale.document["state"]) == (1, "stale")
    assert stale.document["reason"]["rows"] == [2]
    assert (again.status, again.document["state"]) == (0, "staged")
    assert again.document["outcomes"]["duplicate"] == 1


def test_erasing_asks_first_and_then_says_what_went(run, plan_outreach):
    upload = plan_outreach()
    assert run("apply", upload["upload_id"]).status == 0

    assert run("contacts", "erase", 1, answer="n\n").status == 1
    assert run("contacts", "show", 1, "--json").document["email"] == "rosa@example.com"

    ended = run("contacts", "erase", 1, "--yes", "--json", "--user", "dora")
    assert ended.status == 0
    assert ended.document["contact_ids"] == [1]
    assert ended.document["rows"] == {upload["upload_id"]: [2]}
    assert run("contacts", "show", 1, "--json").document["erased"]
    again = run("contacts", "erase", 1, "--yes", "--json")
    assert (again.status, again.document["error"]["code"]) == (1, "erased")


def test_rows_in_review_are_written_filled_in_and_decided(run, imported, tmp_path):
    """B9: the file that is written is the one that is taken back; only its owner may read it."""
    imported(ACCOUNT)
    upload = imported(SAME_SSN, ",,,,,A-3,,", name="second.csv")["upload_id"]
    file = tmp_path / "decide.csv"

    assert run("in-review", upload, "-o", file, "--json").document["rows"] == 1
    assert file.stat().st_mode & 0o077 == 0
    with file.open(newline="", encoding="utf-8-sig") as sent:
        heading, row = csv.reader(sent)
    assert heading[:4] == ["row_number", "to", "why", "candidates"]
    assert row[:4] == ["2", "", "could be contact 1 (same Social security number)", "1"]
    row[1] = "new"
    with file.open("w", newline="", encoding="utf-8") as filled:
        csv.writer(filled).writerows([heading, row])
    decided = run("resolve", upload, "--from", file, "--json")

    assert (decided.status, decided.document["outcomes"]["created"]) == (0, 2)
    nothing = {"upload_id": upload, "file": None, "rows": 0, "in_review": []}
    assert run("in-review", upload, "--json").document == nothing


def test_rows_in_review_of_all_uploads_are_listed_until_they_are_decided(run, imported):
    """The queue of whoever decides, the oldest upload first."""
    imported(ACCOUNT)
    applied = imported(SAME_SSN, ",,,,,A-3,,", name="second.csv")["upload_id"]
    later = imported(SAME_SSN.replace("A-2", "A-9"), name="third.csv")["upload_id"]

    listed = run("in-review", "--json").document
    keys = ("upload_id", "file", "profile", "feed", "state", "row_number")
    assert [tuple(row[key] for key in keys) for row in listed["in_review"]] == [
        (applied, "second.csv", "outreach_contacts", None, "applied", 2),
        (later, "third.csv", "outreach_contacts", None, "applied", 2),
    ]
    assert run("in-review", "--limit", 1, "--json").document == {"rows": 2, "in_review": listed["in_review"][:1]}
    drawn = run("in-review").out
    assert "2 rows of 2 uploads in review" in drawn
    assert f"contact-pipeline in-review {later}" in drawn

    run("resolve", applied, "--row", 2, "--to", "new")
    assert [row["upload_id"] for row in run("in-review", "--json").document["in_review"]] == [later]
    assert run("in-review", "-o", "rows.csv", "--json").status == 2


def test_an_upload_that_cannot_be_read_hides_no_rows_in_review_of_others(run, imported, home):
    """It waits, too, and is not left out in silence."""
    imported(ACCOUNT)
    harmed = imported(SAME_SSN, ",,,,,A-3,,", name="second.csv")["upload_id"]
    later = imported(SAME_SSN.replace("A-2", "A-9"), name="third.csv")["upload_id"]
    staged = home / "staging" / harmed
    for harm in (
        lambda: [file.write_bytes(b"PAR1 PAR1") for file in staged.glob("*.parquet")],
        lambda: (staged / "staging.duckdb").write_bytes(b"cut off"),
        lambda: staged.rename(home / "away"),
    ):
        harm()
        listed = run("in-review", "--json").document
        assert listed["rows"] == 1
        assert [(row["upload_id"], row["row_number"]) for row in listed["in_review"]] == [(harmed, None), (later, 2)]
        assert listed["in_review"][0]["why"].startswith("1 row in review cannot be read. ")
        assert "1 row in review cannot be read." in " ".join(run("in-review").out.split())


def test_decisions_are_listed_and_withdrawn(run, imported):
    """X4: by whom and about what, sensitive values aside."""
    imported(ACCOUNT)
    upload = imported(SAME_SSN, name="second.csv")["upload_id"]
    run("resolve", upload, "--row", 2, "--to", "new", "--user", "d.rivers")

    listed = run("decisions")
    assert "d.rivers" in listed.out
    assert "219-09-9998" not in listed.out
    assert run("resolve", upload, "--row", 2, "--withdraw").status == 0
    assert [decision["withdrawn"] for decision in run("decisions", "--json").document] == [True]


@pytest.mark.parametrize("words", [(), ("--row", 2), ("--to", "new"), ("--row", 2, "--to", "new", "--withdraw")])
def test_resolve_says_which_options_go_together(run, imported, words):
    upload = imported(ACCOUNT)["upload_id"]
    assert run("resolve", upload, *words).status == 2


def test_undo_says_in_words_what_it_left_alone_and_why(run, imported):
    """X4: an older upload is undone; who has built upon what it made is named."""
    first = imported(ACCOUNT)["upload_id"]
    imported(SAME_SSN)
    assert run("contacts", "erase", 1, "--yes").status == 0

    ended = run("undo", first)

    assert ended.out.startswith("Undone: ")
    assert "left alone" in ended.out.splitlines()[0]
    assert "erased since" in ended.out
    assert run("redo", first).out.startswith("Redone: ")


def test_history_tells_undoing_from_applying(run, imported):
    """X4: the same row stands there as applied, undone and brought back."""
    upload = imported(ACCOUNT)["upload_id"]
    run("undo", upload)
    run("redo", upload)
    entries = run("contacts", "history", 1, "--json").document
    assert [(e["commit"], e["undone"]) for e in entries if e["target"] == "contact"] == [
        ("apply", False),
        ("undo", False),
        ("redo", False),
    ]


def test_what_was_published_at_an_earlier_time_is_not_asked_for(run, imported):
    imported(ACCOUNT)
    ended = run("contacts", "list", "--published", "--as-of", "2026-01-31", "--json")
    assert (ended.status, ended.document["error"]["code"]) == (2, "usage")
