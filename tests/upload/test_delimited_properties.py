"""Any table of text reads back equal. INTAKE_EXAMPLES sets how many are tried."""

import csv
import io
import re

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from contact_pipeline.settings import Settings
from contact_pipeline.upload import ReadOptions, inspect_file
from tests.thorough import examples

pytestmark = pytest.mark.timeout(900)  # a longer run, or a machine that has other work
EXAMPLES = examples(60, 500, "INTAKE_EXAMPLES")
LINE_ENDS = re.compile(r"\r\n|\r|\n")

LETTERS = {
    "utf-8": None,
    "utf-8-sig": None,
    "utf-16": None,
    "utf-16-le": None,
    "utf-16-be": None,
    "utf-32": None,
    "cp1252": "éÀß€œ",
    "cp1251": "ЖанЯё",
    "cp1253": "Ελώ",
    "iso-8859-15": "éŒ€",
    "mac-roman": "éß∞",
    "cp850": "éß░",
    "cp932": "山田ソ表ｱ",
    "euc_kr": "김철수",
    "gb18030": "王明😀",
    "big5": "王明許功",
}


@st.composite
def tables(draw):
    """An encoding, headings and rows of text that can be written in it."""
    encoding = draw(st.sampled_from(sorted(LETTERS)))
    letters = LETTERS[encoding]
    signs = "\",;\t|\r\n' a0\x00\x1f" + (letters or "é")
    text = st.text(signs, max_size=8)
    if letters is None:
        text |= st.text(st.characters(codec="utf-8"), max_size=12)
    name = st.text("abcdefghij'\",;|\n" + (letters or "ÀßЖ"), min_size=1, max_size=8)
    name = name.filter(lambda heading: any(map(str.isalpha, heading)))
    headings = draw(st.lists(name, min_size=1, max_size=5, unique_by=lambda heading: heading.strip().casefold()))
    row = st.lists(text, min_size=len(headings), max_size=len(headings))
    return encoding, headings, draw(st.lists(row.filter(lambda cells: any(map(str.strip, cells))), max_size=8))


def bare(line_end, cell):
    return cell.translate({ord(sign): " " for sign in "\r\n" if sign not in line_end})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("any")


@given(
    table=tables(),
    delimiter=st.sampled_from(",;\t|^"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
)
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
def test_any_table_of_text_reads_back_equal(folder, table, delimiter, quoting, line_end):
    encoding, headings, rows = table
    if quoting == csv.QUOTE_MINIMAL:  # before Python 3.13 it leaves other line ends than its own bare
        headings, rows = [bare(line_end, name) for name in headings], [[bare(line_end, c) for c in row] for row in rows]
        assume(all(any(map(str.strip, cells)) for cells in rows))
    # A single column named "a;b" cannot be told from two columns, so it may be refused (E3).
    assume(len(headings) > 1 or not set(headings[0]) & set(",;|"))
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, quoting=quoting, lineterminator=line_end)
    writer.writerow(headings)
    writer.writerows(rows)
    path = folder / "table.csv"
    path.write_bytes(written.getvalue().encode(encoding))

    seen = inspect_file(path, ReadOptions(delimiter=delimiter, encoding=encoding), Settings(home=folder))

    assert seen["headings"] == headings
    assert [row["cells"] for row in seen["rows"]] == rows
    assert [row["row_number"] for row in seen["rows"]] == list(range(2, len(rows) + 2))
    assert seen["unreadable"] == []
