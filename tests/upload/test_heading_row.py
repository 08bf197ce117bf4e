"""Defects of the heading row become warnings, or refuse the file."""

import openpyxl
import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.upload.heading import find_heading, folded

KNOWN = ("First name", "Last name", "E-mail", "E-mail address", "Phone", "Phone number", "Name", "Contact", "姓 名")
FOLDED = frozenset(map(folded, KNOWN))
ROW = "Ada,Lovelace,ada@example.com,(202) 555-0143\n"


@pytest.mark.parametrize(
    "content",
    [
        'First name,"Last name,E-mail,Phone\nAda,"Lovelace",ada@example.com,1\n',
        'First name,"Last name,E-mail,Phone\nAda,Lovelace,ada@example.com,"1"\n',
        'First name,"Last name,E-mail,Phone\r\nAda,Lovelace,a@example.com,1\r\nBo,"Li",b@example.com,2\r\n',
        'Vorname;"Nachname;Telefon\nAda;"Lovelace";1\n',
    ],
)
def test_a_quote_that_takes_rows_into_the_heading_refuses_the_file(read, content):
    with pytest.raises(Refusal) as refused:
        read(content, known=KNOWN)

    assert (refused.value.code, refused.value.row_number) == ("heading-broken", 1)
    assert "opens in the row of headings (row 1)" in refused.value.message
    assert "\n" not in refused.value.message


@pytest.mark.parametrize(
    "above",
    [
        "First,Last,E-mail,Phone\nname,name,address,number\n",
        "First,Last,E-mail,Phone\nname,name,,\n",
        "Street,E-mail,Phone,City\n,Address,number,\n",
    ],
)
def test_headings_in_two_rows_refuse_the_file(read, above):
    with pytest.raises(Refusal, match=r"the headings stand in rows 1 and 2, such as '\w+[ -]\w+") as refused:
        read(above + ROW, known=KNOWN)

    assert refused.value.code == "heading-broken"


def test_one_heading_that_goes_on_below_may_be_an_accident(read):
    reading = read("First,Phone\nname,1\nAda,2\n", known=KNOWN)
    assert (reading.upload.headings, len(reading.cells)) == (["First", "Phone"], 2)


def test_headings_in_two_rows_of_a_sheet_refuse_it(read, tmp_path):
    book = openpyxl.Workbook()
    for row in (["First", "Last", "Phone"], ["name", "name", None], ["Ada", "Lovelace", "1"]):
        book.active.append(row)
    book.save(tmp_path / "people.xlsx")

    with pytest.raises(Refusal, match="rows 1 and 2"):
        read(tmp_path / "people.xlsx", known=KNOWN)


@pytest.mark.parametrize("first", ["name,1\n", "First name,Phone\n", "Ada,Phone\n", "\nname,address\n"])
def test_a_row_below_the_headings_that_does_not_continue_them_is_a_row(read, first):
    assert read(f"First name,Phone\n{first}Ada,2\n", known=KNOWN).upload.headings == ["First name", "Phone"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["Name", "", "Contact", ""], ["First name", "Last name", "E-mail", "Phone"], ["Ada", "L", "x", "1"]], 1),
        ([["First name", "Phone"], ["First name", "Phone"]], 0),
        ([["First name", "Phone", "Model"], ["Phone", "Name", "x"]], 0),
        ([["First name", "Last name", "E-mail"], ["Name", "Contact", ""]], 0),
    ],
)
def test_names_of_groups_of_columns_are_no_headings(rows, expected):
    assert find_heading(rows, FOLDED) == expected


def test_a_line_break_within_a_heading_is_said(read):
    reading = read('First name,"Last\n name",Phone\nAda,Lovelace,1\n', known=KNOWN)

    assert reading.cells == [("Ada", "Lovelace", "1")]
    assert reading.upload.warnings == ["contacts.csv: 'Last name' stands on several lines; it is read as one heading."]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("Name,,Phone\nAda,x,1\n", "column B has no heading; its values are not imported"),
        ("Name, ,Phone,\nAda,x,1,\nBo,,2,y\n", "columns B, D have no heading; their values are not imported"),
    ],
)
def test_a_column_of_values_without_a_heading_is_said(read, content, said):
    warnings = read(content).upload.warnings

    assert len(warnings) == 1
    assert said in warnings[0]


def test_an_empty_column_without_a_heading_needs_no_word(read):
    assert read("Name,,Phone\nAda,,1\nBo, ,2\n").upload.warnings == []


def test_a_column_of_a_sheet_without_a_heading_is_said(read, tmp_path):
    book = openpyxl.Workbook()
    for row in (["Name", None, "Phone"], ["Ada", "x", "1"]):
        book.active.append(row)
    book.save(tmp_path / "people.xlsx")

    assert "column B has no heading" in read(tmp_path / "people.xlsx").upload.warnings[0]


def test_the_same_heading_over_several_columns_is_said(read):
    assert read("Name,Phone,Phone\nAda,1,2\n").upload.warnings == [
        "Heading 'Phone' stands over 2 columns; they are called Phone#1, Phone#2, in --map too."
    ]


def test_fewer_headings_than_values_are_said_once_for_the_whole_file(read):
    reading = read("First name,Last name,E-mail\n" + 3 * ROW)

    assert len(reading.unreadable) == 3
    assert len(reading.upload.warnings) == 1
    assert "3 of 3 rows hold more values than there are headings (3)" in reading.upload.warnings[0]


def test_half_of_the_rows_with_too_many_values_are_said_once(read):
    (warning,) = read("Name,Phone\nAda,1\nBo,2,3\n").upload.warnings
    assert "1 of 2 rows hold more values than there are headings (2)" in warning


def test_a_row_or_two_with_too_many_values_are_said_by_themselves(read):
    assert read("Name,Phone\nAda,1\nBo,2\nCy,3\nDi,4,5\n").upload.warnings == []


@pytest.mark.parametrize("value", ["ada@example.com", "(202) 555-0143", "+44 20 7946 0123"])
def test_values_in_the_row_of_headings_are_said(read, value):
    warnings = read(f"Ada,{value}\nBo,x\n").upload.warnings

    assert len(warnings) == 1
    assert "looks like a value, but the row is read as headings and not imported" in warnings[0]
    assert "555" not in warnings[0]


@pytest.mark.parametrize("heading", ["2024", "2024-05-01", "Phone 2", "E-mail @ work", "Q1 2024"])
def test_headings_with_digits_are_no_values(read, heading):
    assert read(f"Name,{heading}\nBo,x\n").upload.warnings == []
