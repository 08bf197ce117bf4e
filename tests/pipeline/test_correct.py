"""A planned upload is corrected: its file stays as it came, the changeset is frozen anew."""

import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.store.originals import Originals
from tests.homes import fill_once

SSN = "219-09-9998"


@pytest.fixture
def planned(pipeline, outreach):
    """Three rows: one with a broken address, one that is right, one with an SSN that a contact has."""

    def fill():
        pipeline.apply(outreach({"account": "A-1", "ssn": SSN}).upload_id)
        rows = (
            {"first": "Rosa", "account": "A-3", "email": "rosa@"},
            {"first": "Ian", "account": "A-4", "email": "ian@example.com"},
            {"account": "A-2", "ssn": SSN},
        )
        return outreach(*rows, name="second.csv").upload_id

    return pipeline.show(fill_once(pipeline.settings.home, fill))


def counted(upload):
    return {outcome: count for outcome, count in upload.outcomes.items() if count}


def code_of(refused):
    return refused.value.code


def test_a_corrected_cell_is_read_as_if_it_had_stood_in_the_file(pipeline, planned):
    assert counted(planned) == {"created": 1, "rejected": 1, "review": 1}

    upload = pipeline.correct(planned.upload_id, row=2, set={"email": " Rosa@Example.com "}, user="ann")

    assert (upload.state, counted(upload)) == ("staged", {"created": 2, "review": 1})
    assert upload.changeset_sha256 != planned.changeset_sha256
    assert upload.corrected.outcomes_before == planned.outcomes
    assert upload.normalized_rows["email"].to_list()[0] == "Rosa@example.com"
    assert upload.raw_rows["Email"].to_list()[0] == "rosa@"
    (made,) = pipeline.corrections(planned.upload_id)
    assert (made["column"], made["before"], made["after"], made["corrected_by"]) == (
        "Email", "rosa@", " Rosa@Example.com ", "ann",
    )  # fmt: skip


def test_an_approval_of_the_changeset_before_does_not_fit(pipeline, planned):
    pipeline.correct(planned.upload_id, row=2, set={"email": "rosa@example.com"})

    with pytest.raises(Refusal) as refused:
        pipeline.apply(planned.upload_id, changeset=planned.changeset_sha256)

    assert code_of(refused) == "changeset-differs"


def test_a_correction_that_is_wrong_itself_is_an_error_of_its_row(pipeline, planned):
    upload = pipeline.correct(planned.upload_id, row=3, set={"email": "ian@"})

    assert upload.state == "staged"
    assert upload.rejections_by_code() == {"email-syntax": 2}


def test_correcting_to_what_is_there_changes_nothing(pipeline, planned):
    pipeline.correct(planned.upload_id, row=2, set={"email": "rosa@example.com"})

    again = pipeline.correct(planned.upload_id, row=2, set={"email": "rosa@example.com"})

    assert again.was_done_before
    assert len(pipeline.corrections(planned.upload_id)) == 1


def test_all_rows_with_a_value_are_corrected_whatever_its_case_and_spaces(pipeline, outreach):
    rows = [{"account": f"A-{n}", "first": name} for n, name in enumerate(("KARDIO", " kardio", "Kardio=2", "Ann"))]
    planned = outreach(*rows)

    upload = pipeline.correct(planned.upload_id, where=("First name", "Kardio "), set={"first_name": "Carla"})

    assert upload.normalized_rows["first_name"].to_list() == ["Carla", "Carla", "Kardio=2", "Ann"]
    assert [made["rows"] for made in pipeline.corrections(planned.upload_id)] == [1, 1]


def test_a_blank_can_be_filled_but_no_blank_row(pipeline, write):
    rows = [("Ann Poe", "", "ann@example.com"), ("", "", ""), ("Bo Dahl", "305-555-0110", "")]
    planned = pipeline.plan(
        write("leads.csv", ["Name", "Phone", "Email"], rows),
        "dealer_leads", lead_type="SMS", user="d.rivers",
    )  # fmt: skip

    upload = pipeline.correct(planned.upload_id, where=("Email", ""), set={"Email": "bo@example.com"}, user="d.rivers")

    assert (counted(upload), upload.processed) == ({"created": 2, "blank": 1}, 2)


def test_planning_again_from_a_deleted_staging_folder_comes_to_the_same(pipeline, planned):
    pipeline.correct(planned.upload_id, row=2, set={"email": "rosa@example.com"})
    corrected = pipeline.leave_out(planned.upload_id, rows=[3])
    corrected.staging.remove()

    again = pipeline.plan_again(planned.upload_id)

    assert (again.changeset_sha256, again.outcomes) == (corrected.changeset_sha256, corrected.outcomes)


def test_a_correction_is_taken_back_and_so_is_the_newer_of_two(pipeline, planned):
    first = pipeline.correct(planned.upload_id, row=2, set={"email": "rosa@example.com"})
    second = pipeline.correct(planned.upload_id, row=2, set={"email": "r.delgado@example.com"})

    back = pipeline.withdraw_correction(planned.upload_id, second.corrected.number)
    assert back.changeset_sha256 == first.changeset_sha256
    back = pipeline.withdraw_correction(planned.upload_id, first.corrected.number)
    assert back.changeset_sha256 == planned.changeset_sha256

    with pytest.raises(Refusal) as refused:
        pipeline.withdraw_correction(planned.upload_id, 1)
    assert code_of(refused) == "not-corrected"


