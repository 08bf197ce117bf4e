import polars as pl
import pytest

from contact_pipeline.contracts.frames import RAW_ROWS, REJECTIONS
from contact_pipeline.errors import Refusal
from contact_pipeline.profiles.model import FileFormat
from contact_pipeline.settings import Settings
from contact_pipeline.upload import ReadOptions, raw_paths

CSV = FileFormat(types=["csv"], delimiter=None, encoding=None, sheet=None)


def test_rows_are_numbered_as_a_spreadsheet_shows_them(read):
    reading = read("Name,Phone\nAda,1\nGrace,2\n")

    assert reading.row_numbers == [2, 3]
    assert reading.line_numbers == [2, 3]
    assert reading.cells == [("Ada", "1"), ("Grace", "2")]


def test_raw_rows_and_rejections_keep_their_contracts(read):
    reading = read("Name,Phone\nAda,1\nGrace\n")

    RAW_ROWS.validate(reading.rows)
    REJECTIONS.validate(reading.upload.rejections)


def test_a_blank_line_between_rows_is_a_row_and_blank_lines_at_the_end_are_not(read):
    """X1: every physical row is accounted for."""
    reading = read("Name,Phone\nAda,1\n\nGrace,2\n,\n\n  \n")

    assert reading.upload.data_rows == 3
    assert reading.row_numbers == [2, 3, 4]
    assert reading.cells == [("Ada", "1"), (None, None), ("Grace", "2")]


def test_blank_lines_above_the_heading_count_as_lines(read):
    reading = read("\n\nName,Phone\nAda,1\n")

    assert reading.upload.heading_row == 3
    assert reading.row_numbers == [4]


def test_a_record_of_several_lines_is_one_row_and_the_next_keeps_its_line(read):
    reading = read('Name,Note\nAda,"one\ntwo\n\nthree"\nGrace,x\n')

    assert reading.row_numbers == [2, 3]
    assert reading.line_numbers == [2, 6]
    assert reading.cells[0] == ("Ada", "one\ntwo\n\nthree")


def test_a_heading_of_two_lines_is_one_row(read):
    reading = read('Name,"Phone\nnumber"\nAda,1\n')

    assert reading.upload.headings == ["Name", "Phone\nnumber"]
    assert (reading.row_numbers, reading.line_numbers) == ([2], [3])


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_taken_and_those_inside_quotes_are_kept(read, line_end):
    content = line_end.join(["Name,Note", 'Ada,"a\r\nb\rc\nd"', "", "Grace,x", ""])

    reading = read(content)

    assert reading.cells == [("Ada", "a\r\nb\rc\nd"), (None, None), ("Grace", "x")]


def test_line_ends_may_be_mixed(read):
    reading = read("Name,Phone\rAda,1\r\nGrace,2\nJoan,3")

    assert reading.cells == [("Ada", "1"), ("Grace", "2"), ("Joan", "3")]
    assert reading.line_numbers == [2, 3, 4]


def test_doubled_quotes_are_quotes_and_a_quote_inside_a_plain_value_is_itself(read):
    reading = read('Name,Size\n"Ada ""A"" L",5" pipe\n')

    assert reading.cells == [('Ada "A" L', '5" pipe')]


def test_a_quoted_nothing_is_empty(read):
    reading = read('Name,Phone\n"",1\nAda,""\n')

    assert reading.cells == [(None, "1"), ("Ada", None)]


def test_spaces_and_look_alike_words_stay_as_they_are(read):
    reading = read("Name,Phone\n  Ada , 007\nNULL,NaN\n")

    assert reading.cells == [("  Ada ", " 007"), ("NULL", "NaN")]


def test_a_ragged_row_is_rejected_with_its_line_and_text_and_shifts_nothing(read):
    """X1: a row that cannot be split is a rejection, never dropped, never shifted."""
    reading = read('Name,Phone\n"Ada\nL",1\nGrace\nJoan,3,extra,more\nMary,4\n')

    assert reading.cells == [("Ada\nL", "1"), ("Mary", "4")]
    assert reading.row_numbers == [2, 5]
    assert reading.unreadable == [(3, 4, "Grace"), (4, 5, "Joan,3,extra,more")]
    assert reading.upload.rejections["message"].to_list() == [
        "Row 3 (line 4) has 1 value; the heading has 2 columns.",
        "Row 4 (line 5) has 4 values; the heading has 2 columns.",
    ]
    assert reading.upload.data_rows == 4


def test_text_after_a_closing_quote_rejects_that_row_alone(read):
    reading = read('Name,Phone\n"Ada" x,1\n"Gr\nace"y,2\nJoan,3\n')

    assert reading.cells == [("Joan", "3")]
    assert reading.unreadable == [(2, 2, '"Ada" x,1'), (3, 3, '"Gr\nace"y,2')]


def test_the_text_of_unreadable_rows_is_masked_on_request_and_kept_for_the_sender(read):
    reading = read("Name,SSN\nAda\n", mask=True)

    assert reading.unreadable == [(2, 2, None)]
    assert "Ada" not in str(reading.upload.rejections.to_dicts())
    assert pl.read_parquet(reading.folder / "unreadable.parquet")["text"].to_list() == ["Ada"]


