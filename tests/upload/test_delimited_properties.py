"""Reading any table, and any bytes at all. INTAKE_EXAMPLES sets how many of each are tried: 2,000 in CI."""

import csv
import io
import itertools
import os
import re
import shutil
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings
from contact_pipeline.upload import ReadOptions, inspect_file, raw_paths, read_upload

pytestmark = pytest.mark.timeout(900)  # a longer run, or a machine that has other work
EXAMPLES = int(os.environ.get("INTAKE_EXAMPLES", "2000"))
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

    seen = inspect_file(path, ReadOptions(delimiter=delimiter, encoding=encoding), Settings())

    assert seen["headings"] == headings
    assert [row["cells"] for row in seen["rows"]] == rows
    assert [row["row_number"] for row in seen["rows"]] == list(range(2, len(rows) + 2))
    assert seen["unreadable"] == []


lines = st.lists(
    st.text('",;|\t\r\n ab1é', max_size=12)
    | st.sampled_from(["Name,Phone", "a;b;c", "sep=;", '"open', "x,y,", "\x1a"]),
    max_size=10,
)
any_bytes = st.one_of(
    st.binary(max_size=80),
    st.builds(lambda found, name: "\n".join(found).encode(name), lines, st.sampled_from(["utf-8", "utf-16", "cp1252"])),
    st.builds(lambda found, noise: "\r\n".join(found).encode() + noise, lines, st.binary(max_size=10)),
    st.builds(bytes.__add__, st.sampled_from([b"\xef\xbb\xbf", b"\xff\xfe", b"PK\x03\x04"]), st.binary(max_size=40)),
)


@given(
    content=any_bytes,
    delimiter=st.sampled_from([None, ",", ";"]),
    encoding=st.sampled_from([None, "utf-8", "cp1252", "utf-16"]),
)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_are_accounted_for_line_by_line_or_refused(folder, content, delimiter, encoding):
    path = folder / "bytes.csv"
    path.write_bytes(content)
    shutil.rmtree(folder / "staged", ignore_errors=True)

    try:
        upload = read_upload(path, path.name, None, ReadOptions(delimiter, encoding), folder / "staged", Settings())
    except Refusal as refused:
        event(refused.code)
        refusal = refused
    else:
        refusal = None
    if refusal is not None:
        assert refusal.message
        assert refusal.fix
        return

    event("read")
    must_account_for_every_line(upload, folder / "staged", content)


def must_reach_the_last_line(upload, texts, content: bytes):
    """After the last record there are only lines without a value."""
    if not texts:
        return
    with io.TextIOWrapper(io.BytesIO(content), encoding=upload.encoding, newline="") as whole:
        lines = LINE_ENDS.split(whole.read().removeprefix("\ufeff"))
    _, line, cells = texts[-1]
    last = line + sum(len(LINE_ENDS.findall(cell or "")) for cell in cells)
    rest = "".join(lines[last:]).removesuffix("\x1a")
    assert re.sub(rf'[\s"{re.escape(upload.delimiter)}]', "", rest) == ""


def must_account_for_every_line(upload, staged: Path, content: bytes):
    """Each record begins where the one before it ends, by the line ends that its cells hold."""
    rows = pl.concat([pl.read_parquet(part) for part in raw_paths(staged)])
    broken = pl.read_parquet(staged / "unreadable.parquet").select("row_number", "line_number", "text")
    frames = [rows.select("row_number", "line_number", *upload.columns), broken]
    texts = [(number, line, cells) for frame in frames for number, line, *cells in frame.rows()]
    texts.sort()

    first = upload.heading_row + 1
    assert [number for number, _, _ in texts] == list(range(first, first + upload.data_rows))
    must_reach_the_last_line(upload, texts, content)
    for (_, line, cells), (_, following, _) in itertools.pairwise(texts):
        assert following == line + 1 + sum(len(LINE_ENDS.findall(cell or "")) for cell in cells)
