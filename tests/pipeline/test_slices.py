"""An upload is normalized and validated in slices; what comes of it does not depend on how large they are."""

import pytest

from contact_pipeline import Pipeline
from contact_pipeline.settings import Settings
from contact_pipeline.watched import watching

PROFILE = """\
name: members
title: Members
address_book: members
file: {types: [csv]}
headings: exact
region: US
columns:
  - {field: email, heading: Email, type: email}
  - {field: phone, heading: Phone, type: phone}
  - {field: date_of_birth, heading: Born, type: date, formats: ["%d/%m/%Y", "%m/%d/%Y"]}
match: [{equal: [email]}]
on_error: note
apply: approval
"""
LINES = [
    "a{n}@example.com,202-555-01{n},13/04/1984", "b{n}@example.com; c{n}@example.com,call 202-555-01{n},03/04/1984",
    "d{n}@,12,never", "Email,Phone,Born", ",,", "e{n}@EXAMPLE.com,,1984-04-17",
]  # fmt: skip


@pytest.fixture
def planned(tmp_path):
    """Plans a file, so many rows at a time."""
    lines = [line.format(n=n) for n in range(10, 30) for line in LINES]
    lines.append("f@example.com,,14/04/1984 ::: 15/04/1984")  # the only cell of several days
    (tmp_path / "members.csv").write_text("\n".join(["Email,Phone,Born", *lines, ""]), encoding="utf-8")

    def plan(slice_rows):
        home = tmp_path / f"home {slice_rows}"
        (home / "profiles").mkdir(parents=True)
        (home / "profiles" / "members.yaml").write_text(PROFILE, encoding="utf-8")
        pipeline = Pipeline(settings=Settings(home=home, slice_rows=slice_rows))
        return pipeline, pipeline.plan(tmp_path / "members.csv", "members")

    return plan


def test_slices_of_any_size_give_the_same_rows_defects_notes_and_repairs(planned):
    (whole, expected), (sliced, upload) = planned(1_000), planned(7)
    staged = [pipeline.store.staging(each.upload_id) for pipeline, each in ((whole, expected), (sliced, upload))]
    assert len(staged[0].files("normalized")) == 1 < len(staged[1].files("normalized"))
    for table in ("normalized_rows", "blank_rows", "rejections", "noted_cells"):
        one, other = (staging.table(table) for staging in staged)
        assert one.height
        assert other.equals(one), table
    repairs = whole.repairs(expected.upload_id)
    assert repairs.height
    assert sliced.repairs(upload.upload_id).equals(repairs)
    assert upload.changeset_sha256 == expected.changeset_sha256


def test_whoever_watches_is_told_of_the_stages_and_of_the_rows_that_are_done(planned):
    told = []
    with watching(told.append):
        pipeline, upload = planned(50)
        pipeline.apply(upload.upload_id)
    pipeline.undo(upload.upload_id)  # nobody watches any more

    stages = ("reading", "normalizing", "validating", "matching", "applying")
    assert tuple(dict.fromkeys(each.stage for each in told)) == stages
    assert [each.rows for each in told if each.stage == "reading"][-1] == 121
    assert [each.rows for each in told if each.of == 121] == [0, 50, 100, 121]
    assert [(each.rows, each.of) for each in told if each.stage == "validating" and each.rows][-1] == (81, 81)
    steps = [each.step for each in told if each.stage == "matching" and each.step]
    assert steps[0].startswith(f"step 1 of {len(steps)}: ")
    assert steps[-1].startswith(f"step {len(steps)} of {len(steps)}: ")
    assert told[-1].step == "writing the changes"