def test_an_unclosed_quote_refuses_the_file_and_names_the_line(read):
    with pytest.raises(Refusal, match="line 3") as refused:
        read('Name,Phone\nAda,1\n"Grace,2\nJoan,3\n')

    assert refused.value.code == "quote-unclosed"


def test_columns_get_unique_names_whatever_their_headings(read):
    reading = read("Email,email,,row_number,Email\n1,2,3,4,5\n")

    assert reading.upload.headings == ["Email", "email", "", "row_number", "Email"]
    assert reading.upload.columns == ["Email", "email_2", "column_3", "row_number_2", "Email_3"]
    assert reading.cells == [("1", "2", "3", "4", "5")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "file-empty"),
        ("\n \n,\n", "file-empty"),
        ("Name,Phone\n", "file-header-only"),
        ("Name\n\n\n", "file-header-only"),
    ],
)
def test_a_file_without_rows_is_refused(read, content, code):
    with pytest.raises(Refusal) as refused:
        read(content, file=CSV)

    assert refused.value.code == code
    assert refused.value.file == "contacts.csv"


def test_a_heading_that_reads_as_a_pattern_is_named_by_its_place(read):
    """X1: `*` and `^…$` would mean other columns to the frames that the rows go into."""
    reading = read("*,^name$,name\n1,2,3\n")

    assert reading.upload.columns == ["column_1", "column_2", "name"]
    assert reading.cells == [("1", "2", "3")]


def test_without_a_profile_a_heading_alone_is_read(read):
    reading = read("Name,Phone\n")

    assert reading.upload.data_rows == 0
    assert reading.rows.columns == ["row_number", "line_number", "Name", "Phone"]


def test_a_file_of_one_column_is_read(read):
    reading = read("Email\na@example.com\n\nb@example.com\n")

    assert reading.cells == [("a@example.com",), (None,), ("b@example.com",)]


def test_slices_hold_the_rows_in_file_order_without_loss(read):
    rows = [f'{n},"line one of {n}\nline two, and ""quotes"""' for n in range(40_000)]
    rows[12_345] = "ragged"
    rows[23_456] = ""

    reading = read("Number,Text\n" + "\r\n".join(rows), settings=Settings(slice_rows=1_000, threads=2))

    expected = [n + 2 for n in range(40_000) if n != 12_345]
    assert len(raw_paths(reading.folder)) > 3
    assert reading.row_numbers == expected
    assert reading.unreadable == [(12_347, 2 * 12_345 + 2, "ragged")]
    assert (
        reading.rows.filter(pl.col("row_number") == 40_001)["Text"].item()
        == 'line one of 39999\nline two, and "quotes"'
    )
    assert reading.upload.data_rows == 40_000


def test_reading_again_replaces_what_was_read_before(read):
    read("Name,Phone\n" + "Ada,1\n" * 5_000, settings=Settings(slice_rows=1))

    reading = read("Name,Phone\nGrace,2\n")

    assert reading.cells == [("Grace", "2")]


def test_nothing_but_the_rows_is_left_in_the_folder(read):
    reading = read("Name,Phone\nAda,1\nGrace\n")

    assert sorted(path.name for path in reading.folder.iterdir()) == ["raw-00001.parquet", "unreadable.parquet"]


def test_a_file_that_is_refused_midway_leaves_nothing(read, tmp_path):
    with pytest.raises(Refusal):
        read("Name,Phone\n" + "Ada,1\n" * 20_000 + '"Grace,2\n', settings=Settings(slice_rows=1))

    assert list((tmp_path / "staged").iterdir()) == []


def test_an_endless_line_is_refused(read):
    with pytest.raises(Refusal, match="line 2 is longer than 16 MB") as refused:
        read("Name,Note\nAda," + "x" * (17 << 20) + "\n")

    assert refused.value.code == "file-unreadable"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(read, delimiter):
    """E3: the delimiter is detected."""
    reading = read(
        f"Name{delimiter}Phone\nAda, B{delimiter}1\nGrace; C{delimiter}2\n".replace(
            ", B", " B" * (delimiter == ",") or ", B"
        )
    )

    assert reading.upload.delimiter == delimiter
    assert reading.upload.headings == ["Name", "Phone"]


def test_the_delimiter_that_the_lines_agree_on_wins(read):
    """E3: detection goes by the heading and the rows together."""
    reading = read("Last, first;Phone;City\nLovelace, Ada;1;London\nHopper;2;New York\nClarke, Joan, M;3;Bletchley\n")

    assert reading.upload.delimiter == ";"


def test_two_delimiters_that_fit_equally_well_are_refused_with_both(read):
    """E3: a file that could be split two ways is refused."""
    with pytest.raises(Refusal, match=r"comma or by semicolon|semicolon or by comma") as refused:
        read("a,b;c\n1,2;3\n")

    assert refused.value.code == "delimiter"