def test_decisions_stay_where_their_row_did_not_change(pipeline, planned):
    pipeline.resolve(planned.upload_id, 4, "new")

    elsewhere = pipeline.correct(planned.upload_id, row=2, set={"email": "rosa@example.com"})
    assert (counted(elsewhere), elsewhere.corrected.to_decide) == ({"created": 3}, [])

    there = pipeline.correct(planned.upload_id, row=4, set={"zip_code": "02134"})
    assert (counted(there), there.corrected.to_decide) == ({"created": 2, "review": 1}, [4])


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"row": 9, "set": {"email": "x"}}, "row-unknown"),
        ({"row": 2, "set": {"emial": "x"}}, "field-unknown"),
        ({"where": ("Emial", "x"), "set": {"email": "x"}}, "heading-unknown"),
        ({"where": ("Email", "ian@example.org"), "set": {"email": "x"}}, "nothing-equal"),
        ({"row": 2, "set": {"email": "\udcff"}}, "value-unreadable"),
        ({"where": ("Social security number", SSN), "set": {"ssn": "x"}, "remember": True}, "not-to-remember"),
        ({"row": 2, "set": {"email": "x"}, "remember": True}, "not-to-remember"),
        ({"row": 2, "set": {}}, "usage"),
        ({"row": 2, "set": {"email": "a@example.com", "Email": "b@example.com"}}, "usage"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_changed(pipeline, planned, asked, code):
    with pytest.raises(Refusal) as refused:
        pipeline.correct(planned.upload_id, **asked)

    assert code_of(refused) == code
    assert SSN not in str(refused.value)
    assert pipeline.show(planned.upload_id).changeset_sha256 == planned.changeset_sha256


def test_what_is_applied_is_not_corrected(pipeline, planned):
    pipeline.apply(planned.upload_id)

    with pytest.raises(Refusal) as refused:
        pipeline.correct(planned.upload_id, row=2, set={"email": "rosa@example.com"})

    assert code_of(refused) == "wrong-state"


def test_a_correction_that_was_cut_off_is_gone_on_with(pipeline, planned, monkeypatch):
    with monkeypatch.context() as cut:
        cut.setattr("contact_pipeline.pipeline.stages.normalize", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt) as stopped:
            pipeline.correct(planned.upload_id, row=2, set={"email": "rosa@example.com"})
    assert "replan" in stopped.value.__notes__[0]
    assert pipeline.show(planned.upload_id).state == "received"

    assert counted(pipeline.plan_again(planned.upload_id)) == {"created": 2, "review": 1}


def test_nothing_of_the_corrections_stays_when_the_upload_is_cancelled(pipeline, planned):
    pipeline.correct(planned.upload_id, row=2, set={"email": "rosa@example.com"})

    pipeline.cancel(planned.upload_id)

    assert pipeline.corrections(planned.upload_id) == []


def test_the_original_stays_untouched(pipeline, planned):
    original = Originals(pipeline.settings).path(planned.upload_id)
    before = original.read_bytes()

    pipeline.correct(planned.upload_id, row=2, set={"email": "rosa@example.com"})

    assert original.read_bytes() == before
    assert not [finding for finding in pipeline.verify().findings if finding.code != "copies"]


def test_a_row_that_is_left_out_has_that_outcome_and_comes_back(pipeline, planned):
    upload = pipeline.leave_out(planned.upload_id, rows=[2, 3])

    assert (counted(upload), upload.processed) == ({"review": 1, "left_out": 2}, 3)
    assert upload.rejections_by_code() == {}
    assert pipeline.leave_out(planned.upload_id, rows=[2]).was_done_before
    assert pipeline.withdraw_correction(planned.upload_id, 1).changeset_sha256 == planned.changeset_sha256


def test_a_column_that_is_left_out_is_as_if_it_were_not_mapped(pipeline, planned):
    upload = pipeline.leave_out(planned.upload_id, column="email")

    assert counted(upload) == {"created": 2, "review": 1}
    assert "email" not in upload.normalized_rows.columns
    assert "Email" not in upload.mapping
    back = pipeline.withdraw_correction(planned.upload_id, 1)
    assert (back.changeset_sha256, back.mapping) == (planned.changeset_sha256, planned.mapping)


def test_a_column_that_the_profile_needs_cannot_be_left_out(pipeline, write):
    file = write("leads.csv", ["Name", "Email"], [("Ann Poe", "ann@example.com")])
    planned = pipeline.plan(file, "dealer_leads", lead_type="SMS", user="d.rivers")

    with pytest.raises(Refusal) as refused:
        pipeline.leave_out(planned.upload_id, column="Name", user="d.rivers")

    assert code_of(refused) == "column-needed"


def test_who_may_not_import_may_not_correct(pipeline, write):
    file = write("leads.csv", ["Name", "Email"], [("Ann Poe", "ann@example.com")])
    planned = pipeline.plan(file, "dealer_leads", lead_type="SMS", user="d.rivers")

    with pytest.raises(Refusal) as refused:
        pipeline.correct(planned.upload_id, row=2, set={"email": "poe@example.com"}, user="nobody")

    assert code_of(refused) == "not-authorized"
