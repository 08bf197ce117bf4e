import csv
import io

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings
from contact_pipeline.upload import ReadOptions, inspect_file

text = st.text(st.characters(codec="utf-8"), max_size=12) | st.text("\",;\t|\r\n' aé", max_size=8)
heading = st.text("abcdefghij ÀßЖ\"',;|\n", min_size=1, max_size=8).filter(lambda name: any(map(str.isalpha, name)))


@st.composite
def tables(draw):
    headings = draw(st.lists(heading, min_size=1, max_size=5, unique_by=lambda name: name.strip().casefold()))
    row = st.lists(text, min_size=len(headings), max_size=len(headings))
    return headings, draw(st.lists(row.filter(lambda cells: any(map(str.strip, cells))), max_size=8))


def bare(line_end, cell):
    return cell.translate({ord(sign): " " for sign in "\r\n" if sign not in line_end})


@given(
    table=tables(),
    delimiter=st.sampled_from(",;\t|^"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_table_of_text_reads_back_equal(tmp_path_factory, table, delimiter, quoting, line_end, encoding):
    headings, rows = table
    if quoting == csv.QUOTE_MINIMAL:  # before Python 3.13 it leaves other line ends than its own bare
        headings, rows = [bare(line_end, name) for name in headings], [[bare(line_end, c) for c in row] for row in rows]
        assume(all(any(map(str.strip, cells)) for cells in rows))
    # A single column named "a;b" cannot be told from two columns, so it may be refused (E3).
    assume(len(headings) > 1 or not set(headings[0]) & set(",;|"))
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, quoting=quoting, lineterminator=line_end)
    writer.writerow(headings)
    writer.writerows(rows)
    path = tmp_path_factory.mktemp("table") / "table.csv"
    path.write_bytes(written.getvalue().encode(encoding))

    seen = inspect_file(path, ReadOptions(delimiter=delimiter, encoding=encoding), Settings())

    assert seen["headings"] == headings
    assert [row["cells"] for row in seen["rows"]] == rows
    assert [row["row_number"] for row in seen["rows"]] == list(range(2, len(rows) + 2))
    assert seen["unreadable"] == []


@given(st.text('",\r\n ab', max_size=60))
@settings(max_examples=60, deadline=None)
def test_every_record_of_any_text_is_a_row_or_a_rejection(tmp_path_factory, body):
    path = tmp_path_factory.mktemp("text") / "text.csv"
    path.write_bytes(f"one,two\n{body}".encode())

    try:
        seen = inspect_file(path, ReadOptions(delimiter=",", encoding="utf-8"), Settings())
    except Refusal as refused:
        event(refused.code)
        return

    numbers = sorted(row["row_number"] for row in [*seen["rows"], *seen["unreadable"]])
    assert numbers == list(range(2, seen["data_rows"] + 2))
