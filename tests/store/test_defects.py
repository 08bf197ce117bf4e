"""Defects that are found in SQL are worded by the catalogue, as rows of `rejections`."""

import duckdb
import pytest

from contact_pipeline.codes import CODES
from contact_pipeline.store.defects import defects

ROWS = "SELECT 7::UINTEGER AS row_number, 'an {expected}' AS what, 'ann@example.com' AS value"


def found(query):
    connection = duckdb.connect()
    result = connection.execute(query)
    return [dict(zip([each[0] for each in result.description], row, strict=True)) for row in result.fetchall()]


@pytest.mark.parametrize("severity", ["error", "warning"])
def test_a_defect_is_as_severe_as_whoever_finds_it_says(severity):
    (defect,) = found(defects("skipped", ROWS, severity=severity))
    code = CODES["skipped"]
    assert defect == {
        "row_number": 7, "code": "skipped", "message": code.message, "fix": code.fix, "severity": severity,
    }  # fmt: skip


def test_message_and_fix_are_filled_and_the_cell_is_named():
    name, code = "email-domain-typo", CODES["email-domain-typo"]
    placeholders = {"expected": "what", "column": "'Email'", "value": "value"}
    (defect,) = found(defects(name, ROWS, placeholders=placeholders, cell={"column": "'Email'", "value": "value"}))

    named = {"expected": "an {expected}", "column": "Email", "value": "ann@example.com"}
    assert defect["message"] == code.message.format(**named)
    assert defect["fix"] == code.fix.format(**named)
    assert (defect["column"], defect["value"], defect["severity"]) == ("Email", "ann@example.com", "error")
