"""A home as the first schema wrote it, kept as a file, goes on working: it is shown, planned on, applied and undone.

`home_of_first_schema.tgz` holds three applied uploads, a staged one, and one with a row in review.
"""

import tarfile
from pathlib import Path

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.errors import Refusal
from contact_pipeline.store import schema
from tests.apply.effective import deviations

KEPT = Path(__file__).with_name("home_of_first_schema.tgz")
DIRECTOR = "d.rivers"


@pytest.fixture
def pipeline(tmp_path):
    with tarfile.open(KEPT) as kept:
        kept.extractall(tmp_path / "home", filter="data")
    return Pipeline(tmp_path / "home")


@pytest.fixture
def uploads(pipeline):
    """The ids of its uploads by file name."""
    return {upload.file_name: upload.upload_id for upload in pipeline.uploads()}


def test_a_home_of_the_first_schema_is_migrated_when_it_is_opened(pipeline):
    with pipeline.store.open() as database:
        recorded = [name for (name,) in database.rows("SELECT name FROM migrations")]
    assert recorded == [name for name, _ in schema.MIGRATIONS]


def test_its_tables_are_what_its_history_means_before_and_after_an_undo(pipeline, uploads):
    """X4: the function of what counts holds for an older history too."""
    for turn in (lambda: None, lambda: pipeline.undo(uploads["more.csv"], user=DIRECTOR)):
        turn()
        with pipeline.store.open() as database:
            assert deviations(database) == []


def test_its_uploads_and_contacts_are_shown(pipeline, uploads):
    upload = pipeline.show(uploads["staged.csv"]).as_dict(rows=True, changes=True)
    assert [row["outcome"] for row in upload["rows"]] == ["created", "duplicate", "rejected"]
    assert upload["changes"][0]["fields"]["email"] == [None, "ida@example.com"]
    published = [contact["email"] for contact in pipeline.store.contacts(published=True)]
    assert published == ["rosa@example.com", "ian@example.com"]
    assert len(pipeline.store.history(1)) == 2  # created, and joined to a group


def test_what_was_staged_is_planned_again_and_applied(pipeline, uploads):
    """X2: nobody knows whether its files are what was frozen."""
    with pytest.raises(Refusal, match="earlier version"):
        pipeline.apply(uploads["staged.csv"], user=DIRECTOR)
    assert pipeline.plan_again(uploads["staged.csv"]).state == "staged"
    upload = pipeline.apply(uploads["staged.csv"], user=DIRECTOR)
    assert upload.state == "applied"
    assert "ida@example.com" in [contact["email"] for contact in pipeline.store.contacts()]


def test_what_waited_in_review_is_planned_by_the_rules_of_today(pipeline, uploads):
    """The number that made somebody else a candidate is a placeholder, by which nobody is found any more."""
    upload = pipeline.plan_again(uploads["review.csv"])
    assert (upload.state, upload.outcomes["created"], upload.outcomes["review"]) == ("staged", 1, 0)
    assert pipeline.apply(upload.upload_id, user=DIRECTOR).state == "applied"


def test_what_was_applied_is_undone(pipeline, uploads):
    (before,) = [contact for contact in pipeline.store.contacts() if contact["email"] == "ann.bee@example.com"]
    undone = pipeline.undo(uploads["more.csv"], user=DIRECTOR)
    assert undone.state == "undone"
    assert pipeline.store.contact(before["contact_id"])["email"] == "ann@example.com"


def test_a_file_is_planned_against_its_contacts(pipeline, tmp_path):
    (tmp_path / "new.csv").write_text("Name,Phone,Email\nAnn Bee,202-555-0143,\n", encoding="utf-8")
    upload = pipeline.plan(tmp_path / "new.csv", "dealer_leads", lead_type="SMS", rule="merge", user=DIRECTOR)
    assert (upload.state, upload.outcomes["unchanged"]) == ("staged", 1)
