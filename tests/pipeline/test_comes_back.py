"""What is written for a spreadsheet program comes back to the very values when it is sent again."""

import csv

import pytest

from contact_pipeline.reports.corrections import give_back_rejected
from tests.pipeline.conftest import OUTREACH

# Names that begin like formulas, as files hold them or as somebody would type them to do harm.
NAMES = ["=1+1", "+Plus", "-Minus", "@home", "'=quoted", "O'Neil", "'s-Gravenhage", '=HYPERLINK("https://example.com")']


@pytest.mark.parametrize("rounds", [1, 3])
def test_rejected_rows_come_back_to_the_very_values(rounds, pipeline, outreach, tmp_path):
    rows = [
        {"first": name, "last": f"=Last{n}", "phone": "+1 202 555 0145", "email": "none at all", "account": f"-{n}"}
        for n, name in enumerate(NAMES)
    ]
    upload = outreach(*rows)
    assert upload.outcomes["rejected"] == len(NAMES)
    read = upload.normalized_rows.select("first_name", "last_name", "phone", "account_number").rows()
    for number in range(rounds):
        file = tmp_path / f"again {number}.csv"
        give_back_rejected(upload, file, pipeline.settings)
        upload = pipeline.plan(file, "outreach_contacts", group="Spring")
        assert upload.state == "staged", upload.reason
        fields = ["first_name", "last_name", "phone", "account_number"]
        assert upload.normalized_rows.select(fields).rows() == read
    text = file.read_text("utf-8-sig")
    assert not [cell for row in csv.reader(text.splitlines()) for cell in row if cell[:1] in {"=", "+", "-", "@"}]
    assert list(OUTREACH.values()) == text.splitlines()[0].split(",")[:-1]
