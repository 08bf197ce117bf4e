"""What stands above the heading, and beside it."""

import pytest

from contact_pipeline.errors import Refusal
from contact_pipeline.upload import ReadOptions
from contact_pipeline.upload.heading import find_heading, folded, heading_in, without_invisible

KNOWN = frozenset(map(folded, ("First name", "Last name", "Email", "Phone")))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["Name", "Phone"], ["Ada", "1"]], 0),
        ([["Contacts"], ["Name", "Phone"], ["Ada", "1"]], 1),
        ([["Contacts", "", ""], ["of May", "", ""], ["Name", "Tel", "City"], ["Ada", "1", "x"], ["Joan", "", ""]], 2),
        ([["Exported by", "Ada"], ["a", "b", "c", "d", "e"], ["1", "2", "3", "4", "5"]], 1),
        ([["Name"], ["Ada", "1"], ["Grace", "2"]], 0),
        ([["Name"], ["Lovelace", " Ada"], ["Hopper"], ["Clarke", " Joan"]], 0),
        ([["Name"], ["Ada"], ["Grace"]], 0),
        ([["Name", "Phone"]], 0),
        ([], 0),
    ],
)  # fmt: skip
def test_a_title_is_told_from_a_heading_by_its_shape(rows, expected):
    assert find_heading(rows) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["List", "of", "people"], ["First name", "Last name", "Email"], ["Ada", "L", ""]], 1),
        ([["first_name", "Email", "Other"], ["Ada", "x", "y"]], 0),
        ([["Kontakte"], ["EMAIL", "phone"]], 1),
    ],
)
def test_expected_headings_tell_the_heading(rows, expected):
    assert find_heading(rows, KNOWN) == expected


def test_titles_above_the_heading_are_no_rows_and_are_said(read):
    reading = read("Contacts of May\n\nName;Phone\nAda;1\n")

    assert reading.upload.headings == ["Name", "Phone"]
    assert (reading.upload.heading_row, reading.row_numbers, reading.line_numbers) == (3, [4], [4])
    assert reading.upload.warnings == ["contacts.csv: the heading stands in row 3; a row above it is not read."]


def test_a_title_with_another_delimiter_does_not_mislead(read):
    reading = read("Contacts, all of them\nName;Phone\nAda;1\nGrace;2\n")

    assert (reading.upload.delimiter, reading.upload.headings) == (";", ["Name", "Phone"])


@pytest.mark.parametrize("declaration", ["sep=;", '"sep=;"', "SEP=;"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_declared_delimiter_on_the_first_line_is_taken_and_counts_as_no_row(read, declaration, line_end):
    reading = read(line_end.join([declaration, "Name;Phone", "Ada, L;1", ""]))

    assert reading.upload.delimiter == ";"
    assert reading.cells == [("Ada, L", "1")]
    assert (reading.row_numbers, reading.line_numbers) == ([2], [3])
    assert reading.upload.warnings == []


def test_an_option_goes_before_what_the_file_declares(read):
    assert read("sep=;\na|b\n1;2|3\n", options=ReadOptions(delimiter="|")).cells == [("1;2", "3")]


def test_an_unclosed_quote_below_a_declared_delimiter_names_its_line(read):
    with pytest.raises(Refusal, match="line 3"):
        read('sep=;\nName;Phone\n"Ada;1\n')


def test_trailing_delimiters_make_no_columns(read):
    reading = read("Name,Phone,,\nAda,1,,\nGrace,2,,\n")

    assert reading.upload.headings == ["Name", "Phone"]
    assert reading.rows.columns == ["row_number", "line_number", "Name", "Phone"]


def test_trailing_delimiters_below_a_heading_without_them_do_no_harm(read):
    reading = read('Name,Phone\nAda,1,\n"Gr""ace",2\nJoan,3,,\nMary,4,x\n')

    assert reading.cells == [("Ada", "1"), ('Gr"ace', "2"), ("Joan", "3")]
    assert reading.row_numbers == [2, 3, 4]
    assert reading.unreadable == [(5, 5, "Mary,4,x")]


def test_missing_trailing_delimiters_do_no_harm(read):
    reading = read("Name,Phone,,\nAda,1\nGrace,2,,\nJoan\n")

    assert reading.cells == [("Ada", "1"), ("Grace", "2")]
    assert reading.unreadable == [(4, 4, "Joan")]


def test_a_column_without_heading_but_with_values_stays(read):
    reading = read("Name,Phone,\nAda,1,x\n")

    assert reading.upload.headings == ["Name", "Phone", ""]
    assert reading.cells == [("Ada", "1", "x")]


def test_a_file_that_changes_its_delimiter_is_refused_with_both(read):
    rows = "".join(f"Name{n};{n}\n" for n in range(600)) + "".join(f"Name{n},{n}\n" for n in range(200))
    with pytest.raises(Refusal) as refused:
        read("Name;Phone\n" + rows)

    assert refused.value.code == "delimiter"
    assert "by semicolon or by comma" in refused.value.message
    assert "*****,*" in refused.value.message


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Email\u200b", "Email"),
        ("\ufeffName", "Name"),
        ("Zip\u00a0code", "Zip code"),
        ("\u202aPhone\u202c", "Phone"),
        ("First\u00adname", "Firstname"),
        ("Na\x00me", "Name"),
        ("\u200fשם\u200e", "שם"),
        ("نام\u200cخانوادگی", "نام\u200cخانوادگی"),
        ("Email\u200d", "Email"),
        (" Email ", " Email "),
    ],
)
def test_invisible_characters_come_off_headings(read, written, meant):
    assert without_invisible(written) == meant
    assert read(f"{written},Phone 2\nx,1\n").upload.headings == [meant, "Phone 2"]


@pytest.mark.parametrize(
    ("cell", "heading"),
    [
        ("'@Ort", "@Ort"),
        ("'=Firma", "=Firma"),
        (" '+Bonus", " +Bonus"),
        ("\ufeff'-Rabatt", "-Rabatt"),
        ("''=x", "''=x"),
        ("'24 revenue", "'24 revenue"),
        ("'s-Gravenhage", "'s-Gravenhage"),
        ("@Ort", "@Ort"),
        ("O'Neil=", "O'Neil="),
        ("'", "'"),
    ],
)
def test_an_apostrophe_before_what_would_be_calculated_comes_off(cell, heading):
    assert heading_in(cell) == heading
