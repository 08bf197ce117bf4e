"""Any bytes at all: every physical line of a file is accounted for, or the file is refused with a message.

INTAKE_EXAMPLES sets how many are tried.
"""

import io
import itertools
import re
import shutil
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings
from contact_pipeline.upload import ReadOptions, raw_paths, read_upload
from tests.thorough import examples

pytestmark = pytest.mark.timeout(900)  # a longer run, or a machine that has other work
EXAMPLES = examples(40, 500, "INTAKE_EXAMPLES")
LINE_ENDS = re.compile(r"\r\n|\r|\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("any")


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
