"""Uploads whose dates can be read in two ways are held; the whole column decides."""

import pytest

from contact_pipeline import Pipeline

PROFILE = """\
name: members
title: Members
address_book: members
file: {types: [csv]}
headings: exact
columns:
  - {field: email, heading: Email, type: email}
  - {field: date_of_birth, heading: Born, type: date, formats: ["%m/%d/%Y", "%d/%m/%Y"]}
match: [{equal: [email]}]
on_error: note
apply: automatic
"""


@pytest.fixture
def plan(tmp_path):
    """Plans a file of days, read two rows at a time."""
    (tmp_path / "home" / "profiles").mkdir(parents=True)
    (tmp_path / "home" / "profiles" / "members.yaml").write_text(PROFILE, encoding="utf-8")
    pipeline = Pipeline(home=tmp_path / "home")
    pipeline.settings = pipeline.settings.model_copy(update={"slice_rows": 2})

    def planned(*days):
        lines = [f"m{number}@example.com,{day}" for number, day in enumerate(days)]
        (tmp_path / "members.csv").write_text("\n".join(["Email,Born", *lines]), encoding="utf-8")
        return pipeline, pipeline.plan(tmp_path / "members.csv", "members")

    return planned


def test_an_ambiguous_column_holds_the_upload_with_both_readings_and_an_example(plan):
    pipeline, upload = plan("04/04/1984", "1984-05-06", "03/04/1984", "05/06/1984")
    assert upload.state == "blocked"
    assert upload.reason["code"] == "dates-ambiguous"
    assert "'03/04/1984'" in upload.reason["message"]
    assert "1984-03-04 (MM/DD/YYYY) or 1984-04-03 (DD/MM/YYYY)" in upload.reason["message"]
    assert "(row 4 and 1 more)" in upload.reason["message"]
    assert pipeline.apply(upload.upload_id, confirm_deactivations=True).state == "blocked"


def test_one_row_that_has_one_reading_decides_for_the_whole_column(plan):
    """X5: a date read by a declared format is listed."""
    pipeline, upload = plan("03/04/1984", "05/06/1984", "N/A", "13/04/1984")
    assert upload.state == "staged"
    days = pipeline.store.staging(upload.upload_id).table("normalized_rows")["date_of_birth"].to_list()
    assert days == ["1984-04-03", "1984-06-05", None, "1984-04-13"]
    assert set(pipeline.repairs(upload.upload_id)["why"]) == {"read as %d/%m/%Y", "a word for nothing: blank"}


def test_rows_that_contradict_each_other_decide_nothing(plan):
    _, upload = plan("13/04/1984", "04/13/1984", "03/04/1984")
    assert upload.reason["code"] == "dates-ambiguous"


def test_rows_of_different_formats_are_no_doubt_where_each_has_one_reading(plan):
    _, upload = plan("13/04/1984", "04/13/1984", "04/04/1984")
    assert upload.state == "staged"
