"""Many cells are corrected by one file, such as the rejected rows with their numbers."""

import openpyxl
import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.reports.corrections import give_back_rejected


@pytest.fixture
def planned(outreach):
    rows = [{"account": "A-1", "email": "rosa@"}, {"account": "=A-2", "email": "ian@"}, {"account": "A-3"}]
    return outreach(*rows)


def test_rejected_rows_are_corrected_and_given_back(pipeline, planned, tmp_path):
    file, rows = give_back_rejected(planned, tmp_path / "rejected.csv", pipeline.settings, numbered=True)
    assert rows == 2
    text = (
        file.read_text(encoding="utf-8-sig").replace("rosa@,", "rosa@example.com,").replace("ian@,", "ian@example.com,")
    )
    file.write_text(text, encoding="utf-8")

    upload = pipeline.correct_from(planned.upload_id, file)

    assert (upload.outcomes["created"], upload.outcomes["rejected"]) == (3, 0)
    assert {(made["column"], made["after"]) for made in pipeline.corrections(planned.upload_id)} == {
        ("Email", "rosa@example.com"), ("Email", "ian@example.com"),
    }  # fmt: skip


def test_a_small_workbook_corrects_some_columns_and_blank_cells_leave_the_rest(pipeline, planned, tmp_path):
    book = openpyxl.Workbook()
    for row in (("Row_Number", "zip_code", "Email"), (2, "02134", "rosa@example.com"), (4, '="0"&"2"', None)):
        book.active.append(row)
    book.active["B3"] = "02135"
    book.save(tmp_path / "more.xlsx")

    upload = pipeline.correct_from(planned.upload_id, tmp_path / "more.xlsx")

    assert upload.normalized_rows.select("zip_code", "email").rows() == [
        ("02134", "rosa@example.com"), (None, "ian@"), ("02135", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["Email", "x@example.com"], "no column row_number"),
        (["row_number,Email", "9,x@example.com"], "row 2, column row_number: '9' is no row of people.csv"),
        (["row_number,Email", "2,x@example.com", "2,y@example.com"], "row 3, column row_number: '2' is corrected"),
        (["row_number,Emial", "2,x@example.com"], "Did you mean 'Email'?"),
        (["row_number,Email,email", "2,x@example.com,y@example.com"], "Several columns of wrong.csv correct"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_and_changes_nothing(pipeline, planned, tmp_path, lines, said):
    file = tmp_path / "wrong.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    with pytest.raises(Refusal) as refused:
        pipeline.correct_from(planned.upload_id, file)

    assert said in refused.value.message
    assert pipeline.corrections(planned.upload_id) == []


def test_a_file_that_changes_nothing_says_so(pipeline, planned, tmp_path):
    file, _ = give_back_rejected(planned, tmp_path / "rejected.csv", pipeline.settings, numbered=True)

    assert pipeline.correct_from(planned.upload_id, file).was_done_before
    assert file.read_text(encoding="utf-8-sig").startswith("row_number,First name,")
