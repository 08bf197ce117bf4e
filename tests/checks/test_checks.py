"""How checks judge one upload; tests/orchestration shows them in runs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from checks import CHECKS
from checks.deactivation_guard import deactivation_guard
from checks.duplicate_count import duplicate_count
from checks.error_count import error_count
from checks.file_accepted import file_accepted
from checks.reconciliation import reconciliation
from contact_pipeline.pipeline import Pipeline
from contact_pipeline.store import Upload
from tests.homes import new_home

HEADINGS = "First name,Phone number,Social security number,Last name,Date of birth,Account number,Email,Zip code\n"
GOOD = "Rosa,,,Delgado,,AC-1,rosa@example.com,02139\n"
AGAIN = "Rosa,,,Delgado,,AC-1,rosa@example.com,02139\n"
DEFECTIVE = "Ximena,,,Eastwood,,,,02139\n"
UNSPLIT = "too,many,columns,in,this,row,for,eight,headings,here\n"

Plan = Callable[[str], Upload]


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return Pipeline(home=new_home(tmp_path / "home"))


@pytest.fixture
def plan(pipeline: Pipeline, tmp_path: Path) -> Plan:
    def planned(text: str) -> Upload:
        (tmp_path / "a.csv").write_text(text)
        return pipeline.plan(tmp_path / "a.csv", "outreach_contacts", group="Spring")

    return planned


def tamper(upload: Upload, sql: str) -> None:
    with upload.staging.open() as database:
        database.run(sql)


def test_rows_that_do_not_split_and_blank_rows_are_reconciled_too(plan: Plan) -> None:
    """X1: every row of the file ends in exactly one outcome."""
    verdict = reconciliation.judge(plan(HEADINGS + GOOD + "\n" + UNSPLIT + DEFECTIVE + AGAIN))
    assert verdict.passed
    assert verdict.numbers == {"rows": 5}
    assert (verdict.details["rejected"], verdict.details["duplicate"], verdict.details["blank"]) == (2, 1, 1)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM outcome_rows WHERE row_number = 2", "without outcome"),
        ("INSERT INTO outcome_rows FROM outcome_rows WHERE row_number = 2", "with several"),
        ("UPDATE outcome_rows SET row_number = 99 WHERE row_number = 2", "not in file"),
        ("UPDATE outcome_rows SET outcome = 'unchanged' WHERE row_number = 2", "The ledger says"),
    ],
)
def test_reconciliation_counts_the_stored_rows_itself(plan: Plan, sql: str, said: str) -> None:
    """X1: the sum is checked on every upload."""
    upload = plan(HEADINGS + GOOD + DEFECTIVE)
    tamper(upload, sql)
    verdict = reconciliation.judge(upload)
    assert not verdict.passed
    assert verdict.is_grave
    assert said in verdict.description


def test_what_was_never_staged_has_nothing_to_reconcile(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Colour\ngreen\n")
    upload = pipeline.plan(tmp_path / "a.csv", "outreach_contacts", group="Spring")
    assert reconciliation.judge(upload).passed
    assert not file_accepted.judge(upload).passed
    assert deactivation_guard.judge(upload).passed


def test_errors_are_counted_by_code_and_are_a_warning_where_rows_are_rejected_singly(plan: Plan) -> None:
    """B7: count of errors."""
    verdict = error_count.judge(plan(HEADINGS + GOOD + DEFECTIVE))
    assert not verdict.passed
    assert not verdict.is_grave
    assert verdict.numbers == {"errors": 1}
    assert sum(verdict.details.values()) == 1


def test_duplicates_within_the_file_and_of_contacts_are_told_apart(pipeline: Pipeline, plan: Plan) -> None:
    """B9: duplicates of existing contacts and duplicates within the file are told apart."""
    first = plan(HEADINGS + GOOD + AGAIN)
    within = duplicate_count.judge(first).details
    pipeline.apply(first.upload_id)
    existing = duplicate_count.judge(plan(HEADINGS + GOOD + DEFECTIVE)).details
    assert (within["of_existing"], within["within_file"]) == (0, 1)
    assert (existing["of_existing"], existing["within_file"]) == (1, 0)


def test_a_clean_upload_passes_every_check(plan: Plan) -> None:
    upload = plan(HEADINGS + GOOD)
    assert len(CHECKS) > 4
    for check in CHECKS:
        assert check.judge(upload).passed


def test_a_repeated_upload_is_accepted_and_says_what_it_repeats(pipeline: Pipeline, plan: Plan) -> None:
    """X3: the same file dropped twice in a row changes nothing the second time, and says so."""
    first = plan(HEADINGS + GOOD)
    pipeline.apply(first.upload_id)
    verdict = file_accepted.judge(plan(HEADINGS + GOOD))
    assert verdict.passed
    assert first.upload_id in verdict.description