@pytest.mark.parametrize(
    ("content", "delimiter", "first"),
    [
        ("Name;Email\nByron, Ada;a@example.com\nBerg, L;l@example.com\n", ";", ("Byron, Ada", "a@example.com")),
        (
            "Name,Email,Tags\nAda,a@example.com,a;b;c;d\nL,l@example.com,e;f;g;h\n",
            ",",
            ("Ada", "a@example.com", "a;b;c;d"),
        ),
        (
            "Name\tEmail\nByron, Ada, Lady\ta@example.com\nBerg, L, x\tl@example.com\n",
            "\t",
            ("Byron, Ada, Lady", "a@example.com"),
        ),
        (
            "Name|Email|Tags\nAda|a@example.com|a,b,c\nLinus|l@example.com|e,f,g\n",
            "|",
            ("Ada", "a@example.com", "a,b,c"),
        ),
        (
            "Contacts, May, 2024\nName;Email\nByron, Ada;a@example.com\nBerg, L;l@example.com\n",
            ";",
            ("Byron, Ada", "a@example.com"),
        ),
    ],
)
def test_known_headings_decide_the_delimiter_whatever_the_rows_hold(read, content, delimiter, first):
    reading = read(content, known=["Name", "Email"])

    assert reading.upload.delimiter == delimiter
    assert reading.cells[0] == first
    assert reading.upload.rejections.is_empty()


@pytest.mark.parametrize("ending", ["tsv", "tab", "txt", "TXT"])
def test_files_of_tabs_are_delimited_files(read, ending):
    assert read("Name\tPhone\nAda\t1\n", name=f"contacts.{ending}", file=CSV).cells == [("Ada", "1")]


def test_the_declared_delimiter_is_taken(read):
    """E3: the delimiter is chosen."""
    reading = read("Name^Phone\nAda, L^1\n", options=ReadOptions(delimiter="^"))

    assert reading.cells == [("Ada, L", "1")]


def test_the_profiles_delimiter_is_taken_unless_another_is_declared(read):
    file = FileFormat(types=["csv"], delimiter=";", encoding=None, sheet=None)

    assert read("a;b\n1,5;2\n", file=file).cells == [("1,5", "2")]
    assert read("a|b\n1;2|3\n", file=file, options=ReadOptions(delimiter="|")).cells == [("1;2", "3")]


@pytest.mark.parametrize("declared", [";", "semicolon"])
def test_a_file_that_does_not_split_by_the_chosen_delimiter_is_refused_with_what_was_seen(read, declared):
    """E3: a file that does not split by the chosen delimiter is refused with what was seen."""
    with pytest.raises(Refusal) as refused:
        read("Name,Phone\nAda,1\n", options=ReadOptions(delimiter=declared))

    assert refused.value.code == "delimiter"
    assert refused.value.message == (
        "contacts.csv does not split by semicolon: that gives its heading one column. "
        "It seems to be separated by comma, which gives 2 columns."
    )


def test_a_delimiter_that_is_none_is_refused(read):
    with pytest.raises(Refusal) as refused:
        read("Name,Phone\nAda,1\n", options=ReadOptions(delimiter="ab"))

    assert refused.value.code == "delimiter"


def test_a_byte_order_mark_is_no_part_of_the_heading(read):
    reading = read("\ufeffName,Phone\nJosé,1\n")

    assert (reading.upload.encoding, reading.upload.headings) == ("utf-8", ["Name", "Phone"])
    assert reading.upload.warnings == []


def test_utf_16_is_read_by_its_mark(read):
    reading = read("Name,Phone\nJosé 😀,1\n".encode("utf-16"))

    assert reading.cells == [("José 😀", "1")]


def test_what_is_not_utf_8_is_read_as_windows_1252_and_said(read):
    reading = read("Name,Phone\nJos\xe9 \x80,1\n".encode("latin-1"))

    assert reading.upload.encoding == "cp1252"
    assert reading.cells == [("José €", "1")]
    assert "line 2" in reading.upload.warnings[0]
    assert "Windows-1252 was assumed" in reading.upload.warnings[0]


def test_a_declared_encoding_is_taken_without_a_warning(read):
    reading = read("Name,Phone\nЖанна,1\n".encode("cp1251"), options=ReadOptions(encoding="windows-1251"))

    assert reading.cells == [("Жанна", "1")]
    assert reading.upload.warnings == []


@pytest.mark.parametrize(
    ("content", "encoding"),
    [(b"Name\nJos\xe9\n", "utf-8"), (b"Name\nx\n", "klingon"), (b"Name\nx\n", "base64"), (b"Name\nx\n", "utf-7")],
)
def test_an_encoding_that_does_not_fit_is_refused(read, content, encoding):
    with pytest.raises(Refusal) as refused:
        read(content, options=ReadOptions(encoding=encoding))

    assert refused.value.code == "encoding"


def test_a_character_cut_by_a_block_is_read_whole(read):
    rows = "".join(f"é{'ü' * (n % 7)},€\n" for n in range(30_000))

    reading = read("Name,Sign\n" + rows, settings=Settings(slice_rows=1))

    assert reading.upload.data_rows == 30_000
    assert set(reading.rows["Sign"]) == {"€"}
