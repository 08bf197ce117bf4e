"""Moments from one file to the next: the same one, however it is written, changes nobody."""

from datetime import UTC, datetime

import pytest
import xlsxwriter

CRM = """
name: crm
title: CRM
address_book: crm
file: {types: [csv, xlsx]}
headings: mapped
columns:
  - {field: email, heading: Mail, type: email, required: true}
  - {field: opted_in, heading: Opted in, type: moment, formats: [MM/DD/YYYY, DD/MM/YYYY], zone: Europe/Berlin}
  - {field: last_seen, heading: Last seen, type: moment}
  - {field: signed, heading: Signed, type: date}
match: [{equal: [email]}]
matched: update
blank: keep
on_error: reject
apply: approval
"""
FIRST = """Mail,Opted in,Last seen,Signed
ada@example.com,03/04/2023 11:12 AM,2023-03-26 11:12,2023-03-26
bo@example.com,13/04/2023 23:59,2023-03-26T11:12:00.000+0000,2023-03-26T00:00:00Z
cy@example.com,2023-10-29T02:30:00+01:00,2024-02-29,
di@example.com,2023-10-29 02:30,2023-03-26 11:12,
ed@example.com,26/03/2023 2:30,2023-03-26 11:12,2023-03-26 11:12
"""
TWICE = "2023-10-29T02:30:00+02:00 or 2023-10-29T02:30:00+01:00"
PUT_FORWARD = "is a time that was skipped when the clocks of Europe/Berlin were put forward."
DEFECTS = [
    (5, "moment-repeated", f"Opted in '2023-10-29 02:30' came twice when clocks were put back: {TWICE}."),
    (6, "moment-skipped", f"Opted in '26/03/2023 2:30' {PUT_FORWARD}"),
    (6, "date-format", "Signed '2023-03-26 11:12' is not a date that can be read."),
]


def at(*parts):
    """What a cell shows."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)


@pytest.mark.parametrize("since_1904", [False, True])
def test_a_moment_is_the_same_in_csv_in_a_cell_of_excel_and_in_what_is_exported(
    pipeline, plan_again, tmp_path, since_1904
):
    pipeline.settings.profiles_path.mkdir(parents=True, exist_ok=True)
    (pipeline.settings.profiles_path / "crm.yaml").write_text(CRM, encoding="utf-8")
    (tmp_path / "first.csv").write_text(FIRST, encoding="utf-8")
    first = pipeline.plan(tmp_path / "first.csv", "crm")
    defects = first.rejections.sort("row_number", maintain_order=True)
    assert defects.select("row_number", "code", "message").rows() == DEFECTS
    assert "a column of type moment takes" in defects["fix"][2]
    pipeline.apply(first.upload_id)
    there = sorted(pipeline.store.contacts(), key=lambda contact: contact["email"])
    assert [tuple(contact[name] for name in ("opted_in", "last_seen", "signed")) for contact in there] == [
        ("2023-04-03T09:12:00Z", "2023-03-26T11:12:00", "2023-03-26"),
        ("2023-04-13T21:59:00Z", "2023-03-26T11:12:00Z", "2023-03-26"),
        ("2023-10-29T01:30:00Z", "2024-02-29", None),
    ]

    with xlsxwriter.Workbook(tmp_path / "again.xlsx", {"date_1904": since_1904}) as book:
        sheet, shown = book.add_worksheet(), book.add_format({"num_format": "m/d/yyyy h:mm"})
        sheet.write_row(0, 0, ["Mail", "Opted in", "Last seen"])
        for row, (name, opted, seen) in enumerate([
            ("ada", at(2023, 4, 3, 11, 12), at(2023, 3, 26, 11, 12)),
            ("bo", at(2023, 4, 13, 23, 59), "2023-03-26T13:12:00+02:00"),
            ("cy", "10/29/2023 1:30 AM UTC", at(2024, 2, 29)),
        ], 1):  # fmt: skip
            sheet.write(row, 0, f"{name}@example.com")
            for column, value in enumerate((opted, seen), 1):
                sheet.write(row, column, value, *([shown] if isinstance(value, datetime) else []))
    again = pipeline.plan(tmp_path / "again.xlsx", "crm")
    assert again.outcomes["unchanged"] == 3, again.changes.rows(named=True)
    pipeline.cancel(again.upload_id)

    written, back = plan_again("crm", ending="xlsx" if since_1904 else "csv")
    assert (written.rows, written.left_out, back.outcomes["unchanged"]) == (3, (), 3)
