from datetime import date

import pytest

from contact_pipeline.codes import CODES
from contact_pipeline.profiles import find_profiles, load_profile
from contact_pipeline.profiles.reference import Reference
from contact_pipeline.validate import schema_for
from contact_pipeline.validate.validate import failures_of


@pytest.mark.parametrize("name", find_profiles()[0])
def test_every_check_of_every_profile_is_named_by_a_code(name):
    schema = schema_for(load_profile(name), Reference())
    checks = [*schema.checks, *(check for column in schema.columns.values() for check in column.checks)]
    assert {check.name for check in checks} <= set(CODES)
    assert checks


def test_the_schema_has_a_column_for_each_of_the_profile_s(rows):
    profile = load_profile("portfolio_contacts")
    schema = schema_for(profile, Reference())
    fields = [column.field for column in profile.columns]
    further = [f"further_{field}" for field in fields]
    assert sorted(schema.columns) == sorted(["row_number", "repaired", *fields, *further])


def test_the_schema_of_cells_and_that_of_rows_make_the_whole(rows):
    profile, frame = load_profile("program_contacts"), rows(email=["a@", None])
    cells = failures_of(frame, schema_for(profile, Reference(), rows=False))
    whole_rows = failures_of(frame, schema_for(profile, Reference(), cells=False))
    both = failures_of(frame, schema_for(profile, Reference()))
    assert [failure.code for failure in cells] == ["email-syntax"]
    assert [failure.code for failure in whole_rows] == ["required"]
    assert {failure.code for failure in both} == {"email-syntax", "required"}


def test_the_day_after_which_nobody_has_been_born_can_be_set(rows):
    schema = schema_for(load_profile("outreach_contacts"), Reference(), today=date(2000, 1, 1))
    frame = rows(account_number=["AC-1", "AC-2"], date_of_birth=["2000-01-01", "2000-01-02"])
    (failure,) = failures_of(frame, schema)
    assert (failure.code, failure.rows.to_list()) == ("date-future", [False, True])
