"""A workbook that is damaged anywhere is read or refused, and raises nothing else."""

import io
import shutil
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from contact_pipeline.errors import Refusal
from contact_pipeline.settings import Settings
from contact_pipeline.upload import ReadOptions, read_upload
from tests.thorough import examples

LIBREOFFICE = Path(__file__).parents[1] / "corpus" / "libreoffice"


def made_here():
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in (["Name", "Zip"], ["Ada", 501], ["true", "2024-02-29 00:00:00"]):
        book.active.append(row)
    book.active["B2"].number_format = "00000"
    book.save(content)
    return content.getvalue()


WHOLE = {"xlsx": made_here(), **{kind: (LIBREOFFICE / f"values.{kind}").read_bytes() for kind in ("xls", "ods")}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged")


@given(
    kind=st.sampled_from(sorted(WHOLE)),
    damage=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6),
    cut=st.none() | st.floats(0, 1),
)
@settings(max_examples=examples(20, 200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_workbook_is_read_or_refused(folder, kind, damage, cut):
    content = bytearray(WHOLE[kind])
    for place, noise in damage:
        start = int(place * (len(content) - 1))
        content[start : start + len(noise)] = noise
    path = folder / f"damaged.{kind}"
    path.write_bytes(content[: int(cut * len(content))] if cut is not None else content)
    shutil.rmtree(folder / "staged", ignore_errors=True)

    try:
        read_upload(path, path.name, None, ReadOptions(), folder / "staged", Settings())
    except Refusal as refused:
        event(refused.code)
    else:
        event("read")
