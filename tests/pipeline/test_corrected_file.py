"""Many cells are corrected by one file, such as the rejected rows with their numbers."""

import openpyxl
import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.reports.corrections import give_back_rejected
from tests.pipeline.conftest import DIRECTOR, OUTREACH


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


@pytest.fixture
def with_more(pipeline, tmp_path):
    """A file with a column that fills no field, a row that could not be split, and lines that end as Windows does."""
    path = tmp_path / "more.csv"
    headings = f"{','.join(OUTREACH.values())},Remark"
    path.write_bytes(f'{headings}\r\n,,,,,A-1,rosa@,,"=1\r\n2"\r\nx,,,,,A-2,,,,,y\r\n'.encode())
    planned = pipeline.plan(path, "outreach_contacts", group="Spring")
    return planned, give_back_rejected(planned, tmp_path / "rejected.csv", pipeline.settings, numbered=True)[0]


def test_what_cannot_be_corrected_may_be_given_back_as_it_is(pipeline, with_more):
    planned, file = with_more
    given = file.read_text(encoding="utf-8-sig").replace("rosa@", "rosa@example.com").replace("=1\r\n2", "=1\n2")
    file.write_text(given, encoding="utf-8")

    upload = pipeline.correct_from(planned.upload_id, file)

    assert (upload.outcomes["created"], upload.outcomes["rejected"]) == (1, 1)
    assert [made["after"] for made in pipeline.corrections(planned.upload_id)] == ["rosa@example.com"]


@pytest.mark.parametrize(
    ("there", "instead", "code"),
    [("'=1", "'=2", "field-without-column"), ("A-2,,,,,y", "A-2,,,,y", "row-unreadable")],
)
def test_what_cannot_be_corrected_is_refused_where_it_was_changed(pipeline, with_more, there, instead, code):
    planned, file = with_more
    file.write_text(file.read_text(encoding="utf-8-sig").replace(there, instead), encoding="utf-8")

    with pytest.raises(Refusal) as refused:
        pipeline.correct_from(planned.upload_id, file)

    assert refused.value.code == code
    assert pipeline.corrections(planned.upload_id) == []


def test_a_heading_that_is_called_like_a_field_means_its_own_column(pipeline, write):
    leads = write("leads.csv", ["Name", "phone", "Mobile"], [["Rosa Ng", "", "2025550101"]])
    planned = pipeline.plan(leads, "dealer_leads", lead_type="SMS", user=DIRECTOR)

    pipeline.correct_from(
        planned.upload_id, write("phones.csv", ["row_number", "phone"], [["2", "2025550102"]]), user=DIRECTOR
    )

    (made,) = pipeline.corrections(planned.upload_id)
    assert (made["column"], made["before"], made["after"]) == ("phone", None, "2025550102")


def test_a_file_that_changes_nothing_says_so(pipeline, planned, tmp_path):
    file, _ = give_back_rejected(planned, tmp_path / "rejected.csv", pipeline.settings, numbered=True)

    assert pipeline.correct_from(planned.upload_id, file).was_done_before
    assert file.read_text(encoding="utf-8-sig").startswith("row_number,First name,")


def test_a_file_may_have_a_column_row_number_of_its_own(pipeline, write):
    """`rejected --row-numbers` puts ours in front."""
    leads = write("leads.csv", ["row_number", "Name", "Email"], [["77", "Rosa Ng", "bad@"]])
    planned = pipeline.plan(leads, "dealer_leads", lead_type="SMS", user=DIRECTOR)
    back = write("back.csv", ["row_number", "row_number", "Email"], [["2", "77", "rosa@example.com"]])

    pipeline.correct_from(planned.upload_id, back, user=DIRECTOR)

    (made,) = pipeline.corrections(planned.upload_id)
    assert (made["column"], made["row_numbers"], made["after"]) == ("Email", [2], "rosa@example.com")
