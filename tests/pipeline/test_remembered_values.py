"""A value that was corrected once means the same in files that come later, until it is forgotten."""

from datetime import timedelta

import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.pipeline import receiving
from contact_pipeline.reports.repairs import repairs_shown
from contact_pipeline.store import value_mappings


@pytest.fixture
def remembered(pipeline, outreach):
    """An upload in which the zip code O2134 was corrected, to be remembered."""
    planned = outreach({"account": "A-1", "zip": " o2134"}, {"account": "A-2", "zip": "O2134"})
    return pipeline.correct(
        planned.upload_id, where=("Zip code", "O2134"), set={"zip_code": "02134"}, user="ann", remember=True
    )


def zip_codes(upload):
    return upload.normalized_rows["zip_code"].to_list()


def test_later_files_have_it_as_a_repair_that_says_who_said_so(pipeline, remembered, outreach):
    assert (zip_codes(remembered), remembered.corrected.remembered, remembered.repairs) == (["02134"] * 2, 1, 0)

    later = outreach({"account": "A-3", "zip": "O2134 "}, {"account": "A-4", "zip": "02135"}, name="later.csv")

    assert zip_codes(later) == ["02134", "02135"]
    (repair,) = repairs_shown(later, pipeline.repairs(later.upload_id)).rows(named=True)
    assert (repair["row_number"], repair["before"], repair["after"]) == (2, "O2134 ", "02134")
    assert repair["code"] == "remembered-value"
    assert repair["why"].startswith("remembered value: ann said so on 20")


def test_what_is_forgotten_changes_no_plan_and_holds_for_no_later_file(pipeline, remembered, outreach):
    planned = outreach({"account": "A-3", "zip": "O2134"}, name="planned.csv")

    forgotten = pipeline.forget_value_mapping(1, user="bo")

    assert (forgotten["forgotten_by"], forgotten["before"], forgotten["after"]) == ("bo", "o2134", "02134")
    planned.staging.remove()
    again = pipeline.plan_again(planned.upload_id)
    assert (zip_codes(again), again.changeset_sha256) == (["02134"], planned.changeset_sha256)
    assert outreach({"account": "A-5", "zip": "O2134"}, name="later.csv").rejections_by_code() == {"zip-code-format": 1}
    with pytest.raises(Refusal) as refused:
        pipeline.forget_value_mapping(1)
    assert refused.value.code == "mapping-unknown"


def test_another_meaning_takes_the_place_of_the_first(pipeline, remembered, outreach):
    second = outreach({"account": "A-3", "zip": "O2134"}, name="second.csv")
    pipeline.correct(second.upload_id, where=("Zip code", "o2134"), set={"zip_code": "02139"}, remember=True)

    later = outreach({"account": "A-4", "zip": "O2134"}, name="later.csv")

    assert zip_codes(later) == ["02139"]
    assert [(each["after"], each["forgotten_at"] is None) for each in pipeline.value_mappings()] == [
        ("02134", False), ("02139", True),
    ]  # fmt: skip


def test_other_profiles_are_not_concerned(pipeline, remembered, write):
    file = write("leads.csv", ["Name", "Email", "Zip code"], [("Ann Poe", "ann@example.com", "O2134")])
    planned = pipeline.plan(file, "dealer_leads", lead_type="SMS", user="d.rivers")

    assert planned.repairs == 0


def test_the_same_file_is_no_repeat_once_one_of_its_values_means_something(pipeline, outreach):
    row = {"account": "A-1", "first": "Unknwon"}
    applied = pipeline.apply(outreach(row).upload_id)
    assert outreach(row).state == "repeated"
    other = outreach({"account": "A-2", "first": "Unknwon"}, name="other.csv")
    pipeline.correct(other.upload_id, where=("First name", "Unknwon"), set={"first_name": ""}, remember=True)

    assert outreach(row).state == "staged"
    assert applied.state == "applied"


def test_a_clock_that_was_set_back_changes_no_plan_that_is_made(pipeline, outreach, monkeypatch):
    first = outreach({"account": "A-1", "zip": "02135"}, name="first.csv")
    second = outreach({"account": "A-2", "zip": "02135"}, name="second.csv")
    monkeypatch.setattr(value_mappings, "now", lambda: first.added_at - timedelta(hours=2))

    pipeline.correct(second.upload_id, where=("Zip code", "02135"), set={"zip_code": "02134"}, remember=True)
    monkeypatch.setattr(receiving, "now", lambda: first.added_at - timedelta(hours=1))
    third = outreach({"account": "A-3", "zip": "02135"}, name="third.csv")
    pipeline.forget_value_mapping(1)
    fourth = outreach({"account": "A-4", "zip": "02135"}, name="fourth.csv")

    for planned, zip_code in ((first, "02135"), (third, "02134"), (fourth, "02135")):
        before = zip_codes(planned)
        planned.staging.remove()
        again = pipeline.plan_again(planned.upload_id)
        assert (before, zip_codes(again)) == ([zip_code], [zip_code])
