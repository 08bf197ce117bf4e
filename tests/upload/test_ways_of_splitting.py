"""A piece of a file is split as a whole, record by record, or cell by cell; the rows are the same."""

import csv
import io
import random
import shutil
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings
from contact_pipeline.upload import ReadOptions, raw_paths, read_upload
from contact_pipeline.upload.text import cells, pieces
from contact_pipeline.upload.text.records import Grammar
from tests.thorough import examples

pytestmark = pytest.mark.timeout(900)  # a longer run, or a machine that has other work
EXAMPLES = examples(50, 500, "INTAKE_EXAMPLES") // 2
MANY_PIECES = Settings(slice_rows=1)
LINES = [
    "a,b,c", 'x,"y",z', '"one\ntwo",,3', '"one\r\ntwo","q ""q"" q",', '"",,""', ",,", " , ,", "", "  ", "\r",
    'a,b"b,c', '5" pipe,,', '"a"b,c,d', ' "a" ,b,c', '"a,\n,b",c,"d\n', 'e",f,g', "a,b", "a,b,c,d", "a,b,c,,", "é,€,😀",
    "\ufeffa,b,c", '" "," "," "', "a\x00,\x1f,c", '"",', '""a"",b,c', "Name,Phone,Note",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ways")


def not_as_a_whole(grammar, text, width, line_end="", is_regular=Grammar.is_regular):
    return pl.Series([False]) if line_end else is_regular(grammar, text, width)


def never(grammar, text, width, line_end=""):
    return pl.repeat(False, text.len(), eager=True)


def read_by(is_regular, folder, content, limits):
    """What is read if that says what is regular: rows, rejections and counts, or the refusal."""
    path = folder / "table.csv"
    path.write_bytes(content)
    shutil.rmtree(folder / "staged", ignore_errors=True)
    with patch.object(Grammar, "is_regular", is_regular):
        try:
            upload = read_upload(path, path.name, None, ReadOptions(delimiter=","), folder / "staged", limits)
        except Refusal as refusal:
            return refusal.code, str(refusal)
    rows = pl.concat([pl.read_parquet(part) for part in raw_paths(folder / "staged")])
    return rows.schema, rows.rows(), upload.rejections.rows(), upload.data_rows, upload.headings


def read_by_every_way(folder, content, limits):
    """What is read, the same whichever way is taken."""
    as_a_whole, by_record, by_cell = (
        read_by(way, folder, content, limits) for way in (Grammar.is_regular, not_as_a_whole, never)
    )

    assert as_a_whole == by_record
    assert as_a_whole == by_cell
    return as_a_whole


@given(
    lines=st.lists(st.sampled_from(LINES), max_size=30),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    end=st.booleans(),
)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_lines_are_split_alike_by_every_way(folder, lines, line_end, end):
    content = line_end.join(["Name,Phone,Note", *lines]) + line_end * end

    found = read_by_every_way(folder, content.encode(), Settings())

    event("read" if len(found) > 2 else found[0])


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("odd", [0, 0.0002, 0.05])
def test_long_files_are_split_alike_by_every_way(folder, line_end, odd):
    made = random.Random(11)
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator=line_end)
    writer.writerow(["Name", "Phone", "Note"])
    for number in range(20_000):
        if made.random() < odd:
            written.write(made.choice([line for line in LINES if line.count('"') % 2 == 0]) + line_end)
        else:
            writer.writerow(
                [f"Zoë {number}", made.choice(["", "1,2", '3"']), made.choice(["", "x", "one\ntwo", "a\r\nb"])]
            )

    _, rows, rejections, count, _ = read_by_every_way(folder, written.getvalue().encode(), MANY_PIECES)

    assert len(rows) + len(rejections) == count >= 20_000


def test_a_regular_file_is_split_as_a_whole(read):
    rows = "".join(f'{n},"one\ntwo, ""three""",\n' for n in range(30_000))

    with patch.object(pieces, "find_records", wraps=pieces.find_records) as found:
        reading = read("Name,Phone,Note\n" + rows, settings=MANY_PIECES)

    assert found.call_count == 1  # the heading
    assert reading.line_numbers == list(range(2, 60_002, 2))


def test_rows_that_a_reader_would_lose_are_split_without_it(read):
    def lossy(*arguments, whole=cells._read):
        return whole(*arguments)[1:]

    with patch.object(cells, "_read", lossy):
        reading = read('Name,Phone\nAda,1\n"Gr\nace",2\nJoan,\n')

    assert reading.cells == [("Ada", "1"), ("Gr\nace", "2"), ("Joan", None)]
    assert (reading.row_numbers, reading.line_numbers) == ([2, 3, 4], [2, 3, 5])


def test_a_table_of_too_many_columns_for_one_expression_is_read(read):
    wide = 2_500
    content = ",".join(f"Column {n}" for n in range(wide)) + "\n" + ",".join(map(str, range(wide))) + "\n"

    reading = read(content, settings=Settings(max_columns=3_000))

    assert reading.cells == [tuple(map(str, range(wide)))]


def test_a_delimiter_of_several_bytes_is_taken(read):
    reading = read("Name§Phone\nAda§1\nGrace\n", options=ReadOptions(delimiter="§"))

    assert reading.cells == [("Ada", "1")]
    assert reading.unreadable == [(3, 3, "Grace")]


def test_spaces_between_delimiters_are_kept_and_make_a_blank_row(read):
    """X1: every cell stays as it is."""
    reading = read("Name,Phone\n  , \nAda,1\n , \n")

    assert reading.cells == [("  ", " "), ("Ada", "1")]
    assert reading.upload.data_rows == 2
