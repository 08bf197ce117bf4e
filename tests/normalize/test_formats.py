"""Uploads whose dates can be read in two ways are held; the whole column decides."""

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.settings import Settings

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
    pipeline = Pipeline(settings=Settings(home=tmp_path / "home", slice_rows=2))

    def planned(*days, **options):
        lines = [f"m{number}@example.com,{day}" for number, day in enumerate(days)]
        (tmp_path / "members.csv").write_text("\n".join(["Email,Born", *lines]), encoding="utf-8")
        return pipeline, pipeline.plan(tmp_path / "members.csv", "members", **options)

    return planned


def test_an_ambiguous_column_holds_the_upload_with_both_readings_and_an_example(plan):
    pipeline, upload = plan("04/04/1984", "1984-05-06", "03/04/1984", "05/06/1984")
    assert upload.state == "blocked"
    assert upload.reason["code"] == "dates-ambiguous"
    assert "'03/04/1984'" in upload.reason["message"]
    assert "1984-03-04 (MM/DD/YYYY) or 1984-04-03 (DD/MM/YYYY)" in upload.reason["message"]
    assert "(row 4 and 1 more)" in upload.reason["message"]
    assert '--date-format "Born=MM/DD/YYYY"' in upload.reason["fix"]
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


@pytest.mark.parametrize("option", [{"Born": "DD/MM/YYYY"}, {"date_of_birth": "%d/%m/%Y"}, {" born": "DD/MM/YYYY"}])
def test_one_format_may_be_chosen_for_an_upload(plan, option):
    """X5: a date read by a declared format is listed."""
    pipeline, upload = plan("03/04/1984", "05/06/1984", date_format=option)
    assert upload.state == "staged"
    days = pipeline.store.staging(upload.upload_id).table("normalized_rows")["date_of_birth"].to_list()
    assert days == ["1984-04-03", "1984-06-05"]
    assert set(pipeline.repairs(upload.upload_id)["why"]) == {"read as %d/%m/%Y"}


def test_a_day_that_the_chosen_format_does_not_have_is_a_defect(plan):
    _, upload = plan("03/04/1984", "04/13/1984", date_format={"Born": "DD/MM/YYYY"})
    assert upload.rejections.select("row_number", "code").rows() == [(3, "date-format")]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"Born": "YYYY.MM.DD"}, "MM/DD/YYYY, DD/MM/YYYY"),
        ({"Born": "backwards"}, "'backwards' is no date format"),
        ({"Email": "DD/MM/YYYY"}, "Choose Born"),
    ],
)
def test_a_format_that_the_column_does_not_declare_is_refused(plan, option, said):
    _, upload = plan("03/04/1984", date_format=option)
    assert (upload.state, upload.reason["code"]) == ("refused", "option-value")
    assert said in f"{upload.reason['message']} {upload.reason['fix']}"


def test_a_file_is_not_the_same_with_another_format(plan):
    """X3: options that change what is read make it another upload."""
    pipeline, first = plan("03/04/1984", date_format={"Born": "DD/MM/YYYY"})
    pipeline.apply(first.upload_id)
    _, again = plan("03/04/1984", date_format={"Born": "DD/MM/YYYY"})
    _, other = plan("03/04/1984", date_format={"Born": "MM/DD/YYYY"})
    assert (again.state, other.state, other.reason["code"]) == ("repeated", "refused", "applied-before")
